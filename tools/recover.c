/*
 * Recovering: the file is read as far as it is whole, then each generation that is not in it is
 * put together and judged, and put together again without what was refused.
 */
#include "recover_own.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum {
	TRIES = 200,    /* streams that are cut before a generation is given up */
	UNFINISHED = 2, /* generations at most: one that is being written, and the current one */
};

/* --- Judging and cutting ------------------------------------------------------------------- */

/*
 * A part of a batch of facts, behind which facts of calls may be missing: that is said, since an
 * end without a fact would else be told from what came before (base/brief.h).
 */
static void put_facts_cut(struct gt_compose *c, const struct gt_batch *b)
{
	static const uint8_t unsaid[] = {GT_FACT_UNSAID, 0};
	struct gt_batch part = *b;
	uint8_t *data;

	/* The mark of facts must be there. */
	if (b->size < 2) {
		return;
	}
	data = gt_alloc(b->size + sizeof(unsaid));
	memcpy(data, b->data, b->size);
	memcpy(data + b->size, unsaid, sizeof(unsaid));
	part.data = data;
	part.size = b->size + sizeof(unsaid);
	gt_compose_batch(c, &part);
	free(data);
}

/* The part of a stream before an offset; counts what is behind it. */
static void put_cut(struct gt_recovery *r, struct gt_compose *c, const struct gt_stream *s,
		    uint64_t offset)
{
	bool behind = false;

	for (const struct gt_batch *b = s->first; b != NULL; b = b->next) {
		struct gt_batch part = *b;

		if (!behind && offset >= b->offset && offset < b->offset + b->size) {
			behind = true;
			r->did->cut++;
			part.size = (size_t)(offset - b->offset);
			r->did->cut_bytes += b->size - part.size;
			if (b->experiment != 0) {
				put_facts_cut(c, &part);
				part.size = 0;
			}
		} else if (behind) {
			r->did->cut_bytes += b->size;
			part.size = 0;
		}
		if (part.size > 0) {
			gt_compose_batch(c, &part);
		}
	}
}

/* The image without what follows an offset in its stream. False: nothing was there to be cut. */
static bool cut_image(struct gt_recovery *r, struct gt_image *image, uint64_t offset)
{
	const uint64_t cut = r->did->cut;
	struct gt_error ignored;
	struct gt_reader *reader = gt_reader_open_memory(image->data, image->size, &ignored);
	struct gt_generation *g;
	struct gt_image less = {0};
	struct gt_compose *c;
	FILE *out;

	if (reader != NULL && gt_reader_next(reader, &g, &ignored) > 0 &&
	    (c = gt_image_begin(&less, &out, g)) != NULL) {
		for (size_t i = 0; i < g->streams.count; i++) {
			put_cut(r, c, &g->streams.array[i], offset);
		}
		for (size_t i = 0; i < g->facts.count; i++) {
			put_cut(r, c, &g->facts.array[i], offset);
		}
		gt_image_end(c, out);
	}
	gt_reader_close(reader);
	free(image->data);
	*image = less;
	return r->did->cut > cut && less.data != NULL;
}

/* The judge's image: what was before, then the generation. */
static struct gt_image after(const struct gt_image *before, const struct gt_image *full)
{
	struct gt_image all = {0};
	const size_t skip = before->data != NULL ? GT_WIRE_HEADER_SIZE : 0;

	all.size = before->size + full->size - skip;
	all.data = gt_alloc(all.size);
	if (before->data != NULL) {
		memcpy(all.data, before->data, before->size);
	}
	memcpy(all.data + before->size, full->data + skip, full->size - skip);
	return all;
}

/* Whether a P is what it was when it was last mentioned, which may be before r->before. */
static int judge_p(const struct gt_recovery *r, const struct gt_event *ev, struct gt_error *e)
{
	const uint64_t was = gt_idmap_get(&r->ps, ev->args[0]);

	if (ev->kind != GT_TIMED || ev->number != GT_EV_PROC_STATUS ||
	    ev->offset < r->before.size || was == 0 || was == ev->args[1] + 1) {
		return 1;
	}
	return gt_error_set(e, GT_ERROR_INVALID, ev->offset, GT_NOWHERE, ev->m,
			    "inconsistent status for proc %" PRIu64 ": old %s vs. new %s",
			    ev->args[0], gt_proc_state_text((unsigned)was - 1),
			    gt_proc_state_text((unsigned)ev->args[1]));
}

