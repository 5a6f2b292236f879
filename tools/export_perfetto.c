/*
 * gtrace export --to perfetto: a trace for ui.perfetto.dev and trace_processor, as TracePackets of
 * track events (https://perfetto.dev/docs/reference/trace-packet-proto).
 *
 * One sequence of packets, so that each word, frame and stack is written once and then named by its
 * number; the packets of a track need not come in the order of time, because readers sort them, but
 * those of one moment do.
 */
#include "export.h"

#include <stdlib.h>
#include <string.h>

#include "model_set.h"
#include "perfetto.h"
#include "proto.h"
#include "timeline.h"

/* The sequence of all packets, and the mapping of all frames. */
enum { SEQUENCE = 1, THE_MAPPING = 1 };

/* Numbers of tracks: they need only be different. */
enum { UUID_PROCESS = 1, UUID_COUNTERS = 2, UUID_ROWS = 16, UUID_THREADS = 32 };

enum { FLUSH = 1 << 16 }; /* bytes that are gathered before they are written */

/* Which numbers have been written: a bit each. */
struct bits {
	uint8_t *bytes;
	size_t size;
};

struct writer {
	FILE *out;
	struct gt_timeline *timeline;
	const struct gt_spans *spans;
	struct gt_proto packets;  /* whole ones, and the one that is being made */
	struct gt_proto interned; /* entries that it needs and that have not been written */
	size_t packet;            /* where it begins */
	bool cleared;             /* the sequence has begun */
	struct bits done[PF_INTERNED_END];
	struct gt_set frames; /* key: struct gt_span_frame; its index + 1 is its number */
	/* Which tracks have been written: a bit each. */
	uint32_t rows;
	uint32_t counters;
	struct bits threads;
};

/* --- Packets ---------------------------------------------------------------------------------- */

static uint64_t monotonic(const struct writer *w, uint64_t time)
{
	const struct gt_timeline_head *head = gt_timeline_head(w->timeline);

	return time - head->trace + head->monotonic;
}

static void flush(struct writer *w)
{
	if (w->packets.size != 0) {
		fwrite(w->packets.data, 1, w->packets.size, w->out);
		w->packets.size = 0;
	}
}

static void packet_begin(struct writer *w)
{
	if (w->packets.size >= FLUSH) {
		flush(w);
	}
	w->packet = gt_proto_begin(&w->packets, PF_TRACE_PACKET);
	gt_proto_uint(&w->packets, PF_PACKET_SEQUENCE, SEQUENCE);
}

static void packet_end(struct writer *w)
{
	if (w->interned.size != 0) {
		gt_proto_bytes(&w->packets, PF_PACKET_INTERNED, w->interned.data, w->interned.size);
		w->interned.size = 0;
	}
	gt_proto_end(&w->packets, w->packet);
}

/* Of a track, at a time. */
static void event_packet_begin(struct writer *w, uint64_t time)
{
	packet_begin(w);
	gt_proto_uint(&w->packets, PF_PACKET_FLAGS, PF_FLAG_NEEDED);
	gt_proto_uint(&w->packets, PF_PACKET_TIMESTAMP, monotonic(w, time));
}

/* --- Interned data ---------------------------------------------------------------------------- */

/* True at the first time that it is asked. */
static bool first_time(struct bits *bits, size_t n)
{
	if (n / 8 >= bits->size) {
		const size_t size = GT_MAX(bits->size * 2, n / 8 + 64);

		bits->bytes = gt_realloc(bits->bytes, size);
		memset(bits->bytes + bits->size, 0, size - bits->size);
		bits->size = size;
	}
	if (bits->bytes[n / 8] & 1u << n % 8) {
		return false;
	}
	bits->bytes[n / 8] |= (uint8_t)(1u << n % 8);
	return true;
}

/* Numbers count from 1, indices from 0. */
static uint64_t intern_text(struct writer *w, unsigned field, uint32_t index, const char *text,
			    size_t size)
{
	size_t mark;

	if (first_time(&w->done[field], index)) {
		mark = gt_proto_begin(&w->interned, field);
		gt_proto_uint(&w->interned, PF_ENTRY_NUMBER, index + (uint64_t)1);
		gt_proto_text(&w->interned, PF_ENTRY_TEXT, text, size);
		gt_proto_end(&w->interned, mark);
	}
	return index + (uint64_t)1;
}

static uint64_t intern_word(struct writer *w, unsigned field, uint32_t word)
{
	size_t size;
	const char *text = gt_timeline_word(w->timeline, word, &size);

	return intern_text(w, field, word, text, size);
}

