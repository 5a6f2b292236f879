/*
 * A bounded cursor over bytes that nobody has checked, with the number formats of DWARF.
 *
 * Source: DWARF 5, section 7.6; LSB 5.0 core, section 10.5 (DW_EH_PE_...).
 */
#pragma once

#include <string.h>

#include "base/util.h"

/* A bounded cursor. Once bad, every read gives 0. */
struct gt_in {
	const uint8_t *p;
	const uint8_t *end;
	bool bad;
};

GT_INLINE uint64_t gt_in_take(struct gt_in *in, unsigned bytes)
{
	uint64_t v = 0;

	if (in->bad || (size_t)(in->end - in->p) < bytes) {
		in->bad = true;
		return 0;
	}
	memcpy(&v, in->p, bytes);
	in->p += bytes;
	return v;
}

static inline int64_t gt_in_signed(struct gt_in *in, unsigned bytes)
{
	unsigned unused = 64 - 8 * bytes;

	return (int64_t)(gt_in_take(in, bytes) << unused) >> unused;
}

static inline uint64_t gt_in_uleb(struct gt_in *in)
{
	uint64_t v = 0;

	for (unsigned shift = 0; shift < 64; shift += 7) {
		uint64_t b = gt_in_take(in, 1);

		v |= (b & 0x7f) << shift;
		if (b < 0x80) {
			return v;
		}
	}
	in->bad = true;
	return 0;
}

static inline int64_t gt_in_sleb(struct gt_in *in)
{
	uint64_t v = 0;

	for (unsigned shift = 0; shift < 64; shift += 7) {
		uint64_t b = gt_in_take(in, 1);

		v |= (b & 0x7f) << shift;
		if (b < 0x80) {
			if ((b & 0x40) != 0 && shift + 7 < 64) {
				v |= UINT64_MAX << (shift + 7);
			}
			return (int64_t)v;
		}
	}
	in->bad = true;
	return 0;
}

static inline void gt_in_skip(struct gt_in *in, uint64_t bytes)
{
	if (in->bad || bytes > (uint64_t)(in->end - in->p)) {
		in->bad = true;
		return;
	}
	in->p += bytes;
}

/* A pointer in one of the encodings of LSB 10.5; not relative: a length in the same format. */
enum { GT_IN_PCREL = 0x10 };

static inline uint64_t gt_in_encoded(struct gt_in *in, unsigned enc, bool relative)
{
	uint64_t at = (uintptr_t)in->p;
	uint64_t v;

	switch (enc & 0x0f) {
	case 0x00: /* absptr */
	case 0x04:
	case 0x0c:
		v = gt_in_take(in, 8);
		break;
	case 0x01:
		v = gt_in_uleb(in);
		break;
	case 0x02:
		v = gt_in_take(in, 2);
		break;
	case 0x03:
		v = gt_in_take(in, 4);
		break;
	case 0x09:
		v = (uint64_t)gt_in_sleb(in);
		break;
	case 0x0a:
		v = (uint64_t)gt_in_signed(in, 2);
		break;
	case 0x0b:
		v = (uint64_t)gt_in_signed(in, 4);
		break;
	default:
		in->bad = true;
		return 0;
	}
	if (relative && (enc & 0x70) == GT_IN_PCREL) {
		v += at;
	} else if (relative && (enc & 0x70) != 0) {
		in->bad = true; /* relative to text, data or function: not in .eh_frame of Linux */
	}
	return v;
}
