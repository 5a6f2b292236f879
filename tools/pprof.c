/*
 * The writer of profile.proto.
 *
 * Frames become locations: one for a function and those that are inlined into it, which in a trace
 * are frames of their own (reader.h). The messages go out in the order in which they are known; the
 * string table, which all of them index, is last.
 */
#include "pprof.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "gzip.h"
#include "proto.h"
#include "span_text.h"

/* Fields of profile.proto. */
enum {
	PROFILE_SAMPLE_TYPE = 1,
	PROFILE_SAMPLE = 2,
	PROFILE_MAPPING = 3,
	PROFILE_LOCATION = 4,
	PROFILE_FUNCTION = 5,
	PROFILE_STRING_TABLE = 6,
	PROFILE_TIME_NANOS = 9,
	PROFILE_DURATION_NANOS = 10,
	PROFILE_PERIOD_TYPE = 11,
	PROFILE_PERIOD = 12,
	PROFILE_COMMENT = 13,
	VALUE_TYPE_TYPE = 1,
	VALUE_TYPE_UNIT = 2,
	SAMPLE_LOCATION_ID = 1,
	SAMPLE_VALUE = 2,
	SAMPLE_LABEL = 3,
	LABEL_KEY = 1,
	LABEL_STR = 2,
	LABEL_NUM = 3,
	MAPPING_ID = 1,
	MAPPING_MEMORY_START = 2,
	MAPPING_MEMORY_LIMIT = 3,
	MAPPING_FILE_OFFSET = 4,
	MAPPING_FILENAME = 5,
	MAPPING_BUILD_ID = 6,
	MAPPING_HAS_FUNCTIONS = 7,
	LOCATION_ID = 1,
	LOCATION_MAPPING_ID = 2,
	LOCATION_ADDRESS = 3,
	LOCATION_LINE = 4,
	LINE_FUNCTION_ID = 1,
	LINE_LINE = 2,
	FUNCTION_ID = 1,
	FUNCTION_NAME = 2,
	FUNCTION_SYSTEM_NAME = 3,
	FUNCTION_FILENAME = 4,
};

struct function {
	uint32_t name, file; /* strings of the profile */
};

struct writer {
	const struct gt_pprof *in;
	const struct gt_spans *spans;
	struct gt_proto out;
	/* The id in the file is the index, of the latter two that + 1. */
	struct gt_set strings, functions;
	struct gt_set
		locations; /* key: uint64_t: the address, then function and line of each line */
	uint64_t *key;     /* room for one */
	const struct gt_profile_mapping **mappings; /* sorted by address */
};

static uint32_t string(struct writer *w, const char *text)
{
	return gt_set_put(&w->strings, text, strlen(text));
}

static uint64_t function(struct writer *w, const char *name, const char *file)
{
	const struct function f = {string(w, name), string(w, file)};

	return gt_set_put(&w->functions, &f, sizeof(f)) + 1;
}

/* The id of a location of so many words in key. */
static uint64_t location(struct writer *w, size_t words)
{
	return gt_set_put(&w->locations, w->key, words * sizeof(*w->key)) + 1;
}

/* The one of the first of n frames, and of those that it is inlined into: that many go into *used.
 */
static uint64_t location_of(struct writer *w, const struct gt_span_frame *frames, size_t n,
			    size_t *used)
{
	const uint64_t pc = GT_PC_REAL(frames->pc);
	size_t words = 0, i = 0;
	bool inlined;

	w->key = gt_realloc(w->key, (1 + 2 * n) * sizeof(*w->key));
	w->key[words++] = pc;
	do {
		struct gt_span_words room;

		w->key[words++] = function(w, gt_span_frame_name(w->spans, &frames[i], &room),
					   gt_spans_string(w->spans, frames[i].file, NULL));
		w->key[words++] = frames[i].line;
		inlined = GT_PC_DEPTH(frames[i].pc) != 0;
		i++;
	} while (inlined && i < n && GT_PC_REAL(frames[i].pc) == pc);
	*used = i;
	return location(w, words);
}

/* That of no frame. */
static uint64_t location_unknown(struct writer *w, const char *name)
{
	w->key = gt_realloc(w->key, 3 * sizeof(*w->key));
	w->key[0] = 0;
	w->key[1] = function(w, name, "");
	w->key[2] = 0;
	return location(w, 3);
}

static void put_value_type(struct writer *w, unsigned field, const char *type, const char *unit)
{
	const size_t mark = gt_proto_begin(&w->out, field);

	gt_proto_uint(&w->out, VALUE_TYPE_TYPE, string(w, type));
	gt_proto_uint(&w->out, VALUE_TYPE_UNIT, string(w, unit));
	gt_proto_end(&w->out, mark);
}

static void put_comment(struct writer *w, const char *text)
{
	gt_proto_uint(&w->out, PROFILE_COMMENT, string(w, text));
}

