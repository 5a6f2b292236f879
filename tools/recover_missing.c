/*
 * Recovering: what a generation lacks that the tracer would have added at its end: unblocks that
 * wait in mailboxes, and the states of those that did nothing.
 */
#include "recover_own.h"

#include <stdlib.h>
#include <string.h>

struct missing {
	struct gt_idmap gs, ps;   /* those that the generation lists */
	struct gt_idmap posts_of; /* G -> index + 1 in posts of the last one of it */
	struct gt_spool_post *posts;
	size_t *next;  /* the one of the same G before, index + 1 */
	bool *present; /* it stands in a stream already */
	size_t nposts;
	bool losses;
	uint64_t events;
};

static void missing_fini(struct missing *m)
{
	gt_idmap_fini(&m->gs);
	gt_idmap_fini(&m->ps);
	gt_idmap_fini(&m->posts_of);
	free(m->posts);
	free(m->next);
	free(m->present);
}

static void list(struct gt_idmap *map, uint64_t id)
{
	if (gt_idmap_get(map, id) == 0) {
		gt_idmap_put(map, id, 1);
	}
}

static void index_posts(struct missing *m)
{
	m->next = gt_alloc((m->nposts + 1) * sizeof(*m->next));
	m->present = gt_alloc(m->nposts + 1);
	memset(m->present, 0, m->nposts + 1);
	for (size_t i = 0; i < m->nposts; i++) {
		m->next[i] = (size_t)gt_idmap_get(&m->posts_of, m->posts[i].g);
		gt_idmap_remove(&m->posts_of, m->posts[i].g);
		gt_idmap_put(&m->posts_of, m->posts[i].g, i + 1);
	}
}

static void mark_present(struct missing *m, uint64_t g, uint64_t seq)
{
	for (size_t i = (size_t)gt_idmap_get(&m->posts_of, g); i != 0; i = m->next[i - 1]) {
		m->present[i - 1] |= m->posts[i - 1].seq == seq;
	}
}

static void note_event(struct missing *m, const struct gt_event *ev)
{
	m->events++;
	switch (ev->number) {
	case GT_EV_GO_STATUS:
	case GT_EV_GO_STATUS_STACK:
	case GT_EV_GO_CREATE:
	case GT_EV_GO_CREATE_BLOCKED:
	case GT_EV_GO_CREATE_SYSCALL:
		list(&m->gs, ev->args[0]);
		break;
	case GT_EV_PROC_STATUS:
		list(&m->ps, ev->args[0]);
		break;
	case GT_EV_GO_UNBLOCK:
		mark_present(m, ev->args[0], ev->args[1]);
		break;
	default:
		break;
	}
}

/* Goes through the streams of g; -1 with *e where one cannot be decoded. */
static int find_missing(const struct gt_recovery *r, const struct gt_generation *g, bool posts,
			struct missing *m, struct gt_error *e)
{
	struct gt_cursor cursor;
	struct gt_brief brief;
	struct gt_event ev;
	int n = 0;

	*m = (struct missing){0};
	if (posts) {
		m->posts = gt_spool_posts(&r->spool, g->number, &m->nposts);
	}
	index_posts(m);
	for (size_t i = 0; i < g->streams.count && n == 0; i++) {
		gt_cursor_init(&cursor, g, &g->streams.array[i], NULL);
		while ((n = gt_cursor_next(&cursor, &ev, e)) > 0) {
			note_event(m, &ev);
		}
	}
	for (size_t i = 0; i < g->facts.count && n == 0; i++) {
		gt_cursor_init(&cursor, g, &g->facts.array[i], &brief);
		while ((n = gt_cursor_next(&cursor, &ev, e)) > 0) {
			m->losses |= ev.number == GT_FACT_LOSS;
		}
	}
	return n;
}

/* The stack of a G as it was last seen, in the generation that is being made. */
static uint64_t old_stack(const struct gt_recovery *r, struct gt_compose *c, uint64_t g)
{
	struct gt_compose_frame frames[GT_WIRE_FRAMES_MAX];
	const uintptr_t id = gt_idmap_get(&r->stack_of, g);
	const struct gt_stack *s = id != 0 ? gt_generation_stack(r->table, id - 1) : NULL;

	if (s == NULL) {
		return 0;
	}
	for (unsigned i = 0; i < s->nframes; i++) {
		const struct gt_frame *f = gt_stack_frame(r->table, s, i);

		frames[i] = (struct gt_compose_frame){
			.pc = f->pc,
			.func = gt_compose_string(c, f->func.data, f->func.length),
			.file = gt_compose_string(c, f->file.data, f->file.length),
			.line = f->line,
		};
	}
	return gt_compose_stack(c, frames, s->nframes);
}

static void put_status(const struct gt_recovery *r, struct gt_compose *c, uint64_t ticks,
		       uint64_t m, const struct gt_g *g)
{
	const uint64_t args[] = {g->id, m, g->is.state, old_stack(r, c, g->id)};

	gt_compose_event(
		c, g->is.state == GT_GO_WAITING || g->is.state == GT_GO_RUNNABLE ? GT_NO_M : m,
		ticks, gt_spec_event(GT_EV_GO_STATUS_STACK), args);
}

