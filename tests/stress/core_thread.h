/*
 * Threads that trace themselves through core's own functions, as preload/ does for a program's.
 *
 * The advancer is a pthread of the program's own here: that of core/advancer.c has no libc state,
 * which ThreadSanitizer cannot follow. It keeps the same protocol with gt_trace_stop.
 */
#pragma once

#include <pthread.h>

#include "thread.h"

#define STRESS_FRAME() __builtin_frame_address(0)

/* The record of the calling thread if it is to be traced now; as gt_self of preload/hook.h. */
struct gt_thread *stress_self(void);

/* The calling thread's stacks end here; called by main before anything else. */
void stress_root_mark(struct gt_thread *t, void *frame);

/* Starts a thread, its creation in the trace. False: no thread. */
bool stress_create(pthread_t *pthread, void *(*start)(void *), void *arg);
/* Starts one that the tracer does not see: it attaches itself. */
bool stress_create_unseen(pthread_t *pthread, void *(*start)(void *), void *arg);
/* Announces one whose real creation fails. */
void stress_create_fails(void);
/* Waits for its end, at most ns at a time, again and again; UINT64_MAX: once, for ever. */
void stress_join(pthread_t pthread, uint64_t ns);
/* Waits until all threads made here are over, detached ones too (but not the advancer). */
void stress_wait_over(void);

/* Starts the thread that advances, once in a period; a second one waits for it. */
bool stress_advancer_start(pthread_t *pthread);
