/*
 * gtrace export --to csv: a row for each span, in the form of RFC 4180.
 *
 * The columns stand in one table, from which come the head, the help and the order of a row.
 */
#include "export.h"

#include <inttypes.h>

#include "json.h"
#include "span_text.h"

#define COLUMNS                                                                               \
	COLUMN(BEGIN, "begin_ns", "since the beginning of the trace")                         \
	COLUMN(END, "end_ns", "the same")                                                     \
	COLUMN(KIND, "kind", "running, runnable, wait, syscall; call: how long is not known") \
	COLUMN(THREAD, "thread", "its number in the trace")                                   \
	COLUMN(TID, "tid", "of the kernel")                                                   \
	COLUMN(NAME, "name", "that it had by then, or its start routine and number")          \
	COLUMN(ROUTINE, "routine", "its start routine")                                       \
	COLUMN(OPEN, "open", "1: it lasted when the trace ended; else 0")                     \
	COLUMN(REASON, "reason", "of a wait, and of a runnable thread that yielded")          \
	COLUMN(OBJECT_KIND, "object_kind", "what was waited for: mutex, cond, ...,")          \
	COLUMN(OBJECT, "object", "its address,")                                              \
	COLUMN(EPOCH, "epoch", "and how many were there before")                              \
	COLUMN(OWNER, "owner", "the thread that had it when the wait began")                  \
	COLUMN(HOW, "how", "a wait ended: as in gtrace stat --json")                          \
	COLUMN(WAKER, "waker", "the thread that ended it")                                    \
	COLUMN(READY, "ready_ns", "from the end of a wait to running")                        \
	COLUMN(RETAKE, "retake_ns", "at the end of a wait for a condition: for its mutex,")   \
	COLUMN(RETAKE_OWNER, "retake_owner", "which this thread set free")                    \
	COLUMN(CALL, "call", "the call into the kernel that it was,")                         \
	COLUMN(RESULT, "result", "what it returned,")                                         \
	COLUMN(ERROR, "error", "and the name of that, where it is an error")                  \
	COLUMN(STACK, "stack", "its functions, outermost first, with ; between them")         \
	COLUMN(WAKER_STACK, "waker_stack", "the same of the waker, where it ended the wait")

enum column {
#define COLUMN(id, name, doc) COLUMN_##id,
	COLUMNS
#undef COLUMN
		COLUMN_END_OF_ROW,
};

static const struct {
	const char *name, *doc;
} columns[] = {
#define COLUMN(id, name, doc) {name, doc},
	COLUMNS
#undef COLUMN
};

struct csv {
	FILE *out;
	const struct gt_spans *spans;
	uint64_t begin; /* of the trace */
};

void gt_export_csv_help(FILE *out)
{
	fputs("Columns of csv; empty where it does not apply or is not known:\n\n", out);
	for (size_t i = 0; i < GT_LEN(columns); i++) {
		fprintf(out, "  %-12s %s\n", columns[i].name, columns[i].doc);
	}
}

static void put_number(const struct csv *csv, uint64_t n)
{
	char digits[20];
	size_t at = sizeof(digits);

	do {
		digits[--at] = (char)('0' + n % 10);
		n /= 10;
	} while (n != 0);
	fwrite_unlocked(digits + at, 1, sizeof(digits) - at, csv->out);
}

/* A part of a field in quotes; what is no UTF-8 becomes U+FFFD. */
static void put_quoted(const struct csv *csv, const char *text)
{
	while (*text != '\0') {
		const size_t n = gt_utf8_length(text);

		if (*text == '"') {
			putc_unlocked('"', csv->out);
		}
		fwrite_unlocked(n ? text : "\xef\xbf\xbd", 1, n ? n : 3, csv->out);
		text += n ? n : 1;
	}
}

static void put_text(const struct csv *csv, const char *text)
{
	const char *c = text;

	if (text == NULL) {
		return;
	}
	while (*c >= ' ' && *c <= '~' && *c != ',' && *c != '"') {
		c++;
	}
	if (*c == '\0') {
		fputs_unlocked(text, csv->out);
		return;
	}
	putc_unlocked('"', csv->out);
	put_quoted(csv, text);
	putc_unlocked('"', csv->out);
}

static void put_thread(const struct csv *csv, uint32_t thread)
{
	if (thread != GT_SPAN_NONE) {
		put_number(csv, gt_spans_thread(csv->spans, thread)->id);
	}
}

static void put_stack(const struct csv *csv, uint32_t stack)
{
	size_t n;
	const struct gt_span_frame *frames = gt_spans_stack(csv->spans, stack, &n);
	struct gt_span_words words;

	if (n == 0) {
		return;
	}
	putc_unlocked('"', csv->out);
	while (n-- > 0) {
		put_quoted(csv, gt_span_frame_name(csv->spans, &frames[n], &words));
		if (n > 0) {
			putc_unlocked(';', csv->out);
		}
	}
	putc_unlocked('"', csv->out);
}

