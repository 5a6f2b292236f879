/*
 * The encoder of Protocol Buffers.
 */
#include "proto.h"

#include <stdlib.h>
#include <string.h>

#include "base/varint.h"

#include "error.h"
#include "json.h"

enum wire_type { VARINT = 0, FIXED64 = 1, LENGTH = 2 };

/* Room for n more bytes: where they begin. */
static uint8_t *room(struct gt_proto *p, size_t n)
{
	if (p->cap - p->size < n) {
		p->cap = GT_MAX(p->cap * 2, p->size + n + 64);
		p->data = gt_realloc(p->data, p->cap);
	}
	return p->data + p->size;
}

void gt_proto_packed(struct gt_proto *p, uint64_t v)
{
	p->size = (size_t)(gt_varint_put(room(p, GT_VARINT_MAX), v) - p->data);
}

static void put_tag(struct gt_proto *p, unsigned field, enum wire_type type)
{
	gt_proto_packed(p, (uint64_t)field << 3 | type);
}

void gt_proto_fini(struct gt_proto *p)
{
	free(p->data);
	*p = (struct gt_proto){0};
}

void gt_proto_uint(struct gt_proto *p, unsigned field, uint64_t v)
{
	put_tag(p, field, VARINT);
	gt_proto_packed(p, v);
}

void gt_proto_fixed64(struct gt_proto *p, unsigned field, uint64_t v)
{
	uint8_t *to;

	put_tag(p, field, FIXED64);
	to = room(p, 8);
	for (unsigned i = 0; i < 8; i++) {
		to[i] = (uint8_t)(v >> 8 * i);
	}
	p->size += 8;
}

void gt_proto_bytes(struct gt_proto *p, unsigned field, const void *data, size_t n)
{
	put_tag(p, field, LENGTH);
	gt_proto_packed(p, n);
	if (n > 0) {
		memcpy(room(p, n), data, n);
		p->size += n;
	}
}

void gt_proto_string(struct gt_proto *p, unsigned field, const char *s)
{
	gt_proto_bytes(p, field, s, strlen(s));
}

void gt_proto_text(struct gt_proto *p, unsigned field, const char *data, size_t n)
{
	static const char unknown[] = "\xef\xbf\xbd"; /* U+FFFD */
	const size_t mark = gt_proto_begin(p, field);

	for (size_t i = 0; i < n;) {
		char rune[5] = {0}; /* ended by a zero, as data need not be */
		size_t length;

		memcpy(rune, data + i, GT_MIN(n - i, 4));
		length = gt_utf8_length(rune);
		memcpy(room(p, 4), length ? rune : unknown, length ? length : 3);
		p->size += length ? length : 3;
		i += length ? length : 1;
	}
	gt_proto_end(p, mark);
}

/* One byte is kept for the length, which is enough for most; gt_proto_end makes room for more. */
size_t gt_proto_begin(struct gt_proto *p, unsigned field)
{
	put_tag(p, field, LENGTH);
	room(p, 1);
	return ++p->size;
}

void gt_proto_end(struct gt_proto *p, size_t mark)
{
	const size_t length = p->size - mark;
	uint8_t bytes[GT_VARINT_MAX];
	const size_t n = (size_t)(gt_varint_put(bytes, length) - bytes);

	room(p, n - 1);
	if (n > 1) {
		memmove(p->data + mark + n - 1, p->data + mark, length);
	}
	memcpy(p->data + mark - 1, bytes, n);
	p->size += n - 1;
}
