/*
 * Recovering: the whole generations of the file, what code is called in them, and what the last one
 * leaves behind.
 */
#include "recover_own.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- The whole generations ---------------------------------------------------------------- */

static void learn_names(struct gt_recovery *r, const struct gt_generation *g)
{
	for (size_t i = 0; i < g->nframes; i++) {
		const struct gt_frame *f = &g->frames[i];

		if (gt_idmap_get(&r->by_pc, f->pc) == 0) {
			r->names = gt_grow(r->names, r->nnames, &r->names_cap, sizeof(*r->names));
			r->names[r->nnames++] = (struct gt_recover_name){f->func, f->file, f->line};
			gt_idmap_put(&r->by_pc, f->pc, r->nnames);
		}
	}
}

/* A later one of the same place is what is mapped there now. */
static void keep_mapping(struct gt_recovery *r, const struct gt_recover_mapping *m)
{
	size_t i = 0;

	while (i < r->nmappings && r->mappings[i].start != m->start) {
		i++;
	}
	if (i == r->nmappings) {
		r->mappings =
			gt_grow(r->mappings, r->nmappings, &r->mappings_cap, sizeof(*r->mappings));
		r->nmappings++;
	}
	r->mappings[i] = *m;
}

static void learn_mapping(struct gt_recovery *r, const struct gt_generation *g,
			  const struct gt_event *ev)
{
	const struct gt_text *file = gt_generation_string(g, ev->args[3]);
	const struct gt_text *id = gt_generation_string(g, ev->args[4]);

	if (file != NULL && id != NULL) {
		keep_mapping(r, &(struct gt_recover_mapping){.start = ev->args[0],
							     .bytes = ev->args[1],
							     .offset = ev->args[2],
							     .file = *file,
							     .build_id = *id});
	}
}

/* A number that ends in that character; steps over both. */
static bool take(const char **p, const char *limit, unsigned base, char end, uint64_t *v)
{
	static const char digits[] = "0123456789abcdef";

	for (*v = 0; *p < limit && **p != end; (*p)++) {
		const char *digit = memchr(digits, **p, base);

		if (digit == NULL) {
			return false;
		}
		*v = *v * base + (uint64_t)(digit - digits);
	}
	return *p < limit && (*p)++ != limit;
}

/* "lo-hi r-xp offset device inode /path" */
static bool parse_map(const char *p, const char *end, struct gt_recover_mapping *m)
{
	const char *path = memchr(p, '/', (size_t)(end - p));
	uint64_t last;

	*m = (struct gt_recover_mapping){.build_id = {"", 0}};
	if (path == NULL || !take(&p, end, 16, '-', &m->start) || !take(&p, end, 16, ' ', &last) ||
	    last <= m->start || end - p < 5) {
		return false;
	}
	p += 5; /* the rights */
	m->bytes = last - m->start;
	m->file = (struct gt_text){path, GT_MIN((size_t)(end - path), (size_t)GT_WIRE_STRING_MAX)};
	return take(&p, end, 16, ' ', &m->offset) && take(&p, end, 16, ':', &m->major) &&
	       take(&p, end, 16, ' ', &m->minor) && take(&p, end, 10, ' ', &m->inode);
}

/* The file may be another by now: then nothing is said of it. */
void gt_recover_identify(struct gt_recover_mapping *m)
{
	char path[GT_WIRE_STRING_MAX + 1];

	if (m->inode != 0 && m->build_id.length == 0 && m->hex[0] == '\0') {
		snprintf(path, sizeof(path), "%.*s", (int)m->file.length, m->file.data);
		gt_build_id(path, (unsigned)m->major, (unsigned)m->minor, m->inode, m->hex);
		m->inode = 0; /* once */
	}
}

/* What the spool says of mappings that no whole generation has spoken of. */
void gt_recover_maps(struct gt_recovery *r)
{
	const struct gt_text maps = gt_spool_maps(&r->spool);
	const char *p = maps.data, *end = maps.data + maps.length, *line;

	for (; (line = memchr(p, '\n', (size_t)(end - p))) != NULL; p = line + 1) {
		struct gt_recover_mapping m;
		bool known = !parse_map(p, line, &m);

		for (size_t i = 0; i < r->nmappings && !known; i++) {
			known = r->mappings[i].start == m.start;
		}
		if (!known) {
			keep_mapping(r, &m);
		}
	}
}

