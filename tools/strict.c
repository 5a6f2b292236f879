/*
 * The strict rules: what no reader needs in order to go on, but every true trace keeps.
 *
 * They are those of Go's own checker (src/internal/trace/testtrace/validation.go), which follows
 * each G and P by the transitions that are shown to a user, independently of how the reader got
 * there; and rules 8 and 22 of the model (a status of what executes stands with its M; one
 * frequency), on which it is silent: the second is asked of gtrace's own traces alone. The rules
 * about ranges and tables that need the state of the order stand with it, behind o->strict.
 */
#include "strict.h"

#include "rules.h"

#include <string.h>

static const char *text_of(uint8_t state)
{
	static const char *const names[] = {"Undetermined", "NotExist", "Runnable", "Running",
					    "Syscall",      "Waiting",  "Idle"};

	return names[state];
}

static bool executing(uint8_t state)
{
	return state == GT_WAS_RUNNING || state == GT_WAS_SYSCALL;
}

/* What a transition is about: a G or a P, with the fields of it that belong to this file. */
struct subject {
	const char *what;
	uint64_t id;
	bool *seen;
	uint8_t *state;
	struct gt_m **on;
	size_t bound; /* offset in struct gt_m of what is bound to it */
};

static uint64_t *bound(const struct subject *s, struct gt_m *m)
{
	return (uint64_t *)(void *)((char *)m + s->bound);
}

/* The subject begins to execute, or goes on: on which M, and is there room? */
static int bind(struct gt_order *o, const struct gt_event *ev, const struct subject *s, uint8_t was)
{
	struct gt_m *m = ev->m == GT_NO_M ? NULL : gt_order_m(o, ev->m);
	uint64_t *b;

	if (m == NULL) {
		return BROKEN("%s %" PRIu64 " executes, so this must have thread, but stands in no "
			      "M's batch",
			      s->what, s->id);
	}
	b = bound(s, m);
	if (*b != UINT64_MAX && *b != s->id) {
		return BROKEN("tried to run %s %" PRIu64 " when one was already executing on this "
			      "M: %" PRIu64,
			      s->what, s->id, *b);
	}
	if (executing(was) && *s->on != NULL && *s->on != m) {
		return BROKEN("%s %" PRIu64 " executes on M %" PRIu64 "; expected its status in "
			      "that M's batch",
			      s->what, s->id, (*s->on)->id);
	}
	*b = s->id;
	*s->on = m;
	return 0;
}

static int unbind(struct gt_order *o, const struct gt_event *ev, const struct subject *s)
{
	if (*s->on == NULL) {
		return BROKEN("stopping %s %" PRIu64 ", which is not bound to any M", s->what,
			      s->id);
	}
	if (*bound(s, *s->on) != s->id) {
		return BROKEN("tried to stop %s %" PRIu64 " when it wasn't executing on M %" PRIu64
			      ", which executes %" PRId64 " (-1: none)",
			      s->what, s->id, (*s->on)->id, (int64_t)*bound(s, *s->on));
	}
	*bound(s, *s->on) = UINT64_MAX;
	*s->on = NULL;
	return 0;
}

static int transition(struct gt_order *o, const struct gt_event *ev, const struct subject *s,
		      uint8_t was, uint8_t now)
{
	if (now == GT_WAS_UNDETERMINED) {
		return BROKEN("transition of %s %" PRIu64 " to undetermined state (status 0)",
			      s->what, s->id);
	}
	if (was == GT_WAS_UNDETERMINED && o->nth > 1) {
		return BROKEN("undetermined %s %" PRIu64 " after first generation", s->what, s->id);
	}
	if (*s->seen && *s->state != was) {
		return BROKEN("bad old state for %s %" PRIu64 ": got %s, want %s", s->what, s->id,
			      text_of(was), text_of(*s->state));
	}
	if (!*s->seen && was != GT_WAS_UNDETERMINED && was != GT_WAS_NOT_EXIST) {
		return BROKEN("bad old state for unregistered %s %" PRIu64 ": %s", s->what, s->id,
			      text_of(was));
	}
	*s->seen = true;
	*s->state = now;
	if (executing(now)) {
		return bind(o, ev, s, was);
	}
	return executing(was) ? unbind(o, ev, s) : 0;
}

static int go(struct gt_order *o, const struct gt_event *ev, uint64_t id, uint8_t was, uint8_t now)
{
	struct gt_g *g = gt_order_any_g(o, id);
	struct subject s = {"goroutine", id,     &g->seen,
			    &g->was,     &g->on, offsetof(struct gt_m, bound_g)};

	return transition(o, ev, &s, was, now);
}

