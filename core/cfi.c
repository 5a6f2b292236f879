/*
 * Call frame information: reading .eh_frame.
 */
#include "cfi.h"

#include <string.h>

#include "dwarf_in.h"

/* DWARF's numbers of the x86-64 registers that matter. */
enum { FP = 6, SP = 7, RA = 16 };

struct cie {
	struct gt_in code; /* the initial instructions */
	uint64_t code_align;
	int64_t data_align;
	uint8_t encoding; /* of addresses in its FDEs */
	bool augmented;   /* its FDEs have augmentation data */
	bool signal;
};

/* The bytes of the entry at p, after its length; bad for one that is 0 or in 64-bit DWARF. */
static struct gt_in entry_at(uintptr_t lo, uintptr_t hi, uint64_t p)
{
	struct gt_in in = {(const uint8_t *)(uintptr_t)p, (const uint8_t *)hi, p < lo || p >= hi};
	uint64_t length = gt_in_take(&in, 4);

	if (!in.bad && (length == 0 || length > (uint64_t)(in.end - in.p))) {
		in.bad = true;
	}
	if (!in.bad) {
		in.end = in.p + length;
	}
	return in;
}

static bool cie_read(struct gt_in in, struct cie *cie)
{
	const uint8_t *augmentation;
	const uint8_t *zero;
	unsigned version;

	if (gt_in_take(&in, 4) != 0) {
		return false;
	}
	version = (unsigned)gt_in_take(&in, 1);
	zero = in.bad ? NULL : memchr(in.p, 0, (size_t)(in.end - in.p));
	if (zero == NULL || (version != 1 && version != 3)) {
		return false;
	}
	augmentation = in.p;
	in.p = zero + 1;
	cie->code_align = gt_in_uleb(&in);
	cie->data_align = gt_in_sleb(&in);
	if ((version == 1 ? gt_in_take(&in, 1) : gt_in_uleb(&in)) != RA) {
		return false;
	}
	cie->encoding = 0;
	cie->signal = false;
	cie->augmented = *augmentation == 'z';
	if (cie->augmented) {
		uint64_t length = gt_in_uleb(&in);
		struct gt_in data = in;

		gt_in_skip(&in, length);
		for (const uint8_t *a = augmentation + 1; *a != 0; a++) {
			switch (*a) {
			case 'R':
				cie->encoding = (uint8_t)gt_in_take(&data, 1);
				break;
			case 'P':
				gt_in_encoded(&data, (unsigned)gt_in_take(&data, 1), false);
				break;
			case 'L':
				gt_in_take(&data, 1);
				break;
			case 'S':
				cie->signal = true;
				break;
			default:
				return false;
			}
		}
		in.bad = in.bad || data.bad;
	} else if (*augmentation != 0) {
		return false;
	}
	cie->code = in;
	return !in.bad;
}

/* What is known of a register of the caller. */
struct rule {
	enum { SAME, SAVED, UNDEFINED, AT_FP, OTHER } how;
	int64_t offset; /* SAVED: at CFA + offset */
};

struct state {
	unsigned cfa_register; /* FP, SP; any other: cannot be followed */
	bool cfa_deref;        /* CFA = *(register + offset) */
	int64_t cfa_offset;
	struct rule fp;
	struct rule ra;
};

/*
 * Expressions for a CFA have two uses: gcc's functions that re-align their stack (*(rbp - n)) and
 * the linker's .plt (rsp + 8, + 8 more behind its push instruction, told by pc & 15). Both are a
 * register plus a constant once pc is known, which is what this evaluates.
 */
