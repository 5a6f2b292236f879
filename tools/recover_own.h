/*
 * What the parts of recovering share: recover.c (judging, cutting, all of it), recover_past.c (the
 * whole generations), recover_left.c (what is left of one that is not), recover_missing.c (what is
 * added to that) and recover_posts.c (where unblocks are added). For them alone.
 */
#pragma once

#include "build_id.h"
#include "compose.h"
#include "merge.h"
#include "order.h"
#include "recover.h"
#include "spool.h"

/* A trace in memory. */
struct gt_image {
	char *data;
	size_t size;
};

struct gt_recover_name {
	struct gt_text func, file;
	uint64_t line;
};

struct gt_recover_mapping {
	uint64_t start, bytes, offset;
	struct gt_text file, build_id;
	bool used; /* in the generation that is being made */
	/* Of a line of maps: what file it was; then its build id, if it is there still. */
	uint64_t major, minor, inode;
	char hex[GT_BUILD_ID_HEX];
};

struct gt_recovery {
	const uint8_t *file;
	size_t size;
	struct gt_spool spool;
	struct gt_recovered *did;

	/* Of the whole generations: where code is called what, and the last one, as a trace. */
	struct gt_idmap by_pc; /* index + 1 in names */
	struct gt_recover_name *names;
	size_t nnames, names_cap;
	struct gt_recover_mapping *mappings;
	size_t nmappings, mappings_cap;
	uint64_t last;          /* number of the last generation; 0: none */
	bool told;              /* that one says that recording broke off */
	struct gt_image before; /* header and that generation; data NULL: none */
	/*
	 * Of all Ps so far: state + 1. What else a generation does not mention is over, but a P
	 * that was idle once is so still.
	 */
	struct gt_idmap ps;
	/* What it leaves behind: states, and stacks by G (id + 1). */
	struct gt_merge *past;
	struct gt_reader *tables;
	struct gt_generation *table;
	struct gt_idmap stack_of;
};

/* recover_past.c: reads the file as far as it is whole: 0, or -1 with *e. */
int gt_recover_whole(struct gt_recovery *r, struct gt_error *e);
/* t has come to the end of a generation: what Ps are then. */
void gt_recover_learn_ps(struct gt_recovery *r, struct gt_merge *t);
/* What the spool says of mappings that no whole generation has spoken of. */
void gt_recover_maps(struct gt_recovery *r);
/* Finds the build id of what is mapped there, once. The file may be another by now: then none. */
void gt_recover_identify(struct gt_recover_mapping *m);
/* Reads r->before to its end: 0, or -1 where that cannot be, after which there is no past. */
int gt_recover_past(struct gt_recovery *r, struct gt_error *e);
void gt_recover_forget(struct gt_recovery *r);

/* recover_left.c: the generation as it was left; data NULL: nothing was. */
struct gt_image gt_recover_left(struct gt_recovery *r, uint64_t gen);

/*
 * recover_missing.c: adds what is missing: 0; or -1 with *e, whose offset is in left. posts: those
 * in mailboxes, too.
 */
int gt_recover_complete(const struct gt_recovery *r, const struct gt_image *left, bool posts,
			struct gt_image *full, struct gt_error *e);
/*
 * recover_posts.c: the events of g, and among them posts, unblocks that it does not have; sorts
 * those. They come after what c has got of the same Ms.
 */
void gt_recover_put_events(struct gt_compose *c, const struct gt_generation *g,
			   struct gt_spool_post *posts, size_t n);
/* Begins an image with all of g but its batches. NULL: no memory for it. */
struct gt_compose *gt_image_begin(struct gt_image *image, FILE **out,
				  const struct gt_generation *g);
void gt_image_end(struct gt_compose *c, FILE *out);
