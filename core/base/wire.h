/*
 * The wire format of a Go execution trace: the bytes around the events.
 *
 * Source: Go 1.26, src/internal/trace/tracev2 and src/internal/trace/{batch,generation,reader}.go.
 * This folder lies beneath the writer (core) and the reader (tools) and depends on neither.
 *
 * file       = header, then per generation: batches ..., end-of-generation byte
 * batch      = type GT_EV_EVENT_BATCH, varint generation, varint M, varint time, varint size,
 * payload experiment = type GT_EV_EXPERIMENTAL_BATCH, one raw byte experiment, then the same four,
 * payload
 */
#pragma once

#include <string.h>

#include "base/util.h"
#include "base/varint.h"

#define GT_WIRE_HEADER      "go 1.26 trace\0\0\0"
#define GT_WIRE_HEADER_SIZE 16

/*
 * The same as the first frame of a compressed trace (docs/adr/0013), stored: zstd's magic number, a
 * head that says 16 bytes, and one last block of as many.
 */
#define GT_WIRE_ZSTD_MAGIC       "\x28\xb5\x2f\xfd"
#define GT_WIRE_ZSTD_FRAME       GT_WIRE_ZSTD_MAGIC "\x20\x10\x81\0\0"
#define GT_WIRE_ZSTD_HEADER      GT_WIRE_ZSTD_FRAME GT_WIRE_HEADER
#define GT_WIRE_ZSTD_HEADER_SIZE 25

#define GT_WIRE_NO_M       UINT64_MAX /* batches that belong to no thread */
#define GT_WIRE_NO_P       UINT64_MAX
#define GT_WIRE_BATCH_MAX  65536u /* bytes of payload; one more is "invalid batch size" */
#define GT_WIRE_STRING_MAX 1024u  /* bytes of a string; one more is fatal */
#define GT_WIRE_FRAMES_MAX 128u   /* frames of a stack; one more is fatal */
#define GT_WIRE_ARGS_MAX   5      /* arguments after the time */
/*
 * M ids of wakers that have ended are this with the id of their G: above all tids (PID_MAX_LIMIT is
 * 2^22), below what readers take.
 */
#define GT_WIRE_DEAD_M (UINT64_C(1) << 30)

/* Largest batch header: type, experiment, four varints. */
#define GT_WIRE_BATCH_HEADER_MAX (2 + 4 * 10)
/* Largest event: type, time, four arguments. */
#define GT_WIRE_EVENT_MAX (1 + (1 + GT_WIRE_ARGS_MAX) * 10)

/* G states (tracev2.GoStatus) and P states (tracev2.ProcStatus) as they stand in status events. */
enum gt_go_state {
	GT_GO_BAD = 0,
	GT_GO_RUNNABLE = 1,
	GT_GO_RUNNING = 2,
	GT_GO_SYSCALL = 3,
	GT_GO_WAITING = 4,
};

enum gt_proc_state {
	GT_PROC_BAD = 0,
	GT_PROC_RUNNING = 1,
	GT_PROC_IDLE = 2,
	GT_PROC_SYSCALL = 3,
	GT_PROC_SYSCALL_ABANDONED = 4,
};

/*
 * gtrace writes times in ticks of 8 ns: a whole number of nanoseconds, so that the reader's
 * truncation of each delta is exact, and short deltas: two bytes reach 131 us.
 */
#define GT_TICK_SHIFT 3
#define GT_TICK_HZ    (1000000000u >> GT_TICK_SHIFT)

/*
 * gtrace's own facts stand in batches of experiment 1, whose content Go's reader leaves alone.
 * Their payload starts with these two bytes, then facts (the GT_FACT rows of events.def), each
 * encoded as an event: type, time delta to the last fact or to the batch's time, arguments.
 */
#define GT_FACT_EXPERIMENT 1
#define GT_FACT_MAGIC      0x47 /* 'G': Go's own AllocFree batches start with 0 or 1 */
#define GT_FACT_VERSION    1

/* Whether a file that begins so is a trace: of any version, compressed by gtrace or not. */
GT_INLINE bool gt_wire_is_trace(const void *head, size_t size)
{
	const size_t frame = sizeof(GT_WIRE_ZSTD_FRAME) - 1;
	const char *p = head;

	if (size >= GT_WIRE_ZSTD_HEADER_SIZE && memcmp(p, GT_WIRE_ZSTD_FRAME, frame) == 0) {
		p += frame;
	}
	return size >= GT_WIRE_HEADER_SIZE && memcmp(p, "go 1.", 5) == 0 &&
	       memcmp(p + 7, " trace", 6) == 0;
}

/*
 * Writes the header of a batch so that it ends at payload, before which GT_WIRE_BATCH_HEADER_MAX
 * bytes are free; experiment: 0 for an ordinary batch. Returns its start.
 */
GT_INLINE uint8_t *gt_wire_batch_head(uint8_t *payload, unsigned experiment, uint64_t gen,
				      uint64_t m, uint64_t ticks, uint64_t bytes)
{
	uint8_t head[GT_WIRE_BATCH_HEADER_MAX];
	uint8_t *p = head;
	size_t n;

	*p++ = experiment ? 49 : 1; /* GT_EV_EXPERIMENTAL_BATCH, GT_EV_EVENT_BATCH */
	if (experiment) {
		*p++ = (uint8_t)experiment;
	}
	p = gt_varint_put(p, gen);
	p = gt_varint_put(p, m);
	p = gt_varint_put(p, ticks);
	p = gt_varint_put(p, bytes);
	n = (size_t)(p - head);
	memcpy(payload - n, head, n);
	return payload - n;
}
