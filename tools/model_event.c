/*
 * The model, event by event: states of threads, and the life of a wait.
 *
 * A wait begins with its block event, to which the fact before it gives the object and the owner.
 * It is measured at the unblock. Who ended it is known when the thread runs again, because the fact
 * that says so belongs to that moment; it may be seen before the unblock, which stands in the
 * waker's stream. The lookups by G are on each event's way; everything else is once a wait.
 */
#include "model.h"

#include <string.h>

/* --- Waits ------------------------------------------------------------------------------------ */

static void wait_begin(struct gt_model *model, struct gt_model_thread *t, uint32_t reason,
		       uint32_t stack)
{
	const struct gt_model_site_key key = {reason, stack};
	struct gt_model_wait *wait = &t->wait;

	wait->any = true;
	wait->call = false;
	wait->site = gt_set_put(&model->sites, &key, sizeof(key));
	wait->object = wait->object_next;
	wait->owner = wait->owner_next;
	wait->object_next = GT_MODEL_NONE;
	wait->owner_next = GT_MODEL_NONE;
	wait->unblocked = false;
}

static struct gt_model_site *site_of(struct gt_model *model, const struct gt_model_thread *t)
{
	return gt_set_value(&model->sites, t->wait.site);
}

static void wait_measure(struct gt_model *model, struct gt_model_thread *t, uint64_t ns)
{
	const struct gt_model_wait *wait = &t->wait;
	struct gt_model_site *site = site_of(model, t);

	gt_model_share_add(&site->share, ns);
	gt_hist_add(&site->hist, ns);
	gt_model_pair_add(&model->site_thread, wait->site, t->index, ns);
	if (wait->object != GT_MODEL_NONE) {
		gt_model_share_add(gt_set_value(&model->objects, wait->object), ns);
		gt_model_pair_add(&model->site_object, wait->site, wait->object, ns);
	}
	if (wait->owner != GT_MODEL_NONE) {
		gt_model_pair_add(&model->site_owner, wait->site, wait->owner, ns);
		gt_model_pair_add(&model->object_owner, wait->object, wait->owner, ns);
	}
}

/* t may run again, says an event of this M and this G. */
static void wait_over(struct gt_model *model, struct gt_model_thread *t, uint32_t stack,
		      const struct gt_event *ev)
{
	struct gt_model_wait *wait = &t->wait;

	wait->unblocked = true;
	wait->ns = ev->time - t->since;
	wait->stack = stack;
	wait->waker = ev->g == GT_NO_G ? GT_MODEL_NONE : gt_model_thread_of(model, ev->g)->index;
	wait->waker_before = gt_model_last_on(model, ev->m);
	wait_measure(model, t, wait->ns);
}

/* waker: GT_MODEL_NONE where it should have one, and none is known. */
static void wake(struct gt_model *model, const struct gt_model_thread *t, uint32_t waker,
		 uint32_t reason)
{
	const struct gt_model_wait *wait = &t->wait;
	const struct gt_model_wake_key key = {waker, t->index, reason, wait->stack};

	gt_model_pair_add(&model->site_waker, wait->site, waker, wait->ns);
	if (wait->object != GT_MODEL_NONE) {
		gt_model_pair_add(&model->object_waker, wait->object, waker, wait->ns);
	}
	gt_model_share_add(gt_set_get(&model->wakes, &key, sizeof(key)), wait->ns);
}

/* t runs again, or the trace is at its end: what there is to know about the end of its wait. */
static void wait_settle(struct gt_model *model, struct gt_model_thread *t)
{
	struct gt_model_wait *wait = &t->wait;
	struct gt_model_site *site = site_of(model, t);
	const struct gt_model_site_key *key = gt_set_key(&model->sites, wait->site, NULL);
	uint32_t waker = wait->waker;
	unsigned how = wait->how;

	if (how != 0) {
		waker = wait->how_waker ? gt_model_thread_of(model, wait->how_waker)->index
					: GT_MODEL_NONE;
	} else {
		/*
		 * The waker may have blocked by the time its event was written. In a trace of Go's
		 * runtime there was no G: it was the network poller or a timer.
		 */
		if (waker == GT_MODEL_NONE && model->by_gtrace) {
			waker = wait->waker_before;
		}
		/* A waiter that knows no waker writes the event itself. */
		if (waker == t->index) {
			waker = GT_MODEL_NONE;
		}
		how = waker != GT_MODEL_NONE ? GT_ENDED_WAKER
		      : wait->call           ? GT_MODEL_RETURNED
					     : GT_ENDED_NOBODY;
	}
	site->how[how]++;
	t->how[how]++;
	if (how != GT_MODEL_RETURNED) {
		wake(model, t, waker, key->reason);
	}
	wait->how = 0;
	wait->unblocked = false;
}

