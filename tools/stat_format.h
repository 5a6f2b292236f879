/*
 * Words and lines of the text view: how names, numbers and durations look, and columns.
 *
 * What comes from the file is shown without control characters and not wider than asked for.
 */
#pragma once

#include "stat_view.h"

enum {
	GT_COLUMNS = 115,         /* of a line */
	GT_COLUMNS_DETAILS = 104, /* of one below a row */
	GT_COLUMNS_WHERE = 55,    /* of what stands behind the numbers of a row */
	GT_COLUMNS_NAME = 28,     /* of a thread's name */
	GT_COLUMNS_TIME = 9,      /* of a duration, with the space before it */
	GT_COLUMNS_BAR = 24,      /* of a bar */
	GT_COLUMNS_STACK = 42,    /* of a stack */
};

/* A piece of text, short enough to be passed around. */
struct gt_word {
	char s[320];
};

GT_PRINTF(1, 2) struct gt_word gt_word(const char *format, ...);
size_t gt_word_columns(const struct gt_stat *st, const char *s);
/* A name out of the file. */
struct gt_word gt_word_clip(const struct gt_stat *st, const char *name, size_t wide);
/* "1,234,567" */
struct gt_word gt_word_number(uint64_t n);
/* Three digits and a unit: "1.23 ms". */
struct gt_word gt_word_duration(const struct gt_stat *st, uint64_t ns);
struct gt_word gt_word_percent(uint64_t part, uint64_t whole);

/* In a trace of gtrace a reason is one of its own: "mutex" for "sync". */
struct gt_word gt_word_reason(const struct gt_stat *st, uint32_t name);
struct gt_word gt_word_routine(const struct gt_stat *st, uint32_t name, size_t wide);
/* "worker", "worker #7" where there are several, "label" or "label #7". */
struct gt_word gt_word_thread(const struct gt_stat *st, uint32_t thread, size_t wide);
/* Threads with one start routine: "worker ×4", or their label if they have the same. */
struct gt_word gt_word_group(const struct gt_stat *st, uint32_t group, size_t wide);
/* So many of them. */
struct gt_word gt_word_group_of(const struct gt_stat *st, uint32_t group, uint32_t threads,
				size_t wide);
/* What of GT_COLUMNS_WHERE is left behind "what: ". */
size_t gt_columns_behind(const struct gt_stat *st, const char *what);
/*
 * "inner ← caller … outer": the innermost functions that fit, and the outermost, by which a thread
 * is told, if it is wanted.
 */
struct gt_word gt_word_stack(const struct gt_stat *st, uint32_t stack, size_t wide, bool outermost);
/* "mutex 0x5567"; a thread that is joined by its name. */
struct gt_word gt_word_object(const struct gt_stat *st, uint32_t object);
/* The same with its number: "mutex #3 0x5567". Of the spans' objects. */
struct gt_word gt_word_lock(const struct gt_stat *st, uint32_t object);
const char *gt_word_plural(uint64_t n);
const char *gt_word_times(const struct gt_stat *st);

/* Sets a style of the terminal (an SGR code), where colours are wanted; "0" ends it. */
void gt_stat_style(const struct gt_stat *st, FILE *out, const char *code);
/* What is wrong with the trace, if anything is: a line. */
void gt_stat_problem(const struct gt_stat *st, FILE *out);
void gt_stat_fill(FILE *out, size_t n);
/* In a column of so many, the text left or right. */
void gt_stat_left(const struct gt_stat *st, FILE *out, size_t wide, struct gt_word w);
void gt_stat_right(const struct gt_stat *st, FILE *out, size_t wide, struct gt_word w);
/* A duration in a column of a table: the units stand below each other. */
void gt_stat_time(const struct gt_stat *st, FILE *out, uint64_t ns);
/* A title, and the heads of the columns that follow it, right-aligned. */
void gt_stat_title(const struct gt_stat *st, FILE *out, size_t wide, const char *text);
void gt_stat_heads(const struct gt_stat *st, FILE *out, size_t wide, const char *const *heads);

/* Details in a paragraph below a row: items with dots between them. */
struct gt_details {
	const struct gt_stat *st;
	FILE *out;
	size_t at;    /* column; 0: nothing yet */
	size_t lines; /* how many there may be: what comes then is left out; 0: any number */
};

void gt_details_add(struct gt_details *d, struct gt_word w);
void gt_details_end(struct gt_details *d);
/*
 * "held by worker #3 61 %, main 39 %": the largest parts of the sum `whole` of a's pairs, b being
 * threads; by start routines where there are many threads.
 */
void gt_details_parts(struct gt_details *d, const char *verb, const struct gt_model_pairs *pairs,
		      uint32_t a, uint64_t whole);

/* Lines of the head: what is not in the trace, and settings that are not the usual ones. */
void gt_stat_notes(const struct gt_stat *st, FILE *out);
/* How many threads ran on average. */
double gt_stat_running(const struct gt_model *model);
/* Some of them cannot have run: there were too few CPUs. */
bool gt_stat_crowded(const struct gt_model *model);
/* Whether tracing cost more than GTRACE_BUDGET allows, by what it has measured. */
bool gt_stat_over_budget(const struct gt_model *model);
/* Something is not there that should be. */
bool gt_stat_lost(const struct gt_model *model);
/* Sections. Each prints nothing where there is nothing to say. */
void gt_stat_deadlocks(const struct gt_stat *st, FILE *out);
void gt_stat_locks(const struct gt_stat *st, FILE *out);
void gt_stat_orders(const struct gt_stat *st, FILE *out);
void gt_stat_sites(const struct gt_stat *st, FILE *out);
/* rows: at most, without --full. */
void gt_stat_calls(const struct gt_stat *st, FILE *out, size_t rows);
void gt_stat_spins(const struct gt_stat *st, FILE *out);
void gt_stat_path(const struct gt_stat *st, FILE *out);
/* rows: at most, without --full. */
void gt_stat_threads(const struct gt_stat *st, FILE *out, size_t rows);
void gt_stat_owners(const struct gt_stat *st, FILE *out);
void gt_stat_wakes(const struct gt_stat *st, FILE *out);