static void cfa_expression(struct state *s, struct gt_in in, uintptr_t pc)
{
	struct {
		unsigned reg; /* 0: a number */
		int64_t v;
	} stack[8] = {0};
	unsigned n = 0;

	s->cfa_register = 0;
	s->cfa_deref = false;
	while (in.p < in.end && !in.bad) {
		unsigned op = (unsigned)gt_in_take(&in, 1);

		if (s->cfa_deref || n == GT_LEN(stack)) {
			return;
		}
		if (op >= 0x30 && op <= 0x4f) { /* DW_OP_lit0 ... 31 */
			stack[n].reg = 0;
			stack[n++].v = op - 0x30;
		} else if (op == 0x70 + FP || op == 0x70 + SP || op == 0x70 + RA) { /* breg */
			int64_t offset = gt_in_sleb(&in);

			stack[n].reg = op == 0x70 + RA ? 0 : op - 0x70;
			stack[n++].v = (int64_t)((uint64_t)offset + (op == 0x70 + RA ? pc : 0));
		} else if (op == 0x06 && n == 1 && stack[0].reg == FP) { /* DW_OP_deref */
			s->cfa_deref = true;
		} else if (n >= 2 && stack[n - 1].reg == 0) { /* two operands */
			int64_t b = stack[--n].v;
			int64_t *a = &stack[n - 1].v;

			if (op == 0x22) { /* plus */
				*a = (int64_t)((uint64_t)*a + (uint64_t)b);
			} else if (stack[n - 1].reg != 0) {
				return;
			} else if (op == 0x1a) { /* and */
				*a &= b;
			} else if (op == 0x2a) { /* ge */
				*a = *a >= b;
			} else if (op == 0x24 && b >= 0 && b < 63) { /* shl */
				*a = (int64_t)((uint64_t)*a << b);
			} else {
				return;
			}
		} else {
			return;
		}
	}
	if (n == 1 && !in.bad) {
		s->cfa_register = stack[0].reg;
		s->cfa_offset = stack[0].v;
	}
}

/* Damaged tables may hold any number: the product wraps. */
static int64_t factored(int64_t v, const struct cie *cie)
{
	return (int64_t)((uint64_t)v * (uint64_t)cie->data_align);
}

static void set_rule(struct state *s, uint64_t reg, struct rule rule)
{
	if (reg == FP) {
		s->fp = rule;
	} else if (reg == RA) {
		s->ra = rule;
	}
}

/* The expression of a saved register: only "at rbp" is followed. */
static struct rule saved_expression(struct gt_in in)
{
	if (in.end - in.p == 2 && in.p[0] == 0x70 + FP && in.p[1] == 0) {
		return (struct rule){.how = AT_FP};
	}
	return (struct rule){.how = OTHER};
}

/*
 * Runs call frame instructions up to the place pc. initial is the state after the CIE's own
 * instructions, for DW_CFA_restore; NULL while these run.
 */