/* 0 with the number of events; or -1 with *e, whose offset is in full (GT_NOWHERE: not in it). */
static int judge(struct gt_recovery *r, const struct gt_image *full, uint64_t *events,
		 struct gt_error *e)
{
	struct gt_image all = after(&r->before, full);
	const uint64_t shift = all.size - full->size;
	struct gt_merge *t =
		gt_merge_open_memory(all.data, all.size, GT_MERGE_STRICT | GT_MERGE_LIVE, e);
	struct gt_event ev;
	int n = -1;

	*events = 0;
	while (t != NULL && (n = gt_merge_next(t, &ev, e)) > 0 && (n = judge_p(r, &ev, e)) > 0) {
		*events += (ev.kind == GT_TIMED || ev.kind == GT_ALLOC) && !ev.implied &&
			   ev.offset >= r->before.size;
	}
	if (n == 0) {
		gt_recover_learn_ps(r, t);
	}
	gt_merge_close(t);
	free(all.data);
	if (n < 0) {
		e->offset = e->offset != GT_NOWHERE && e->offset >= shift ? e->offset - shift
									  : GT_NOWHERE;
	}
	return n;
}

static void say_why(struct gt_recovered *did, const struct gt_error *e)
{
	if (did->why[0] == '\0') {
		gt_error_text(e, did->why, sizeof(did->why));
	}
}

/*
 * The generation, whole: 1; 0: nothing was there of it, or nothing that agrees with the rest. The
 * image is the caller's.
 */
static int finish(struct gt_recovery *r, uint64_t gen, struct gt_image *image)
{
	bool posts = true; /* what was cut as wrong must not come again from a mailbox */
	struct gt_error e;
	uint64_t events;

	*image = gt_recover_left(r, gen);
	for (unsigned i = 0; image->data != NULL && i < TRIES; i++) {
		struct gt_image full;
		int n = gt_recover_complete(r, image, posts, &full, &e);

		if (n == 0) {
			posts = false;
			free(image->data);
			*image = full;
			n = judge(r, image, &events, &e);
		}
		if (n == 0) {
			r->did->events += events;
			r->did->finished++;
			return 1;
		}
		say_why(r->did, &e);
		if (e.offset == GT_NOWHERE || !cut_image(r, image, e.offset)) {
			break;
		}
	}
	free(image->data);
	return 0;
}

/* --- All of it ---------------------------------------------------------------------------- */

static int write_all(FILE *out, const void *data, size_t size, struct gt_error *e)
{
	if (size > 0 && fwrite(data, 1, size, out) != size) {
		return gt_error_set(e, GT_ERROR_READ, GT_NOWHERE, GT_NOWHERE, GT_NOWHERE,
				    "cannot write: %s", strerror(errno));
	}
	return 0;
}

/* What of the file is whole; and that recording broke off, where only the spool knows it yet. */
static int write_whole(struct gt_recovery *r, unsigned version, FILE *out, struct gt_error *e)
{
	static const uint8_t end = GT_EV_END_OF_GENERATION;
	uint8_t room[GT_WIRE_BATCH_HEADER_MAX + 2 + GT_WIRE_EVENT_MAX + sizeof(end)];
	uint8_t *payload = room + GT_WIRE_BATCH_HEADER_MAX, *at = payload, *head;
	size_t size = (size_t)r->did->whole_size;

	if (r->spool.broken == 0 || r->told || r->last == 0 || version != 26) {
		return write_all(out, r->file, size, e);
	}
	*at++ = GT_FACT_MAGIC;
	*at++ = GT_FACT_VERSION;
	*at++ = GT_FACT_BROKEN;
	at = gt_varint_put(at, 0);
	at = gt_varint_put(at, 1);
	at = gt_varint_put(at, r->spool.broken);
	at = gt_varint_put(at, 0);
	at = gt_varint_put(at, 0);
	head = gt_wire_batch_head(payload, GT_FACT_EXPERIMENT, r->last, GT_WIRE_NO_M,
				  gt_spool_stamp(&r->spool, r->last + 1).ticks,
				  (uint64_t)(at - payload));
	*at++ = end;
	/* Before the mark of the last generation's end. */
	return write_all(out, r->file, size - sizeof(end), e) < 0
		       ? -1
		       : write_all(out, head, (size_t)(at - head), e);
}

