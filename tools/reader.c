/*
 * The file of a trace: finding where generations end, grouping batches by M.
 *
 * The bytes of one generation lie in one buffer; batches point into it. The generation ends at its
 * end byte (1.26) or where the next one's first batch begins (before), which is then read again as
 * part of the next. What the tables say is parsed by tables.c once all batches are there.
 */
#include "reader_own.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/spec.h"
#include "base/varint.h"
#include "progress.h"
#include "tables.h"

static uint64_t offset(const struct gt_reader *r)
{
	return r->base + r->at;
}

static int read_header(struct gt_reader *r, struct gt_error *e)
{
	static const unsigned versions[] = {22, 23, 25, 26};
	const char *h;
	ssize_t n = gt_source_want(r, GT_WIRE_HEADER_SIZE, e);

	if (n < 0) {
		return -1;
	}
	h = (const char *)r->bytes;
	if (n < GT_WIRE_HEADER_SIZE && r->source->torn.kind != GT_ERROR_NONE) {
		*e = r->source->torn;
		return -1;
	}
	if (n < GT_WIRE_HEADER_SIZE || memcmp(h, "go 1.", 5) != 0 || h[5] < '0' || h[5] > '9' ||
	    h[6] < '0' || h[6] > '9' || memcmp(h + 7, " trace\0\0\0", 9) != 0) {
		return gt_error_set(e, GT_ERROR_READ, 0, GT_NOWHERE, GT_NOWHERE,
				    "not a Go execution trace: it does not begin with "
				    "\"go 1.NN trace\" and three zero bytes");
	}
	r->source->version = (unsigned)(h[5] - '0') * 10 + (unsigned)(h[6] - '0');
	for (size_t i = 0; i < GT_LEN(versions); i++) {
		if (r->source->version == versions[i]) {
			r->at = GT_WIRE_HEADER_SIZE;
			return 0;
		}
	}
	return gt_error_set(e, GT_ERROR_READ, 0, GT_NOWHERE, GT_NOWHERE,
			    "a trace of version go 1.%u; known are 1.22, 1.23, 1.25 and 1.26",
			    r->source->version);
}

static struct gt_reader *begin(struct gt_input *input, struct gt_mapped file, const void *data,
			       size_t size, struct gt_error *e)
{
	struct gt_source *s = gt_alloc(sizeof(*s));
	struct gt_reader *r = gt_alloc(sizeof(*r));

	pthread_mutex_init(&s->lock, NULL);
	s->readers = 1;
	s->input = input;
	s->eof = input == NULL;
	s->rest = data;
	s->nrest = size;
	s->file = file;
	r->source = s;
	gt_source_take(r);
	if (read_header(r, e) < 0) {
		gt_reader_close(r);
		return NULL;
	}
	gt_source_leave(r);
	return r;
}

struct gt_reader *gt_reader_open(const char *path, struct gt_error *e)
{
	int fd = strcmp(path, "-") == 0 ? dup(0) : open(path, O_RDONLY | O_CLOEXEC);
	struct gt_mapped file = {0};

	if (fd < 0) {
		gt_error_set(e, GT_ERROR_READ, GT_NOWHERE, GT_NOWHERE, GT_NOWHERE,
			     "cannot open: %s", strerror(errno));
		return NULL;
	}
	/* To copy a file from where the kernel has it took a tenth of the time of verify. */
	if (!gt_mapped_fd(&file, fd) || gt_input_is_packed(file.data, file.size)) {
		gt_mapped_close(&file);
		return begin(gt_input_open(fd, NULL, 0), file, NULL, 0, e);
	}
	close(fd);
	return begin(NULL, file, file.data, file.size, e);
}

struct gt_reader *gt_reader_open_memory(const void *data, size_t size, struct gt_error *e)
{
	return begin(NULL, (struct gt_mapped){0}, data, size, e);
}

struct gt_reader *gt_reader_share(struct gt_reader *r)
{
	struct gt_reader *another = gt_alloc(sizeof(*another));

	another->source = r->source;
	pthread_mutex_lock(&r->source->lock);
	r->source->readers++;
	pthread_mutex_unlock(&r->source->lock);
	return another;
}

static void release(struct gt_source *s)
{
	unsigned left;

	pthread_mutex_lock(&s->lock);
	left = --s->readers;
	pthread_mutex_unlock(&s->lock);
	if (left > 0) {
		return;
	}
	gt_input_close(s->input);
	gt_mapped_close(&s->file);
	pthread_mutex_destroy(&s->lock);
	free(s->buffer);
	free(s);
}

