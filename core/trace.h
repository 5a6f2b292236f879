/*
 * The trace of this process: the legend of the tracer's types, and what they share.
 *
 * Words, each with one meaning:
 *   generation  a slice of the trace that can be read alone; numbered from 1, 0 means off
 *   parity      generation modulo 2: of everything that belongs to a generation there are two
 *   section     what one thread writes from gt_section_begin to _end, all in one generation
 *   batch       bytes of one M in one generation; it lies in a buffer (struct gt_buf)
 *   seal        to close a batch and put it on its generation's full list
 *   advance     to move from generation N to N + 1 and write N to the file
 *   ref         an offset into the shared mapping, in units of 64 bytes; 0 is none
 *
 * Types, in the order in which they stand on each other:
 *   struct gt_trace   this file: everything shared; lies at the start of the shared mapping
 *   struct gt_buf     buf.h: 64 KiB, one batch of events and one of facts
 *   struct gt_table   table.h: stacks or strings of one generation, each with its id
 *   struct gt_proc    proc.h: a P, a slot to run in
 *   struct gt_thread  thread.h: an M and its G, the seqlock, the mailbox
 *   struct gt_w       emit.h: the right to write, held inside a section
 *
 * Who may touch what stands at each field: [start] written once before the first section, then
 * read by all; [advancer] only by whoever holds x_advance; [any] by any thread, atomically.
 */
#pragma once

#include "base/atomic.h"
#include "base/clock.h"
#include "base/env.h"
#include "base/spec.h"
#include "base/spool.h"
#include "base/util.h"

#include "buf.h"
#include "lock.h"
#include "proc.h"
#include "table.h"

struct gt_thread;

#define GT_PATH_MAX 1024
enum { GT_MAPS_MAX = 48 << 10 };

/* All clocks at one moment: the start of a generation. */
struct gt_stamp {
	uint64_t ticks;
	uint64_t mono; /* CLOCK_MONOTONIC, ns */
	uint64_t sec;  /* CLOCK_REALTIME */
	uint64_t nsec;
};

struct gt_trace {
	/*
	 * What a reader of the spool finds first. head.gen is the word that every section loads,
	 * after it has made its own sequence number odd (see thread.h, Protocol); the advancer
	 * stores it. The line is written once a generation.
	 */
	struct gt_spool_head head GT_ALIGNED(GT_LINE);
	/* [start] What a recovery needs. */
	uint64_t started_ns;    /* trace clock */
	_Atomic uint64_t bytes; /* of the mapping; falls where the program needs the room (shm.c) */
	char path[GT_PATH_MAX];
	char spool[GT_PATH_MAX];

	/* [advancer writes before gen, sections read after] The line of the clock, by parity. */
	struct gt_clock clock[2] GT_ALIGNED(GT_LINE);
	/* Beside it what a section, or who ends one, reads as well. */
	/* [advancer] The generation's end, ticks, where no advancer sees to that. */
	_Atomic uint64_t due;
	_Atomic uint32_t advancer; /* its state (advancer.c); 0: there is none */
	/* [any] enum gt_broken: recording stopped before the program's end, and what is unfinished
	 * lacks something; NOT: it did not. */
	_Atomic uint32_t broken;
	/* [advancer] All clocks at the start of the generation, by parity. */
	struct gt_stamp stamp[2];

	/* [any] Memory: the first byte never handed out (shm.c), free buffers (buf.c). */
	_Atomic uint64_t brk GT_ALIGNED(GT_LINE);
	_Atomic uint64_t backed;
	_Atomic uint64_t free_bufs GT_ALIGNED(GT_LINE);
	_Atomic uint32_t free_bufs_count;
	_Atomic uint32_t bufs; /* all buffers, for a recovery: ref of the newest */
	_Atomic uint32_t buf_number;
	/* [any] Sealed batches, by parity; the newest first. */
	_Atomic uint32_t full[2] GT_ALIGNED(GT_LINE);
	_Atomic uint32_t full_count[2];
	/* The buffer that takes the last batches of threads that end, by parity. */
	struct gt_lock packed_lock[2];
	uint32_t packed[2]; /* under packed_lock: ref */

	/* Threads: the registry (thread.c). */
	struct gt_lock threads_lock GT_ALIGNED(GT_LINE);
	_Atomic uint32_t threads;       /* [any] links in front; the advancer takes out */
	_Atomic uint32_t free_threads;  /* records in no list of threads */
	_Atomic uint32_t spare_threads; /* of threads of this generation that are over */
	_Atomic uint64_t next_g;        /* written under threads_lock, as live */
	_Atomic uint32_t live;          /* threads with a record, but for the advancer */
	/* Threads whose end the generation has seen: their records are free when it is written. */
	_Atomic uint32_t dead;

	/* [any] Counted losses, by enum gt_loss. */
	_Atomic uint64_t losses[GT_LOSS_END] GT_ALIGNED(GT_LINE);

	/* [any] Ps: the pool (proc.c). */
	struct gt_procs procs GT_ALIGNED(GT_LINE);

