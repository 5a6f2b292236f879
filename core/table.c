/*
 * Append-only tables.
 */
#include "table.h"

#include <string.h>

#include "base/hash.h"

#include "buf.h"
#include "shm.h"

/* One more buffer to cut nodes from. With the lock. */
static bool add_chunk(struct gt_table *t)
{
	struct gt_buf *b = !t->modest || gt_buf_plenty() ? gt_buf_get() : NULL;

	if (!b) {
		return false;
	}
	gt_store_relaxed(&b->next, t->chunk);
	t->chunk = gt_ptr_ref(b);
	t->used = GT_REF_UNIT;
	return true;
}

/* Room for one node. Nodes lie on units of 64 bytes, so that 32 bits name one. */
static struct gt_table_node *cut(struct gt_table *t, size_t bytes)
{
	uint32_t need =
		(uint32_t)GT_ROUND_UP(sizeof(struct gt_table_node) + bytes, (size_t)GT_REF_UNIT);
	char *at = NULL;

	gt_lock_take(&t->lock);
	if ((t->chunk && t->used + need <= GT_BUF_BYTES) || add_chunk(t)) {
		at = (char *)gt_ref_ptr(t->chunk) + t->used;
		t->used += need;
	}
	gt_lock_drop(&t->lock);
	return (struct gt_table_node *)(void *)at;
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
			}
			if (gt_cas_acq_rel(at, &ref, gt_ptr_ref(mine))) {
				uint32_t old = gt_load_relaxed(&t->list);

				/* Release: partner is gt_table_first. */
				do {
					mine->next = old;
				} while (!gt_cas_weak_acq_rel(&t->list, &old, gt_ptr_ref(mine)));
				return mine->id;
			}
		}
		n = gt_ref_ptr(ref);
		if (n->hash == hash && n->bytes == bytes && memcmp(n->data, data, bytes) == 0) {
			/* Where another thread put the same first, our node and its id are unused.
			 */
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
	while (t->chunk) {
		struct gt_buf *b = gt_ref_ptr(t->chunk);

		t->chunk = gt_load_relaxed(&b->next);
		gt_buf_free(b);
	}
	t->used = 0;
}
