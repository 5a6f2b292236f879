/*
 * Combining: the events of all traces by time, in generations that begin where one of a trace does.
 *
 * At the beginning of a generation all that lives is listed, and to know that of each trace the
 * event that comes next must not have happened. So each trace is read twice at once: ahead, to see
 * when its next event is, and behind, to have its state.
 */
#include "combine.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "combine_source.h"

#define FIRST_SPARE_M (UINT64_C(1) << 22) /* no tid is larger (PID_MAX_LIMIT) */

struct combiner {
	struct gt_source *sources; /* by their start */
	size_t n;
	struct gt_compose *compose;
	struct gt_combine_done *done;
	uint64_t number;             /* of the generation */
	uint64_t begun, least;       /* common ns: when it began, how long it lasts at least */
	struct gt_compose_head last; /* of the generation before: all clocks must grow */
	uint64_t origin;             /* common ns that is tick 0 of the first trace's clock */
	double ns_per_tick;
	bool over;                    /* the last generation is being ended */
	uint64_t about[GT_ABOUT_END]; /* of the first trace, as was said last: value + 1 */
};

/* --- Ids ---------------------------------------------------------------------------------- */

static int by_start(const void *a, const void *b)
{
	const struct gt_source *x = a, *y = b;

	return x->start != y->start ? (x->start > y->start) - (x->start < y->start)
				    : (x->number > y->number) - (x->number < y->number);
}

/* Clocks may be set to anything: what no number can say is as far as numbers go. */
static double in_range(double ticks)
{
	return GT_MAX(-9e18, GT_MIN(ticks, 9e18));
}

static int64_t ticks_between(const struct combiner *c, int64_t from, int64_t to)
{
	const double ns = (double)(int64_t)((uint64_t)to - (uint64_t)from);

	return (int64_t)in_range(ns / c->ns_per_tick + (ns >= 0 ? 0.5 : -0.5));
}

static int give_ids(struct combiner *c, size_t *which, struct gt_error *e)
{
	struct gt_idmap taken = {0};
	const struct gt_idmap_slot *slot;
	uint64_t g_base = 0, p_base = 0, spare = FIRST_SPARE_M;
	const struct gt_source *first = &c->sources[0];

	for (size_t i = 0; i < c->n; i++) {
		struct gt_source *s = &c->sources[i];

		if (s->frequency != first->frequency) {
			*which = s->number;
			gt_idmap_fini(&taken);
			return gt_error_set(e, GT_ERROR_READ, GT_NOWHERE, GT_NOWHERE, GT_NOWHERE,
					    "its clock has %" PRIu64
					    " ticks a second, that of %s %" PRIu64,
					    s->frequency, first->input->path, first->frequency);
		}
		s->rewrite.to = c->compose;
		s->rewrite.g_base = g_base;
		s->rewrite.p_base = p_base;
		s->rewrite.address = (uint64_t)i << 48; /* above all addresses of a process */
		s->rewrite.task_base = (uint64_t)i << 48;
		s->rewrite.ticks = ticks_between(c, first->offset, s->offset);
		s->rewrite.suffix = s->suffix;
		if (s->pid != 0) {
			snprintf(s->suffix, sizeof(s->suffix), " [%" PRIu64 "]", s->pid);
		} else {
			snprintf(s->suffix, sizeof(s->suffix), " [#%zu]", s->number + 1);
			c->done->pid_unknown++;
		}
		g_base += s->max_g;
		p_base += s->max_p + 2; /* one more, for what nobody does */
		for (size_t k = 0; (slot = gt_idmap_each(&s->ms, &k)) != NULL;) {
			if (gt_idmap_get(&taken, slot->id) == 0) {
				gt_idmap_put(&taken, slot->id, 1);
			} else {
				gt_idmap_put(&s->rewrite.ms, slot->id, spare++);
			}
		}
	}
	gt_idmap_fini(&taken);
	return 0;
}

