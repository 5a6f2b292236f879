/*
 * gtrace export --to sqlite: a trace as a database, for questions of one's own.
 *
 * Rows of spans are written as they come, in one transaction, without a journal: the file has its
 * name only when it is whole (output.h). Threads, objects, strings and stacks, which all others
 * refer to, come at the end, when all of them are known; then indexes and views.
 */
#include "export.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "rows.h"
#include "span_text.h"
#include "sqlite_schema.h"

#define INSERTS                         \
	INSERT(META, "meta", 2)         \
	INSERT(STRINGS, "strings", 2)   \
	INSERT(STACKS, "stacks", 3)     \
	INSERT(FRAMES, "frames", 6)     \
	INSERT(THREADS, "threads", 9)   \
	INSERT(OBJECTS, "objects", 5)   \
	INSERT(STATES, "states", 7)     \
	INSERT(WAITS, "waits", 15)      \
	INSERT(WAKES, "wakes", 5)       \
	INSERT(SYSCALLS, "syscalls", 9) \
	INSERT(SAMPLES, "samples", 3)   \
	INSERT(EVENTS, "events", 8)

enum table {
#define INSERT(id, name, columns) TABLE_##id,
	INSERTS
#undef INSERT
		TABLE_END,
};

static const struct gt_rows_table tables[] = {
#define INSERT(id, name, columns) {name, columns},
	INSERTS
#undef INSERT
};

struct database {
	struct gt_rows rows;
	const struct gt_export *x;
	struct gt_spans *spans;
	uint64_t begin; /* of the trace */
	uint64_t wall;  /* ns of the wall clock then; 0: not known */
	uint64_t loss[GT_LOSS_END];
	struct gt_broken_offs broken;
	struct gt_globals *globals;
};

static void put_index(struct database *db, uint32_t index)
{
	gt_rows_number_if(&db->rows, index != GT_SPAN_NONE, index);
}

static void put_stack(struct database *db, uint32_t stack)
{
	gt_rows_number_if(&db->rows, stack != 0, stack);
}

static void put_time(struct database *db, uint64_t time)
{
	gt_rows_number(&db->rows, time - db->begin);
}

static void put_thread(struct database *db, uint32_t thread)
{
	if (thread == GT_SPAN_NONE) {
		gt_rows_null(&db->rows);
	} else {
		gt_rows_number(&db->rows, gt_spans_thread(db->spans, thread)->id);
	}
}

static void put_call(struct database *db, const struct gt_span *span, struct gt_call_name *room)
{
	gt_rows_word(&db->rows, span->named ? gt_call_name(span->call, room) : NULL);
	gt_rows_number_if(&db->rows, span->named && span->argument != 0, span->argument - 1);
	gt_rows_number_if(&db->rows, span->named, (uint64_t)span->result);
}

/* --- Spans ------------------------------------------------------------------------------------ */

static void put_wait(struct database *db, const struct gt_span *span)
{
	struct gt_call_name room;

	gt_rows_begin(&db->rows, TABLE_WAITS);
	gt_rows_null(&db->rows); /* SQLite numbers them */
	put_thread(db, span->thread);
	put_time(db, span->begin);
	put_time(db, span->end);
	put_stack(db, span->stack);
	put_index(db, span->reason);
	gt_rows_number_if(&db->rows, span->object != GT_SPAN_NONE, (uint64_t)span->object + 1);
	put_thread(db, span->owner);
	gt_rows_word(&db->rows, gt_span_how_name(span->how));
	gt_rows_number(&db->rows, span->ready);
	gt_rows_number_if(&db->rows, span->retakes, span->retake);
	put_thread(db, span->retakes ? span->retake_owner : GT_SPAN_NONE);
	put_call(db, span, &room);
	gt_rows_end(&db->rows);
	if (span->waker == GT_SPAN_NONE) {
		return;
	}
	gt_rows_begin(&db->rows, TABLE_WAKES);
	gt_rows_number(&db->rows, gt_rows_last(&db->rows));
	put_time(db, span->end);
	put_thread(db, span->waker);
	put_thread(db, span->thread);
	put_stack(db, span->waker_stack);
	gt_rows_end(&db->rows);
}

static void put_syscall(struct database *db, const struct gt_span *span)
{
	struct gt_call_name room;

	gt_rows_begin(&db->rows, TABLE_SYSCALLS);
	gt_rows_null(&db->rows);
	put_thread(db, span->thread);
	put_time(db, span->begin);
	gt_rows_number_if(&db->rows, span->kind == GT_SPAN_SYSCALL, span->end - db->begin);
	put_stack(db, span->stack);
	put_call(db, span, &room);
	gt_rows_number_if(&db->rows, span->lost != 0, span->lost - db->begin);
	gt_rows_end(&db->rows);
}

