/*
 * Append-only tables: bytes -> id, for the stacks and the strings of one generation.
 *
 * A trie of hash bits below an array of roots. Nodes are only ever added: a lookup walks without a
 * lock, an insertion is one CAS of a null child. Ids count from 1 (strings: from the first id that
 * events.def does not use). There are two tables of each, by parity of the generation; the advancer
 * dumps and empties one while the other fills. Nodes lie in buffers of the one pool (buf.h), which
 * go back when the table is emptied: many stacks in one generation are room for batches in the
 * next.
 *
 * Source of the idea: Go's src/runtime/tracemap.go.
 */
#pragma once

#include "base/atomic.h"
#include "base/util.h"

enum { GT_TABLE_ROOTS = 1024 };

struct gt_table_node {
	uint64_t hash;
	_Atomic uint32_t child[4]; /* by two bits of the hash: refs */
	uint32_t next;             /* the next in the order of the dump: ref */
	uint32_t id;
	uint32_t bytes;
	uint32_t unused;
	uint8_t data[];
};

struct gt_table {
	_Atomic uint32_t root[GT_TABLE_ROOTS];
	_Atomic uint32_t last_id;
	_Atomic uint32_t list; /* all nodes, newest first: ref */
	/* Nodes are cut from the buffer with the ref in the upper half: after so many bytes. */
	_Atomic uint64_t room;
	/* [start] Leaves the last memory to batches, which a trace cannot do without. */
	bool modest;
};

/*
 * The id of these bytes (a new one where they are new); 0 where there is no memory for them. Called
 * inside a section of the table's generation, or by the advancer. Nobody waits for anybody: a node
 * is cut and linked by a compare-and-swap each.
 */
uint32_t gt_table_put(struct gt_table *t, const void *data, size_t bytes);
/* Advancer, when no section of the generation is open: all nodes, newest first. */
struct gt_table_node *gt_table_first(struct gt_table *t);
struct gt_table_node *gt_table_next(const struct gt_table_node *n);
/* Advancer: empties it; ids count on from first. Also the way to make one. */
void gt_table_reset(struct gt_table *t, uint32_t first);