/* Header and generation as a trace of their own. */
static void keep_last(struct gt_recovery *r, uint64_t offset, uint64_t size)
{
	free(r->before.data);
	r->before.size = GT_WIRE_HEADER_SIZE + (size_t)size;
	r->before.data = gt_alloc(r->before.size);
	memcpy(r->before.data, r->file, GT_WIRE_HEADER_SIZE);
	memcpy(r->before.data + GT_WIRE_HEADER_SIZE, r->file + offset, (size_t)size);
}

void gt_recover_learn_ps(struct gt_recovery *r, struct gt_merge *t)
{
	const struct gt_idmap *ps = &gt_merge_order(t)->ps;
	const struct gt_idmap_slot *s;

	for (size_t i = 0; (s = gt_idmap_each(ps, &i)) != NULL;) {
		const struct gt_p *p = (const struct gt_p *)s->word;

		gt_idmap_remove(&r->ps, p->id);
		gt_idmap_put(&r->ps, p->id, (uintptr_t)p->state + 1);
	}
}

/* Reads the file as far as it is whole. */
int gt_recover_whole(struct gt_recovery *r, struct gt_error *e)
{
	struct gt_merge *t = gt_merge_open_memory(r->file, r->size, 0, e);
	uint64_t offset[2] = {0}, size[2] = {0}, number[2] = {0}; /* the last two begun */
	struct gt_event ev;
	unsigned last;
	int n;

	if (t == NULL) {
		return -1;
	}
	while ((n = gt_merge_next(t, &ev, e)) > 0) {
		const struct gt_generation *g = gt_merge_generation(t);

		if (ev.kind == GT_STRUCT && ev.number == GT_EV_SYNC) {
			offset[g->index & 1] = g->offset;
			size[g->index & 1] = g->size;
			number[g->index & 1] = g->number;
			learn_names(r, g);
		} else if (ev.kind == GT_FACT && ev.number == GT_FACT_BROKEN) {
			r->told = true;
		} else if (ev.kind == GT_FACT && ev.number == GT_FACT_MAPPING) {
			learn_mapping(r, g, &ev);
		}
	}
	if (n < 0 && e->kind != GT_ERROR_TRUNCATED) {
		r->did->invalid = true;
		gt_error_text(e, r->did->why, sizeof(r->did->why));
	}
	r->did->whole = gt_merge_complete(t);
	r->did->whole_size = GT_WIRE_HEADER_SIZE;
	if (r->did->whole > 0) {
		last = r->did->whole & 1;
		r->did->whole_size = offset[last] + size[last];
		r->last = number[last];
		keep_last(r, offset[last], size[last]);
	}
	gt_recover_learn_ps(r, t);
	gt_merge_close(t);
	return 0;
}

/* --- What the last generation leaves behind ----------------------------------------------- */

void gt_recover_forget(struct gt_recovery *r)
{
	gt_merge_close(r->past);
	gt_reader_close(r->tables);
	gt_idmap_clear(&r->stack_of);
	r->past = NULL;
	r->tables = NULL;
	r->table = NULL;
}

static void keep_stack(struct gt_recovery *r, uint64_t g, uint64_t stack)
{
	gt_idmap_remove(&r->stack_of, g);
	gt_idmap_put(&r->stack_of, g, (uintptr_t)stack + 1);
}

/* Reads r->before to its end: 0, or -1 where that cannot be, after which there is no past. */
int gt_recover_past(struct gt_recovery *r, struct gt_error *e)
{
	struct gt_event ev;
	int n;

	gt_recover_forget(r);
	if (r->before.data == NULL) {
		return 0;
	}
	r->past = gt_merge_open_memory(r->before.data, r->before.size, 0, e);
	if (r->past == NULL) {
		return -1;
	}
	while ((n = gt_merge_next(r->past, &ev, e)) > 0) {
		if (ev.kind != GT_TIMED) {
			continue;
		}
		switch (ev.number) {
		case GT_EV_GO_STATUS_STACK:
			keep_stack(r, ev.args[0], ev.args[3]);
			break;
		case GT_EV_GO_CREATE:
			keep_stack(r, ev.args[0], ev.args[1]);
			break;
		case GT_EV_GO_BLOCK:
		case GT_EV_GO_SYSCALL_BEGIN:
			keep_stack(r, ev.g, ev.args[1]);
			break;
		default:
			break;
		}
	}
	r->tables = gt_reader_open_memory(r->before.data, r->before.size, e);
	while (n == 0 && r->tables != NULL && (n = gt_reader_next(r->tables, &r->table, e)) > 0 &&
	       r->table->number != r->last) {
	}
	return n < 0 || r->table == NULL ? -1 : 0;
}
