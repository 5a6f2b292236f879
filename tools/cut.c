/*
 * Cutting: through the trace to see between which events it is; through all of it, where that is
 * asked, to see whom it concerns; then again, as far as the part goes, to write. Where generations
 * say all that is needed of those before them, the first and last time begin shortly before the
 * part.
 */
#include "cut.h"

#include <errno.h>
#include <string.h>

#include "cut_names.h"

struct about {
	uint64_t what, value;
};

struct cutter {
	const struct gt_cut *cut;
	struct gt_cut_done *done;
	uint64_t begin; /* ns: the trace's first event */
	bool again;     /* generations say again what those before them have said */
	uint64_t seek;  /* ticks: then, where the part begins */
	bool passed;    /* so what lies far before it is passed over; what follows begins there */
	uint64_t first, end; /* events, counted from 0: from, up to but not that one */
	uint64_t index;      /* of the generation in which the first of the part lies */
	/* Clocks, ns, as that generation says that comes after it. */
	struct {
		uint64_t time; /* UINT64_MAX: none comes before the part ends */
		bool has_snapshot;
		uint64_t mono;
		gt_u128 wall;
	} next_clocks;
	bool all;             /* the part goes to the end of the file, */
	struct gt_error torn; /* of which this was wrong */

	struct gt_keep keep;

	struct gt_replay *replay;
	struct gt_compose *compose;
	struct gt_rewrite rewrite;
	bool open;                        /* a generation of the new trace is */
	uint64_t next;                    /* event */
	uint64_t ticks;                   /* of the last one */
	uint64_t procs;                   /* ProcsChange that found nobody to say it, + 1 */
	struct about about[GT_ABOUT_END]; /* said before the part begins */
	size_t nabout;
	struct gt_names names; /* given before it begins */
};

/* --- The first time ----------------------------------------------------------------------- */

static bool is_counted(const struct gt_event *ev)
{
	return (ev->kind == GT_TIMED || ev->kind == GT_ALLOC) && !ev->implied;
}

enum { SECOND = 1000000000 };

static gt_u128 wall_of(uint64_t sec, uint64_t nsec)
{
	return (gt_u128)sec * SECOND + nsec;
}

static void note_next_clocks(struct cutter *c, const struct gt_generation *g)
{
	c->next_clocks.time = g->has_snapshot ? g->snapshot_time : g->start;
	c->next_clocks.has_snapshot = g->has_snapshot;
	c->next_clocks.mono = g->snapshot_mono;
	c->next_clocks.wall = wall_of(g->snapshot_sec, g->snapshot_nsec);
}

static void note_about(struct cutter *c, const uint64_t *args)
{
	size_t i = 0;

	while (i < c->nabout && c->about[i].what != args[0]) {
		i++;
	}
	if (i < GT_LEN(c->about)) {
		c->about[i] = (struct about){args[0], args[1]};
		c->nabout = GT_MAX(c->nabout, i + 1);
	}
}

/* What the generation says of the trace: which settings, a bit each. */
static uint64_t note_abouts(struct cutter *c, const struct gt_generation *g)
{
	struct gt_cursor cursor;
	struct gt_brief brief;
	struct gt_error e; /* what is wrong there, put_common finds */
	struct gt_event ev;
	uint64_t said = 0;

	gt_cursor_init_common(&cursor, g, &brief);
	while (gt_cursor_next(&cursor, &ev, &e) > 0) {
		if (ev.number == GT_FACT_ABOUT) {
			said |= UINT64_C(1) << (ev.args[0] % 64);
			note_about(c, ev.args);
		}
	}
	return said;
}

static bool says_again(const struct cutter *c)
{
	size_t i = 0;

	while (i < c->nabout && c->about[i].what != GT_ABOUT_AGAIN) {
		i++;
	}
	return i < c->nabout && c->about[i].value != 0;
}

/*
 * The trace's first event, and what its generation says of all. What is wrong there, or not there,
 * is found again.
 */
static void find_begin(struct cutter *c, const struct gt_again *file)
{
	struct gt_error e;
	struct gt_merge *t = gt_again_merge(file, &e);
	struct gt_event ev = {0};
	int n = -1;

	while (t != NULL && (n = gt_merge_next(t, &ev, &e)) > 0 && !is_counted(&ev)) {
	}
	if (n > 0) {
		const struct gt_generation *g = gt_merge_generation(t);

		c->begin = ev.time;
		note_abouts(c, g);
		c->again = says_again(c);
		/* All generations of such a trace have one frequency. */
		c->seek =
			gt_compose_ticks(g, c->begin + GT_MIN(c->cut->from, UINT64_MAX - c->begin));
	}
	gt_merge_close(t);
}

