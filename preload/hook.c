/*
 * Hooks: the slow half of "traced or straight through".
 */
#include "hook.h"

#include "root.h"
#include "sockets.h"

struct gt_thread *gt_self_slow(void *frame)
{
	struct gt_tls *tls = &gt_tls;
	struct gt_thread *t;

	if (gt_load_relaxed(&gt_gate->epoch) == GT_EPOCH_OFF) {
		return gt_unlikely(gt_root_start_if_due()) ? gt_self(frame) : NULL;
	}
	if (gt_unlikely(gt_vforks)) {
		return NULL; /* a child of vfork (child.c) */
	}
	if (tls->busy == GT_BUSY_CALL) {
		/* A handler that runs during a call; or one has left it, and we are above. */
		if (tls->epoch != gt_load_relaxed(&gt_gate->epoch) ||
		    !gt_frame_left(tls->thread, tls->frame, (uintptr_t)frame)) {
			gt_loss_add(GT_LOSS_HOOK_UNTRACED);
			return NULL;
		}
		gt_call_left(tls->thread);
		return gt_self(frame);
	}
	if (tls->busy) {
		/*
		 * A handler that interrupted the tracer runs below the hook that is inside; one
		 * that jumped out of it (siglongjmp) has left that frame, and all that it held: we
		 * are above it, or in its place.
		 */
		if (tls->epoch != gt_load_relaxed(&gt_gate->epoch) ||
		    !gt_frame_left(tls->thread, tls->frame, (uintptr_t)frame)) {
			gt_loss_add(GT_LOSS_HOOK_UNTRACED);
			return NULL;
		}
		gt_call_recover(tls->thread);
		return gt_self(frame);
	}
	if (tls->epoch == GT_EPOCH_ENDED) {
		gt_loss_add(GT_LOSS_AFTER_END);
		return NULL;
	}
	if (tls->epoch == gt_load_relaxed(&gt_gate->epoch)) {
		/* Blocked: a handler that runs during a wait, or a wait that was left by longjmp.
		 */
		t = tls->thread;
		if (gt_wait_left(t, (uintptr_t)frame)) {
			return t;
		}
		gt_loss_add(GT_LOSS_HOOK_UNTRACED);
		return NULL;
	}
	tls->busy++;
	t = gt_thread_attach((uintptr_t)gt_self_slow);
	if (t) {
		gt_thread_set_pthread(t, gt_thread_id(t), (uintptr_t)pthread_self());
		gt_root_watch_end(t);
	}
	tls->busy--;
	return t;
}
