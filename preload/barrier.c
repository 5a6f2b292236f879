/*
 * Barriers: a wait for the others, whom the last one wakes.
 *
 * The last to come does not wait. Who that is can only be foreseen: glibc counts who comes, so the
 * hook looks at the count before the real call. Two that come at one moment may both see that one
 * is missing; so a thread looks again when its block is written, and what glibc returns to exactly
 * one thread, the last of them, tells it afterwards. The block of such a thread is one that nobody
 * ended, and its hint comes late, for those of the others that have not yet returned.
 *
 * No cancellation point.
 */
#include "hook.h"

/* The beginning of glibc's struct pthread_barrier, from 2.25 on (nptl/pthreadP.h). */
struct barrier {
	uint32_t in;    /* who has come, over many rounds: whole ones */
	uint32_t round; /* of them, those whose round is over */
	uint32_t count; /* a round */
};

static bool last_to_come(const pthread_barrier_t *b)
{
	const struct barrier *inside = (const struct barrier *)(const void *)b;
	uint32_t count = __atomic_load_n(&inside->count, __ATOMIC_RELAXED);

	return count != 0 && (__atomic_load_n(&inside->in, __ATOMIC_RELAXED) + 1) % count == 0;
}

static void wake_others(struct gt_thread *t, const pthread_barrier_t *b, void *frame)
{
	if (gt_wake_wanted(b)) {
		gt_wake_some(t, b, UINT32_MAX, UINT32_MAX, frame);
	}
}

/* A wait that is left out may still be what the others waited for. */
static int wait_untraced(pthread_barrier_t *b, void *frame)
{
	int r = GT_REAL(pthread_barrier_wait)(b);
	struct gt_thread *t = r == PTHREAD_BARRIER_SERIAL_THREAD ? gt_self(frame) : NULL;

	if (t) {
		wake_others(t, b, frame);
	}
	return r;
}

int gt_hook_pthread_barrier_wait(pthread_barrier_t *b)
{
	struct gt_thread *t = gt_self(GT_FRAME());
	struct gt_wait_for what = {.reason = GT_REASON_BARRIER,
				   .kind = GT_OBJECT_BARRIER,
				   .object = b,
				   .frame = GT_FRAME()};
	bool last;
	uint32_t wait;
	int r;

	if (!t) {
		return GT_REAL(pthread_barrier_wait)(b);
	}
	last = last_to_come(b);
	if (!last && !gt_budget_wait(&t->meter, b, GT_PRICE_WAIT_OTHER)) {
		return wait_untraced(b, GT_FRAME());
	}
	if (!last) {
		wait = gt_wait_begin(t, &what);
		last = last_to_come(b);
		if (!last) {
			r = GT_REAL(pthread_barrier_wait)(b);
			last = r == PTHREAD_BARRIER_SERIAL_THREAD;
			gt_wait_end(t, wait, last ? GT_ENDED_NOBODY : GT_ENDED_WAKER, r);
			if (last && (t = gt_self(GT_FRAME())) != NULL) {
				wake_others(t, b, GT_FRAME());
			}
			return r;
		}
		gt_wait_end(t, wait, GT_ENDED_NOBODY, 0);
	}
	wake_others(t, b, GT_FRAME());
	return GT_REAL(pthread_barrier_wait)(b);
}

int gt_hook_pthread_barrier_init(pthread_barrier_t *b, const pthread_barrierattr_t *a,
				 unsigned count)
{
	gt_object_renew(b);
	return GT_REAL(pthread_barrier_init)(b, a, count);
}

int gt_hook_pthread_barrier_destroy(pthread_barrier_t *b)
{
	gt_object_renew(b);
	return GT_REAL(pthread_barrier_destroy)(b);
}

#define GT_EXPORT_barrier(...) GT_EXPORT_NODE(__VA_ARGS__)
#include "export.h"
