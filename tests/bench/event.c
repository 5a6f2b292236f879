/*
 * One event alone: what a section with one event costs the thread that writes it, its stack
 * included.
 *
 * Linked with core itself: no hook, no call that the event would be about, no second thread. Traces
 * if GTRACE_OUT names a file, else does the same loop without the event; scripts/bench runs it both
 * ways, and what differs is the event. Two builds, with frame pointers and without.
 *
 * The thread itself ends a generation every EVENTS events, not timed: the buffers that it writes to
 * are used again, as in a program that runs for long, where the advancer does it on its own time.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "advance.h"
#include "emit.h"
#include "stack.h"
#include "stack_id.h"
#include "trace.h"

#ifdef BENCH_NO_FRAME_POINTER
#define FP     "nofp"
#define FP_DOC ", built without frame pointers"
#else
#define FP     "fp"
#define FP_DOC ", built with frame pointers"
#endif

/* The code in which stacks end (preload/root.h). */
#define ROOT __attribute__((section("bench_root"), noinline))
extern const char __start_bench_root[];
extern const char __stop_bench_root[];

enum {
	EVENTS = 16 << 10, /* of a generation: less than two of its buffers */
	DEPTH = 20,        /* frames from the loop to the root */
	PATHS = 256, /* different stacks of a row that has many: more than a cache should hold */
};

struct row {
	const char *name;
	const char *doc;
	void (*loop)(uint64_t n);
};

static struct gt_thread *self; /* NULL: nothing is traced */
static unsigned path;

/* --- The event: UserLog, which may be written at any moment, and has a stack --------------------
 */

/* frames: of the stack that was walked last. */
GT_INLINE void put_log(struct gt_thread *t, unsigned frames)
{
	struct gt_w w = gt_acquire(t);

	gt_event(&w, USER_LOG, gt_value(0), gt_str(GT_REASON_MUTEX), gt_str(GT_REASON_MUTEX),
		 frames ? gt_stack_put_walked(&w, frames) : gt_stack(0));
	gt_release(&w);
}

static GT_NOINLINE void log_plain(void)
{
	if (self) {
		gt_tls.busy++;
		put_log(self, 0);
		gt_tls.busy--;
	}
}

static GT_NOINLINE void log_stack(void)
{
	if (self) {
		gt_tls.busy++;
		put_log(self,
			gt_load_relaxed(&gt_stack_depth)
				? gt_thread_walk(self, __builtin_frame_address(0), GT_STACK_MAX)
				: 0);
		gt_tls.busy--;
	}
}

static GT_NOINLINE void read_clock(void)
{
	if (self) {
		__asm__ volatile("" : : "r"(gt_clock_counter()));
	}
}

/* --- Loops ------------------------------------------------------------------------------------ */

static void loop_clock(uint64_t n)
{
	while (n-- > 0) {
		read_clock();
	}
}

static void loop_plain(uint64_t n)
{
	while (n-- > 0) {
		log_plain();
	}
}

static void loop_stack(uint64_t n)
{
	while (n-- > 0) {
		log_stack();
	}
}

/* So many frames deeper. Which of the two calls is made at each of them makes the stack. */
static GT_NOINLINE void descend(unsigned frames, unsigned way, void (*loop)(uint64_t n), uint64_t n)
{
	if (frames == 0) {
		loop(n);
	} else if (way & 1) {
		descend(frames - 1, way >> 1, loop, n);
	} else {
		descend(frames - 1, way >> 1, loop, n);
		__asm__ volatile(""); /* not the same code as above */
	}
	__asm__ volatile(""); /* not a tail call: the frame has to stay */
}

/* loop_stack, descend and the root are frames themselves. */
static void loop_deep(uint64_t n)
{
	descend(DEPTH - 4, 0, loop_stack, n);
}

static void loop_paths(uint64_t n)
{
	while (n-- > 0) {
		descend(DEPTH - 4, path++ % PATHS, loop_stack, 1);
	}
}

