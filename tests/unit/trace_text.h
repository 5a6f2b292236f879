/*
 * A trace in memory from its text, for the tests of the tools.
 */
#pragma once

#include <criterion/criterion.h>

#include <stdio.h>
#include <string.h>

#include "text.h"

#define CLOCK(gen, time)                                                            \
	"EventBatch gen=" #gen " m=18446744073709551615 time=" #time " size=auto\n" \
	"Sync\n"                                                                    \
	"Frequency freq=1000000000\n"                                               \
	"ClockSnapshot dt=1 mono=" #gen "000 sec=170000000" #gen " nsec=0\n"

struct bytes {
	char *data;
	size_t size;
};

static inline struct bytes assemble(const char *text)
{
	struct bytes b;
	struct gt_error e = {0};
	FILE *in = fmemopen((void *)text, strlen(text), "r");
	FILE *out = open_memstream(&b.data, &b.size);

	cr_assert_eq(gt_text_assemble(in, out, &e), 0, "%s", e.message);
	fclose(in);
	fclose(out);
	return b;
}