/* Types, times and comments: all but samples and what they refer to. */
static void put_head(struct writer *w)
{
	const struct gt_profile *p = w->in->profile;
	char text[300];

	if (p->type->kind == GT_SPAN_EVENT) {
		put_value_type(w, PROFILE_SAMPLE_TYPE, "samples", "count");
		put_value_type(w, PROFILE_PERIOD_TYPE, "samples", "count");
	} else {
		/* The types of Go's own profiles of this kind. */
		put_value_type(w, PROFILE_SAMPLE_TYPE, "contentions", "count");
		put_value_type(w, PROFILE_SAMPLE_TYPE, "delay", "nanoseconds");
		put_value_type(w, PROFILE_PERIOD_TYPE, "contentions", "count");
	}
	gt_proto_uint(&w->out, PROFILE_PERIOD, 1); /* each one is there */
	gt_proto_uint(&w->out, PROFILE_TIME_NANOS, p->wall ? p->wall + p->window.from : 0);
	gt_proto_uint(&w->out, PROFILE_DURATION_NANOS, p->end - p->begin);
	snprintf(text, sizeof(text), "gtrace pprof --type %s %s", p->type->name, w->in->path);
	put_comment(w, text);
	if (w->in->problem != NULL) {
		snprintf(text, sizeof(text), "only in part: %s", w->in->problem);
		put_comment(w, text);
	}
	for (size_t i = 0; i < p->broken.count; i++) {
		struct gt_broken_words room;

		snprintf(text, sizeof(text), "tracing ended early: %s",
			 gt_broken_words(&p->broken.array[i], &room));
		put_comment(w, text);
	}
	for (unsigned i = 0; i < GT_LOSS_END; i++) {
		if (p->loss[i]) {
			snprintf(text, sizeof(text), "lost: %" PRIu64 " %s", p->loss[i],
				 gt_loss_text(i));
			put_comment(w, text);
		}
	}
}

static void put_label(struct writer *w, const char *key, const char *text)
{
	size_t mark;

	if (text == NULL || *text == '\0') {
		return;
	}
	mark = gt_proto_begin(&w->out, SAMPLE_LABEL);
	gt_proto_uint(&w->out, LABEL_KEY, string(w, key));
	gt_proto_uint(&w->out, LABEL_STR, string(w, text));
	gt_proto_end(&w->out, mark);
}

static void put_number(struct writer *w, const char *key, uint64_t number)
{
	const size_t mark = gt_proto_begin(&w->out, SAMPLE_LABEL);

	gt_proto_uint(&w->out, LABEL_KEY, string(w, key));
	gt_proto_uint(&w->out, LABEL_NUM, number);
	gt_proto_end(&w->out, mark);
}

/* A global by its name; "0x55e2#1", where another one was there before. */
static void put_object(struct writer *w, const struct gt_span_object *o)
{
	const char *name = o->kind == GT_OBJECT_THREAD
				   ? NULL
				   : gt_globals_name(w->in->profile->globals, o->address);
	char text[64];
	int n = snprintf(text, sizeof(text), "0x%" PRIx64, o->address);

	if (o->epoch != 0) {
		snprintf(text + n, sizeof(text) - (size_t)n, "#%" PRIu64, o->epoch);
	}
	put_label(w, "object", name != NULL ? name : text);
}

static void put_labels(struct writer *w, const struct gt_profile_key *key)
{
	const struct gt_profile *p = w->in->profile;
	struct gt_span_words words;
	struct gt_call_name room;

	put_label(w, "what", gt_profile_what(p, key, &room));
	if (key->thread != GT_SPAN_NONE) {
		const struct gt_span_thread *t = gt_spans_thread(w->spans, key->thread);

		put_label(w, "thread", gt_span_thread_name(w->spans, key->thread, &words));
		put_label(w, "routine", gt_spans_string(w->spans, t->routine, NULL));
		if (t->tid != GT_NO_M) {
			put_number(w, "tid", t->tid);
		}
	}
	if (key->waiter != GT_SPAN_NONE) {
		put_label(w, "waiter", gt_span_thread_name(w->spans, key->waiter, &words));
	}
	if (key->object != GT_SPAN_NONE) {
		put_object(w, gt_spans_object(w->spans, key->object));
	}
}

static void put_sample(struct writer *w, const struct gt_profile_key *key,
		       const struct gt_profile_sum *sum)
{
	const struct gt_profile *p = w->in->profile;
	const size_t sample = gt_proto_begin(&w->out, PROFILE_SAMPLE);
	size_t mark = gt_proto_begin(&w->out, SAMPLE_LOCATION_ID), n;
	const struct gt_span_frame *frames = gt_spans_stack(w->spans, key->stack, &n);

	for (size_t i = 0, used; i < n; i += used) {
		gt_proto_packed(&w->out, location_of(w, frames + i, n - i, &used));
	}
	if (n == 0) {
		gt_proto_packed(&w->out, location_unknown(w, gt_profile_no_stack(p)));
	}
	gt_proto_end(&w->out, mark);
	mark = gt_proto_begin(&w->out, SAMPLE_VALUE);
	gt_proto_packed(&w->out, sum->count);
	if (p->type->kind != GT_SPAN_EVENT) {
		gt_proto_packed(&w->out, sum->ns);
	}
	gt_proto_end(&w->out, mark);
	put_labels(w, key);
	gt_proto_end(&w->out, sample);
}

