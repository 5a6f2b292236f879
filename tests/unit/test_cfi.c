/*
 * Call frame information: tables that are damaged.
 */
#include "cfi.h"

#include <criterion/criterion.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>

#if defined(__x86_64__)

struct tables {
	uintptr_t lo;
	uintptr_t hi;
	uintptr_t hdr;
	uintptr_t code;
	size_t code_bytes;
};

static int tables_of(struct dl_phdr_info *info, size_t size, void *arg)
{
	struct tables *t = arg;

	(void)size;
	if (strstr(info->dlpi_name, "libc.so") == NULL) {
		return 0;
	}
	t->lo = info->dlpi_addr;
	for (unsigned i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *ph = &info->dlpi_phdr[i];

		if (ph->p_type == PT_GNU_EH_FRAME) {
			t->hdr = info->dlpi_addr + ph->p_vaddr;
		} else if (ph->p_type == PT_LOAD && (ph->p_flags & PF_X) != 0) {
			t->code = info->dlpi_addr + ph->p_vaddr;
			t->code_bytes = ph->p_memsz;
		}
	}
	/* The segment that .eh_frame lies in. */
	for (unsigned i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *ph = &info->dlpi_phdr[i];
		uintptr_t at = info->dlpi_addr + ph->p_vaddr;

		if (ph->p_type == PT_LOAD && t->hdr >= at && t->hdr < at + ph->p_filesz) {
			t->lo = at;
			t->hi = at + ph->p_filesz;
		}
	}
	return 1;
}

Test(cfi, damaged_tables_give_rows_or_none_but_no_bad_access)
{
	struct tables t = {0};
	uint8_t *copy;
	size_t bytes;
	uintptr_t shift;
	unsigned random = 7;
	unsigned none = 0;
	unsigned some = 0;

	cr_assert_eq(dl_iterate_phdr(tables_of, &t), 1);
	bytes = t.hi - t.lo;
	/* Exactly as large, for AddressSanitizer; all distances in the tables are relative. */
	copy = malloc(bytes);
	memcpy(copy, (void *)t.lo, bytes);
	shift = (uintptr_t)copy - t.lo;
	for (unsigned i = 0; i < 60000; i++) {
		/* Most damage near the FDE in question: it follows the header's table. */
		size_t at = ((size_t)(random = random * 1103515245 + 12345) >> 4) % bytes;
		uint8_t was = copy[at];
		uintptr_t pc = t.code + shift + ((uint64_t)random * 977) % t.code_bytes;
		struct gt_cfi_row row;

		copy[at] = (uint8_t)(random >> 20);
		row = gt_cfi_find((uintptr_t)copy, (uintptr_t)copy + bytes, t.hdr + shift, pc);
		cr_assert(row.kind != GT_CFI_EMPTY && row.kind <= GT_CFI_NONE);
		cr_assert_leq(row.cfa, GT_CFI_CFA_MAX);
		cr_assert_leq(row.fp, GT_CFI_FP_MAX);
		none += row.kind == GT_CFI_NONE;
		some += row.kind != GT_CFI_NONE;
		if (i % 8 != 0) {
			copy[at] = was; /* else damage piles up */
		}
	}
	cr_assert_gt(none, 0);
	cr_assert_gt(some, 0);
	free(copy);
}

#endif