/* --- Generations -------------------------------------------------------------------------- */

static uint64_t to_ticks(const struct combiner *c, uint64_t common)
{
	const int64_t ns = (int64_t)(common - c->origin);

	return ns > 0 ? (uint64_t)in_range((double)ns / c->ns_per_tick) : 0;
}

static void put_mappings(struct combiner *c, const struct gt_source *s)
{
	for (size_t i = 0; i < s->nmappings; i++) {
		const struct gt_source_mapping *m = &s->mappings[i];
		const uint64_t args[] = {
			m->args[0] + s->rewrite.address, m->args[1], m->args[2],
			gt_compose_string(c->compose, m->texts[0].data, m->texts[0].length),
			gt_compose_string(c->compose, m->texts[1].data, m->texts[1].length)};

		gt_compose_event(c->compose, GT_NO_M, to_ticks(c, c->begun),
				 gt_spec_fact(GT_FACT_MAPPING), args);
	}
}

static void put_losses(struct combiner *c)
{
	for (unsigned i = 1; i < GT_LOSS_END; i++) {
		uint64_t sum = 0;

		for (size_t k = 0; k < c->n; k++) {
			sum += c->sources[k].losses[i];
		}
		if (sum != 0) {
			gt_compose_event(c->compose, GT_NO_M, to_ticks(c, c->begun),
					 gt_spec_fact(GT_FACT_LOSS), (const uint64_t[]){i, sum});
		}
	}
}

/* At the end of all, since it is later than what else is said in nobody's name; by time. */
static void put_broken(struct combiner *c)
{
	struct gt_source *s;

	do {
		s = NULL;
		for (size_t i = 0; i < c->n; i++) {
			struct gt_source *other = &c->sources[i];

			if (other->broken[1] != 0 &&
			    (s == NULL || other->broken_ticks < s->broken_ticks)) {
				s = other;
			}
		}
		if (s != NULL) {
			gt_compose_event(c->compose, GT_NO_M, s->broken_ticks,
					 gt_spec_fact(GT_FACT_BROKEN), s->broken);
			s->broken[1] = 0;
		}
	} while (s != NULL);
}

static int end_generation(struct combiner *c, struct gt_error *e)
{
	if (c->number == 0) {
		return 0;
	}
	put_losses(c);
	for (size_t i = 0; i < c->n; i++) {
		put_mappings(c, &c->sources[i]);
	}
	if (c->over) {
		put_broken(c);
	}
	if (gt_compose_end(c->compose) < 0) {
		return gt_error_set(e, GT_ERROR_READ, GT_NOWHERE, GT_NOWHERE, GT_NOWHERE,
				    "cannot write: %s", strerror(errno));
	}
	return 0;
}

/* Two processes may have read the wall clock before and after it was set back. */
static void grow(struct gt_compose_head *head, const struct gt_compose_head *last)
{
	head->snapshot_ticks = GT_MAX(head->snapshot_ticks, last->snapshot_ticks + 1);
	head->snapshot_mono = GT_MAX(head->snapshot_mono, last->snapshot_mono + 1);
	if (head->snapshot_sec < last->snapshot_sec ||
	    (head->snapshot_sec == last->snapshot_sec &&
	     head->snapshot_nsec <= last->snapshot_nsec)) {
		head->snapshot_sec = last->snapshot_sec + (last->snapshot_nsec == 999999999);
		head->snapshot_nsec =
			last->snapshot_nsec == 999999999 ? 0 : last->snapshot_nsec + 1;
	}
}

/* A new one from common on; the clocks are those of the source that begins one. */
static int begin_generation(struct combiner *c, const struct gt_source *by, uint64_t common,
			    struct gt_error *e)
{
	const struct gt_generation *g = gt_replay_generation(by->replay);
	struct gt_compose_head head = gt_compose_head_of(g);