static int proc(struct gt_order *o, const struct gt_event *ev, uint64_t id, uint8_t was,
		uint8_t now)
{
	struct gt_p *p = gt_order_p(o, id);
	struct subject s = {"proc", id, &p->seen, &p->was, &p->on, offsetof(struct gt_m, bound_p)};

	return transition(o, ev, &s, was, now);
}

int gt_strict_event(struct gt_order *o, const struct gt_event *ev)
{
	static const uint8_t go_states[] = {GT_WAS_UNDETERMINED, GT_WAS_RUNNABLE, GT_WAS_RUNNING,
					    GT_WAS_SYSCALL, GT_WAS_WAITING};
	static const uint8_t proc_states[] = {GT_WAS_UNDETERMINED, GT_WAS_RUNNING, GT_WAS_IDLE,
					      GT_WAS_RUNNING, GT_WAS_IDLE};
	const struct gt_text *text;

	switch (ev->number) {
	case GT_EV_PROC_START:
		return proc(o, ev, ev->args[0], GT_WAS_IDLE, GT_WAS_RUNNING);
	case GT_EV_PROC_STOP:
		return proc(o, ev, ev->p, GT_WAS_RUNNING, GT_WAS_IDLE);
	case GT_EV_PROC_STEAL:
		return proc(o, ev, ev->args[0],
			    ev->was == GT_PROC_SYSCALL_ABANDONED ? GT_WAS_IDLE : GT_WAS_RUNNING,
			    GT_WAS_IDLE);
	case GT_EV_PROC_STATUS:
		return proc(o, ev, ev->args[0], ev->was, proc_states[ev->args[1]]);
	case GT_EV_GO_CREATE:
		return go(o, ev, ev->args[0], GT_WAS_NOT_EXIST, GT_WAS_RUNNABLE);
	case GT_EV_GO_CREATE_BLOCKED:
		return go(o, ev, ev->args[0], GT_WAS_NOT_EXIST, GT_WAS_WAITING);
	case GT_EV_GO_CREATE_SYSCALL:
		return go(o, ev, ev->args[0], GT_WAS_NOT_EXIST, GT_WAS_SYSCALL);
	case GT_EV_GO_START:
		return go(o, ev, ev->args[0], GT_WAS_RUNNABLE, GT_WAS_RUNNING);
	case GT_EV_GO_DESTROY:
		return go(o, ev, ev->g, GT_WAS_RUNNING, GT_WAS_NOT_EXIST);
	case GT_EV_GO_DESTROY_SYSCALL:
		return go(o, ev, ev->g, GT_WAS_SYSCALL, GT_WAS_NOT_EXIST);
	case GT_EV_GO_STOP:
		return go(o, ev, ev->g, GT_WAS_RUNNING, GT_WAS_RUNNABLE);
	case GT_EV_GO_BLOCK:
		return go(o, ev, ev->g, GT_WAS_RUNNING, GT_WAS_WAITING);
	case GT_EV_GO_UNBLOCK:
	case GT_EV_GO_SWITCH:
	case GT_EV_GO_SWITCH_DESTROY:
		return go(o, ev, ev->args[0], GT_WAS_WAITING, GT_WAS_RUNNABLE);
	case GT_EV_GO_SYSCALL_BEGIN:
		return go(o, ev, ev->g, GT_WAS_RUNNING, GT_WAS_SYSCALL);
	case GT_EV_GO_SYSCALL_END:
		return go(o, ev, ev->g, GT_WAS_SYSCALL, GT_WAS_RUNNING);
	case GT_EV_GO_SYSCALL_END_BLOCKED:
		return go(o, ev, ev->g, GT_WAS_SYSCALL, GT_WAS_RUNNABLE);
	case GT_EV_GO_STATUS:
	case GT_EV_GO_STATUS_STACK:
		return go(o, ev, ev->args[0], ev->was, go_states[ev->args[2]]);
	case GT_EV_GO_LABEL:
		text = gt_generation_string(o->generation, ev->args[0]);
		return text != NULL && text->length == 0
			       ? BROKEN("an empty label; expected some text")
			       : 0;
	case GT_EV_USER_TASK_BEGIN:
		return ev->args[0] == 0 || ev->args[0] == UINT64_MAX
			       ? BROKEN("task id %" PRIu64 " is reserved; expected 1 to 2^64-2",
					ev->args[0])
			       : 0;
	default:
		return 0;
	}
}

