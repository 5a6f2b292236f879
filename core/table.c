/*
 * Append-only tables.
 */
#include "table.h"

#include <string.h>

#include "base/hash.h"

#include "buf.h"
#include "delay.h"
#include "shm.h"

static uint64_t room(uint32_t chunk, uint32_t used)
{
	return (uint64_t)chunk << 32 | used;
}

/* Room for one node. Nodes lie on units of 64 bytes, so that 32 bits name one. */
static struct gt_table_node *cut(struct gt_table *t, size_t bytes)
{
	uint32_t need =
		(uint32_t)GT_ROUND_UP(sizeof(struct gt_table_node) + bytes, (size_t)GT_REF_UNIT);
	uint64_t old = gt_load_relaxed(&t->room);

	/* A buffer stays the table's until that is emptied, so no value of room comes twice. */
	for (;;) {
		uint32_t chunk = (uint32_t)(old >> 32);
		uint32_t used = (uint32_t)old;
		struct gt_buf *b;

		GT_STALL(GT_STALL_TABLE);
		if (chunk && used + need <= GT_BUF_BYTES) {
			if (gt_cas_weak_acq_rel(&t->room, &old, room(chunk, used + need))) {
				return (void *)((char *)gt_ref_ptr(chunk) + used);
			}
			continue;
		}
		/* Of those who find it full most need no buffer: one has put its own there. */
		if (gt_load_relaxed(&t->room) != old) {
			old = gt_load_relaxed(&t->room);
			continue;
		}
		b = !t->modest || gt_buf_plenty() ? gt_buf_get() : NULL;
		if (b) {
			gt_store_relaxed(&b->next, chunk);
			if (gt_cas_acq_rel(&t->room, &old,
					   room(gt_ptr_ref(b), GT_REF_UNIT + need))) {
				return (void *)((char *)b + GT_REF_UNIT);
			}
			gt_buf_free(b);
		} else if (gt_load_relaxed(&t->room) == old) {
			return NULL;
		} else {
			old = gt_load_relaxed(&t->room);
		}
	}
}

/*
 * Before it can be found: a handler that leaves gt_table_put for good, between the two, leaves an
 * id that nobody uses, and not one that is not in the file.
 */
static void list(struct gt_table *t, struct gt_table_node *n)
{
	uint32_t first = gt_load_relaxed(&t->list);

	/* Release: partner is gt_table_first. */
	do {
		n->next = first;
	} while (!gt_cas_weak_acq_rel(&t->list, &first, gt_ptr_ref(n)));
}

uint32_t gt_table_put(struct gt_table *t, const void *data, size_t bytes)
{
	uint64_t hash = gt_hash(data, bytes);
	_Atomic uint32_t *at = &t->root[hash % GT_TABLE_ROOTS];
	struct gt_table_node *mine = NULL;
	uint64_t bits = hash >> 10;

	for (;;) {
		/* Acquire: partner is the CAS below; a node is whole before it can be seen. */
		uint32_t ref = gt_load_acquire(at);
		struct gt_table_node *n;

		if (!ref) {
			if (!mine) {
				mine = cut(t, bytes);
				if (!mine) {
					return 0;
				}
				memset(mine, 0, sizeof(*mine));
				mine->hash = hash;
				mine->bytes = (uint32_t)bytes;
				mine->id = gt_add_relaxed(&t->last_id, 1) + 1;
				memcpy(mine->data, data, bytes);
				list(t, mine);
			}
			if (gt_cas_acq_rel(at, &ref, gt_ptr_ref(mine))) {
				return mine->id;
			}
		}
		n = gt_ref_ptr(ref);
		if (n->hash == hash && n->bytes == bytes && memcmp(n->data, data, bytes) == 0) {
			/* Where another thread put the same first, nobody uses our node's id. */
			return n->id;
		}
		at = &n->child[bits & 3];
		/* After 27 levels the bits start again: equal hashes still end, in a longer chain.
		 */
		bits = bits >> 2 ? bits >> 2 : ~hash;
	}
}

struct gt_table_node *gt_table_first(struct gt_table *t)
{
	uint32_t ref = gt_load_acquire(&t->list);

	return ref ? gt_ref_ptr(ref) : NULL;
}

struct gt_table_node *gt_table_next(const struct gt_table_node *n)
{
	return n->next ? gt_ref_ptr(n->next) : NULL;
}

void gt_table_reset(struct gt_table *t, uint32_t first)
{
	if (gt_load_relaxed(&t->list)) {
		memset((void *)t->root, 0, sizeof(t->root));
	}
	gt_store_relaxed(&t->last_id, first - 1);
	gt_store_relaxed(&t->list, 0);
	for (uint32_t chunk = (uint32_t)(gt_load_relaxed(&t->room) >> 32); chunk;) {
		struct gt_buf *b = gt_ref_ptr(chunk);

		chunk = gt_load_relaxed(&b->next);
		gt_buf_free(b);
	}
	gt_store_relaxed(&t->room, 0);
}
