/*
 * Spinning: the facts of it.
 */
#include "spin.h"

#include "advance.h"
#include "emit.h"
#include "stack_id.h"
#include "wait.h"

enum { LONG_NS = 20000, ONE_OF = 64 };

/* Short ones of this thread that are not written yet. */
static GT_TLS uint32_t unwritten;

uint64_t gt_spin_begin(void)
{
	return gt_clock_moment();
}

static void write_fact(struct gt_thread *t, const void *object, uint64_t ns, uint32_t weight,
		       void *frame)
{
	unsigned n = gt_thread_walk(t, frame, GT_WIRE_FRAMES_MAX);
	struct gt_w w = gt_acquire(t);

	gt_undoable(&w);
	gt_event(&w, FACT_SPIN, gt_addr((uintptr_t)object), gt_value(gt_object_epoch(object)),
		 gt_value(ns), gt_value(weight), gt_stack_put_walked(&w, n));
	gt_release(&w);
	gt_advance_if_due(t);
}

void gt_spin_end(struct gt_thread *t, const volatile void *object, uint64_t since, void *frame)
{
	uint64_t ns = gt_clock_between(since, gt_clock_moment());

	gt_tls.busy++;
	if (ns > LONG_NS) {
		write_fact(t, (const void *)(uintptr_t)object, ns, 1, frame);
	} else if (++unwritten == ONE_OF) {
		unwritten = 0;
		write_fact(t, (const void *)(uintptr_t)object, ns, ONE_OF, frame);
	}
	gt_tls.busy--;
}
