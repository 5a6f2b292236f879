/*
 * Taking threads out of a trace.
 *
 * Of processors the new trace says what follows from its threads: an M has the P that it has in the
 * whole trace exactly while its G is one that is kept. So a P starts before such a G comes, and
 * stops when it goes; what happens to Ps otherwise is not said. That is always possible, since the
 * P of an M is idle in the new trace as long as the M has no such G.
 */
#include "cut_keep.h"

#include <fnmatch.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "span.h"

/* --- Which threads ------------------------------------------------------------------------ */

/* Whether one of the patterns fits the text. */
static bool fits(const char *patterns, const char *text)
{
	char pattern[256];

	for (const char *p = patterns; *text != '\0' && *p != '\0'; p += *p == ',') {
		const size_t n = strcspn(p, ",");

		snprintf(pattern, sizeof(pattern), "%.*s", (int)GT_MIN(n, (size_t)255), p);
		if (fnmatch(pattern, text, 0) == 0) {
			return true;
		}
		p += n;
	}
	return false;
}

static bool thread_fits(const char *patterns, const struct gt_spans *s,
			const struct gt_span_thread *t)
{
	char number[24];

	snprintf(number, sizeof(number), "#%" PRIu64, t->id);
	if (fits(patterns, number) || fits(patterns, gt_spans_string(s, t->routine, NULL))) {
		return true;
	}
	/* Go's goroutines have no M of their own. */
	snprintf(number, sizeof(number), "%" PRIu64, t->tid);
	if (gt_spans_by_gtrace(s) && fits(patterns, number)) {
		return true;
	}
	for (size_t i = 0; i < t->nlabels; i++) {
		if (fits(patterns, gt_spans_string(s, t->labels[i], NULL))) {
			return true;
		}
	}
	return false;
}

static void list(struct gt_idmap *map, uint64_t id)
{
	if (gt_idmap_get(map, id) == 0) {
		gt_idmap_put(map, id, 1);
	}
}

/* A thread that fits, and those that have created it. */
static void keep_line(struct gt_keep *k, const struct gt_spans *s,
		      const struct gt_span_thread *thread)
{
	while (gt_idmap_get(&k->gs, thread->id) == 0) {
		k->threads++;
		list(&k->gs, thread->id);
		list(&k->ms, thread->tid);
		if (thread->creator == GT_SPAN_NONE) {
			break;
		}
		thread = gt_spans_thread(s, thread->creator);
	}
}

int gt_keep_init(struct gt_keep *k, const char *patterns, const struct gt_again *file,
		 struct gt_error *e)
{
	struct gt_merge *merge;
	struct gt_spans *s;
	struct gt_span span;
	int n;

	*k = (struct gt_keep){.all = patterns == NULL};
	if (k->all) {
		return 0;
	}
	merge = gt_again_merge(file, e);
	if (merge == NULL) {
		return -1;
	}
	s = gt_spans_open(merge, 0);
	while ((n = gt_spans_next(s, &span, e)) > 0) {
	}
	k->of_threads = gt_spans_threads(s);
	for (uint32_t i = 0; i < k->of_threads; i++) {
		const struct gt_span_thread *thread = gt_spans_thread(s, i);

		if (thread_fits(patterns, s, thread)) {
			keep_line(k, s, thread);
		}
	}
	gt_spans_close(s);
	gt_merge_close(merge);
	/* Of one that is truncated what there is has to do. */
	if (n < 0 && e->kind != GT_ERROR_TRUNCATED) {
		return -1;
	}
	if (k->threads == 0) {
		return gt_error_set(e, GT_ERROR_READ, GT_NOWHERE, GT_NOWHERE, GT_NOWHERE,
				    "no thread fits \"%s\"", patterns);
	}
	return 0;
}

void gt_keep_fini(struct gt_keep *k)
{
	gt_idmap_fini(&k->gs);
	gt_idmap_fini(&k->ms);
	gt_idmap_fini(&k->abandoned);
}