void gt_reader_close(struct gt_reader *r)
{
	if (r == NULL) {
		return;
	}
	release(r->source);
	gt_tables_fini(&r->generation);
	free(r->batches);
	free(r->buffer);
	free(r);
}

unsigned gt_reader_version(const struct gt_reader *r)
{
	return r->source->version;
}

uint64_t gt_reader_offset(const struct gt_reader *r)
{
	return offset(r);
}

/* --- Batches ------------------------------------------------------------------------------ */

enum found { FOUND_ERROR = -1, FOUND_EOF, FOUND_BATCH, FOUND_END };

struct head {
	uint64_t number; /* of the generation */
	struct gt_batch batch;
	size_t start; /* where the batch begins in the buffer */
};

/*
 * Reads one batch, header and payload, and steps over it. The four fields of the header come in
 * the order of the row EVENT_BATCH (the experiment's byte stands before them).
 */
static enum found read_batch(struct gt_reader *r, struct head *h, struct gt_error *e)
{
	static const char *const names[] = {"generation", "M", "time", "size"};
	uint64_t field[4];
	const uint8_t *p, *end;
	size_t from = r->at;
	ssize_t n = gt_source_want(r, GT_WIRE_BATCH_HEADER_MAX, e);

	if (n <= 0) {
		return n < 0 ? FOUND_ERROR : FOUND_EOF;
	}
	*h = (struct head){.start = from};
	p = r->bytes + from;
	end = p + n;
	if (*p == GT_EV_END_OF_GENERATION) {
		r->at++;
		return FOUND_END;
	}
	if (*p != GT_EV_EVENT_BATCH && *p != GT_EV_EXPERIMENTAL_BATCH) {
		gt_error_set(e, GT_ERROR_INVALID, offset(r), GT_NOWHERE, GT_NOWHERE,
			     "found byte %u where a batch must begin; expected %u (EventBatch), "
			     "%u (ExperimentalBatch) or %u (EndOfGeneration)",
			     *p, GT_EV_EVENT_BATCH, GT_EV_EXPERIMENTAL_BATCH,
			     GT_EV_END_OF_GENERATION);
		return FOUND_ERROR;
	}
	if (*p++ == GT_EV_EXPERIMENTAL_BATCH) {
		if (p == end) {
			goto truncated;
		}
		h->batch.experiment = *p++;
	}
	for (size_t i = 0; i < GT_LEN(field); i++) {
		int k = gt_varint_get(p, end, &field[i]);

		if (k < 0) {
			gt_error_set(e, GT_ERROR_INVALID, offset(r), GT_NOWHERE, GT_NOWHERE,
				     "the %s in the header of a batch has more than 64 bits",
				     names[i]);
			return FOUND_ERROR;
		}
		if (k == 0) {
			goto truncated;
		}
		p += k;
	}
	h->number = field[0];
	h->batch.m = field[1];
	h->batch.time = field[2];
	h->batch.size = (size_t)field[3];
	if (field[3] > GT_WIRE_BATCH_MAX) {
		gt_error_set(e, GT_ERROR_INVALID, offset(r), h->number, h->batch.m,
			     "invalid batch size %" PRIu64 "; expected at most %u", field[3],
			     GT_WIRE_BATCH_MAX);
		return FOUND_ERROR;
	}
	h->batch.at = (size_t)(p - r->bytes);
	h->batch.head = (uint8_t)(h->batch.at - from);
	n = gt_source_want(r, h->batch.at - from + h->batch.size, e);
	if (n < 0) {
		return FOUND_ERROR;
	}
	if ((size_t)n < h->batch.at - from + h->batch.size) {
		gt_error_set(e, GT_ERROR_TRUNCATED, r->base + from, h->number, h->batch.m,
			     "generation %" PRIu64 " is incomplete: the file ends inside a batch, "
			     "after %zu of its %zu bytes",
			     h->number, (size_t)n - (h->batch.at - from), h->batch.size);
		return FOUND_ERROR;
	}
	h->batch.offset = r->base + h->batch.at;
	r->at = h->batch.at + h->batch.size;
	return FOUND_BATCH;
truncated:
	gt_error_set(e, GT_ERROR_TRUNCATED, offset(r), GT_NOWHERE, GT_NOWHERE,
		     "the file ends inside the header of a batch, after %zd bytes of it", n);
	return FOUND_ERROR;
}

