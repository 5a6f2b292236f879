/*
 * Call frame information: what the compiler wrote in .eh_frame about one place of the code.
 *
 * Owns nothing; reads the mapped sections of one object through .eh_frame_hdr's search table.
 * Every read is bounded by the object's mapping, so a damaged table gives GT_CFI_NONE. Any thread,
 * any context: no call leaves this file.
 *
 * Of all that DWARF can say, a walk needs three things: where the caller's stack pointer was (the
 * CFA), where the caller's rbp is, and whether there is a caller at all. Return addresses are
 * always at CFA - 8. Anything else is GT_CFI_NONE. Sources: DWARF 5, section 6.4; LSB 5.0 core,
 * section 10.6 (.eh_frame, .eh_frame_hdr); System V ABI for x86-64, section 3.7.
 */
#pragma once

#include "base/util.h"

enum gt_cfi_kind {
	GT_CFI_EMPTY,   /* no row at all: never a result */
	GT_CFI_SP,      /* CFA = rsp + cfa */
	GT_CFI_FP,      /* CFA = rbp + cfa */
	GT_CFI_ALIGNED, /* CFA = *(rbp - cfa), rbp saved at rbp: gcc's re-aligned stacks */
	GT_CFI_SIGNAL,  /* the kernel's signal frame: rsp points to a ucontext_t */
	GT_CFI_END,     /* no caller: the thread began here */
	GT_CFI_NONE,    /* nothing known, or nothing that a row can say */
};

#define GT_CFI_FP_SAME 0 /* the caller's rbp is in rbp */
#define GT_CFI_FP_LOST 8 /* it is nowhere (at CFA - 8 is the return address) */

/* Offsets are multiples of 8, within the limits below. */
struct gt_cfi_row {
	enum gt_cfi_kind kind;
	uint32_t cfa; /* see kind */
	uint32_t fp;  /* the caller's rbp is at CFA - fp, or GT_CFI_FP_... */
};

#define GT_CFI_CFA_BITS 16
#define GT_CFI_CFA_MAX  (((1u << GT_CFI_CFA_BITS) - 1) * 8u)
#define GT_CFI_FP_BITS  12
#define GT_CFI_FP_MAX   (((1u << GT_CFI_FP_BITS) - 1) * 8)

/* The row of the instruction at pc; lo and hi are the object's mapping, hdr its .eh_frame_hdr. */
struct gt_cfi_row gt_cfi_find(uintptr_t lo, uintptr_t hi, uintptr_t hdr, uintptr_t pc);