static void put_state(struct database *db, const struct gt_span *span)
{
	const bool runnable = span->kind == GT_SPAN_RUNNABLE;

	gt_rows_begin(&db->rows, TABLE_STATES);
	gt_rows_null(&db->rows);
	put_thread(db, span->thread);
	gt_rows_word(&db->rows, gt_span_kind_name(span->kind));
	put_time(db, span->begin);
	put_time(db, span->end);
	put_stack(db, span->stack);
	put_index(db, runnable ? span->reason : GT_SPAN_NONE);
	gt_rows_end(&db->rows);
}

static void put_span(struct database *db, struct gt_span *span)
{
	if (!gt_window_thread(&db->x->window, db->spans, span->thread) ||
	    !gt_window_span(&db->x->window, db->spans, span)) {
		return;
	}
	if (span->kind == GT_SPAN_WAIT) {
		put_wait(db, span);
	} else if (span->kind == GT_SPAN_SYSCALL || span->kind == GT_SPAN_CALL) {
		put_syscall(db, span);
	} else {
		put_state(db, span);
	}
}

/* --- Events ----------------------------------------------------------------------------------- */

static void put_sample(struct database *db, const struct gt_event *ev)
{
	gt_rows_begin(&db->rows, TABLE_SAMPLES);
	put_time(db, ev->time);
	put_thread(db, gt_spans_by_id(db->spans, ev->g));
	put_stack(db, gt_spans_stack_of(db->spans, ev->args[0]));
	gt_rows_end(&db->rows);
}

/* "reason_string=sync stack=12": strings themselves, and stacks by their number here. */
static const char *arguments(struct database *db, const struct gt_event *ev, char *text,
			     size_t size)
{
	const struct gt_spec *spec = gt_event_spec(ev);
	size_t n = 0;

	text[0] = '\0';
	for (unsigned i = 0; i < spec->nargs && n < size; i++) {
		const char *before = i > 0 ? " " : "", *name = spec->args[i].name;
		int more;

		if (spec->args[i].type == GT_ARG_str) {
			const uint32_t string = gt_spans_string_of(db->spans, ev->args[i]);

			more = snprintf(text + n, size - n, "%s%s=%s", before, name,
					gt_spans_string(db->spans, string, NULL));
		} else {
			const bool stack = spec->args[i].type == GT_ARG_stack;

			more = snprintf(text + n, size - n, "%s%s=%" PRIu64, before, name,
					stack ? gt_spans_stack_of(db->spans, ev->args[i])
					      : ev->args[i]);
		}
		n += (size_t)more;
	}
	return text;
}

static void put_event(struct database *db, const struct gt_event *ev)
{
	char text[400];

	gt_rows_begin(&db->rows, TABLE_EVENTS);
	gt_rows_null(&db->rows);
	put_time(db, ev->time);
	gt_rows_number(&db->rows, gt_spans_generation(db->spans)->number);
	gt_rows_number_if(&db->rows, ev->m != GT_NO_M, ev->m);
	gt_rows_number_if(&db->rows, ev->p != GT_NO_P, ev->p);
	gt_rows_number_if(&db->rows, ev->g != GT_NO_G, ev->g);
	gt_rows_word(&db->rows, gt_event_spec(ev)->name);
	gt_rows_text(&db->rows, arguments(db, ev, text, sizeof(text)));
	gt_rows_end(&db->rows);
}

static void add_mapping(struct database *db, const struct gt_event *ev)
{
	const uint32_t file = gt_spans_string_of(db->spans, ev->args[3]);
	const uint32_t build_id = gt_spans_string_of(db->spans, ev->args[4]);

	gt_globals_map(db->globals, ev->args[0], ev->args[1], ev->args[2],
		       gt_spans_string(db->spans, file, NULL),
		       gt_spans_string(db->spans, build_id, NULL));
}

static void event(struct database *db, const struct gt_event *ev)
{
	const uint64_t what = ev->args[0] < GT_LOSS_END ? ev->args[0] : GT_LOSS_NONE;
	uint64_t from = ev->time, to = ev->time;

	if (ev->kind == GT_FACT && ev->number == GT_FACT_LOSS) {
		db->loss[what] = GT_MAX(db->loss[what], ev->args[1]);
	}
	if (ev->kind == GT_FACT && ev->number == GT_FACT_BROKEN) {
		gt_broken_note(&db->broken, ev);
	}
	if (ev->kind == GT_FACT && ev->number == GT_FACT_MAPPING) {
		add_mapping(db, ev);
	}
	if (!gt_window_clip(&db->x->window, db->begin, &from, &to)) {
		return;
	}
	if (ev->kind == GT_STRUCT && ev->number == GT_EV_CPU_SAMPLE) {
		put_sample(db, ev);
	}
	if (db->x->events && !ev->implied) {
		put_event(db, ev);
	}
}