static uint64_t intern_string(struct writer *w, unsigned field, uint32_t string)
{
	size_t size;
	const char *text = gt_spans_string(w->spans, string, &size);

	return size ? intern_text(w, field, string, text, size) : 0;
}

/* A frame must be in a mapping: in the only one, because the trace need not name them. */
static void intern_mapping(struct writer *w)
{
	const char *name = gt_timeline_head(w->timeline)->name;
	uint64_t path;
	size_t mark;

	if (first_time(&w->done[PF_INTERNED_MAPPING], THE_MAPPING)) {
		path = intern_text(w, PF_INTERNED_PATH, 0, name, strlen(name));
		mark = gt_proto_begin(&w->interned, PF_INTERNED_MAPPING);
		gt_proto_uint(&w->interned, PF_ENTRY_NUMBER, THE_MAPPING);
		gt_proto_uint(&w->interned, PF_MAPPING_PATH, path);
		gt_proto_end(&w->interned, mark);
	}
}

static uint64_t intern_frame(struct writer *w, const struct gt_span_frame *frame)
{
	const uint32_t index = gt_set_put(&w->frames, frame, sizeof(*frame));
	uint64_t function, source;
	size_t mark;

	if (!first_time(&w->done[PF_INTERNED_FRAME], index)) {
		return index + (uint64_t)1;
	}
	function = intern_string(w, PF_INTERNED_FUNCTION, frame->func);
	source = intern_string(w, PF_INTERNED_SOURCE, frame->file);
	mark = gt_proto_begin(&w->interned, PF_INTERNED_FRAME);
	gt_proto_uint(&w->interned, PF_ENTRY_NUMBER, index + (uint64_t)1);
	if (function != 0) {
		gt_proto_uint(&w->interned, PF_FRAME_FUNCTION, function);
	}
	gt_proto_uint(&w->interned, PF_FRAME_MAPPING, THE_MAPPING);
	gt_proto_uint(&w->interned, PF_FRAME_PC, frame->pc);
	if (source != 0) {
		gt_proto_uint(&w->interned, PF_FRAME_SOURCE, source);
	}
	if (frame->line != 0) {
		gt_proto_uint(&w->interned, PF_FRAME_LINE, (uint32_t)frame->line);
	}
	gt_proto_end(&w->interned, mark);
	return index + (uint64_t)1;
}

/* Its number is its index, because the stack with index 0 is none. */
static uint64_t intern_stack(struct writer *w, uint32_t stack)
{
	size_t n, mark;
	const struct gt_span_frame *frames = gt_spans_stack(w->spans, stack, &n);
	uint64_t *numbers;

	if (!first_time(&w->done[PF_INTERNED_STACK], stack)) {
		return stack;
	}
	intern_mapping(w);
	numbers = gt_alloc(n * sizeof(*numbers));
	for (size_t i = 0; i < n; i++) {
		numbers[i] = intern_frame(w, &frames[i]);
	}
	mark = gt_proto_begin(&w->interned, PF_INTERNED_STACK);
	gt_proto_uint(&w->interned, PF_ENTRY_NUMBER, stack);
	for (size_t i = n; i-- > 0;) { /* outermost first */
		gt_proto_uint(&w->interned, PF_STACK_FRAMES, numbers[i]);
	}
	gt_proto_end(&w->interned, mark);
	free(numbers);
	return stack;
}

/* --- Tracks ----------------------------------------------------------------------------------- */

static uint64_t thread_uuid(uint32_t thread, unsigned row)
{
	return UUID_THREADS + (uint64_t)thread * 2 + row;
}

/* A track below another one; what it is besides may follow until track_end. */
static size_t track_begin(struct writer *w, uint64_t uuid, uint64_t parent, const char *name)
{
	size_t mark;

	packet_begin(w);
	mark = gt_proto_begin(&w->packets, PF_PACKET_TRACK);
	gt_proto_uint(&w->packets, PF_TRACK_UUID, uuid);
	if (parent != 0) {
		gt_proto_uint(&w->packets, PF_TRACK_PARENT, parent);
	}
	if (name != NULL) {
		gt_proto_string(&w->packets, PF_TRACK_NAME, name);
	}
	return mark;
}

static void track_end(struct writer *w, size_t mark)
{
	gt_proto_end(&w->packets, mark);
	packet_end(w);
}