/* --- States ----------------------------------------------------------------------------------- */

/* Accounts for the time up to now in the state that t is in. */
static void state_close(struct gt_model *model, struct gt_model_thread *t, uint64_t now)
{
	uint64_t ns = now - t->since;

	switch (t->state) {
	case GT_GO_RUNNABLE:
		t->runnable += ns;
		if (t->wait.unblocked) {
			site_of(model, t)->runnable += ns;
		}
		break;
	case GT_GO_RUNNING:
		t->running += ns;
		break;
	case GT_GO_WAITING:
		t->waiting += ns;
		break;
	case GT_GO_SYSCALL:
		if (t->syscall_lost != 0) {
			t->syscall_blocked += now - t->syscall_lost;
			ns = t->syscall_lost - t->since;
		}
		t->syscall += ns;
		break;
	default:
		break;
	}
	t->since = now;
	t->syscall_lost = 0;
}

static void state_set(struct gt_model *model, struct gt_model_thread *t, unsigned state,
		      uint64_t now)
{
	state_close(model, t, now);
	t->state = (uint8_t)state;
	if (state == GT_GO_RUNNING && t->wait.unblocked) {
		wait_settle(model, t);
	}
}

static void appear(struct gt_model_thread *t, unsigned state, uint64_t now)
{
	t->seen = true;
	t->created = now;
	t->since = now;
	t->state = (uint8_t)state;
}

static void status(struct gt_model *model, const struct gt_event *ev, uint32_t stack)
{
	struct gt_model_thread *t = gt_model_thread_of(model, ev->args[0]);
	const unsigned state = (unsigned)ev->args[2];
	const uint64_t m = state == GT_GO_RUNNING ? ev->m : ev->args[1];

	if (ev->was == GT_WAS_UNDETERMINED) {
		/* So it was when the trace began. */
		appear(t, state, model->sync);
		gt_model_routine(model, t, stack);
		if (state == GT_GO_WAITING) {
			wait_begin(model, t, gt_set_put(&model->names, "", 0), stack);
		} else if (state == GT_GO_SYSCALL && ev->p == GT_NO_P) {
			t->syscall_lost = model->sync;
		}
	}
	gt_model_routine(model, t, stack);
	/* A blocked thread names the M that it will be on, but another may have that one now. */
	if (state == GT_GO_RUNNING || state == GT_GO_SYSCALL ||
	    gt_model_last_on(model, m) == GT_MODEL_NONE) {
		gt_model_put_on(model, t, m);
	}
}

static void create(struct gt_model *model, const struct gt_event *ev, unsigned state,
		   uint32_t stack)
{
	struct gt_model_thread *t = gt_model_thread_of(model, ev->args[0]);

	appear(t, state, ev->time);
	gt_model_routine(model, t, stack);
	if (ev->g != GT_NO_G && ev->number != GT_EV_GO_CREATE_SYSCALL) {
		t->creator = gt_model_thread_of(model, ev->g)->index;
	}
	if (state == GT_GO_WAITING) {
		wait_begin(model, t, gt_set_put(&model->names, "", 0), stack);
	}
	if (state == GT_GO_SYSCALL) {
		gt_model_put_on(model, t, ev->m);
	}
}

static void stopped(struct gt_model_thread *t, const struct gt_text *reason)
{
	const char *yield = gt_reason_text(GT_REASON_YIELD);

	if (reason != NULL && reason->length == strlen(yield) &&
	    memcmp(reason->data, yield, reason->length) == 0) {
		t->yields++;
		t->yields_long++;
	}
}

/* The P of a thread is gone: if that is in a system call, the call has lasted. */
static void proc_gone(struct gt_model_thread *t, uint64_t now)
{
	if (t != NULL && t->state == GT_GO_SYSCALL && t->syscall_lost == 0) {
		t->syscall_lost = now;
	}
}

/* --- Events ----------------------------------------------------------------------------------- */