static void keep_batch(struct gt_reader *r, const struct head *h)
{
	r->batches = gt_grow(r->batches, r->nbatches, &r->batches_cap, sizeof(*r->batches));
	r->batches[r->nbatches++] = h->batch;
}

/* --- Generations -------------------------------------------------------------------------- */

static int incomplete(struct gt_reader *r, uint64_t number, struct gt_error *e)
{
	return gt_error_set(e, GT_ERROR_TRUNCATED, offset(r), number, GT_NOWHERE,
			    "generation %" PRIu64 " is incomplete: the file ends after %zu of its "
			    "batches, without an end-of-generation byte",
			    number, r->nbatches);
}

/* The same, cut inside a batch's header, which does not say yet of which generation it is. */
static void in_header(const struct gt_reader *r, uint64_t number, struct gt_error *e)
{
	char what[100];

	snprintf(what, sizeof(what), "%.99s", e->message);
	if (r->nbatches > 0) {
		e->generation = number;
		snprintf(e->message, sizeof(e->message), "generation %" PRIu64 " is incomplete: %s",
			 number, what);
	} else {
		snprintf(e->message, sizeof(e->message), "the next generation is incomplete: %s",
			 what);
	}
}

/* Go 1.26: up to the end byte. */
static int collect(struct gt_reader *r, uint64_t *number, struct gt_error *e)
{
	struct head h;

	for (;;) {
		switch (read_batch(r, &h, e)) {
		case FOUND_ERROR:
			if (e->kind == GT_ERROR_TRUNCATED && e->generation == GT_NOWHERE) {
				in_header(r, *number, e);
			}
			return -1;
		case FOUND_EOF:
			return r->nbatches > 0 ? incomplete(r, *number, e) : 0;
		case FOUND_END:
			return 1;
		case FOUND_BATCH:
			break;
		}
		if (h.number == 0) {
			return gt_error_set(e, GT_ERROR_INVALID, r->base + h.start, 0, h.batch.m,
					    "invalid generation number 0; expected 1 or more");
		}
		if (r->nbatches > 0 && h.number != *number) {
			return gt_error_set(e, GT_ERROR_INVALID, r->base + h.start, h.number,
					    h.batch.m,
					    "found a batch of generation %" PRIu64
					    " before the end of generation %" PRIu64
					    "; expected its end-of-generation byte first "
					    "(generations are interleaved)",
					    h.number, *number);
		}
		*number = h.number;
		keep_batch(r, &h);
	}
}

/*
 * Go 1.22 to 1.25: up to the first batch of the next generation. A batch that cannot be read ends
 * the generation as well: whether it belonged to it or to the next one cannot be known.
 */
static int collect_unmarked(struct gt_reader *r, uint64_t *number, bool *cut, struct gt_error *e)
{
	struct gt_source *s = r->source;
	struct head h;

	if (s->failed) {
		*e = s->error;
		return -1;
	}
	for (;;) {
		switch (read_batch(r, &h, e)) {
		case FOUND_ERROR:
			if (r->nbatches == 0 || e->kind == GT_ERROR_READ) {
				return -1;
			}
			s->failed = true;
			*cut = e->kind == GT_ERROR_TRUNCATED &&
			       (e->generation == GT_NOWHERE || e->generation == *number);
			s->error = *e;
			return 1;
		case FOUND_EOF:
			return r->nbatches > 0;
		case FOUND_END:
			h.number = 0;
			break;
		case FOUND_BATCH:
			break;
		}
		if (h.number == 0) {
			return gt_error_set(e, GT_ERROR_INVALID, r->base + h.start, 0, GT_NOWHERE,
					    "invalid generation number 0; expected 1 or more, and "
					    "no end-of-generation byte before Go 1.26");
		}
		if (r->nbatches == 0) {
			*number = h.number;
		} else if (h.number == *number + 1) {
			r->at = h.start;
			return 1;
		} else if (h.number != *number) {
			return gt_error_set(e, GT_ERROR_INVALID, r->base + h.start, h.number,
					    h.batch.m,
					    "generations out of order: found a batch of "
					    "generation %" PRIu64 " in generation %" PRIu64
					    "; expected that one or the next",
					    h.number, *number);
		}
		keep_batch(r, &h);
	}
}