static int find_part(struct cutter *c, const struct gt_again *file, struct gt_error *e)
{
	struct gt_merge *t = gt_again_merge(file, e);
	const struct gt_cut *cut = c->cut;
	uint64_t count = 0;
	struct gt_event ev;
	int n = 1;

	if (t == NULL) {
		return -1;
	}
	c->passed = c->again && gt_merge_seek(t, c->seek);
	c->first = c->end = c->next_clocks.time = UINT64_MAX;
	/* Until all is known. */
	while ((cut->to == UINT64_MAX ? c->next_clocks.time : c->end) == UINT64_MAX &&
	       (n = gt_merge_next(t, &ev, e)) > 0) {
		const struct gt_generation *g = gt_merge_generation(t);
		uint64_t since;

		if (c->next_clocks.time == UINT64_MAX && c->first != UINT64_MAX &&
		    g->index != c->index) {
			note_next_clocks(c, g);
		}
		if (!is_counted(&ev)) {
			continue;
		}
		c->begin = count == 0 && !c->passed ? ev.time : c->begin;
		since = ev.time - GT_MIN(c->begin, ev.time);
		if (since >= cut->from && c->first == UINT64_MAX) {
			c->first = count;
			c->index = g->index;
		}
		c->end = since > cut->to ? GT_MIN(c->end, count) : c->end;
		count++;
	}
	gt_merge_close(t);
	if (c->passed && c->first == 0) { /* nothing is before it */
		c->again = false;
		return find_part(c, file, e);
	}
	if (n < 0 && (e->kind != GT_ERROR_TRUNCATED || c->first == UINT64_MAX)) {
		return -1;
	}
	if (n <= 0) { /* there it ends, also if it should have grown when it is read again */
		c->end = GT_MIN(c->end, count);
		c->all = true;
		c->torn = n < 0 ? *e : c->torn;
	}
	if (c->first >= c->end) {
		return gt_error_set(e, GT_ERROR_READ, GT_NOWHERE, GT_NOWHERE, GT_NOWHERE,
				    "no event lies between these times");
	}
	return 0;
}

/* --- The second time ---------------------------------------------------------------------- */

/* For gt_rewrite_states. */
static bool lives(void *data, uint64_t g)
{
	const struct cutter *c = data;

	return gt_keep_g(&c->keep, g);
}

static bool lives_unlisted(void *data, uint64_t g)
{
	const struct cutter *c = data;

	return gt_keep_g(&c->keep, g) && gt_idmap_get(&c->rewrite.gs, g) == 0;
}

/* What a clock showed when so much of all had passed since it showed that. */
static gt_u128 shown(gt_u128 from, gt_u128 to, uint64_t passed, uint64_t all)
{
	return from + (to > from ? (to - from) * passed / all : 0);
}

/*
 * All clocks as they were at a moment of the part, or it would seem to begin where its generation
 * did: between this snapshot and the next; where none follows they go as the trace clock does.
 */
static void move_snapshot(const struct cutter *c, struct gt_compose_head *head,
			  const struct gt_generation *g, uint64_t ticks)
{
	const uint64_t at = gt_generation_ns(g, ticks);
	const gt_u128 wall = wall_of(head->snapshot_sec, head->snapshot_nsec);
	uint64_t passed, all;
	gt_u128 now;

	if (!head->has_snapshot || at <= g->snapshot_time) {
		return;
	}
	passed = at - g->snapshot_time;
	all = c->next_clocks.time - g->snapshot_time;
	now = wall + passed;
	head->snapshot_ticks = ticks;
	if (c->next_clocks.time != UINT64_MAX && c->next_clocks.has_snapshot) {
		now = shown(wall, c->next_clocks.wall, passed, all);
		head->snapshot_mono =
			(uint64_t)shown(head->snapshot_mono, c->next_clocks.mono, passed, all);
	} else {
		head->snapshot_mono += passed;
	}
	head->snapshot_sec = (uint64_t)(now / SECOND);
	head->snapshot_nsec = (uint64_t)(now % SECOND);
}