/* --- What they refer to ----------------------------------------------------------------------- */

static void put_meta(struct database *db, const char *key, const char *text, uint64_t number)
{
	gt_rows_begin(&db->rows, TABLE_META);
	gt_rows_text(&db->rows, key);
	if (text != NULL) {
		gt_rows_text(&db->rows, text);
	} else {
		gt_rows_number(&db->rows, number);
	}
	gt_rows_end(&db->rows);
}

static void put_metas(struct database *db, unsigned version, const struct gt_error *e)
{
	char text[sizeof(e->message) + 300];

	put_meta(db, "file", db->x->path, 0);
	put_meta(db, "writer", gt_spans_by_gtrace(db->spans) ? "gtrace" : "go", 0);
	snprintf(text, sizeof(text), "1.%u", version);
	put_meta(db, "format", text, 0);
	put_meta(db, "duration_ns", NULL, gt_spans_end(db->spans) - db->begin);
	put_meta(db, "clock_begin_ns", NULL, db->begin);
	if (db->wall != 0) {
		put_meta(db, "wall_begin_ns", NULL, db->wall);
	}
	if (e != NULL) {
		gt_error_text(e, text, sizeof(text));
		put_meta(db, "problem", text, 0);
	}
	for (size_t i = 0; i < db->broken.count; i++) {
		const struct gt_broken_off *b = &db->broken.array[i];
		struct gt_broken_words room;

		snprintf(text, sizeof(text), i == 0 ? "ended_early" : "ended_early %zu", i + 1);
		put_meta(db, text, gt_broken_words(b, &room), 0);
		snprintf(text, sizeof(text), i == 0 ? "ended_early_ns" : "ended_early_ns %zu",
			 i + 1);
		put_meta(db, text, NULL, b->time - GT_MIN(b->time, db->begin));
	}
	for (unsigned i = 0; i < GT_LOSS_END; i++) {
		if (db->loss[i] != 0) {
			const char *what = gt_loss_text(i);

			snprintf(text, sizeof(text), "lost: %s", what ? what : "of unknown kinds");
			put_meta(db, text, NULL, db->loss[i]);
		}
	}
}

static void put_threads(struct database *db)
{
	for (uint32_t i = 0; i < gt_spans_threads(db->spans); i++) {
		const struct gt_span_thread *t = gt_spans_thread(db->spans, i);
		struct gt_span_words words;

		gt_rows_begin(&db->rows, TABLE_THREADS);
		gt_rows_number(&db->rows, t->id);
		gt_rows_number_if(&db->rows, t->tid != GT_NO_M, t->tid);
		gt_rows_text(&db->rows, gt_span_thread_name(db->spans, i, &words));
		gt_rows_text(&db->rows, t->routine == GT_SPAN_NONE
						? NULL
						: gt_spans_string(db->spans, t->routine, NULL));
		gt_rows_number(&db->rows, gt_spans_is_system(db->spans, i));
		put_thread(db, t->creator);
		put_stack(db, t->creator_stack);
		gt_rows_number(&db->rows, t->seen ? t->created - db->begin : 0);
		gt_rows_number_if(&db->rows, t->ended != 0, t->ended - db->begin);
		gt_rows_end(&db->rows);
	}
}

/* "mutex #5 table", "mutex #5 0x5567": by the numbers of gtrace stat. */
static void put_object(struct database *db, uint32_t object)
{
	const struct gt_span_object *o = gt_spans_object(db->spans, object);
	const char *kind = gt_object_text(o->kind);
	const char *global =
		o->kind == GT_OBJECT_THREAD ? NULL : gt_globals_name(db->globals, o->address);
	char name[300];
	int n;

	kind = kind != NULL ? kind : "unknown";
	n = snprintf(name, sizeof(name), "%s #%" PRIu32 " ", kind, object + 1);
	if (global != NULL) {
		snprintf(name + n, sizeof(name) - (size_t)n, "%s", global);
	} else {
		snprintf(name + n, sizeof(name) - (size_t)n, "0x%" PRIx64, o->address);
	}
	gt_rows_begin(&db->rows, TABLE_OBJECTS);
	gt_rows_number(&db->rows, object + 1);
	gt_rows_word(&db->rows, kind);
	gt_rows_number(&db->rows, o->address);
	gt_rows_number(&db->rows, o->epoch);
	gt_rows_text(&db->rows, name);
	gt_rows_end(&db->rows);
}