static void add_to_stream(struct gt_streams *s, struct gt_batch *b)
{
	uintptr_t i = gt_idmap_get(&s->by_m, b->m);

	if (i == 0) {
		s->array = gt_grow(s->array, s->count, &s->cap, sizeof(*s->array));
		s->array[s->count++] = (struct gt_stream){b->m, b, b};
		gt_idmap_put(&s->by_m, b->m, s->count);
		return;
	}
	s->array[i - 1].last->next = b;
	s->array[i - 1].last = b;
}

/* Sorts the batches by what is in them. A payload's first byte says so, as in Go's reader. */
static int sort_batches(struct gt_reader *r, struct gt_generation *g, struct gt_error *e)
{
	const uint8_t sync = r->source->version >= 25 ? GT_EV_SYNC : GT_EV_FREQUENCY;
	uint64_t first = 0;
	int status = 0;

	for (size_t i = 0; i < r->nbatches && status == 0; i++) {
		struct gt_batch *b = &r->batches[i];
		uint8_t byte = b->size > 0 && b->experiment == 0 ? r->bytes[b->at] : 0;

		b->data = r->bytes + b->at;
		if (first == 0 || b->time < first) {
			first = b->time;
		}
		if (b->experiment != 0) {
			if (b->experiment == GT_FACT_EXPERIMENT && b->size >= 2 &&
			    b->data[0] == GT_FACT_MAGIC && b->data[1] == GT_FACT_VERSION) {
				add_to_stream(&g->facts, b);
			} else if (b->experiment == GT_FACT_EXPERIMENT) {
				g->experiments++;
				add_to_stream(&g->others, b);
			} else {
				status = gt_error_set(
					e, GT_ERROR_INVALID, b->offset, g->number, b->m,
					"a batch of experiment %u; expected 1, the only one "
					"that Go's reader has a name for",
					b->experiment);
			}
		} else if (byte == GT_EV_STRINGS) {
			status = gt_tables_strings(g, b, e);
		} else if (byte == GT_EV_STACKS) {
			status = gt_tables_stacks(g, b, e);
		} else if (byte == GT_EV_CPU_SAMPLES) {
			status = gt_tables_samples(g, b, e);
		} else if (byte == sync) {
			status = gt_tables_sync(g, b, r->source->version, e);
		} else {
			add_to_stream(&g->streams, b);
		}
	}
	g->batches = r->batches;
	g->nbatches = r->nbatches;
	g->start = first; /* ticks; gt_tables_finish knows how long they are */
	return status;
}

/* The bytes of the next generation, and its batches: 1, 0 at the end of the file, -1. */
static int fetch(struct gt_reader *r, struct gt_error *e)
{
	struct gt_generation *g = &r->generation;
	struct gt_source *s = r->source;
	uint64_t number = 0;
	bool cut = false;
	int n;

	gt_source_take(r);
	r->nbatches = 0;
	g->offset = r->base;
	n = s->over            ? 0
	    : s->version >= 26 ? collect(r, &number, e)
			       : collect_unmarked(r, &number, &cut, e);
	n = gt_source_check(r, n, e);
	s->over |= n < 0;
	if (n <= 0) {
		return n;
	}
	g->number = number;
	g->index = ++s->generations;
	g->size = r->at;
	g->end = r->bytes + r->at;
	g->cut = cut;
	gt_progress_at(s->input != NULL ? gt_input_at(s->input) : offset(r));
	gt_source_leave(r);
	return 1;
}

int gt_reader_next(struct gt_reader *r, struct gt_generation **out, struct gt_error *e)
{
	struct gt_generation *g = &r->generation;
	int n;

	if (g->end != NULL && r->source->file.data != NULL) {
		gt_mapped_forget(g->end - g->size, g->size);
	}
	gt_tables_reset(g);
	pthread_mutex_lock(&r->source->lock);
	n = fetch(r, e);
	pthread_mutex_unlock(&r->source->lock);
	if (n <= 0) {
		return n;
	}
	if (sort_batches(r, g, e) < 0 || gt_tables_finish(g, gt_reader_version(r), e) < 0) {
		if (g->cut && e->kind == GT_ERROR_INVALID) {
			e->kind = GT_ERROR_TRUNCATED;
		}
		return -1;
	}
	*out = g;
	return 1;
}