/* Before its wait could end, t waited for the mutex that it takes back. */
static void retake(struct gt_model *model, const struct gt_event *ev)
{
	struct gt_model_thread *t = gt_model_thread_of(model, ev->args[0]);
	const uint32_t owner =
		ev->args[2] ? gt_model_thread_of(model, ev->args[2])->index : GT_MODEL_NONE;

	if (t->wait.any) {
		gt_model_share_add(&site_of(model, t)->retakes, ev->args[3]);
		gt_model_pair_add(&model->site_retake, t->wait.site, owner, ev->args[3]);
	}
}

/* A fact that names no G is about the thread on its M. */
static void fact_of_m(struct gt_model *model, const struct gt_event *ev,
		      const struct gt_generation *g)
{
	const uint32_t on = gt_model_last_on(model, ev->m);
	struct gt_model_thread *t;

	if (on == GT_MODEL_NONE) {
		return;
	}
	t = model->threads[on];
	if (ev->number == GT_FACT_CALL) {
		gt_model_call_named(model, t, ev);
	} else if (ev->number == GT_FACT_YIELDS) {
		t->yields += ev->args[0];
		t->yields_ns += ev->args[1];
	} else {
		gt_model_spin(model, t, ev, gt_model_stack_of(model, g, ev->args[4]));
	}
}

static void fact(struct gt_model *model, const struct gt_event *ev, const struct gt_generation *g)
{
	struct gt_model_thread *t;

	model->by_gtrace = true;
	switch (ev->number) {
	case GT_FACT_BLOCK: {
		const struct gt_model_object_key key = {ev->args[1], ev->args[2], ev->args[3]};

		t = gt_model_thread_of(model, ev->args[0]);
		t->wait.object_next = gt_set_put(&model->objects, &key, sizeof(key));
		t->wait.owner_next =
			ev->args[4] ? gt_model_last_on(model, ev->args[4]) : GT_MODEL_NONE;
		break;
	}
	case GT_FACT_WAIT_END:
		t = gt_model_thread_of(model, ev->args[0]);
		t->wait.how = ev->args[1] > GT_MODEL_OPEN && ev->args[1] < GT_ENDED_END
				      ? (uint8_t)ev->args[1]
				      : GT_ENDED_NOBODY;
		t->wait.how_waker = ev->args[3];
		break;
	case GT_FACT_RETAKE:
		retake(model, ev);
		break;
	case GT_FACT_CALL:
	case GT_FACT_YIELDS:
	case GT_FACT_SPIN:
		fact_of_m(model, ev, g);
		break;
	case GT_FACT_ABOUT:
		*(uint64_t *)gt_set_get(&model->about, &ev->args[0], sizeof(ev->args[0])) =
			ev->args[1];
		break;
	case GT_FACT_LOSS:
		/* Counted since the trace began: the last one counts. */
		if (ev->args[0] < GT_LOSS_END) {
			model->loss[ev->args[0]] = ev->args[1];
		} else {
			model->loss_unknown = GT_MAX(model->loss_unknown, ev->args[1]);
		}
		break;
	default:
		break;
	}
}

