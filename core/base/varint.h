/*
 * LEB128 variable-length integers, as in Go's encoding/binary: seven bits a byte, least significant
 * group first, the high bit set on all bytes but the last. A 64-bit value takes at most ten bytes.
 */
#pragma once

#include "base/util.h"

enum { GT_VARINT_MAX = 10 };

/* Writes v at p; the caller has ensured room for GT_VARINT_MAX bytes. Returns the end. */
GT_INLINE uint8_t *gt_varint_put(uint8_t *p, uint64_t v)
{
	while (v >= 0x80) {
		*p++ = (uint8_t)v | 0x80;
		v >>= 7;
	}
	*p++ = (uint8_t)v;
	return p;
}

/*
 * The same for what has one byte or two and nobody can foresee which, as the times between events:
 * no branch depends on that, and a byte behind the end may be overwritten.
 */
GT_INLINE uint8_t *gt_varint_put_short(uint8_t *p, uint64_t v)
{
	/* v >= 0x80, in two steps instead of three: what comes next waits for it. */
	const unsigned more = (unsigned)((0x7f - v) >> 63);

	if (gt_unlikely(v >= 0x4000)) {
		return gt_varint_put(p, v);
	}
	p[0] = (uint8_t)(v | more << 7);
	p[1] = (uint8_t)(v >> 7);
	return p + 1 + more;
}

/* Writes v at p in exactly n bytes (padded with continuation bytes); v must fit in 7 * n bits. */
GT_INLINE uint8_t *gt_varint_put_padded(uint8_t *p, uint64_t v, unsigned n)
{
	while (n-- > 1) {
		*p++ = (uint8_t)(v & 0x7f) | 0x80;
		v >>= 7;
	}
	*p++ = (uint8_t)v & 0x7f;
	return p;
}

/*
 * Reads one integer from [p, end). Returns the number of bytes taken, 0 if the bytes end inside
 * it, -1 if it has more than 64 bits (as Go's binary.Uvarint: an eleventh byte, or a tenth > 1).
 */
GT_INLINE int gt_varint_get(const uint8_t *p, const uint8_t *end, uint64_t *v)
{
	uint64_t x = 0;
	unsigned n = 0;

	for (; p + n < end; n++) {
		uint8_t b = p[n];

		if (n == GT_VARINT_MAX - 1 && b > 1) {
			return -1;
		}
		if (b < 0x80) {
			*v = x | (uint64_t)b << (7 * n);
			return (int)n + 1;
		}
		x |= (uint64_t)(b & 0x7f) << (7 * n);
		if (n == GT_VARINT_MAX - 1) {
			return -1;
		}
	}
	return 0;
}