/* What the generation says in nobody's name holds for all of it; from: not before that. */
static int put_common(struct cutter *c, const struct gt_generation *g, uint64_t from,
		      struct gt_error *e)
{
	struct gt_cursor cursor;
	struct gt_brief brief;
	struct gt_event ev;
	int n;

	gt_cursor_init_common(&cursor, g, &brief);
	while ((n = gt_cursor_next(&cursor, &ev, e)) > 0) {
		struct gt_replayed fact = {
			.kind = GT_REPLAY_FACT,
			.spec = gt_spec_fact(ev.number),
			.m = GT_NO_M,
			.ticks = GT_MAX(gt_compose_ticks(g, ev.time), from),
		};

		memcpy(fact.args, ev.args, sizeof(fact.args));
		/* But for the end of recording: a part that reaches so far tells of it. */
		if (ev.number != GT_FACT_BROKEN || ev.time < c->begin ||
		    ev.time - c->begin <= c->cut->to) {
			gt_rewrite_put(&c->rewrite, g, &fact);
		}
	}
	return n;
}

static int begin_generation(struct cutter *c, bool middle, struct gt_error *e)
{
	const struct gt_generation *g = gt_replay_generation(c->replay);
	struct gt_compose_head head = gt_compose_head_of(g);
	uint64_t before = 0, said;

	if (middle) {
		const uint64_t next = gt_compose_ticks(g, c->next_clocks.time);

		head.ticks = GT_MAX(c->ticks, gt_compose_ticks(g, c->begin + c->cut->from));
		before = GT_MAX(head.ticks, 1) - 1;
		move_snapshot(c, &head, g, GT_MIN(before, GT_MAX(next, 1) - 1));
	}
	c->open = true;
	gt_compose_begin(c->compose, &head);
	gt_compose_streams(c->compose, g);
	gt_rewrite_new_generation(&c->rewrite);
	if (middle) {
		/*
		 * A tick before all else. Go's reader picks at random among events of one time, and
		 * where the one picked has to wait for another of that time (a status), it may pass
		 * that over and go on to a later one (internal/trace/reader.go: after a failed try
		 * the frontier is sorted, and what stands first then is not tried).
		 */
		gt_rewrite_states(&c->rewrite, c->replay, before,
				  c->cut->threads != NULL ? lives : NULL, c);
		gt_names_of_running(&c->names, &c->keep, c->replay, c->compose, head.ticks);
	}
	said = note_abouts(c, g);
	for (size_t i = 0; i < c->nabout; i++) {
		const uint64_t args[] = {c->about[i].what, c->about[i].value};

		if ((said >> (args[0] % 64) & 1) == 0) { /* else put_common */
			gt_compose_event(c->compose, GT_NO_M, head.ticks,
					 gt_spec_fact(GT_FACT_ABOUT), args);
		}
	}
	c->nabout = 0;
	return put_common(c, g, before, e);
}

static int end_generation(struct cutter *c, struct gt_error *e)
{
	if (!c->open) {
		return 0;
	}
	c->open = false;
	gt_rewrite_old_generation(&c->rewrite); /* the old one may be over by now */
	/* What would have been listed after the part, or lives where nobody lists. At the end of
	 * the trace itself there is nothing after it. */
	if (gt_replay_generation(c->replay) != NULL) {
		gt_rewrite_states(&c->rewrite, c->replay, c->ticks, lives_unlisted, c);
		gt_names_of_running(&c->names, &c->keep, c->replay, c->compose, c->ticks);
	}
	if (gt_compose_end(c->compose) < 0) {
		return gt_error_set(e, GT_ERROR_READ, GT_NOWHERE, GT_NOWHERE, GT_NOWHERE,
				    "cannot write: %s", strerror(errno));
	}
	return 0;
}

/* The number of processors, where nobody is there to say it. */
static void note_procs(struct cutter *c, const struct gt_replayed *ev)
{
	if (ev->spec->number == GT_EV_PROCS_CHANGE) {
		c->procs = ev->args[0] + 1;
	}
}

/* It is said by the next that may. */
static void put_procs(struct cutter *c, const struct gt_replayed *ev)
{
	if (ev->spec->number == GT_EV_GO_START && c->procs != 0) {
		gt_compose_event(c->compose, ev->m, ev->ticks, gt_spec_event(GT_EV_PROCS_CHANGE),
				 (const uint64_t[]){c->procs - 1, 0});
		c->procs = 0;
	}
}

