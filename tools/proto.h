/*
 * An encoder of Protocol Buffers (https://protobuf.dev/programming-guides/encoding/).
 *
 * It knows the wire format and no schema: the caller names each field by its number. Bytes gather
 * in memory until the caller writes them out and sets size to 0; between messages, a buffer that is
 * written out now and then is all that a file of any length needs.
 *
 *	struct gt_proto p = {0};
 *	size_t mark = gt_proto_begin(&p, 1);
 *	gt_proto_uint(&p, 8, time);
 *	gt_proto_end(&p, mark);
 *	fwrite(p.data, 1, p.size, out), p.size = 0;
 *	gt_proto_fini(&p);
 */
#pragma once

#include "base/util.h"

struct gt_proto {
	uint8_t *data;
	size_t size, cap;
};

void gt_proto_fini(struct gt_proto *p);

/* uint32, uint64, bool, enum; also int32 and int64 as the cast gives them: a negative takes ten. */
void gt_proto_uint(struct gt_proto *p, unsigned field, uint64_t v);
void gt_proto_fixed64(struct gt_proto *p, unsigned field, uint64_t v);
/* bytes, string, or a message that is encoded already. A string's bytes must be UTF-8. */
void gt_proto_bytes(struct gt_proto *p, unsigned field, const void *data, size_t n);
void gt_proto_string(struct gt_proto *p, unsigned field, const char *s);
/*
 * A string of bytes that may be anything: what is not UTF-8 becomes U+FFFD, since readers refuse
 * the whole message otherwise.
 */
void gt_proto_text(struct gt_proto *p, unsigned field, const char *data, size_t n);

/*
 * A message as a field, which may hold others: what is put between begin and end is in it. Its
 * length is patched in at the end. A list of packed numbers is the same with gt_proto_packed.
 */
size_t gt_proto_begin(struct gt_proto *p, unsigned field);
void gt_proto_end(struct gt_proto *p, size_t mark);
void gt_proto_packed(struct gt_proto *p, uint64_t v);