static void put_thread(struct writer *w, const struct gt_item *item)
{
	size_t mark, thread, size;
	const char *name = gt_timeline_word(w->timeline, item->name, &size);

	mark = track_begin(w, thread_uuid(item->thread, GT_ROW_WORK), UUID_PROCESS, NULL);
	thread = gt_proto_begin(&w->packets, PF_TRACK_THREAD);
	gt_proto_uint(&w->packets, PF_THREAD_PID, gt_timeline_head(w->timeline)->pid);
	gt_proto_uint(&w->packets, PF_THREAD_TID, gt_timeline_tid(w->timeline, item->thread));
	gt_proto_text(&w->packets, PF_THREAD_NAME, name, size);
	gt_proto_end(&w->packets, thread);
	track_end(w, mark);
	if (first_time(&w->threads, item->thread)) {
		track_end(w, track_begin(w, thread_uuid(item->thread, GT_ROW_STATE),
					 thread_uuid(item->thread, GT_ROW_WORK),
					 gt_row_name(GT_ROW_STATE)));
	}
}

/* The track that an item is on, which is written when it is first needed. */
static uint64_t track_of(struct writer *w, const struct gt_item *item)
{
	if (item->thread != GT_SPAN_NONE) {
		return thread_uuid(item->thread, item->row);
	}
	if (!(w->rows & 1u << item->row)) {
		w->rows |= 1u << item->row;
		track_end(w, track_begin(w, UUID_ROWS + item->row, UUID_PROCESS,
					 gt_row_name(item->row)));
	}
	return UUID_ROWS + item->row;
}

/* --- Items ------------------------------------------------------------------------------------ */

static void put_note(struct writer *w, const struct gt_note *note)
{
	const size_t mark = gt_proto_begin(&w->packets, PF_EVENT_NOTE);

	gt_proto_uint(&w->packets, PF_NOTE_NAME, intern_word(w, PF_INTERNED_KEY, note->key));
	if (note->is_word) {
		gt_proto_uint(&w->packets, PF_NOTE_WORD,
			      intern_word(w, PF_INTERNED_WORD, (uint32_t)note->value));
	} else {
		gt_proto_uint(&w->packets, PF_NOTE_INT, (uint64_t)note->value);
	}
	gt_proto_end(&w->packets, mark);
}

static void put_event(struct writer *w, const struct gt_item *item)
{
	const bool slice = item->kind == GT_ITEM_SLICE;
	const uint64_t track = track_of(w, item);
	size_t mark;

	event_packet_begin(w, item->begin);
	mark = gt_proto_begin(&w->packets, PF_PACKET_TRACK_EVENT);
	gt_proto_uint(&w->packets, PF_EVENT_TYPE, slice ? PF_TYPE_BEGIN : PF_TYPE_INSTANT);
	gt_proto_uint(&w->packets, PF_EVENT_TRACK, track);
	gt_proto_uint(&w->packets, PF_EVENT_CATEGORY,
		      intern_word(w, PF_INTERNED_CATEGORY, item->category));
	gt_proto_uint(&w->packets, PF_EVENT_NAME, intern_word(w, PF_INTERNED_NAME, item->name));
	if (item->arrow != 0) {
		gt_proto_fixed64(&w->packets, slice ? PF_EVENT_FLOW_END : PF_EVENT_FLOW,
				 item->arrow);
	}
	for (unsigned i = 0; i < item->nnotes; i++) {
		put_note(w, &item->notes[i]);
	}
	if (item->stack != 0) {
		gt_proto_uint(&w->packets, PF_EVENT_STACK, intern_stack(w, item->stack));
	}
	gt_proto_end(&w->packets, mark);
	packet_end(w);
	if (slice) {
		event_packet_begin(w, item->end);
		mark = gt_proto_begin(&w->packets, PF_PACKET_TRACK_EVENT);
		gt_proto_uint(&w->packets, PF_EVENT_TYPE, PF_TYPE_END);
		gt_proto_uint(&w->packets, PF_EVENT_TRACK, track);
		gt_proto_end(&w->packets, mark);
		packet_end(w);
	}
}

static void put_counter(struct writer *w, const struct gt_item *item)
{
	const uint64_t uuid = UUID_COUNTERS + item->row;
	size_t mark, counter;

	if (!(w->counters & 1u << item->row)) {
		w->counters |= 1u << item->row;
		mark = track_begin(w, uuid, UUID_PROCESS, gt_counter_name(item->row));
		counter = gt_proto_begin(&w->packets, PF_TRACK_COUNTER);
		gt_proto_uint(&w->packets, PF_COUNTER_UNIT,
			      item->row < GT_COUNTER_HEAP ? PF_COUNTER_UNIT_COUNT
							  : PF_COUNTER_UNIT_BYTES);
		gt_proto_end(&w->packets, counter);
		track_end(w, mark);
	}
	event_packet_begin(w, item->begin);
	mark = gt_proto_begin(&w->packets, PF_PACKET_TRACK_EVENT);
	gt_proto_uint(&w->packets, PF_EVENT_TYPE, PF_TYPE_COUNTER);
	gt_proto_uint(&w->packets, PF_EVENT_TRACK, uuid);
	gt_proto_uint(&w->packets, PF_EVENT_COUNTER, item->value);
	gt_proto_end(&w->packets, mark);
	packet_end(w);
}