static bool run(struct gt_in in, const struct cie *cie, uint64_t loc, uintptr_t pc,
		const struct state *initial, struct state *s)
{
	struct state kept[8]; /* compilers nest DW_CFA_remember_state once */
	unsigned nkept = 0;

	while (in.p < in.end && !in.bad && loc <= pc) {
		unsigned op = (unsigned)gt_in_take(&in, 1);
		unsigned low = op & 0x3f;
		struct rule rule = {.how = OTHER};
		struct gt_in block;
		uint64_t reg;

		switch (op & 0xc0) {
		case 0x40: /* advance_loc */
			loc += low * cie->code_align;
			continue;
		case 0x80: /* offset */
			rule.how = SAVED;
			rule.offset = factored((int64_t)gt_in_uleb(&in), cie);
			set_rule(s, low, rule);
			continue;
		case 0xc0: /* restore */
			if (initial == NULL) {
				return false;
			}
			set_rule(s, low, low == FP ? initial->fp : initial->ra);
			continue;
		default:
			break;
		}
		switch (op) {
		case 0x00: /* nop */
			break;
		case 0x01: /* set_loc */
			loc = gt_in_encoded(&in, cie->encoding, true);
			break;
		case 0x02: /* advance_loc1, 2, 4 */
		case 0x03:
		case 0x04:
			loc += gt_in_take(&in, 1u << (op - 0x02)) * cie->code_align;
			break;
		case 0x05: /* offset_extended */
		case 0x11: /* offset_extended_sf */
			reg = gt_in_uleb(&in);
			rule.how = SAVED;
			rule.offset = factored(
				op == 0x05 ? (int64_t)gt_in_uleb(&in) : gt_in_sleb(&in), cie);
			set_rule(s, reg, rule);
			break;
		case 0x06: /* restore_extended */
			reg = gt_in_uleb(&in);
			if (initial == NULL) {
				return false;
			}
			set_rule(s, reg, reg == FP ? initial->fp : initial->ra);
			break;
		case 0x07: /* undefined */
			rule.how = UNDEFINED;
			set_rule(s, gt_in_uleb(&in), rule);
			break;
		case 0x08: /* same_value */
			rule.how = SAME;
			set_rule(s, gt_in_uleb(&in), rule);
			break;
		case 0x09: /* register */
		case 0x14: /* val_offset */
		case 0x15: /* val_offset_sf */
			reg = gt_in_uleb(&in);
			gt_in_uleb(&in);
			set_rule(s, reg, rule);
			break;
		case 0x0a: /* remember_state */
			if (nkept == GT_LEN(kept)) {
				return false;
			}
			kept[nkept++] = *s;
			break;
		case 0x0b: /* restore_state */
			if (nkept == 0) {
				return false;
			}
			*s = kept[--nkept];
			break;
		case 0x0c: /* def_cfa */
		case 0x12: /* def_cfa_sf */
			s->cfa_deref = false;
			s->cfa_register = (unsigned)gt_in_uleb(&in);
			s->cfa_offset = op == 0x0c ? (int64_t)gt_in_uleb(&in)
						   : factored(gt_in_sleb(&in), cie);
			break;
		case 0x0d: /* def_cfa_register */
			s->cfa_register = (unsigned)gt_in_uleb(&in);
			break;
		case 0x0e: /* def_cfa_offset */
			s->cfa_offset = (int64_t)gt_in_uleb(&in);
			break;
		case 0x13: /* def_cfa_offset_sf */
			s->cfa_offset = factored(gt_in_sleb(&in), cie);
			break;
		case 0x0f: /* def_cfa_expression */
		case 0x10: /* expression */
		case 0x16: /* val_expression */
			reg = op == 0x0f ? 0 : gt_in_uleb(&in);
			block.end = in.p;
			block.bad = false;
			{
				uint64_t length = gt_in_uleb(&in);

				block.p = in.p;
				gt_in_skip(&in, length);
				block.end = in.p;
			}
			if (in.bad) {
				return false;
			}
			if (op == 0x0f) {
				cfa_expression(s, block, pc);
			} else {
				set_rule(s, reg, op == 0x10 ? saved_expression(block) : rule);
			}
			break;
		case 0x2e: /* GNU_args_size: for landing pads only */
			gt_in_uleb(&in);
			break;
		case 0x2f: /* GNU_negative_offset_extended */
			reg = gt_in_uleb(&in);
			rule.how = SAVED;
			rule.offset = factored(-(int64_t)(gt_in_uleb(&in) & INT64_MAX), cie);
			set_rule(s, reg, rule);
			break;
		default:
			return false;
		}
	}
	return !in.bad;
}

static struct gt_cfi_row row_of(const struct state *s)
{
	struct gt_cfi_row none = {.kind = GT_CFI_NONE};
	struct gt_cfi_row row = none;

