/*
 * Spans: the states of threads, event by event.
 *
 * A wait begins with its block event; the fact before that gives the object and the owner. It ends
 * with the unblock, which stands in the waker's stream. Who the waker was is said by a fact that
 * belongs to the moment when the thread runs again, so that until then the wait is kept beside the
 * runnable span that follows it (struct thread, over).
 */
#include "span.h"

#include <stdlib.h>
#include <string.h>

#include "span_state.h"

static void put(struct gt_spans *s, const struct gt_span *span)
{
	s->queue[s->tail++] = *span;
}

/* A span of t, of which nothing is known but that. */
static struct gt_span new_span(const struct gt_span_state *t, unsigned kind, uint64_t begin)
{
	return (struct gt_span){
		.kind = (uint8_t)kind,
		.thread = t->open.index,
		.begin = begin,
		.m = GT_NO_M,
		.p = GT_NO_P,
		.reason = GT_SPAN_NONE,
		.object = GT_SPAN_NONE,
		.owner = GT_SPAN_NONE,
		.waker = GT_SPAN_NONE,
		.retake_object = GT_SPAN_NONE,
		.retake_owner = GT_SPAN_NONE,
	};
}

/* --- Waits ------------------------------------------------------------------------------------ */

/* What there is to know about the end of the last wait of t: it runs again, or the trace ends. */
static void settle(struct gt_spans *s, struct gt_span_state *t)
{
	struct gt_span *wait = &t->over;

	if (t->how != 0) {
		wait->how = t->how;
		wait->waker = t->how_waker ? gt_span_index_of(s, t->how_waker) : GT_SPAN_NONE;
	} else {
		/*
		 * The waker may have blocked by the time its event was written. In a trace of Go's
		 * runtime there was no G: it was the network poller or a timer.
		 */
		if (wait->waker == GT_SPAN_NONE && s->by_gtrace) {
			wait->waker = t->waker_before;
		}
		/* A waiter that knows no waker writes the event itself. */
		if (wait->waker == t->open.index) {
			wait->waker = GT_SPAN_NONE;
		}
		wait->how = wait->waker != GT_SPAN_NONE ? GT_ENDED_WAKER
			    : wait->named               ? GT_SPAN_RETURNED
							: GT_ENDED_NOBODY;
	}
	put(s, wait);
	wait->kind = 0;
	t->how = 0;
}

static void wait_end_fact(struct gt_spans *s, const struct gt_event *ev)
{
	struct gt_span_state *t = gt_span_thread_of(s, ev->args[0]);

	t->how = ev->args[1] > GT_ENDED_BAD && ev->args[1] < GT_ENDED_END ? (uint8_t)ev->args[1]
									  : GT_ENDED_NOBODY;
	t->how_waker = ev->args[3];
}

/* The wait that a fact is about which stands before the event by which the thread runs again. */
static struct gt_span *wait_of(struct gt_span_state *t)
{
	struct gt_span *wait = t->over.kind != 0 ? &t->over : &t->now;

	return wait->kind == GT_SPAN_WAIT ? wait : NULL;
}

static void on_cpu_fact(struct gt_spans *s, const struct gt_event *ev)
{
	struct gt_span *wait = wait_of(gt_span_thread_of(s, ev->args[0]));

	if (wait != NULL) {
		wait->counted = true;
		wait->on_cpu = ev->args[1];
	}
}

static void retake_fact(struct gt_spans *s, const struct gt_event *ev)
{
	struct gt_span *wait = wait_of(gt_span_thread_of(s, ev->args[0]));

	if (wait != NULL) {
		wait->retakes = true;
		wait->retake += ev->args[3];
		wait->retake_object = gt_span_tables_mutex(&s->tables, ev->args[1]);
		wait->retake_owner = ev->args[2] ? gt_span_index_of(s, ev->args[2]) : GT_SPAN_NONE;
	}
}

/* --- Calls ------------------------------------------------------------------------------------ */

/* The call that a fact named is not the span that lasts. */
static void put_call(struct gt_spans *s, struct gt_span_state *t)
{
	struct gt_span call = new_span(t, GT_SPAN_CALL, t->named_at);

	call.end = t->named_at;
	call.m = t->open.tid;
	call.named = true;
	call.call = t->now.call;
	call.argument = t->now.argument;
	call.result = t->now.result;
	put(s, &call);
	t->now.named = false;
	t->now.call = t->now.argument = 0;
	t->now.result = 0;
}