/* Those that did nothing since the last generation, before all that is there of their Ms. */
static void put_statuses(const struct gt_recovery *r, struct gt_compose *c, const struct missing *m,
			 uint64_t ticks)
{
	struct gt_order *o;
	const struct gt_idmap_slot *slot;
	struct gt_idmap done = {0};

	if (r->past == NULL) {
		return;
	}
	o = gt_merge_order(r->past);
	for (size_t i = 0; (slot = gt_idmap_each(&o->ms, &i)) != NULL;) {
		const struct gt_m *on = gt_order_m(o, slot->id);
		const struct gt_g *g = on->g != GT_NO_G ? gt_order_g(o, on->g) : NULL;
		const struct gt_p *p = on->p != GT_NO_P ? gt_order_p(o, on->p) : NULL;

		if (g == NULL || gt_idmap_get(&m->gs, g->id) != 0) {
			continue;
		}
		if (p != NULL && gt_idmap_get(&m->ps, p->id) == 0) {
			gt_compose_event(c, on->id, ticks, gt_spec_event(GT_EV_PROC_STATUS),
					 (const uint64_t[]){p->id, p->is.state});
		}
		put_status(r, c, ticks, on->id, g);
		list(&done, g->id);
	}
	for (size_t i = 0; (slot = gt_idmap_each(&o->gs, &i)) != NULL;) {
		const struct gt_g *g = gt_order_g(o, slot->id);

		if (g != NULL && gt_idmap_get(&m->gs, g->id) == 0 &&
		    gt_idmap_get(&done, g->id) == 0) {
			put_status(r, c, ticks, GT_NO_M, g);
		}
	}
	gt_idmap_fini(&done);
}

/* The posts that no stream has, in front; how many there are. */
static size_t absent(struct missing *m)
{
	size_t n = 0;

	for (size_t i = 0; i < m->nposts; i++) {
		if (!m->present[i]) {
			m->posts[n++] = m->posts[i];
		}
	}
	return n;
}

static void put_facts(const struct gt_recovery *r, struct gt_compose *c, const struct missing *m,
		      uint64_t ticks)
{
	for (unsigned i = 1; i < GT_LOSS_END && !m->losses; i++) {
		const uint64_t count = gt_spool_loss(&r->spool, i);

		if (count != 0) {
			gt_compose_event(c, GT_NO_M, ticks, gt_spec_fact(GT_FACT_LOSS),
					 (const uint64_t[]){i, count});
		}
	}
	for (size_t i = 0; i < r->nmappings; i++) {
		const struct gt_recover_mapping *p = &r->mappings[i];
		const uint64_t args[] = {
			p->start, p->bytes, p->offset,
			gt_compose_string(c, p->file.data, p->file.length),
			p->build_id.length > 0
				? gt_compose_string(c, p->build_id.data, p->build_id.length)
				: gt_compose_string(c, p->hex, strlen(p->hex))};

		if (p->used) {
			gt_compose_event(c, GT_NO_M, ticks, gt_spec_fact(GT_FACT_MAPPING), args);
		}
	}
}

/* --- Images -------------------------------------------------------------------------------- */

/* Begins an image with all of g but its batches. NULL: no memory for it. */
struct gt_compose *gt_image_begin(struct gt_image *image, FILE **out, const struct gt_generation *g)
{
	const struct gt_compose_head head = gt_compose_head_of(g);
	struct gt_compose *c;

	*image = (struct gt_image){0};
	*out = open_memstream(&image->data, &image->size);
	if (*out == NULL) {
		return NULL;
	}
	c = gt_compose_new(*out, 26);
	gt_compose_begin(c, &head);
	gt_compose_tables(c, g);
	return c;
}

void gt_image_end(struct gt_compose *c, FILE *out)
{
	gt_compose_end(c);
	gt_compose_free(c);
	fclose(out);
}

/* Adds what is missing: 0; or -1 with *e, whose offset is in left. */
int gt_recover_complete(const struct gt_recovery *r, const struct gt_image *left, bool posts,
			struct gt_image *full, struct gt_error *e)
{
	struct gt_reader *reader = gt_reader_open_memory(left->data, left->size, e);
	struct gt_generation *g;
	struct missing m = {0};
	struct gt_compose *c;
	FILE *out;
	int n = reader != NULL ? gt_reader_next(reader, &g, e) : -1;

	*full = (struct gt_image){0};
	if (n <= 0) {
		gt_reader_close(reader);
		return -1;
	}
	n = find_missing(r, g, posts, &m, e);
	if (n == 0 && (c = gt_image_begin(full, &out, g)) != NULL) {
		const struct gt_compose_head head = gt_compose_head_of(g);

		put_statuses(r, c, &m, head.ticks);
		gt_recover_put_events(c, g, m.posts, posts ? absent(&m) : 0);
		gt_compose_besides(c, g);
		if (posts) {
			put_facts(r, c, &m, head.ticks);
		}
		gt_image_end(c, out);
	}
	missing_fini(&m);
	gt_reader_close(reader);
	return n < 0 || full->data == NULL ? -1 : 0;
}