static void put_event(struct cutter *c, const struct gt_replayed *ev)
{
	if (gt_keep_put(&c->keep, &c->rewrite, c->replay, ev)) {
		put_procs(c, ev);
		gt_names_put(&c->names, &c->keep, c->compose, ev);
		c->done->events++;
	} else {
		note_procs(c, ev);
	}
}

static int put(struct cutter *c, const struct gt_replayed *ev, struct gt_error *e)
{
	const struct gt_generation *g = gt_replay_generation(c->replay);

	switch (ev->kind) {
	case GT_REPLAY_GENERATION:
		if (c->next < c->first) {
			break;
		}
		return end_generation(c, e) < 0 ? -1 : begin_generation(c, false, e);
	case GT_REPLAY_SAMPLE:
		if (c->open && gt_keep_g(&c->keep, ev->sample.g)) {
			gt_rewrite_sample(&c->rewrite, g, &ev->sample);
		}
		break;
	case GT_REPLAY_FACT:
		if (ev->m != GT_NO_M && c->open) {
			gt_keep_put(&c->keep, &c->rewrite, c->replay, ev);
		} else if (!c->open && ev->spec->number == GT_FACT_ABOUT) {
			note_about(c, ev->args);
		}
		break;
	default:
		if (c->open) {
			put_event(c, ev);
		} else {
			note_procs(c, ev);
			gt_names_note(&c->names, g, ev);
		}
		c->ticks = ev->ticks;
		c->next++;
		break;
	}
	return 0;
}

/* The generation in which the part begins may have ended before its first event: then not here. */
static bool begins_here(const struct cutter *c)
{
	return !c->open && c->next == c->first && c->first > 0 &&
	       gt_replay_generation(c->replay)->index == c->index;
}

static int has_changed(struct gt_error *e)
{
	return gt_error_set(e, GT_ERROR_READ, GT_NOWHERE, GT_NOWHERE, GT_NOWHERE,
			    "the file has changed while it was read");
}

static int write_part(struct cutter *c, struct gt_error *e)
{
	struct gt_replayed ev;
	int n = 0;

	while (c->next < c->end && (n = gt_replay_next(c->replay, &ev, e)) > 0) {
		if (put(c, &ev, e) < 0) {
			return -1;
		}
		if (begins_here(c) && ev.kind == GT_REPLAY_EVENT &&
		    begin_generation(c, true, e) < 0) {
			return -1;
		}
	}
	if (n < 0 && e->kind != GT_ERROR_TRUNCATED) {
		return -1;
	}
	if (c->next <= c->first || (n == 0 && c->next < c->end && c->end != UINT64_MAX)) {
		return has_changed(e);
	}
	c->all = c->all || n <= 0;
	return end_generation(c, e) < 0 ? -1 : n < 0;
}

int gt_cut(const struct gt_again *file, const struct gt_cut *cut, FILE *out,
	   struct gt_cut_done *done, struct gt_error *e)
{
	struct cutter c = {.cut = cut, .done = done};
	int n;

	*done = (struct gt_cut_done){0};
	if (cut->from > 0) {
		find_begin(&c, file);
	}
	n = find_part(&c, file, e);
	if (n == 0) {
		n = gt_keep_init(&c.keep, cut->threads, file, e);
		done->threads = c.keep.threads;
		done->of_threads = c.keep.of_threads;
	}
	c.replay = n == 0 ? gt_again_replay(file, e) : NULL;
	if (c.replay != NULL) {
		const bool changed = c.passed && !gt_replay_seek(c.replay, c.seek);

		c.compose = gt_compose_new(out, gt_replay_version(c.replay));
		c.rewrite.to = c.compose;
		n = changed ? has_changed(e) : write_part(&c, e);
		if (n == 0 && c.torn.kind != GT_ERROR_NONE) {
			*e = c.torn;
			n = 1;
		}
		n = c.all ? gt_again_ends(file, n, e) : n;
		gt_compose_free(c.compose);
		gt_rewrite_fini(&c.rewrite);
	} else {
		n = -1;
	}
	gt_replay_close(c.replay);
	gt_keep_fini(&c.keep);
	gt_names_fini(&c.names);
	return n;
}