static const struct row rows[] = {
	{"event_clock", "one reading of the clock, which each event has", loop_clock},
	{"event", "one event in a section of its own, without a stack", loop_plain},
	{"event_stack20_" FP, "one event with its stack of 20 frames" FP_DOC, loop_deep},
	{"event_stacks256_" FP, "the same with 256 stacks in turn" FP_DOC, loop_paths},
};

/* --- Measuring -------------------------------------------------------------------------------- */

static double seconds_of(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* A generation ends: its events are in the file, its buffers free. */
static void advance(void)
{
	if (self) {
		gt_tls.busy++;
		gt_advance(self, false, false);
		gt_tls.busy--;
	}
}

ROOT static void measure(const struct row *row, double seconds)
{
	double wall = 0;
	double cpu = 0;
	uint64_t n = 0;

	if (self) {
		self->root.hi = (uintptr_t)__builtin_frame_address(0);
		self->root.lo = self->root.hi - (64 << 10);
		self->root.cut_lo = (uintptr_t)__start_bench_root;
		self->root.cut_hi = (uintptr_t)__stop_bench_root;
		gt_trace_main(self);
	}
	/* The first two make buffers, one for each parity, and learn the code of the stacks. */
	for (int generation = -2; generation < 0 || wall < seconds; generation++) {
		double wall_began = seconds_of(CLOCK_MONOTONIC);
		double cpu_began = seconds_of(CLOCK_PROCESS_CPUTIME_ID);

		row->loop(EVENTS);
		if (generation >= 0) {
			cpu += seconds_of(CLOCK_PROCESS_CPUTIME_ID) - cpu_began;
			wall += seconds_of(CLOCK_MONOTONIC) - wall_began;
			n += EVENTS;
		}
		advance();
	}
	printf("{\"row\": \"%s\", \"unit\": \"ns/event\", \"wall\": %.6g, \"cpu\": %.6g, "
	       "\"ops\": %llu, \"all_ops\": %llu}\n",
	       row->name, wall / (double)n * 1e9, cpu / (double)n * 1e9, (unsigned long long)n,
	       (unsigned long long)n + 2 * EVENTS);
}

static int start_trace(void)
{
	extern char **environ;
	const char *bad = NULL;
	const char *unknown = NULL;
	struct gt_env env;

	gt_env_read(&env, environ, &bad, &unknown);
	if (bad || unknown) {
		fprintf(stderr, "event: %s: a variable that gtrace does not take\n",
			bad ? bad : unknown);
		return 2;
	}
	if (!env.out || !*env.out) {
		return 0;
	}
	env.depth = GT_MIN(GT_MAX(env.depth, UINT64_C(1)), (uint64_t)GT_STACK_MAX);
	gt_stack_init();
	if (gt_trace_start(&env, env.out, (uintptr_t)measure, true) != 0) {
		return 1;
	}
	self = gt_tls.thread;
	return 0;
}

int main(int argc, char **argv)
{
	double seconds = argc == 3 ? atof(argv[2]) : 0.15;
	int failed;

	if (argc == 2 && strcmp(argv[1], "--list") == 0) {
		for (size_t i = 0; i < GT_LEN(rows); i++) {
			printf("%s\t%s\n", rows[i].name, rows[i].doc);
		}
		return 0;
	}
	if (argc < 2 || argc > 3 || seconds <= 0) {
		fputs("usage: event ROW [SECONDS]\n       event --list\n", stderr);
		return 2;
	}
	for (size_t i = 0; i < GT_LEN(rows); i++) {
		if (strcmp(argv[1], rows[i].name) == 0) {
			failed = start_trace();
			if (!failed) {
				measure(&rows[i], seconds);
				gt_trace_stop();
			}
			return failed;
		}
	}
	fprintf(stderr, "event: no row \"%s\" (event --list names them)\n", argv[1]);
	return 2;
}