static void put_object(const struct csv *csv, enum column column, uint32_t object)
{
	const struct gt_span_object *o;

	if (object == GT_SPAN_NONE) {
		return;
	}
	o = gt_spans_object(csv->spans, object);
	if (column == COLUMN_OBJECT_KIND) {
		put_text(csv, gt_object_text(o->kind));
	} else if (column == COLUMN_OBJECT) {
		fprintf(csv->out, "0x%" PRIx64, o->address);
	} else {
		put_number(csv, o->epoch);
	}
}

static void put_call(const struct csv *csv, enum column column, const struct gt_span *span)
{
	struct gt_call_name room;

	if (!span->named) {
		return;
	}
	if (column == COLUMN_CALL) {
		put_text(csv, gt_call_name(span->call, &room));
	} else if (column == COLUMN_RESULT) {
		fprintf(csv->out, "%" PRId64, span->result);
	} else if (gt_call_failed(span->result)) {
		put_text(csv, gt_errno_name((uint64_t)-span->result));
	}
}

static void put_wait_column(const struct csv *csv, enum column column, const struct gt_span *wait)
{
	switch (column) {
	case COLUMN_OBJECT_KIND:
	case COLUMN_OBJECT:
	case COLUMN_EPOCH:
		put_object(csv, column, wait->object);
		break;
	case COLUMN_OWNER:
		put_thread(csv, wait->owner);
		break;
	case COLUMN_HOW:
		put_text(csv, gt_span_how_name(wait->how));
		break;
	case COLUMN_WAKER:
		put_thread(csv, wait->waker);
		break;
	case COLUMN_READY:
		put_number(csv, wait->ready);
		break;
	case COLUMN_RETAKE:
		if (wait->retakes) {
			put_number(csv, wait->retake);
		}
		break;
	case COLUMN_RETAKE_OWNER:
		put_thread(csv, wait->retakes ? wait->retake_owner : GT_SPAN_NONE);
		break;
	default:
		put_stack(csv, wait->waker_stack);
		break;
	}
}

static void put_column(const struct csv *csv, enum column column, const struct gt_span *span)
{
	const struct gt_span_thread *t = gt_spans_thread(csv->spans, span->thread);
	struct gt_span_words words;

	switch (column) {
	case COLUMN_BEGIN:
		put_number(csv, span->begin - csv->begin);
		break;
	case COLUMN_END:
		put_number(csv, span->end - csv->begin);
		break;
	case COLUMN_KIND:
		put_text(csv, gt_span_kind_name(span->kind));
		break;
	case COLUMN_THREAD:
		put_number(csv, t->id);
		break;
	case COLUMN_TID:
		if (t->tid != GT_NO_M) {
			put_number(csv, t->tid);
		}
		break;
	case COLUMN_NAME:
		put_text(csv, gt_span_thread_name(csv->spans, span->thread, &words));
		break;
	case COLUMN_ROUTINE:
		put_text(csv, gt_spans_string(csv->spans, t->routine, NULL));
		break;
	case COLUMN_OPEN:
		put_number(csv, span->open);
		break;
	case COLUMN_REASON:
		if (span->kind == GT_SPAN_WAIT || span->kind == GT_SPAN_RUNNABLE) {
			put_text(csv, gt_spans_string(csv->spans, span->reason, NULL));
		}
		break;
	case COLUMN_CALL:
	case COLUMN_RESULT:
	case COLUMN_ERROR:
		put_call(csv, column, span);
		break;
	case COLUMN_STACK:
		put_stack(csv, span->stack);
		break;
	default:
		if (span->kind == GT_SPAN_WAIT) {
			put_wait_column(csv, column, span);
		}
		break;
	}
}

static void put_head(const struct csv *csv)
{
	for (size_t i = 0; i < GT_LEN(columns); i++) {
		fprintf(csv->out, "%s%s", i > 0 ? "," : "", columns[i].name);
	}
	fputs("\r\n", csv->out);
}

static void put_row(const struct csv *csv, const struct gt_span *span)
{
	for (enum column c = 0; c < COLUMN_END_OF_ROW; c++) {
		if (c > 0) {
			putc_unlocked(',', csv->out);
		}
		put_column(csv, c, span);
	}
	fputs_unlocked("\r\n", csv->out);
}

int gt_export_csv(const struct gt_export *x, struct gt_error *e)
{
	struct gt_merge *merge = gt_merge_open(x->path, 0, e);
	struct csv csv = {.out = x->out};
	struct gt_spans *spans;
	struct gt_span span;
	int n;

	if (merge == NULL) {
		return -1;
	}
	csv.spans = spans = gt_spans_open(merge, 0);
	put_head(&csv);
	while ((n = gt_spans_next(spans, &span, e)) > 0) {
		csv.begin = gt_spans_begin(spans);
		if ((x->system || !gt_spans_thread(spans, span.thread)->system) &&
		    gt_window_thread(&x->window, spans, span.thread) &&
		    gt_window_span(&x->window, spans, &span)) {
			put_row(&csv, &span);
		}
	}
	gt_spans_close(spans);
	gt_merge_close(merge);
	return n;
}
