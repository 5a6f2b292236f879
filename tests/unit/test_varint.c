/*
 * Variable-length integers: what Go's encoding/binary writes and refuses.
 */
#include <criterion/criterion.h>

#include <string.h>

#include "base/varint.h"

static void check(uint64_t v, size_t bytes)
{
	uint8_t buf[GT_VARINT_MAX + 1] = {0};
	uint64_t back = ~v;
	uint8_t *end = gt_varint_put(buf, v);

	cr_expect_eq((size_t)(end - buf), bytes, "%llu takes %zd bytes", (unsigned long long)v,
		     end - buf);
	cr_expect_eq(gt_varint_get(buf, end, &back), (int)bytes);
	cr_expect_eq(back, v);
	/* Every shorter input ends inside it. */
	for (uint8_t *e = buf; e < end; e++) {
		cr_expect_eq(gt_varint_get(buf, e, &back), 0);
	}
}

Test(varint, round_trip_at_every_length)
{
	check(0, 1);
	for (unsigned bits = 7; bits < 64; bits += 7) {
		check(((uint64_t)1 << bits) - 1, bits / 7);
		check((uint64_t)1 << bits, bits / 7 + 1);
	}
	check(UINT64_MAX, 10);
}

Test(varint, padded)
{
	for (unsigned n = 3; n <= 10; n++) {
		uint8_t buf[16];
		uint64_t v = 0;
		uint8_t *end = gt_varint_put_padded(buf, 65536, n);

		cr_expect_eq((unsigned)(end - buf), n);
		cr_expect_eq(gt_varint_get(buf, end, &v), (int)n);
		cr_expect_eq(v, 65536u);
	}
}

Test(varint, more_than_64_bits)
{
	uint8_t buf[12];
	uint64_t v;

	memset(buf, 0xff, sizeof(buf));
	cr_expect_eq(gt_varint_get(buf, buf + sizeof(buf), &v), -1, "an eleventh byte");
	buf[9] = 2;
	cr_expect_eq(gt_varint_get(buf, buf + sizeof(buf), &v), -1, "a tenth byte above 1");
	buf[9] = 1;
	cr_expect_eq(gt_varint_get(buf, buf + sizeof(buf), &v), 10);
	cr_expect_eq(v, UINT64_MAX);
}