static void put_sample(struct writer *w, const struct gt_item *item)
{
	size_t mark;

	event_packet_begin(w, item->begin);
	mark = gt_proto_begin(&w->packets, PF_PACKET_SAMPLE);
	gt_proto_uint(&w->packets, PF_SAMPLE_PID, gt_timeline_head(w->timeline)->pid);
	gt_proto_uint(&w->packets, PF_SAMPLE_TID, gt_timeline_tid(w->timeline, item->thread));
	if (item->stack != 0) {
		gt_proto_uint(&w->packets, PF_SAMPLE_STACK, intern_stack(w, item->stack));
	}
	gt_proto_end(&w->packets, mark);
	packet_end(w);
}

static void put_process(struct writer *w)
{
	const struct gt_timeline_head *head = gt_timeline_head(w->timeline);
	const size_t mark = track_begin(w, UUID_PROCESS, 0, NULL);
	const size_t process = gt_proto_begin(&w->packets, PF_TRACK_PROCESS);

	gt_proto_uint(&w->packets, PF_PROCESS_PID, head->pid);
	gt_proto_text(&w->packets, PF_PROCESS_NAME, head->name, strlen(head->name));
	gt_proto_end(&w->packets, process);
	track_end(w, mark);
}

static void put_clock(struct writer *w, unsigned id, uint64_t time)
{
	const size_t mark = gt_proto_begin(&w->packets, PF_CLOCKS_CLOCK);

	gt_proto_uint(&w->packets, PF_CLOCK_ID, id);
	gt_proto_uint(&w->packets, PF_CLOCK_TIMESTAMP, time);
	gt_proto_end(&w->packets, mark);
}

/*
 * The beginning of the sequence. Times are those of CLOCK_MONOTONIC, so that the trace fits beside
 * others of this machine. They all come from one snapshot: with one for each generation, threads
 * would jump by what the clocks have drifted apart. A trace that does not say where its clock
 * stands (Go before 1.25) has it as it is.
 */
static void put_head(struct writer *w)
{
	const struct gt_timeline_head *head = gt_timeline_head(w->timeline);
	size_t mark;

	packet_begin(w);
	gt_proto_uint(&w->packets, PF_PACKET_FLAGS, PF_FLAG_CLEARED);
	if (head->trace != 0) {
		mark = gt_proto_begin(&w->packets, PF_PACKET_DEFAULTS);
		gt_proto_uint(&w->packets, PF_DEFAULTS_CLOCK, PF_CLOCK_MONOTONIC_ID);
		gt_proto_end(&w->packets, mark);
		mark = gt_proto_begin(&w->packets, PF_PACKET_CLOCK_SNAPSHOT);
		put_clock(w, PF_CLOCK_MONOTONIC_ID, head->monotonic);
		put_clock(w, PF_CLOCK_REALTIME_ID, head->wall);
		gt_proto_uint(&w->packets, PF_CLOCKS_PRIMARY, PF_CLOCK_MONOTONIC_ID);
		gt_proto_end(&w->packets, mark);
	}
	packet_end(w);
	put_process(w);
}

static void put_item(struct writer *w, const struct gt_item *item)
{
	if (!w->cleared) {
		w->cleared = true;
		put_head(w);
	}
	switch (item->kind) {
	case GT_ITEM_THREAD:
		put_thread(w, item);
		break;
	case GT_ITEM_COUNTER:
		put_counter(w, item);
		break;
	case GT_ITEM_SAMPLE:
		put_sample(w, item);
		break;
	default:
		put_event(w, item);
		break;
	}
}

int gt_export_perfetto(const struct gt_export *x, struct gt_error *e)
{
	struct writer w = {.out = x->out, .frames = gt_set_of(0)};
	struct gt_item item;
	int n;

	w.timeline = gt_timeline_open(x->path, &x->window, x->system, e);
	if (w.timeline == NULL) {
		return -1;
	}
	w.spans = gt_timeline_spans(w.timeline);
	while ((n = gt_timeline_next(w.timeline, &item, e)) > 0) {
		put_item(&w, &item);
	}
	flush(&w);
	gt_timeline_close(w.timeline);
	gt_proto_fini(&w.packets);
	gt_proto_fini(&w.interned);
	gt_set_fini(&w.frames);
	for (unsigned i = 0; i < PF_INTERNED_END; i++) {
		free(w.done[i].bytes);
	}
	free(w.threads.bytes);
	return n;
}
