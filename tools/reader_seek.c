/*
 * Where to begin in a long trace: with the last generation whose first batch does not begin later
 * than the moment that is asked for, and the one before it, whose last events may be as late:
 * threads enter a generation one after another.
 */
#include "reader_own.h"

#include <stdlib.h>

#include "base/spec.h"
#include "frames.h"
#include "spool.h"

/* --- In memory: from batch to batch --------------------------------------------------------- */

static bool seek_memory(struct gt_reader *r, uint64_t ticks)
{
	const size_t first = r->at;
	size_t at = first, begin = first, last = first, before = first;
	uint64_t gen = 0;

	while (at < r->length) {
		const bool begins = at == begin;
		struct gt_batch b;
		uint64_t of;

		if (r->bytes[at] == GT_EV_END_OF_GENERATION) {
			begin = ++at;
			continue;
		}
		if (!gt_spool_next_batch(r->bytes, r->length, &at, &of, &b) ||
		    (begins ? b.time > ticks : of != gen)) {
			break;
		}
		if (begins) {
			gen = of;
			before = last;
			last = begin;
		}
	}
	r->at = before;
	return before > first;
}

/* --- Compressed: among the frames ----------------------------------------------------------- */

struct head {
	bool is; /* a batch begins there */
	uint64_t gen, ticks;
};

struct search {
	struct gt_frames frames;
	uint8_t room[GT_WIRE_BATCH_HEADER_MAX + GT_WIRE_BATCH_MAX];
};

/* Of the frame, or, where it has only the end of a generation, of the one before it. */
static struct head head_of(struct search *s, size_t frame)
{
	size_t n = gt_frames_head(&s->frames, frame, s->room, sizeof(s->room)), at = 0;
	struct head h = {0};
	struct gt_batch b;

	if (n == 1 && s->room[0] == GT_EV_END_OF_GENERATION && frame > 1) {
		n = gt_frames_head(&s->frames, frame - 1, s->room, sizeof(s->room));
	}
	h.is = gt_spool_next_batch(s->room, n, &at, &h.gen, &b);
	h.ticks = h.is ? b.time : 0;
	return h;
}

/* The first frame from `from` on whose generation is not before gen; 0: heads cannot be read. */
static size_t first_of(struct search *s, size_t from, uint64_t gen)
{
	size_t to = s->frames.count;

	while (from < to) {
		const size_t middle = from + (to - from) / 2;
		const struct head h = head_of(s, middle);

		if (!h.is) {
			return 0;
		}
		if (h.gen < gen) {
			from = middle + 1;
		} else {
			to = middle;
		}
	}
	return to;
}

/* The last generation that does not begin later; 0: none does, or as above. */
static uint64_t last_until(struct search *s, uint64_t ticks)
{
	uint64_t from = head_of(s, 1).gen, to = head_of(s, s->frames.count - 1).gen + 1;
	uint64_t gen = 0;

	while (from < to) {
		const uint64_t middle = from + (to - from) / 2;
		const size_t frame = first_of(s, 1, middle);
		const struct head h = frame > 0 ? head_of(s, frame) : (struct head){0};

		if (!h.is) {
			return 0;
		}
		if (h.ticks <= ticks) {
			gen = h.gen;
			from = middle + 1;
		} else {
			to = middle;
		}
	}
	return gen;
}

/* The frame to begin with; 0: with the first. */
static size_t frame_for(struct search *s, uint64_t ticks)
{
	const uint64_t gen = last_until(s, ticks);
	const size_t at = gen > 0 ? first_of(s, 1, gen) : 0;
	struct head before;

	if (at <= 1) {
		return 0;
	}
	before = head_of(s, at - 1);
	return before.is ? first_of(s, 1, before.gen) : 0;
}

static bool seek_packed(struct gt_reader *r, uint64_t ticks)
{
	struct search *s;
	size_t frame = 0;

	if (gt_input_file(r->source->input) < 0) {
		return false;
	}
	s = gt_alloc(sizeof(*s));
	if (gt_frames_open(&s->frames, gt_input_file(r->source->input))) {
		frame = frame_for(s, ticks);
	}
	if (frame > 1) {
		const struct gt_frame_at *to = &s->frames.frames[frame];

		gt_input_go(r->source->input, to->at, to->gives);
		r->base = to->gives;
		r->at = r->length = 0;
	}
	gt_frames_close(&s->frames);
	free(s);
	return frame > 1;
}

bool gt_reader_seek(struct gt_reader *r, uint64_t ticks)
{
	struct gt_source *s = r->source;
	bool passed;

	/* Before 1.26 nothing says where a generation ends. */
	if (s->version < 26 || s->generations > 0) {
		return false;
	}
	pthread_mutex_lock(&s->lock);
	gt_source_take(r);
	passed = s->input == NULL ? seek_memory(r, ticks) : !s->eof && seek_packed(r, ticks);
	gt_source_leave(r);
	pthread_mutex_unlock(&s->lock);
	return passed;
}
