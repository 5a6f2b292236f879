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

/* --- Threads, stacks -------------------------------------------------------------------------- */

static struct gt_model_thread *thread_of(struct gt_model *model, uint64_t g)
{
	struct gt_model_thread *t = gt_idmap_pointer(&model->by_g, g);

	if (t != NULL) {
		return t;
	}
	t = gt_alloc(sizeof(*t));
	*t = (struct gt_model_thread){
		.index = (uint32_t)model->nthreads,
		.id = g,
		.tid = GT_NO_M,
		.creator = GT_MODEL_NONE,
		.routine = GT_MODEL_NONE,
		.wait = {.object_next = GT_MODEL_NONE, .owner_next = GT_MODEL_NONE},
	};
	model->threads = gt_grow(model->threads, model->nthreads, &model->threads_cap,
				 sizeof(*model->threads));
	model->threads[model->nthreads++] = t;
	gt_idmap_put(&model->by_g, g, (uintptr_t)t);
	return t;
}

/* The thread that was last on an M. */
static uint32_t last_on(const struct gt_model *model, uint64_t m)
{
	uintptr_t i = gt_idmap_get(&model->by_m, m);

	return i ? (uint32_t)(i - 1) : GT_MODEL_NONE;
}

static void put_on(struct gt_model *model, struct gt_model_thread *t, uint64_t m)
{
	uint32_t last = last_on(model, m);

	if (m == GT_NO_M) {
		return;
	}
	t->tid = m;
	if (last != t->index) {
		if (last != GT_MODEL_NONE) {
			gt_idmap_remove(&model->by_m, m);
		}
		gt_idmap_put(&model->by_m, m, t->index + (uintptr_t)1);
	}
}

static uint32_t name_of(struct gt_model *model, const struct gt_text *text)
{
	if (text == NULL || text->length == 0) {
		return gt_set_put(&model->names, "", 0);
	}
	return gt_set_put(&model->names, text->data, text->length);
}

static uint32_t stack_of(struct gt_model *model, const struct gt_generation *g, uint64_t id)
{
	uintptr_t known = gt_idmap_get(&model->ids, id);
	const struct gt_stack *stack;
	uint32_t index;

	if (known) {
		return (uint32_t)(known - 1);
	}
	stack = gt_generation_stack(g, id);
	if (stack == NULL || stack->nframes == 0) {
		return 0;
	}
	if (stack->nframes > model->frames_cap) {
		model->frames_cap = stack->nframes;
		model->frames =
			gt_realloc(model->frames, model->frames_cap * sizeof(*model->frames));
	}
	for (unsigned i = 0; i < stack->nframes; i++) {
		model->frames[i] = name_of(model, &gt_stack_frame(g, stack, i)->func);
	}
	index = gt_set_put(&model->stacks, model->frames, stack->nframes * sizeof(*model->frames));
	gt_idmap_put(&model->ids, id, index + (uintptr_t)1);
	return index;
}

/* A thread is named by the outermost function of the first stack that it is seen with. */
static void name(struct gt_model *model, struct gt_model_thread *t, uint32_t stack)
{
	const uint32_t *frames;
	const char *text;
	size_t n;

	if (t->routine != GT_MODEL_NONE) {
		return;
	}
	frames = gt_model_stack(model, stack, &n);
	if (n == 0) {
		return;
	}
	text = gt_model_name(model, frames[n - 1]);
	if (*text == '\0') {
		return;
	}
	t->routine = frames[n - 1];
	/* What Go's pages take for one. */
	t->system = strncmp(text, "runtime.", 8) == 0 && strcmp(text, "runtime.main") != 0;
	if (strcmp(text, "runtime.gtraceAdvancer") == 0) {
		model->by_gtrace = true;
	}
}

static void label(struct gt_model *model, struct gt_model_thread *t, const struct gt_text *text)
{
	uint32_t index = name_of(model, text);

	for (size_t i = 0; i < t->nlabels; i++) {
		if (t->labels[i] == index) {
			return;
		}
	}
	t->labels = gt_grow(t->labels, t->nlabels, &t->labels_cap, sizeof(*t->labels));
	t->labels[t->nlabels++] = index;
}