bool gt_keep_g(const struct gt_keep *k, uint64_t g)
{
	return k->all || gt_idmap_get(&k->gs, g) != 0;
}

/* --- What is left of events --------------------------------------------------------------- */

struct putting {
	struct gt_keep *k;
	struct gt_rewrite *w;
	struct gt_replay *r;
	const struct gt_replayed *ev;
};

static void put(const struct putting *t)
{
	gt_rewrite_put(t->w, gt_replay_generation(t->r), t->ev);
}

/* Another event, of this M at that moment. */
static void put_act(const struct putting *t, uint64_t m, enum gt_ev number, uint64_t arg0,
		    uint64_t arg1)
{
	struct gt_replayed act = *t->ev;

	act.m = m;
	act.spec = gt_spec_event(number);
	memset(act.args, 0, sizeof(act.args));
	act.args[0] = arg0;
	act.args[1] = arg1;
	gt_rewrite_put(t->w, gt_replay_generation(t->r), &act);
}

/* One that is kept comes to this M. */
static void start_p(const struct putting *t)
{
	if (t->ev->event.p != GT_NO_P) {
		put_act(t, t->ev->m, GT_EV_PROC_START, t->ev->event.p, 0);
	}
}

/* It has gone; the P may have gone with it. */
static void stop_p(const struct putting *t)
{
	const struct gt_m *m = gt_order_m(gt_replay_order(t->r), t->ev->m);

	if (m != NULL && m->p != GT_NO_P) {
		put_act(t, t->ev->m, GT_EV_PROC_STOP, 0, 0);
	}
}

/* It is on an M since before the trace; now that is known. */
static void list_p(const struct putting *t)
{
	const uint64_t state = t->ev->args[2];
	const uint64_t id = state == GT_GO_SYSCALL ? t->ev->args[1] : t->ev->m;
	const struct gt_m *m = gt_order_m(gt_replay_order(t->r), id);
	const struct gt_p *p;

	if (t->ev->event.was != GT_WAS_UNDETERMINED || m == NULL || m->p == GT_NO_P ||
	    (state != GT_GO_RUNNING && state != GT_GO_SYSCALL)) {
		return;
	}
	p = gt_order_p(gt_replay_order(t->r), m->p);
	put_act(t, id, GT_EV_PROC_STATUS, p->id, p->is.state);
}

/* A creation needs a P, also where the creator is nobody that is kept. */
static void put_creation(const struct putting *t)
{
	const bool alone = t->ev->event.g == GT_NO_G || !gt_keep_g(t->k, t->ev->event.g);

	if (alone) {
		start_p(t);
	}
	put(t);
	if (alone) {
		stop_p(t);
	}
}

/* What a switch from one goroutine to the next is for the one of them that is kept. */
static bool put_switch(const struct putting *t)
{
	const bool from = gt_keep_g(t->k, t->ev->event.g), to = gt_keep_g(t->k, t->ev->args[0]);

	if (from && to) {
		put(t);
	} else if (from) {
		put_act(t, t->ev->m,
			t->ev->spec->number == GT_EV_GO_SWITCH ? GT_EV_GO_BLOCK : GT_EV_GO_DESTROY,
			0, 0);
		stop_p(t);
	} else if (to) {
		put_act(t, t->ev->m, GT_EV_GO_UNBLOCK, t->ev->args[0], 0);
		start_p(t);
		put_act(t, t->ev->m, GT_EV_GO_START, t->ev->args[0], 0);
	}
	return from || to;
}