	/* [any] Stacks and strings, by parity. */
	struct gt_table stacks[2] GT_ALIGNED(GT_LINE);
	struct gt_table strings[2] GT_ALIGNED(GT_LINE);

	/* Who advances: at most one at a time (advance.c). */
	struct gt_lock x_advance GT_ALIGNED(GT_LINE);
	uint64_t first_gen; /* [start] */

	/* The advancer thread (advancer.c). */
	_Atomic uint32_t advancer_tid;
	_Atomic uint32_t nudge; /* futex: bumped to wake the advancer early */
	/*
	 * The user that the advancer is asked to become: 1 asked, 0 done (futex); real, effective,
	 * saved; capabilities as the kernel gives them.
	 */
	_Atomic uint32_t follow;
	uint32_t follow_uid[3];
	uint32_t follow_gid[3];
	uint32_t follow_caps[6];
	/* [any] What is to be said of the trace, by enum gt_about, and which of it is known. */
	_Atomic uint64_t about[GT_ABOUT_END];
	_Atomic uint32_t about_said;
	/* [any] Whether somebody has removed what a finished trace does not need. */
	_Atomic uint32_t tidied;
	/* [advancer] Mappings of code, for a recovery (spool.c). */
	_Atomic uint32_t maps_len;
	char maps[GT_MAPS_MAX];
	/* [any] As broken, of one that is still finished well: the last generation says so. */
	_Atomic uint32_t ends;
};

/* The trace of this process; NULL before gt_trace_start. Written once. */
extern GT_HIDDEN struct gt_trace *gt_trace;
/* The settings of this process. [start] */
extern GT_HIDDEN struct gt_env gt_env;

/*
 * The gate lies in a page of its own that the kernel wipes in every child that is forked by
 * whatever means (MADV_WIPEONFORK): a child reads epoch 0, "off", and never follows a pointer into
 * its parent's mapping, which it does not have.
 */
struct gt_gate {
	_Atomic uint32_t epoch; /* 0: off; else the number of this start of tracing, from 2 on */
};
extern GT_HIDDEN struct gt_gate *gt_gate;

/*
 * Starts tracing this process: maps the spool, opens generation 1, makes the calling thread G 1.
 * entry: address of main, or of what stands for it until it is known. Returns 0 or -errno after
 * having said why; -EEXIST, unsaid, where path has a spool already. old: an older trace at path may
 * be replaced, but nothing else ever is.
 */
int gt_trace_start(const struct gt_env *env, const char *path, uintptr_t entry, bool old);
/* The first event of t, which is G 1, when its root is known: main begins. */
void gt_trace_main(struct gt_thread *t);
/* Whether this process has a trace. False in a child, however it was made. */
bool gt_trace_mine(void);
/*
 * A handler that interrupted a section of this thread does not return to it: it ends the process,
 * or jumped away. The section is undone; false: it could not be (gt_section_undo).
 */
bool gt_trace_give_up_section(void);
/*
 * Ends tracing: finishes the last generation and the file. Safe to call twice and from any thread;
 * the second caller waits for the first. Returns when the file is whole; where that takes longer
 * than some seconds (a writer that never comes back), its last generation is left in the spool.
 */
void gt_trace_stop(void);
/* Somebody does so: many that advance by turns would leave it no gap. */
bool gt_trace_stopping(void);
/*
 * Gives the trace up, if there is nothing in it that is worth a file: the process has always had
 * one thread. Then its files are gone, and gt_trace_start may be called again. False: it goes on.
 */
bool gt_trace_abandon(void);
/*
 * Recording ends at the last whole generation; the program goes on. Any thread, any context. What
 * makes it so: MEMORY, also where the disk that backs the spool is full; PROCS, more than
 * GT_PROCS_MAX; STUCK, a section that does not end with the process; LEFT, where nothing can be
 * undone; WRITE, which says itself with which error.
 */
void gt_trace_break(enum gt_broken why);
/* gt_trace_stop comes before the program's end: the trace will say so. */
void gt_trace_ends(enum gt_broken why);
/* After gt_trace_stop: the program goes on after all, and the file is to say so. */
void gt_trace_went_on(enum gt_broken why);
/* In a child after fork: forgets the parent's trace. */
void gt_trace_forget(void);
/*
 * The first step of that, in the child itself: it may have been forked by a signal handler, which
 * will return into a hook that knows its record. What is touched there is a copy that nobody reads,
 * until gt_trace_forget. False: there is no room for one, and all is forgotten now.
 */
bool gt_trace_inherit(void);

/* The trace is finished or broken off: removes the spool, and a file without a generation. Once. */
void gt_trace_tidy(void);

void gt_loss_add(enum gt_loss what);
/* A fact about the trace; the generation that is written next has it. */
void gt_about(enum gt_about what, uint64_t value);

/* Once, at the start: what standard error is. */
void gt_say_init(void);
/* From here on no thread of the program says anything: it may not be allowed to. */
void gt_say_nothing(void);
/* One line into GTRACE_LOG or to stderr: "gtrace: <a><b>: <error>". error 0: none. */
void gt_say(const char *a, const char *b, int error);