static void timed(struct gt_model *model, const struct gt_event *ev, const struct gt_generation *g)
{
	struct gt_model_thread *t;
	uint32_t stack;

	switch (ev->number) {
	case GT_EV_GO_STATUS:
		status(model, ev, 0);
		break;
	case GT_EV_GO_STATUS_STACK:
		status(model, ev, gt_model_stack_of(model, g, ev->args[3]));
		break;
	case GT_EV_GO_CREATE:
		create(model, ev, GT_GO_RUNNABLE, gt_model_stack_of(model, g, ev->args[1]));
		break;
	case GT_EV_GO_CREATE_BLOCKED:
		create(model, ev, GT_GO_WAITING, gt_model_stack_of(model, g, ev->args[1]));
		break;
	case GT_EV_GO_CREATE_SYSCALL:
		create(model, ev, GT_GO_SYSCALL, 0);
		break;
	case GT_EV_GO_START:
		t = gt_model_thread_of(model, ev->args[0]);
		gt_model_put_on(model, t, ev->m);
		state_set(model, t, GT_GO_RUNNING, ev->time);
		break;
	case GT_EV_GO_STOP:
	case GT_EV_GO_BLOCK:
		t = gt_model_thread_of(model, ev->g);
		stack = gt_model_stack_of(model, g, ev->args[1]);
		gt_model_routine(model, t, stack);
		if (ev->number == GT_EV_GO_STOP) {
			stopped(t, gt_generation_string(g, ev->args[0]));
			state_set(model, t, GT_GO_RUNNABLE, ev->time);
		} else {
			gt_model_call_begin(model, t, stack);
			state_set(model, t, GT_GO_WAITING, ev->time);
			t->blocks++;
			wait_begin(model, t,
				   gt_model_name_of(model, gt_generation_string(g, ev->args[0])),
				   stack);
		}
		break;
	case GT_EV_GO_UNBLOCK:
	case GT_EV_GO_SWITCH:
	case GT_EV_GO_SWITCH_DESTROY:
		t = gt_model_thread_of(model, ev->args[0]);
		gt_model_call_end(model, t, ev->time);
		wait_over(model, t,
			  ev->number == GT_EV_GO_UNBLOCK ? gt_model_stack_of(model, g, ev->args[2])
							 : 0,
			  ev);
		/* The wait's own time first: what follows counts as the way back to running. */
		t->wait.unblocked = false;
		state_set(model, t, GT_GO_RUNNABLE, ev->time);
		t->wait.unblocked = true;
		break;
	case GT_EV_GO_SYSCALL_BEGIN:
		t = gt_model_thread_of(model, ev->g);
		stack = gt_model_stack_of(model, g, ev->args[1]);
		gt_model_routine(model, t, stack);
		gt_model_call_begin(model, t, stack);
		state_set(model, t, GT_GO_SYSCALL, ev->time);
		t->syscalls++;
		break;
	case GT_EV_GO_SYSCALL_END:
	case GT_EV_GO_SYSCALL_END_BLOCKED:
		t = gt_model_thread_of(model, ev->g);
		gt_model_call_end(model, t, ev->time);
		state_set(model, t,
			  ev->number == GT_EV_GO_SYSCALL_END ? GT_GO_RUNNING : GT_GO_RUNNABLE,
			  ev->time);
		break;
	case GT_EV_GO_DESTROY:
	case GT_EV_GO_DESTROY_SYSCALL:
		t = gt_model_thread_of(model, ev->g);
		state_set(model, t, GT_GO_BAD, ev->time);
		t->ended = ev->time;
		break;
	case GT_EV_PROC_STOP:
		proc_gone(gt_idmap_pointer(&model->by_g, ev->g), ev->time);
		break;
	case GT_EV_PROC_STEAL:
		if (gt_model_last_on(model, ev->args[2]) != GT_MODEL_NONE) {
			proc_gone(model->threads[gt_model_last_on(model, ev->args[2])], ev->time);
		}
		break;
	case GT_EV_PROCS_CHANGE:
		model->cpus = ev->args[0];
		break;
	case GT_EV_GO_LABEL:
		gt_model_label(model, gt_model_thread_of(model, ev->g),
			       gt_generation_string(g, ev->args[0]));
		break;
	default:
		break;
	}
}

void gt_model_event(struct gt_model *model, const struct gt_event *ev,
		    const struct gt_generation *generation)
{
	if (ev->kind == GT_FACT) {
		fact(model, ev, generation);
		return;
	}
	if (model->begin == 0) {
		model->begin = ev->time;
	}
	model->end = ev->time;
	if (ev->kind == GT_STRUCT) {
		if (ev->number == GT_EV_SYNC) {
			model->generations++;
			model->sync = ev->time;
			gt_idmap_clear(&model->ids);
		} else {
			model->samples++;
		}
		return;
	}
	model->events += !ev->implied;
	if (ev->kind == GT_TIMED) {
		timed(model, ev, generation);
	}
}

void gt_model_close(struct gt_model *model)
{
	for (size_t i = 0; i < model->nthreads; i++) {
		struct gt_model_thread *t = model->threads[i];

		if (t->state == GT_GO_WAITING) {
			struct gt_model_site *site = site_of(model, t);

			wait_measure(model, t, model->end - t->since);
			site->how[GT_MODEL_OPEN]++;
			t->how[GT_MODEL_OPEN]++;
		}
		gt_model_call_end(model, t, model->end);
		state_close(model, t, model->end);
		if (t->wait.unblocked) {
			wait_settle(model, t);
		}
	}
}