/* --- Waits ------------------------------------------------------------------------------------ */

static void share_add(struct gt_model_share *share, uint64_t ns)
{
	share->waits++;
	share->total += ns;
	share->max = GT_MAX(share->max, ns);
}

static void pair_add(struct gt_model_pairs *pairs, uint32_t a, uint32_t b, uint64_t ns)
{
	const struct gt_model_pair key = {a, b};

	share_add(gt_set_get(&pairs->set, &key, sizeof(key)), ns);
}

static void wait_begin(struct gt_model *model, struct gt_model_thread *t, uint32_t reason,
		       uint32_t stack)
{
	const struct gt_model_site_key key = {reason, stack};
	struct gt_model_wait *wait = &t->wait;

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

	share_add(&site->share, ns);
	gt_hist_add(&site->hist, ns);
	pair_add(&model->site_thread, wait->site, t->index, ns);
	if (wait->object != GT_MODEL_NONE) {
		share_add(gt_set_value(&model->objects, wait->object), ns);
		pair_add(&model->site_object, wait->site, wait->object, ns);
	}
	if (wait->owner != GT_MODEL_NONE) {
		pair_add(&model->site_owner, wait->site, wait->owner, ns);
		pair_add(&model->object_owner, wait->object, wait->owner, ns);
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
	wait->waker = ev->g == GT_NO_G ? GT_MODEL_NONE : thread_of(model, ev->g)->index;
	wait->waker_before = last_on(model, ev->m);
	wait_measure(model, t, wait->ns);
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
		waker = wait->how_waker ? thread_of(model, wait->how_waker)->index : GT_MODEL_NONE;
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
		how = waker == GT_MODEL_NONE ? GT_ENDED_NOBODY : GT_ENDED_WAKER;
	}
	site->how[how]++;
	t->how[how]++;
	pair_add(&model->site_waker, wait->site, waker, wait->ns);
	share_add(gt_set_get(&model->wakes,
			     &(struct gt_model_wake_key){waker, t->index, key->reason, wait->stack},
			     sizeof(struct gt_model_wake_key)),
		  wait->ns);
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
	struct gt_model_thread *t = thread_of(model, ev->args[0]);
	const unsigned state = (unsigned)ev->args[2];
	const uint64_t m = state == GT_GO_RUNNING ? ev->m : ev->args[1];

	if (ev->was == GT_WAS_UNDETERMINED) {
		/* So it was when the trace began. */
		appear(t, state, model->sync);
		name(model, t, stack);
		if (state == GT_GO_WAITING) {
			wait_begin(model, t, gt_set_put(&model->names, "", 0), stack);
		} else if (state == GT_GO_SYSCALL && ev->p == GT_NO_P) {
			t->syscall_lost = model->sync;
		}
	}
	name(model, t, stack);
	/* A blocked thread names the M that it will be on, but another may have that one now. */
	if (state == GT_GO_RUNNING || state == GT_GO_SYSCALL ||
	    last_on(model, m) == GT_MODEL_NONE) {
		put_on(model, t, m);
	}
}