/* An event of a P: whether the new trace has that P where this one finds it. */
static bool keeps_p(const struct putting *t)
{
	const struct gt_replayed *ev = t->ev;
	const bool on = ev->event.g != GT_NO_G && gt_keep_g(t->k, ev->event.g);
	const struct gt_m *m;

	switch (ev->spec->number) {
	case GT_EV_PROC_STATUS:
		if (ev->event.args[1] == GT_PROC_RUNNING || ev->event.args[1] == GT_PROC_SYSCALL) {
			return on;
		}
		return gt_idmap_get(&t->k->abandoned, ev->args[0]) != 0;
	case GT_EV_PROC_STEAL:
		if (gt_idmap_get(&t->k->abandoned, ev->args[0]) != 0) {
			gt_idmap_remove(&t->k->abandoned, ev->args[0]);
			return true;
		}
		m = gt_order_m(gt_replay_order(t->r), ev->args[2]);
		return ev->event.was == GT_PROC_SYSCALL && m != NULL && m->g != GT_NO_G &&
		       gt_keep_g(t->k, m->g);
	case GT_EV_GC_SWEEP_ACTIVE:
		return on && ev->args[0] == ev->event.p;
	default:
		return on;
	}
}

static void put_own(const struct putting *t)
{
	put(t);
	switch (t->ev->spec->number) {
	case GT_EV_GO_STOP:
	case GT_EV_GO_BLOCK:
	case GT_EV_GO_DESTROY:
	case GT_EV_GO_SYSCALL_END_BLOCKED:
		stop_p(t);
		break;
	case GT_EV_GO_DESTROY_SYSCALL:
		if (t->ev->event.p != GT_NO_P) {
			gt_idmap_put(&t->k->abandoned, t->ev->event.p, 1);
		}
		break;
	default:
		break;
	}
}

/* An event that names its G, which is kept. */
static void put_named(const struct putting *t)
{
	switch (t->ev->spec->number) {
	case GT_EV_GO_STATUS:
	case GT_EV_GO_STATUS_STACK:
		list_p(t);
		put(t);
		break;
	case GT_EV_GO_CREATE:
	case GT_EV_GO_CREATE_BLOCKED:
		put_creation(t);
		break;
	case GT_EV_GO_CREATE_SYSCALL:
	case GT_EV_GO_START:
		start_p(t);
		put(t);
		break;
	default:
		put(t);
		break;
	}
}

static bool keeps_fact(const struct putting *t)
{
	return t->ev->spec->args[0].type == GT_ARG_g ? gt_keep_g(t->k, t->ev->args[0])
						     : gt_idmap_get(&t->k->ms, t->ev->m) != 0;
}

static bool put_event(const struct putting *t)
{
	bool kept;

	switch (t->ev->spec->number) {
	case GT_EV_PROC_START:
	case GT_EV_PROC_STOP:
	case GT_EV_PROC_STEAL:
	case GT_EV_PROC_STATUS:
	case GT_EV_GC_SWEEP_ACTIVE:
		kept = keeps_p(t);
		if (kept) {
			put(t);
		}
		return kept;
	case GT_EV_GO_STATUS:
	case GT_EV_GO_STATUS_STACK:
	case GT_EV_GO_CREATE:
	case GT_EV_GO_CREATE_BLOCKED:
	case GT_EV_GO_CREATE_SYSCALL:
	case GT_EV_GO_START:
	case GT_EV_GO_UNBLOCK:
	case GT_EV_GC_MARK_ASSIST_ACTIVE:
		kept = gt_keep_g(t->k, t->ev->args[0]);
		if (kept) {
			put_named(t);
		}
		return kept;
	case GT_EV_GO_SWITCH:
	case GT_EV_GO_SWITCH_DESTROY:
		return put_switch(t);
	case GT_EV_GC_ACTIVE:
	case GT_EV_GC_BEGIN:
	case GT_EV_GC_END:
		return false;
	default:
		kept = gt_keep_g(t->k, t->ev->event.g);
		if (kept) {
			put_own(t);
		}
		return kept;
	}
}

bool gt_keep_put(struct gt_keep *k, struct gt_rewrite *w, struct gt_replay *r,
		 const struct gt_replayed *ev)
{
	const struct putting t = {k, w, r, ev};

	if (!k->all && ev->kind == GT_REPLAY_EVENT) {
		return put_event(&t);
	}
	if (!k->all && !keeps_fact(&t)) {
		return false;
	}
	put(&t);
	return true;
}
