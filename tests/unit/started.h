/*
 * A trace in a temporary folder, for tests of core; the calling thread is its G 1.
 *
 *	Test(name, case, .init = started, .fini = ended)
 */
#pragma once

#include <criterion/criterion.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/env.h"

#include "thread.h"
#include "trace.h"

static char folder[64];
static char trace_path[96];

/* Starts it with so much memory at most. */
static void start_with(uint64_t buffers)
{
	char *none[] = {NULL};
	const char *bad;
	const char *unknown;
	struct gt_env env;

	snprintf(folder, sizeof(folder), "/tmp/gtrace-unit-XXXXXX");
	cr_assert_not_null(mkdtemp(folder));
	snprintf(trace_path, sizeof(trace_path), "%s/unit.trace", folder);
	gt_env_read(&env, none, &bad, &unknown);
	env.buffers = buffers;
	/* No generation ends but by the test, however long the machine keeps it waiting. */
	env.period = UINT64_C(3600) * 1000000000;
	cr_assert_eq(gt_trace_start(&env, trace_path, (uintptr_t)start_with, false), 0);
}

GT_UNUSED static void started(void)
{
	start_with(64 << 20);
}

/* The least memory that a trace can have: 4 MiB besides its state. */
GT_UNUSED static void started_small(void)
{
	start_with(0);
}

GT_UNUSED static void ended(void)
{
	char spool[128];

	gt_trace_stop();
	snprintf(spool, sizeof(spool), "%s.spool", trace_path);
	unlink(spool);
	unlink(trace_path);
	rmdir(folder);
}