	if (end_generation(c, e) < 0) {
		return -1;
	}
	head.number = ++c->number;
	c->begun = common;
	head.ticks = to_ticks(c, common);
	head.snapshot_ticks += (uint64_t)by->rewrite.ticks;
	grow(&head, &c->last);
	c->last = head;
	gt_compose_begin(c->compose, &head);
	for (size_t i = 0; i < c->n; i++) {
		struct gt_source *s = &c->sources[i];

		gt_rewrite_new_generation(&s->rewrite);
		if (s->begun && !s->ended) {
			gt_rewrite_states(&s->rewrite, s->replay,
					  head.ticks - (uint64_t)s->rewrite.ticks, NULL, NULL);
		}
	}
	return 0;
}

/* --- Facts of no thread ------------------------------------------------------------------- */

static void note_broken(struct gt_source *s, const struct gt_event *ev)
{
	const struct gt_generation *g = gt_replay_generation(s->replay);

	memcpy(s->broken, ev->args, sizeof(s->broken));
	s->broken[0] += s->rewrite.g_base;
	s->broken_ticks = gt_compose_ticks(g, ev->time) + (uint64_t)s->rewrite.ticks;
}

/* A setting, where it is new. It is not said again in generations that are new, nor are names. */
static void put_about(struct combiner *c, const struct gt_event *ev)
{
	const uint64_t what = ev->args[0], value = ev->args[1];

	if (what < GT_ABOUT_END && what != GT_ABOUT_PROCESS && what != GT_ABOUT_AGAIN &&
	    c->about[what] != value + 1) {
		c->about[what] = value + 1;
		gt_compose_event(c->compose, GT_NO_M, to_ticks(c, c->begun),
				 gt_spec_fact(GT_FACT_ABOUT), ev->args);
	}
}

/* What a generation says in nobody's name, before its events. */
static int note_common(struct combiner *c, struct gt_source *s, struct gt_error *e)
{
	const struct gt_generation *g = gt_replay_generation(s->replay);
	struct gt_cursor cursor;
	struct gt_brief brief;
	struct gt_event ev;
	int n;

	gt_cursor_init_common(&cursor, g, &brief);
	while ((n = gt_cursor_next(&cursor, &ev, e)) > 0) {
		if (ev.number == GT_FACT_MAPPING) {
			gt_source_note_mapping(s, &ev);
		} else if (ev.number == GT_FACT_LOSS && ev.args[0] < GT_LOSS_END) {
			s->losses[ev.args[0]] = ev.args[1];
		} else if (ev.number == GT_FACT_BROKEN) {
			note_broken(s, &ev);
		} else if (ev.number == GT_FACT_ABOUT && s == &c->sources[0]) {
			put_about(c, &ev);
		}
	}
	return n;
}

/* --- Events ------------------------------------------------------------------------------- */

/*
 * When the next of a source comes. Facts go with the event before which they stand, whatever their
 * time. 0 at its end, -1 with *e.
 */
static int look_ahead(struct gt_source *s, struct gt_error *e)
{
	struct gt_event ev;
	int n;

	s->facts = 0;
	while ((n = gt_merge_next(s->ahead, &ev, e)) > 0 && (ev.implied || ev.kind == GT_FACT)) {
		s->facts += ev.kind == GT_FACT;
	}
	if (n > 0) {
		s->next = GT_MAX(s->next, ev.time + (uint64_t)s->offset);
	}
	return n;
}

static struct gt_source *earliest(struct combiner *c)
{
	struct gt_source *best = NULL;

	for (size_t i = 0; i < c->n; i++) {
		struct gt_source *s = &c->sources[i];

		if (!s->ended && (best == NULL || s->next < best->next)) {
			best = s;
		}
	}
	return best;
}

static int put(struct combiner *c, struct gt_source *s, const struct gt_replayed *ev,
	       struct gt_error *e)
{
	const struct gt_generation *g = gt_replay_generation(s->replay);

