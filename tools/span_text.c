/*
 * Spans in words.
 */
#include "span_text.h"

#include <inttypes.h>
#include <stdio.h>

const char *gt_span_kind_name(unsigned kind)
{
	static const char *const names[] = {
		[GT_SPAN_RUNNING] = "running", [GT_SPAN_RUNNABLE] = "runnable",
		[GT_SPAN_WAIT] = "wait",       [GT_SPAN_SYSCALL] = "syscall",
		[GT_SPAN_CALL] = "call",
	};

	return names[kind];
}

const char *gt_span_how_name(unsigned how)
{
	static const char *const names[GT_SPAN_HOWS] = {
		[GT_SPAN_OPEN] = "open",
		[GT_SPAN_RETURNED] = "returned",
		[GT_ENDED_WAKER] = "waker",
		[GT_ENDED_NOBODY] = "nobody",
		[GT_ENDED_TIMEOUT] = "timeout",
		[GT_ENDED_ERROR] = "error",
		[GT_ENDED_CANCELLED] = "cancelled",
		[GT_ENDED_REFUSED] = "refused",
	};

	_Static_assert(GT_SPAN_HOWS == 8, "each way has a name");
	return names[how];
}

const char *gt_span_thread_name(const struct gt_spans *s, uint32_t thread,
				struct gt_span_words *room)
{
	const struct gt_span_thread *t = gt_spans_thread(s, thread);
	const char *routine = gt_spans_string(s, t->routine, NULL);

	if (t->nlabels > 0) {
		return gt_spans_string(s, t->labels[t->nlabels - 1], NULL);
	}
	snprintf(room->s, sizeof(room->s), "%.220s #%" PRIu64,
		 *routine != '\0' ? routine : "thread", t->id);
	return room->s;
}

const char *gt_span_frame_name(const struct gt_spans *s, const struct gt_span_frame *frame,
			       struct gt_span_words *room)
{
	const char *name = gt_spans_string(s, frame->func, NULL);

	if (*name != '\0') {
		return name;
	}
	snprintf(room->s, sizeof(room->s), "0x%" PRIx64, frame->pc);
	return room->s;
}