/* The fact stands before the event that ends the call, so that its thread is still in it. */
static void call_fact(struct gt_spans *s, const struct gt_event *ev)
{
	const uint32_t on = gt_spans_by_m(s, ev->m);
	struct gt_span_state *t;

	if (on == GT_SPAN_NONE) {
		return;
	}
	t = s->threads[on];
	if (t->now.named) {
		put_call(s, t);
	}
	t->named_at = ev->time;
	t->now.named = true;
	t->now.call = ev->args[0];
	t->now.argument = ev->args[1];
	t->now.result = gt_unzigzag(ev->args[2]);
	if (t->now.kind != GT_SPAN_SYSCALL && t->now.kind != GT_SPAN_WAIT) {
		put_call(s, t);
	}
}

/* --- States ----------------------------------------------------------------------------------- */

static unsigned kind_of(unsigned state)
{
	static const uint8_t kinds[] = {
		[GT_GO_RUNNABLE] = GT_SPAN_RUNNABLE,
		[GT_GO_RUNNING] = GT_SPAN_RUNNING,
		[GT_GO_SYSCALL] = GT_SPAN_SYSCALL,
		[GT_GO_WAITING] = GT_SPAN_WAIT,
	};

	return state < GT_LEN(kinds) ? kinds[state] : 0;
}

static void begin(struct gt_span_state *t, unsigned state, uint64_t now, uint64_t m, uint64_t p)
{
	t->open.state = (uint8_t)state;
	t->now = new_span(t, kind_of(state), now);
	t->now.m = m;
	t->now.p = p;
}

/* What lasted is over, and known: a wait is not. */
static void end(struct gt_spans *s, struct gt_span_state *t, uint64_t now)
{
	t->now.end = now;
	if (t->over.kind != 0) {
		t->over.ready = now - t->over.end;
		settle(s, t);
	}
	if (t->now.kind != 0) {
		put(s, &t->now);
		t->now.kind = 0;
	}
}

/* An event of its own brings t into another state. */
static void change(struct gt_spans *s, struct gt_span_state *t, unsigned state,
		   const struct gt_event *ev)
{
	end(s, t, ev->time);
	begin(t, state, ev->time, ev->m, ev->p);
}

static void block(struct gt_spans *s, const struct gt_event *ev)
{
	struct gt_span_state *t = gt_span_thread_of(s, ev->g);
	const uint32_t stack = gt_spans_stack_of(s, ev->args[1]);
	const bool yields = ev->number == GT_EV_GO_STOP;

	gt_span_routine(s, t, stack);
	change(s, t, yields ? GT_GO_RUNNABLE : GT_GO_WAITING, ev);
	t->now.stack = stack;
	t->now.reason = gt_spans_string_of(s, ev->args[0]);
	if (!yields) {
		t->now.object = t->object_next;
		t->now.owner = t->owner_next;
		t->object_next = t->owner_next = GT_SPAN_NONE;
	}
}

/* t may run again, says an event of this M and this G. */
static void unblock(struct gt_spans *s, const struct gt_event *ev, uint32_t stack)
{
	struct gt_span_state *t = gt_span_thread_of(s, ev->args[0]);

	if (t->now.kind == GT_SPAN_WAIT) {
		t->over = t->now;
		t->over.end = ev->time;
		t->over.waker_stack = stack;
		t->over.waker = ev->g == GT_NO_G ? GT_SPAN_NONE : gt_span_index_of(s, ev->g);
		t->waker_before = gt_spans_by_m(s, ev->m);
	}
	begin(t, GT_GO_RUNNABLE, ev->time, GT_NO_M, GT_NO_P);
}

static void syscall_begin(struct gt_spans *s, const struct gt_event *ev)
{
	struct gt_span_state *t = gt_span_thread_of(s, ev->g);
	const uint32_t stack = gt_spans_stack_of(s, ev->args[1]);

	gt_span_routine(s, t, stack);
	change(s, t, GT_GO_SYSCALL, ev);
	t->now.stack = stack;
}

static void appear(struct gt_spans *s, struct gt_span_state *t, unsigned state, uint64_t now,
		   uint32_t stack)
{
	t->open.seen = true;
	t->open.created = now;
	begin(t, state, now, GT_NO_M, GT_NO_P);
	t->now.found = true;
	if (state == GT_GO_WAITING || state == GT_GO_SYSCALL) {
		t->now.stack = stack;
	}
	if (state == GT_GO_WAITING) {
		t->now.reason = gt_span_tables_string(&s->tables, NULL);
	}
}