static int write_finished(struct gt_recovery *r, FILE *out, struct gt_error *e)
{
	const uint64_t first = r->last + 1;

	for (uint64_t gen = first; gen < first + UNFINISHED; gen++) {
		struct gt_image full;

		if (gt_recover_past(r, e) < 0) {
			return -1;
		}
		if (finish(r, gen, &full) == 0) {
			continue;
		}
		if (write_all(out, full.data + GT_WIRE_HEADER_SIZE, full.size - GT_WIRE_HEADER_SIZE,
			      e) < 0) {
			free(full.data);
			return -1;
		}
		free(r->before.data);
		r->before = full;
		r->last = gen;
	}
	return 0;
}

/* Whether the spool goes on where the file ends. */
static bool belongs(struct gt_recovery *r, unsigned version)
{
	const struct gt_spool *s = &r->spool;
	struct gt_recovered *did = r->did;

	if (did->invalid) {
		return false;
	}
	if (version != 26) {
		snprintf(did->why, sizeof(did->why),
			 "the file is of version go 1.%u, its spool "
			 "of 1.26",
			 version);
		return false;
	}
	if (s->broken) {
		snprintf(did->why, sizeof(did->why),
			 "recording broke off: what is in the spool lacks something");
		return false;
	}
	if (did->whole < s->generations) {
		snprintf(did->why, sizeof(did->why),
			 "the spool says that %" PRIu64 " generations were written, but the file "
			 "has %" PRIu64 " whole ones: what comes after a gap would contradict it",
			 s->generations, did->whole);
		return false;
	}
	return true;
}

static void recovery_fini(struct gt_recovery *r)
{
	gt_recover_forget(r);
	gt_idmap_fini(&r->stack_of);
	gt_idmap_fini(&r->by_pc);
	gt_idmap_fini(&r->ps);
	free(r->names);
	free(r->mappings);
	free(r->before.data);
}

int gt_recover(const void *file, size_t size, const void *spool, size_t spool_size, FILE *out,
	       struct gt_recovered *did, struct gt_error *e)
{
	struct gt_recovery r = {.did = did};
	struct gt_reader *header;
	unsigned version;
	int n;

	*did = (struct gt_recovered){0};
	r.file = size > 0 ? file : (const uint8_t *)GT_WIRE_HEADER;
	r.size = size > 0 ? size : GT_WIRE_HEADER_SIZE;
	header = gt_reader_open_memory(r.file, r.size, e);
	if (header == NULL) {
		return -1;
	}
	version = gt_reader_version(header);
	gt_reader_close(header);
	n = gt_recover_whole(&r, e);
	if (n == 0 && spool != NULL && gt_spool_open(&r.spool, spool, spool_size, e) < 0) {
		n = -1;
	}
	if (n == 0) {
		n = write_whole(&r, version, out, e);
	}
	if (n == 0 && spool != NULL && belongs(&r, version)) {
		gt_recover_maps(&r);
		n = write_finished(&r, out, e);
	}
	recovery_fini(&r);
	if (n == 0 && did->whole + did->finished == 0) {
		n = gt_error_set(e, GT_ERROR_TRUNCATED, GT_NOWHERE, GT_NOWHERE, GT_NOWHERE,
				 "nothing is there to be recovered: no event was recorded%s%s",
				 did->why[0] != '\0' ? "; " : "", did->why);
	}
	return n;
}