	switch (ev->kind) {
	case GT_REPLAY_GENERATION:
		s->old++;
		gt_rewrite_old_generation(&s->rewrite);
		if ((c->number == 0 || s->next - c->begun >= c->least) &&
		    begin_generation(c, s, s->next, e) < 0) {
			return -1;
		}
		s->begun = true;
		return note_common(c, s, e);
	case GT_REPLAY_SAMPLE:
		gt_rewrite_sample(&s->rewrite, g, &ev->sample);
		return 0;
	case GT_REPLAY_FACT:
		if (ev->m != GT_NO_M) {
			gt_rewrite_put(&s->rewrite, g, ev);
		}
		return 0;
	default:
		c->done->events++;
		s->ticks = ev->ticks;
		/* The first of all is the trace that the others come into: it may have statuses. */
		if (s == &c->sources[0] || !gt_source_introduces(s, ev)) {
			gt_rewrite_put(&s->rewrite, g, ev);
		}
		return 0;
	}
}

static int combine(struct combiner *c, size_t *which, struct gt_error *e)
{
	struct gt_source *s;

	while ((s = earliest(c)) != NULL) {
		struct gt_replayed ev;
		size_t facts = s->facts;
		int n;

		*which = s->number;
		do {
			n = gt_replay_next(s->replay, &ev, e);
			if (n > 0 && put(c, s, &ev, e) < 0) {
				n = -1;
			}
		} while (n > 0 && facts-- > 0);
		if (n > 0 && look_ahead(s, e) < 0) {
			n = -1;
		}
		if (n < 0) {
			return -1;
		}
		if (n == 0) {
			gt_source_end(s);
		}
	}
	c->over = true;
	return end_generation(c, e);
}

/* --- All of it ---------------------------------------------------------------------------- */

static int open_sources(struct combiner *c, const struct gt_combine_input *inputs, size_t *which,
			struct gt_error *e)
{
	for (size_t i = 0; i < c->n; i++) {
		struct gt_source *s = &c->sources[i];

		s->number = *which = i;
		s->input = &inputs[i];
		if (gt_source_survey(s, e) < 0) {
			return -1;
		}
		c->least = GT_MAX(c->least, s->period / 4 * 3);
	}
	/* None has a second generation: neither has what is made of them. */
	c->least = c->least != 0 ? c->least : UINT64_MAX;
	qsort(c->sources, c->n, sizeof(*c->sources), by_start);
	for (size_t i = 0; i < c->n; i++) {
		struct gt_source *s = &c->sources[i];

		*which = s->number;
		s->ahead = gt_merge_open_memory(s->input->data, s->input->size, 0, e);
		s->replay = gt_replay_open_memory(s->input->data, s->input->size, e);
		if (s->ahead == NULL || s->replay == NULL || look_ahead(s, e) < 0) {
			return -1;
		}
	}
	c->origin = (uint64_t)c->sources[0].offset;
	c->ns_per_tick = 1e9 / (double)c->sources[0].frequency;
	return 0;
}

int gt_combine(const struct gt_combine_input *inputs, size_t n, FILE *out,
	       struct gt_combine_done *done, size_t *which, struct gt_error *e)
{
	struct combiner c = {.n = n, .done = done};
	int status;

	*done = (struct gt_combine_done){0};
	c.sources = gt_alloc(n * sizeof(*c.sources));
	memset(c.sources, 0, n * sizeof(*c.sources));
	status = open_sources(&c, inputs, which, e);
	if (status == 0) {
		c.compose = gt_compose_new(out, 26);
		status = give_ids(&c, which, e);
	}
	if (status == 0) {
		status = combine(&c, which, e);
	}
	gt_compose_free(c.compose);
	for (size_t i = 0; i < n; i++) {
		struct gt_source *s = &c.sources[i];

		gt_rewrite_fini(&s->rewrite);
		gt_idmap_fini(&s->ms);
		gt_merge_close(s->ahead);
		gt_replay_close(s->replay);
		free(s->mappings);
	}
	free(c.sources);
	return status;
}
