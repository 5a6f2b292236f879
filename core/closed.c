/*
 * Code that was there in a generation and is gone at its end.
 */
#include "closed.h"

#include <link.h>
#include <string.h>

#include "lock.h"
#include "trace.h"
#include "unwind.h"

enum { CLOSED_MAX = 2048 };

/*
 * In the order in which they went: a ring. Who adds has the lock; the advancer reads what is in it,
 * and takes the oldest off, without.
 */
static struct {
	struct gt_lock lock;
	_Atomic unsigned first;
	_Atomic unsigned end;
	struct closed {
		struct gt_closing object;
		uint64_t gen;   /* when it went, */
		uint32_t stack; /* and the last id of a stack then */
	} list[CLOSED_MAX];
} closed;

void gt_closing_begin(struct gt_closing *c, const struct link_map *map)
{
	const struct link_map *found;
	size_t n;

	c->lo = 0;
	/* What is no handle, or one no more, the loader refuses: nothing else of it is believed. */
	if (!map || !gt_unwind_object((uintptr_t)map->l_ld, &c->lo, &c->hi, &found) ||
	    found != map) {
		c->lo = 0;
		return;
	}
	c->base = map->l_addr;
	n = GT_MIN(strlen(map->l_name), sizeof(c->path) - 1);
	memcpy(c->path, map->l_name, n);
	c->path[n] = '\0';
}

void gt_closing_end(const struct gt_closing *c)
{
	uintptr_t lo;
	uintptr_t hi;
	const struct link_map *map;
	uint64_t gen;
	unsigned end;

	/* Others use it still; or it was opened again just now, and has its own names. */
	if (!c->lo || gt_unwind_object(c->lo, &lo, &hi, &map)) {
		return;
	}
	gt_lock_take(&closed.lock);
	gen = gt_load_relaxed(&gt_trace->head.gen);
	end = gt_load_relaxed(&closed.end);
	/* Acquire: partner is gt_closed_forget, which does not read that place any more. */
	if (gen && end - gt_load_acquire(&closed.first) < CLOSED_MAX) {
		closed.list[end % CLOSED_MAX] = (struct closed){
			*c, gen, gt_load_relaxed(&gt_trace->stacks[gen & 1].last_id)};
		/* Release: partner is the load in gt_closed_find. */
		gt_store_release(&closed.end, end + 1);
	}
	gt_lock_drop(&closed.lock);
}

bool gt_closed_any(void)
{
	return gt_load_relaxed(&closed.end) != gt_load_relaxed(&closed.first);
}

const struct gt_closing *gt_closed_find(uint64_t gen, uint32_t stack, uint64_t pc)
{
	unsigned end = gt_load_acquire(&closed.end);

	/* The first that went after the stack was walked. */
	for (unsigned i = gt_load_relaxed(&closed.first); i != end; i++) {
		const struct closed *o = &closed.list[i % CLOSED_MAX];

		if (pc - o->object.lo < o->object.hi - o->object.lo &&
		    (o->gen > gen || (o->gen == gen && stack <= o->stack))) {
			return &o->object;
		}
	}
	return NULL;
}

void gt_closed_forget(uint64_t gen)
{
	unsigned end = gt_load_acquire(&closed.end);
	unsigned first = gt_load_relaxed(&closed.first);

	while (first != end && closed.list[first % CLOSED_MAX].gen <= gen) {
		first++;
	}
	gt_store_release(&closed.first, first);
}

void gt_closed_reset(void)
{
	closed.lock = (struct gt_lock){0};
	gt_store_relaxed(&closed.first, 0);
	gt_store_relaxed(&closed.end, 0);
}