static void status(struct gt_spans *s, const struct gt_event *ev)
{
	struct gt_span_state *t = gt_span_thread_of(s, ev->args[0]);
	const uint32_t stack =
		ev->number == GT_EV_GO_STATUS_STACK ? gt_spans_stack_of(s, ev->args[3]) : 0;
	const unsigned state = (unsigned)ev->args[2];
	const uint64_t m = state == GT_GO_RUNNING ? ev->m : ev->args[1];

	gt_span_routine(s, t, stack);
	if (ev->was == GT_WAS_UNDETERMINED) {
		/* So it was when the trace began. */
		appear(s, t, state, s->sync, stack);
		if (state == GT_GO_RUNNING || state == GT_GO_SYSCALL) {
			t->now.m = m;
			t->now.p = ev->p;
		}
		if (state == GT_GO_SYSCALL && ev->p == GT_NO_P) {
			t->now.lost = s->sync;
		}
	}
	/* A blocked thread names the M that it will be on, but another may have that one now. */
	if (state == GT_GO_RUNNING || state == GT_GO_SYSCALL ||
	    gt_spans_by_m(s, m) == GT_SPAN_NONE) {
		gt_span_put_on(s, t, m);
	}
}

static void create(struct gt_spans *s, const struct gt_event *ev)
{
	struct gt_span_state *t = gt_span_thread_of(s, ev->args[0]);
	const bool alone = ev->number == GT_EV_GO_CREATE_SYSCALL;
	const uint32_t stack = alone ? 0 : gt_spans_stack_of(s, ev->args[1]);

	gt_span_routine(s, t, stack);
	appear(s, t,
	       alone                                   ? GT_GO_SYSCALL
	       : ev->number == GT_EV_GO_CREATE_BLOCKED ? GT_GO_WAITING
						       : GT_GO_RUNNABLE,
	       ev->time, stack);
	if (alone) {
		gt_span_put_on(s, t, ev->m);
		t->now.m = ev->m;
		t->now.p = ev->p;
	} else if (ev->g != GT_NO_G) {
		t->open.creator = gt_span_index_of(s, ev->g);
		t->open.creator_stack = gt_spans_stack_of(s, ev->args[2]);
	}
}

static void destroy(struct gt_spans *s, const struct gt_event *ev)
{
	struct gt_span_state *t = gt_span_thread_of(s, ev->g);

	t->now.died = true;
	end(s, t, ev->time);
	t->open.state = GT_GO_BAD;
	t->open.ended = ev->time;
}

/* The P of a thread is gone: if that is in a system call, the call has lasted. */
static void proc_gone(struct gt_span_state *t, uint64_t now)
{
	if (t != NULL && t->now.kind == GT_SPAN_SYSCALL && t->now.lost == 0) {
		t->now.lost = now;
	}
}

/* --- Events ----------------------------------------------------------------------------------- */

static void fact(struct gt_spans *s, const struct gt_event *ev)
{
	s->by_gtrace = true;
	switch (ev->number) {
	case GT_FACT_BLOCK: {
		const struct gt_span_object object = {ev->args[1], ev->args[2], ev->args[3]};
		struct gt_span_state *t = gt_span_thread_of(s, ev->args[0]);

		t->object_next = gt_span_tables_object(&s->tables, &object);
		t->owner_next = ev->args[4] ? gt_spans_by_m(s, ev->args[4]) : GT_SPAN_NONE;
		break;
	}
	case GT_FACT_WAIT_END:
		wait_end_fact(s, ev);
		break;
	case GT_FACT_RETAKE:
		retake_fact(s, ev);
		break;
	case GT_FACT_ON_CPU:
		on_cpu_fact(s, ev);
		break;
	case GT_FACT_CALL:
		call_fact(s, ev);
		break;
	default:
		break;
	}
}