static void create(struct gt_model *model, const struct gt_event *ev, unsigned state,
		   uint32_t stack)
{
	struct gt_model_thread *t = thread_of(model, ev->args[0]);

	appear(t, state, ev->time);
	name(model, t, stack);
	if (ev->g != GT_NO_G && ev->number != GT_EV_GO_CREATE_SYSCALL) {
		t->creator = thread_of(model, ev->g)->index;
	}
	if (state == GT_GO_WAITING) {
		wait_begin(model, t, gt_set_put(&model->names, "", 0), stack);
	}
	if (state == GT_GO_SYSCALL) {
		put_on(model, t, ev->m);
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

static void fact(struct gt_model *model, const struct gt_event *ev)
{
	struct gt_model_thread *t;

	model->by_gtrace = true;
	switch (ev->number) {
	case GT_FACT_BLOCK: {
		const struct gt_model_object_key key = {ev->args[1], ev->args[2], ev->args[3]};

		t = thread_of(model, ev->args[0]);
		t->wait.object_next = gt_set_put(&model->objects, &key, sizeof(key));
		t->wait.owner_next = ev->args[4] ? last_on(model, ev->args[4]) : GT_MODEL_NONE;
		break;
	}
	case GT_FACT_WAIT_END:
		t = thread_of(model, ev->args[0]);
		t->wait.how = ev->args[1] > GT_MODEL_OPEN && ev->args[1] < GT_ENDED_END
				      ? (uint8_t)ev->args[1]
				      : GT_ENDED_NOBODY;
		t->wait.how_waker = ev->args[3];
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
		status(model, ev, stack_of(model, g, ev->args[3]));
		break;
	case GT_EV_GO_CREATE:
		create(model, ev, GT_GO_RUNNABLE, stack_of(model, g, ev->args[1]));
		break;
	case GT_EV_GO_CREATE_BLOCKED:
		create(model, ev, GT_GO_WAITING, stack_of(model, g, ev->args[1]));
		break;
	case GT_EV_GO_CREATE_SYSCALL:
		create(model, ev, GT_GO_SYSCALL, 0);
		break;
	case GT_EV_GO_START:
		t = thread_of(model, ev->args[0]);
		put_on(model, t, ev->m);
		state_set(model, t, GT_GO_RUNNING, ev->time);
		break;
	case GT_EV_GO_STOP:
	case GT_EV_GO_BLOCK:
		t = thread_of(model, ev->g);
		stack = stack_of(model, g, ev->args[1]);
		name(model, t, stack);
		if (ev->number == GT_EV_GO_STOP) {
			state_set(model, t, GT_GO_RUNNABLE, ev->time);
		} else {
			state_set(model, t, GT_GO_WAITING, ev->time);
			t->blocks++;
			wait_begin(model, t, name_of(model, gt_generation_string(g, ev->args[0])),
				   stack);
		}
		break;
	case GT_EV_GO_UNBLOCK:
	case GT_EV_GO_SWITCH:
	case GT_EV_GO_SWITCH_DESTROY:
		t = thread_of(model, ev->args[0]);
		wait_over(model, t,
			  ev->number == GT_EV_GO_UNBLOCK ? stack_of(model, g, ev->args[2]) : 0, ev);
		/* The wait's own time first: what follows counts as the way back to running. */
		t->wait.unblocked = false;
		state_set(model, t, GT_GO_RUNNABLE, ev->time);
		t->wait.unblocked = true;
		break;
	case GT_EV_GO_SYSCALL_BEGIN:
		t = thread_of(model, ev->g);
		name(model, t, stack_of(model, g, ev->args[1]));
		state_set(model, t, GT_GO_SYSCALL, ev->time);
		t->syscalls++;
		break;
	case GT_EV_GO_SYSCALL_END:
		state_set(model, thread_of(model, ev->g), GT_GO_RUNNING, ev->time);
		break;
	case GT_EV_GO_SYSCALL_END_BLOCKED:
		state_set(model, thread_of(model, ev->g), GT_GO_RUNNABLE, ev->time);
		break;
	case GT_EV_GO_DESTROY:
	case GT_EV_GO_DESTROY_SYSCALL:
		t = thread_of(model, ev->g);
		state_set(model, t, GT_GO_BAD, ev->time);
		t->ended = ev->time;
		break;
	case GT_EV_PROC_STOP:
		proc_gone(gt_idmap_pointer(&model->by_g, ev->g), ev->time);
		break;
	case GT_EV_PROC_STEAL:
		if (last_on(model, ev->args[2]) != GT_MODEL_NONE) {
			proc_gone(model->threads[last_on(model, ev->args[2])], ev->time);
		}
		break;
	case GT_EV_PROCS_CHANGE:
		model->cpus = ev->args[0];
		break;
	case GT_EV_GO_LABEL:
		label(model, thread_of(model, ev->g), gt_generation_string(g, ev->args[0]));
		break;
	default:
		break;
	}
}

void gt_model_event(struct gt_model *model, const struct gt_event *ev,
		    const struct gt_generation *generation)
{
	if (ev->kind == GT_FACT) {
		fact(model, ev);
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
		state_close(model, t, model->end);
		if (t->wait.unblocked) {
			wait_settle(model, t);
		}
	}
}
