/*
 * Numbers of Perfetto's trace format: fields and values of its messages, as far as gtrace writes
 * them (https://perfetto.dev/docs/reference/trace-packet-proto). tests/viewers/perfetto.proto has
 * the same as a schema, by which protoc reads what is written. For export_perfetto.c alone: PF_.
 */
#pragma once

/* Field numbers, by message. */
enum { PF_TRACE_PACKET = 1 };
enum {
	PF_PACKET_CLOCK_SNAPSHOT = 6,
	PF_PACKET_TIMESTAMP = 8,
	PF_PACKET_SEQUENCE = 10,
	PF_PACKET_TRACK_EVENT = 11,
	PF_PACKET_INTERNED = 12,
	PF_PACKET_FLAGS = 13,
	PF_PACKET_DEFAULTS = 59,
	PF_PACKET_TRACK = 60,
	PF_PACKET_SAMPLE = 66,
};
enum { PF_DEFAULTS_CLOCK = 58 };
enum { PF_CLOCKS_CLOCK = 1, PF_CLOCKS_PRIMARY = 2, PF_CLOCK_ID = 1, PF_CLOCK_TIMESTAMP = 2 };
enum {
	PF_TRACK_UUID = 1,
	PF_TRACK_NAME = 2,
	PF_TRACK_PROCESS = 3,
	PF_TRACK_THREAD = 4,
	PF_TRACK_PARENT = 5,
	PF_TRACK_COUNTER = 8,
};
enum { PF_PROCESS_PID = 1, PF_PROCESS_NAME = 6 };
enum { PF_THREAD_PID = 1, PF_THREAD_TID = 2, PF_THREAD_NAME = 5 };
enum { PF_COUNTER_UNIT = 3, PF_COUNTER_UNIT_COUNT = 2, PF_COUNTER_UNIT_BYTES = 3 };
enum {
	PF_EVENT_CATEGORY = 3,
	PF_EVENT_NOTE = 4,
	PF_EVENT_TYPE = 9,
	PF_EVENT_NAME = 10,
	PF_EVENT_TRACK = 11,
	PF_EVENT_COUNTER = 30,
	PF_EVENT_FLOW = 47,
	PF_EVENT_FLOW_END = 48,
	PF_EVENT_STACK = 56,
};
enum { PF_TYPE_BEGIN = 1, PF_TYPE_END = 2, PF_TYPE_INSTANT = 3, PF_TYPE_COUNTER = 4 };
enum { PF_NOTE_NAME = 1, PF_NOTE_INT = 4, PF_NOTE_WORD = 17 };
enum { PF_SAMPLE_PID = 2, PF_SAMPLE_TID = 3, PF_SAMPLE_STACK = 4 };
/* Of interned data. Each entry has its number in field 1, and a name in field 2. */
enum {
	PF_INTERNED_CATEGORY = 1,
	PF_INTERNED_NAME = 2,
	PF_INTERNED_KEY = 3,
	PF_INTERNED_FUNCTION = 5,
	PF_INTERNED_FRAME = 6,
	PF_INTERNED_STACK = 7,
	PF_INTERNED_PATH = 17, /* of a mapping */
	PF_INTERNED_SOURCE = 18,
	PF_INTERNED_MAPPING = 19,
	PF_INTERNED_WORD = 29,
	PF_INTERNED_END,
};
enum { PF_ENTRY_NUMBER = 1, PF_ENTRY_TEXT = 2 };
enum {
	PF_FRAME_FUNCTION = 2,
	PF_FRAME_MAPPING = 3,
	PF_FRAME_PC = 4,
	PF_FRAME_SOURCE = 5,
	PF_FRAME_LINE = 6
};
enum { PF_STACK_FRAMES = 2 };
enum { PF_MAPPING_PATH = 7 };

enum { PF_CLOCK_REALTIME_ID = 1, PF_CLOCK_MONOTONIC_ID = 3 };
enum { PF_FLAG_CLEARED = 1, PF_FLAG_NEEDED = 2 };