static int by_start(const void *a, const void *b)
{
	const struct gt_profile_mapping *const *x = a, *const *y = b;

	return (*x)->start < (*y)->start ? -1 : (*x)->start > (*y)->start;
}

/*
 * Sorted by address: pprof takes the first one for the program itself, which lies below its
 * libraries unless it is linked to a fixed address, where it does as well.
 */
static void put_mappings(struct writer *w)
{
	const struct gt_set *set = &w->in->profile->mappings;

	w->mappings = gt_alloc(set->count * sizeof(struct gt_profile_mapping *));
	for (size_t i = 0; i < set->count; i++) {
		w->mappings[i] = gt_set_key(set, i, NULL);
	}
	qsort(w->mappings, set->count, sizeof(*w->mappings), by_start);
	for (size_t i = 0; i < set->count; i++) {
		const struct gt_profile_mapping *m = w->mappings[i];
		const size_t mark = gt_proto_begin(&w->out, PROFILE_MAPPING);

		gt_proto_uint(&w->out, MAPPING_ID, i + 1);
		gt_proto_uint(&w->out, MAPPING_MEMORY_START, m->start);
		gt_proto_uint(&w->out, MAPPING_MEMORY_LIMIT, m->start + m->bytes);
		gt_proto_uint(&w->out, MAPPING_FILE_OFFSET, m->offset);
		gt_proto_uint(&w->out, MAPPING_FILENAME,
			      string(w, gt_spans_string(w->spans, m->file, NULL)));
		gt_proto_uint(&w->out, MAPPING_BUILD_ID,
			      string(w, gt_spans_string(w->spans, m->build_id, NULL)));
		gt_proto_uint(&w->out, MAPPING_HAS_FUNCTIONS, 1); /* pprof need not look for them */
		gt_proto_end(&w->out, mark);
	}
}

/* The id of the mapping that a frame lies in; 0: none is known, as of code made at run time. */
static uint64_t mapping_of(const struct writer *w, uint64_t pc)
{
	for (size_t i = 0; i < w->in->profile->mappings.count; i++) {
		if (pc >= w->mappings[i]->start &&
		    pc - w->mappings[i]->start < w->mappings[i]->bytes) {
			return i + 1;
		}
	}
	return 0;
}

static void put_tables(struct writer *w)
{
	for (size_t i = 0; i < w->locations.count; i++) {
		size_t size;
		const uint64_t *key = gt_set_key(&w->locations, i, &size);
		const size_t mark = gt_proto_begin(&w->out, PROFILE_LOCATION);

		gt_proto_uint(&w->out, LOCATION_ID, i + 1);
		gt_proto_uint(&w->out, LOCATION_MAPPING_ID, mapping_of(w, key[0]));
		gt_proto_uint(&w->out, LOCATION_ADDRESS, key[0]);
		for (size_t k = 1; k < size / sizeof(*key); k += 2) {
			const size_t line = gt_proto_begin(&w->out, LOCATION_LINE);

			gt_proto_uint(&w->out, LINE_FUNCTION_ID, key[k]);
			gt_proto_uint(&w->out, LINE_LINE, key[k + 1]);
			gt_proto_end(&w->out, line);
		}
		gt_proto_end(&w->out, mark);
	}
	for (size_t i = 0; i < w->functions.count; i++) {
		const struct function *f = gt_set_key(&w->functions, i, NULL);
		const size_t mark = gt_proto_begin(&w->out, PROFILE_FUNCTION);

		gt_proto_uint(&w->out, FUNCTION_ID, i + 1);
		gt_proto_uint(&w->out, FUNCTION_NAME, f->name);
		gt_proto_uint(&w->out, FUNCTION_SYSTEM_NAME, f->name);
		gt_proto_uint(&w->out, FUNCTION_FILENAME, f->file);
		gt_proto_end(&w->out, mark);
	}
	for (size_t i = 0; i < w->strings.count; i++) {
		size_t size;
		const char *text = gt_set_key(&w->strings, i, &size);

		gt_proto_text(&w->out, PROFILE_STRING_TABLE, text, size);
	}
}

void gt_pprof_write(const struct gt_pprof *in, FILE *out)
{
	struct writer w = {.in = in, .spans = in->profile->spans};
	const struct gt_set *samples = &in->profile->samples;

	string(&w, ""); /* the first one is it */
	put_head(&w);
	for (size_t i = 0; i < samples->count; i++) {
		const struct gt_profile_key *key = gt_set_key(samples, i, NULL);

		if (gt_profile_shows(in->profile, key, in->system)) {
			put_sample(&w, key, gt_set_value(samples, i));
		}
	}
	put_mappings(&w);
	put_tables(&w);
	gt_gzip_write(w.out.data, w.out.size, out);
	free(w.mappings);
	free(w.key);
	gt_set_fini(&w.strings);
	gt_set_fini(&w.functions);
	gt_set_fini(&w.locations);
	gt_proto_fini(&w.out);
}