	if (s->ra.how == UNDEFINED) {
		return (struct gt_cfi_row){.kind = GT_CFI_END};
	}
	if (s->ra.how != SAVED || s->ra.offset != -8) {
		return none;
	}
	if (s->cfa_deref) {
		if (s->cfa_offset > 0 || s->cfa_offset < -(int64_t)GT_CFI_CFA_MAX ||
		    s->cfa_offset % 8 != 0 || s->fp.how != AT_FP) {
			return none;
		}
		row.kind = GT_CFI_ALIGNED;
		row.cfa = (uint32_t)-s->cfa_offset;
		return row;
	}
	if (s->cfa_offset < 8 || s->cfa_offset > GT_CFI_CFA_MAX || s->cfa_offset % 8 != 0) {
		return none;
	}
	row.cfa = (uint32_t)s->cfa_offset;
	row.kind = s->cfa_register == SP   ? GT_CFI_SP
		   : s->cfa_register == FP ? GT_CFI_FP
					   : GT_CFI_NONE;
	if (s->fp.how == SAME || s->fp.how == UNDEFINED) {
		row.fp = GT_CFI_FP_SAME;
	} else if (s->fp.how == SAVED && s->fp.offset <= -16 && s->fp.offset % 8 == 0 &&
		   s->fp.offset >= -(int64_t)GT_CFI_FP_MAX) {
		row.fp = (uint32_t)-s->fp.offset;
	} else {
		row.fp = GT_CFI_FP_LOST;
	}
	return row;
}

/* The FDE that begins last at or before pc, by the table that every linker writes; 0: none. */
static uint64_t fde_of(uintptr_t lo, uintptr_t hi, uintptr_t hdr, uintptr_t pc)
{
	struct gt_in in = {(const uint8_t *)hdr, (const uint8_t *)hi, hdr < lo || hdr >= hi};
	unsigned version = (unsigned)gt_in_take(&in, 1);
	unsigned frame_enc = (unsigned)gt_in_take(&in, 1);
	unsigned count_enc = (unsigned)gt_in_take(&in, 1);
	unsigned table_enc = (unsigned)gt_in_take(&in, 1);
	uint64_t count;
	uint64_t from = 0;
	uint64_t to;
	int32_t entry[2]; /* place and FDE, relative to hdr */

	if (in.bad || version != 1 || count_enc != 0x03 || table_enc != 0x3b) {
		return 0;
	}
	gt_in_encoded(&in, frame_enc, false);
	count = gt_in_take(&in, 4);
	if (in.bad || count > (uint64_t)(in.end - in.p) / sizeof(entry)) {
		return 0;
	}
	to = count;
	while (from < to) {
		uint64_t mid = from + (to - from) / 2;

		memcpy(entry, in.p + mid * sizeof(entry), sizeof(entry));
		if (hdr + (uint64_t)(int64_t)entry[0] <= pc) {
			from = mid + 1;
		} else {
			to = mid;
		}
	}
	if (from == 0) {
		return 0;
	}
	memcpy(entry, in.p + (from - 1) * sizeof(entry), sizeof(entry));
	return hdr + (uint64_t)(int64_t)entry[1];
}

struct gt_cfi_row gt_cfi_find(uintptr_t lo, uintptr_t hi, uintptr_t hdr, uintptr_t pc)
{
	struct gt_cfi_row none = {.kind = GT_CFI_NONE};
	struct gt_in in = entry_at(lo, hi, fde_of(lo, hi, hdr, pc));
	uint64_t at = (uintptr_t)in.p;
	uint64_t back = gt_in_take(&in, 4);
	struct state initial = {0};
	struct state s;
	struct cie cie;
	uint64_t begin;

	if (in.bad || back == 0 || !cie_read(entry_at(lo, hi, at - back), &cie)) {
		return none;
	}
	begin = gt_in_encoded(&in, cie.encoding, true);
	if (pc - begin >= gt_in_encoded(&in, cie.encoding, false)) {
		return none;
	}
	if (cie.augmented) {
		gt_in_skip(&in, gt_in_uleb(&in));
	}
	if (in.bad) {
		return none;
	}
	if (cie.signal) {
		return (struct gt_cfi_row){.kind = GT_CFI_SIGNAL};
	}
	if (!run(cie.code, &cie, 0, UINTPTR_MAX, NULL, &initial)) {
		return none;
	}
	s = initial;
	if (!run(in, &cie, begin, pc, &initial, &s)) {
		return none;
	}
	return row_of(&s);
}
