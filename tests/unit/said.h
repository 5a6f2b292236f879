/* For tests of facts: what is to be read of those that are written. */
#pragma once

#include "started.h"

#include <string.h>
#include <time.h>

#include "base/sys.h"

#include "brief.h"
#include "call.h"
#include "shm.h"

enum { ROUNDS = 30000 };

/* A fact in full. */
struct fact {
	uint8_t number;
	uint64_t args[GT_WIRE_ARGS_MAX];
};

static struct fact expected[ROUNDS];
static size_t nexpected;

static void started_inside(void)
{
	started();
	gt_tls.busy = 1;
	nexpected = 0;
}

static struct gt_buf *slot(struct gt_thread *t)
{
	return gt_ref_ptr(t->x_slot[gt_trace->head.gen & 1]);
}

static void expect(uint8_t number, const uint64_t *args, size_t n)
{
	struct fact *f = &expected[nexpected++];

	cr_assert_leq(nexpected, (size_t)ROUNDS);
	*f = (struct fact){.number = number};
	memcpy(f->args, args, n * sizeof(*args));
}

static uint64_t drawn = 1;

static unsigned draw(unsigned n)
{
	drawn ^= drawn << 13;
	drawn ^= drawn >> 7;
	drawn ^= drawn << 17;
	return (unsigned)((drawn >> 11) % n);
}