static void put_frames(struct database *db, uint32_t stack, const struct gt_span_frame *frames,
		       size_t n)
{
	for (size_t i = 0; i < n; i++) {
		gt_rows_begin(&db->rows, TABLE_FRAMES);
		gt_rows_number(&db->rows, stack);
		gt_rows_number(&db->rows, i);
		gt_rows_number(&db->rows, frames[i].pc);
		put_index(db, frames[i].func);
		put_index(db, frames[i].file);
		gt_rows_number_if(&db->rows, frames[i].line != 0, frames[i].line);
		gt_rows_end(&db->rows);
	}
}

/* "take ← serve ← main" */
static char *stack_text(struct database *db, const struct gt_span_frame *frames, size_t n)
{
	static const char arrow[] = " ← ";
	struct gt_span_words words;
	char *text = gt_alloc(1);
	size_t size = 0;

	for (size_t i = 0; i < n; i++) {
		const char *name = gt_span_frame_name(db->spans, &frames[i], &words);

		text = gt_realloc(text, size + sizeof(arrow) + strlen(name));
		size += (size_t)sprintf(text + size, "%s%s", i > 0 ? arrow : "", name);
	}
	return text;
}

static void put_stacks(struct database *db)
{
	for (uint32_t i = 1; i < gt_spans_stacks(db->spans); i++) {
		size_t n;
		const struct gt_span_frame *frames = gt_spans_stack(db->spans, i, &n);
		char *text = stack_text(db, frames, n);

		gt_rows_begin(&db->rows, TABLE_STACKS);
		gt_rows_number(&db->rows, i);
		gt_rows_number(&db->rows, n);
		gt_rows_text(&db->rows, text);
		gt_rows_end(&db->rows);
		free(text);
		put_frames(db, i, frames, n);
	}
	for (uint32_t i = 0; i < gt_spans_strings(db->spans); i++) {
		gt_rows_begin(&db->rows, TABLE_STRINGS);
		gt_rows_number(&db->rows, i);
		gt_rows_text(&db->rows, gt_spans_string(db->spans, i, NULL));
		gt_rows_end(&db->rows);
	}
}

/* --- The whole -------------------------------------------------------------------------------- */

/* As gt_spans_next at its end; 0 also after an error of the database. */
static int put_trace(struct database *db, struct gt_error *e)
{
	struct gt_span span;
	int n = 0;

	while (db->rows.error == 0 && (n = gt_spans_next(db->spans, &span, e)) > 0) {
		db->begin = gt_spans_begin(db->spans);
		if (span.kind != GT_SPAN_EVENT) {
			put_span(db, &span);
			continue;
		}
		if (db->wall == 0) {
			db->wall = gt_profile_wall(db->spans);
		}
		event(db, span.event);
	}
	return GT_MIN(n, 0);
}

static void put_rest(struct database *db, unsigned version, const struct gt_error *e)
{
	put_metas(db, version, e);
	put_threads(db);
	for (uint32_t i = 0; i < gt_spans_objects(db->spans); i++) {
		put_object(db, i);
	}
	put_stacks(db);
	for (size_t i = 0; gt_sqlite_after[i] != NULL; i++) {
		gt_rows_run(&db->rows, gt_sqlite_after[i]);
	}
}

int gt_export_sqlite(const struct gt_export *x, struct gt_error *e)
{
	struct gt_merge *merge = gt_merge_open(x->path, 0, e);
	struct database db = {.x = x, .globals = gt_globals_create()};
	const char *problem;
	int n;

	if (merge == NULL) {
		gt_globals_destroy(db.globals);
		return -1;
	}
	db.spans = gt_spans_open(merge, GT_SPANS_EVENTS);
	gt_rows_open(&db.rows, x->name, gt_sqlite_tables, tables, GT_LEN(tables));
	n = put_trace(&db, e);
	if (n == 0 || e->kind == GT_ERROR_TRUNCATED) {
		put_rest(&db, gt_merge_version(merge), n < 0 ? e : NULL);
	}
	problem = gt_rows_close(&db.rows);
	if (problem != NULL) {
		n = gt_error_set(e, GT_ERROR_READ, GT_NOWHERE, GT_NOWHERE, GT_NOWHERE,
				 "the database cannot be written: %s: %s", x->name, problem);
	}
	free(db.broken.array);
	gt_spans_close(db.spans);
	gt_merge_close(merge);
	gt_globals_destroy(db.globals);
	return n;
}
