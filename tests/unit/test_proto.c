/*
 * The encoder of Protocol Buffers: its bytes are those that the format's own examples have.
 */
#include <criterion/criterion.h>

#include <string.h>

#include "proto.h"

static void check(struct gt_proto *p, const char *expected, size_t n)
{
	cr_assert_eq(p->size, n, "%zu bytes, not %zu", p->size, n);
	cr_expect_eq(memcmp(p->data, expected, n), 0);
	gt_proto_fini(p);
}

#define CHECK(p, expected) check(p, expected, sizeof(expected) - 1)

/* protobuf.dev, "Encoding": 150 in field 1 is 08 96 01, "testing" in field 2 12 07 and the text. */
Test(proto, scalars)
{
	struct gt_proto p = {0};

	gt_proto_uint(&p, 1, 150);
	CHECK(&p, "\x08\x96\x01");
	gt_proto_uint(&p, 3, 0);
	CHECK(&p, "\x18\x00");
	gt_proto_uint(&p, 1, (uint64_t)INT64_C(-2));
	CHECK(&p, "\x08\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01");
	gt_proto_fixed64(&p, 47, 0x0123456789abcdef);
	CHECK(&p, "\xf9\x02\xef\xcd\xab\x89\x67\x45\x23\x01");
	gt_proto_string(&p, 2, "testing");
	CHECK(&p, "\x12\x07testing");
	gt_proto_bytes(&p, 2, NULL, 0);
	CHECK(&p, "\x12\x00");
}

Test(proto, text_is_utf8)
{
	struct gt_proto p = {0};

	gt_proto_text(&p, 1, "a\xc3\xa9z", 4);
	CHECK(&p, "\x0a\x04"
		  "a\xc3\xa9z");
	gt_proto_text(&p, 1, "\xffq\0", 3);
	CHECK(&p, "\x0a\x05\xef\xbf\xbdq\0");
	gt_proto_text(&p, 1, "\xc3", 1); /* cut: the next byte is not looked at */
	CHECK(&p, "\x0a\x03\xef\xbf\xbd");
	gt_proto_text(&p, 1, "", 0);
	CHECK(&p, "\x0a\x00");
}

/* A message in a message, a packed list, an empty one. */
Test(proto, nested)
{
	struct gt_proto p = {0};
	size_t outer = gt_proto_begin(&p, 3), inner;

	gt_proto_uint(&p, 1, 150);
	inner = gt_proto_begin(&p, 6);
	gt_proto_packed(&p, 3);
	gt_proto_packed(&p, 270);
	gt_proto_packed(&p, 86942);
	gt_proto_end(&p, inner);
	inner = gt_proto_begin(&p, 7);
	gt_proto_end(&p, inner);
	gt_proto_end(&p, outer);
	CHECK(&p, "\x1a\x0d\x08\x96\x01\x32\x06\x03\x8e\x02\x9e\xa7\x05\x3a\x00");
}

/* At 128 and 16384 bytes the length takes a byte more, and what is in the message moves up. */
Test(proto, long_messages)
{
	static const struct {
		size_t size;
		const char *head;
	} cases[] = {{127, "\x0a\x7f"}, {128, "\x0a\x80\x01"}, {16384, "\x0a\x80\x80\x01"}};

	for (size_t i = 0; i < GT_LEN(cases); i++) {
		const size_t head = strlen(cases[i].head);
		struct gt_proto p = {0};
		size_t mark = gt_proto_begin(&p, 1);

		for (size_t k = 0; k < cases[i].size; k++) {
			gt_proto_packed(&p, k & 0x7f);
		}
		gt_proto_end(&p, mark);
		gt_proto_uint(&p, 2, 1);
		cr_assert_eq(p.size, head + cases[i].size + 2);
		cr_expect_eq(memcmp(p.data, cases[i].head, head), 0);
		for (size_t k = 0; k < cases[i].size; k++) {
			cr_assert_eq(p.data[head + k], k & 0x7f);
		}
		gt_proto_fini(&p);
	}
}