static void timed(struct gt_spans *s, const struct gt_event *ev)
{
	uint32_t on;

	switch (ev->number) {
	case GT_EV_GO_STATUS:
	case GT_EV_GO_STATUS_STACK:
		status(s, ev);
		break;
	case GT_EV_GO_CREATE:
	case GT_EV_GO_CREATE_BLOCKED:
	case GT_EV_GO_CREATE_SYSCALL:
		create(s, ev);
		break;
	case GT_EV_GO_START:
		gt_span_put_on(s, gt_span_thread_of(s, ev->args[0]), ev->m);
		change(s, gt_span_thread_of(s, ev->args[0]), GT_GO_RUNNING, ev);
		break;
	case GT_EV_GO_STOP:
	case GT_EV_GO_BLOCK:
		block(s, ev);
		break;
	case GT_EV_GO_UNBLOCK:
		unblock(s, ev, gt_spans_stack_of(s, ev->args[2]));
		break;
	case GT_EV_GO_SWITCH:
	case GT_EV_GO_SWITCH_DESTROY:
		unblock(s, ev, 0);
		break;
	case GT_EV_GO_SYSCALL_BEGIN:
		syscall_begin(s, ev);
		break;
	case GT_EV_GO_SYSCALL_END:
		change(s, gt_span_thread_of(s, ev->g), GT_GO_RUNNING, ev);
		break;
	case GT_EV_GO_SYSCALL_END_BLOCKED:
		change(s, gt_span_thread_of(s, ev->g), GT_GO_RUNNABLE, ev);
		break;
	case GT_EV_GO_DESTROY:
	case GT_EV_GO_DESTROY_SYSCALL:
		destroy(s, ev);
		break;
	case GT_EV_PROC_STOP:
		proc_gone(gt_idmap_pointer(&s->by_g, ev->g), ev->time);
		break;
	case GT_EV_PROC_STEAL:
		on = gt_spans_by_m(s, ev->args[2]);
		proc_gone(on != GT_SPAN_NONE ? s->threads[on] : NULL, ev->time);
		break;
	case GT_EV_GO_LABEL:
		gt_span_label(s, gt_span_thread_of(s, ev->g), ev->args[0]);
		break;
	default:
		break;
	}
}

static void event(struct gt_spans *s, const struct gt_event *ev)
{
	if (ev->kind == GT_FACT) {
		fact(s, ev);
		return;
	}
	if (s->begin == 0) {
		s->begin = ev->time;
	}
	s->end = ev->time;
	if (ev->kind == GT_STRUCT && ev->number == GT_EV_SYNC) {
		s->sync = ev->time;
		gt_span_tables_generation(&s->tables);
	} else if (ev->kind == GT_TIMED) {
		timed(s, ev);
	}
}

/* The trace is at its end: what of t lasts, lasts until there. */
static void close_thread(struct gt_spans *s, struct gt_span_state *t)
{
	t->now.open = true;
	end(s, t, s->end);
}

/* Fills the queue: 1, or 0 after the last span. */
static int more(struct gt_spans *s)
{
	s->head = s->tail = 0;
	if (!s->ended) {
		s->status = gt_merge_next(s->merge, &s->event, &s->error);
		s->ended = s->status <= 0;
	}
	if (!s->ended) {
		event(s, &s->event);
		s->given = !(s->flags & GT_SPANS_EVENTS);
	} else if (s->closed < s->nthreads) {
		close_thread(s, s->threads[s->closed++]);
	} else {
		return 0;
	}
	return 1;
}

int gt_spans_next(struct gt_spans *s, struct gt_span *span, struct gt_error *e)
{
	for (;;) {
		if (s->head != s->tail) {
			*span = s->queue[s->head++];
			return 1;
		}
		if (!s->given) {
			s->given = true;
			/* The other members say nothing of an event, and one comes often. */
			span->kind = GT_SPAN_EVENT;
			span->thread = GT_SPAN_NONE;
			span->begin = span->end = s->event.time;
			span->event = &s->event;
			return 1;
		}
		if (more(s) == 0) {
			if (s->status < 0) {
				*e = s->error;
			}
			return s->status;
		}
	}
}

struct gt_spans *gt_spans_open(struct gt_merge *merge, unsigned flags)
{
	struct gt_spans *s = gt_alloc(sizeof(*s));

	*s = (struct gt_spans){.merge = merge, .flags = flags, .given = true};
	gt_span_tables_init(&s->tables);
	return s;
}

void gt_spans_close(struct gt_spans *s)
{
	if (s == NULL) {
		return;
	}
	for (size_t i = 0; i < s->nthreads; i++) {
		free(s->threads[i]->labels);
		free(s->threads[i]);
	}
	free(s->threads);
	gt_idmap_fini(&s->by_g);
	gt_idmap_fini(&s->by_m);
	gt_span_tables_fini(&s->tables);
	free(s);
}