int gt_strict_stack(const struct gt_generation *g, struct gt_stack *s, struct gt_error *e)
{
	/* The innermost frame may be empty; Go's tracer makes such ones. */
	for (unsigned i = 1; i < s->nframes; i++) {
		const struct gt_frame *f = gt_stack_frame(g, s, i);

		if (f->pc == 0 || f->line == 0 || f->func.length == 0 || f->file.length == 0) {
			return gt_error_set(e, GT_ERROR_INVALID, s->offset, g->number, GT_NOWHERE,
					    "frame %u of stack %" PRIu64
					    " has no %s; expected pc, function, file and line in "
					    "all frames but the innermost",
					    i, s->id,
					    f->pc == 0            ? "pc"
					    : f->line == 0        ? "line"
					    : f->func.length == 0 ? "function"
								  : "file");
		}
	}
	s->checked = true;
	return 0;
}

#define FACT(...)                                                                      \
	(gt_error_set(e, GT_ERROR_INVALID, ev->offset, g->number, ev->m, __VA_ARGS__), \
	 gt_event_text(ev, e->event, sizeof(e->event)), -1)

/* Numbers that are not in a table yet are those of a newer gtrace; 0 will never be one. */
int gt_strict_fact(const struct gt_generation *g, const struct gt_event *ev, bool late,
		   struct gt_error *e)
{
	struct gt_stack *s;

	switch (ev->number) {
	case GT_FACT_CALL:
		if (ev->args[0] == 0) {
			return FACT("call 0; expected the number of a call");
		}
		if (late) {
			return FACT("it is after the last event of its M in this generation; "
				    "expected it at the end of the call");
		}
		break;
	case GT_FACT_SPIN:
		if (ev->args[3] == 0) {
			return FACT("weight 0; expected how many such waits it stands for");
		}
		s = gt_generation_stack(g, ev->args[4]);
		if (s == NULL) {
			return FACT("invalid stack id %" PRIu64 "; expected one of the stack table "
				    "of this generation",
				    ev->args[4]);
		}
		return s->checked ? 0 : gt_strict_stack(g, s, e);
	case GT_FACT_MAPPING:
		for (unsigned i = 3; i < 5; i++) {
			if (gt_generation_string(g, ev->args[i]) == NULL) {
				return FACT("invalid string id %" PRIu64 "; expected one of the "
					    "string table of this generation",
					    ev->args[i]);
			}
		}
		break;
	case GT_FACT_BROKEN:
		if (ev->args[1] == 0) {
			return FACT("broken 0; expected the number of a reason");
		}
		break;
	case GT_FACT_ABOUT:
		if (ev->args[0] == 0) {
			return FACT("about 0; expected the number of a setting");
		}
		break;
	default:
		break;
	}
	return 0;
}

#define CLOCK(...) \
	gt_error_set(e, GT_ERROR_INVALID, g->sync_offset, g->number, GT_NOWHERE, __VA_ARGS__)

/* Wall clock as Go reckons it: ns since the year 1, of seconds that wrap as any int64 does. */
static gt_i128 wall_of(uint64_t sec, uint64_t nsec)
{
	int64_t more = (int64_t)nsec / 1000000000, rest = (int64_t)nsec % 1000000000;

	if (rest < 0) {
		more--;
		rest += 1000000000;
	}
	return (gt_i128)(int64_t)(sec + (uint64_t)more + 62135596800u) * 1000000000 + rest;
}

int gt_strict_clock(struct gt_strict_clock *last, const struct gt_generation *g, unsigned version,
		    bool ours, struct gt_error *e)
{
	const gt_i128 wall = wall_of(g->snapshot_sec, g->snapshot_nsec);

	if (ours && last->known && last->frequency != g->frequency) {
		return CLOCK("the frequency is %" PRIu64 "; expected %" PRIu64
			     ", that of the generation before: one for the whole file",
			     g->frequency, last->frequency);
	}
	if (version >= 25) {
		if (wall == 0 || g->snapshot_mono == 0 || g->snapshot_time == 0) {
			return CLOCK("the clock snapshot has zero %s time", wall == 0 ? "wall"
									    : g->snapshot_mono == 0
										    ? "mono"
										    : "trace");
		}
		if (last->known && (int64_t)g->snapshot_time <= (int64_t)last->time) {
			return CLOCK("non-increasing trace time of the clock snapshots: %" PRIu64
				     " ns after %" PRIu64 " ns",
				     g->snapshot_time, last->time);
		}
		if (last->known && g->snapshot_mono <= last->mono) {
			return CLOCK("non-increasing mono time of the clock snapshots: %" PRIu64
				     " ns after %" PRIu64 " ns",
				     g->snapshot_mono, last->mono);
		}
		if (last->known && wall <= last->wall) {
			return CLOCK("non-increasing wall time of the clock snapshots: %" PRIu64
				     " s %" PRIu64 " ns is not after that of the generation before",
				     g->snapshot_sec, g->snapshot_nsec);
		}
	}
	*last = (struct gt_strict_clock){true, g->frequency, g->snapshot_time, g->snapshot_mono,
					 wall};
	return 0;
}
