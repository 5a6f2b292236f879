/*
 * Roots: where the stacks of the program's threads end, and how a thread's end is seen.
 *
 * The functions that call a start routine or main lie in a section of their own, so that a stack
 * walk knows their frames by address.
 */
#pragma once

#include <pthread.h>

#include "base/util.h"

#include "thread.h"

#define GT_ROOT __attribute__((section("gt_root"), noinline))

/* The calling thread's stacks end at frame, which is of a GT_ROOT function. */
void gt_root_mark(struct gt_thread *t, void *frame);
/* The same before main: only the code is known. */
void gt_root_mark_code(struct gt_thread *t);
/* The tid of the calling thread, which pthread_create has made; 0: it must be asked. */
uint32_t gt_root_tid(pthread_t self);
/* Bytes of the stacks that these attributes give (NULL: none); 0: that cannot be known. */
size_t gt_root_stack_size(const pthread_attr_t *attr);

/*
 * The end of the calling thread t is recorded after the key destructors of the program: however it
 * ends (return, pthread_exit, cancellation), glibc calls the destructors of thread-specific data,
 * and ours puts itself back until those of the noted keys are done.
 */
void gt_root_watch_end(struct gt_thread *t);
/* The program has made a key that has a destructor. */
void gt_root_note_key(pthread_key_t key);
/* Before self creates another thread: what this needs of libpthread is there now, if not before. */
void gt_root_before_create(struct gt_thread *self);

/* What stands for main until it is known, by the name "main". */
uintptr_t gt_root_main(void);
/* Once, from the constructor: keys and ranges. */
void gt_root_init(void);

/* In a forked child that has come to need a trace: starts it (init.c). */
void gt_root_start_late(void);
/*
 * The same at any hook, where each process is to have a file: once the child has lived for a while.
 * True: tracing is on now.
 */
bool gt_root_start_if_due(void);

/* The process ends (init.c). Keeps errno; does nothing in a child that shares our memory. */
void gt_root_finish(void);

/* exec (init.c): what became of the trace before the real call. */
enum gt_exec { GT_EXEC_NONE, GT_EXEC_GIVEN_UP, GT_EXEC_FINISHED };
/* path: what it is going to start, if that is known: what cannot be started ends no trace. */
enum gt_exec gt_exec_begin(const char *path);
/* After GIVEN_UP: the name of the file as the user gave it, for the new program. */
void gt_exec_environment(char **envp);
/* The real call has returned: the program goes on. errno is kept. */
void gt_exec_failed(enum gt_exec how);

/* Whether the library has something to do in this process, a child of vfork not included. */
bool gt_root_here(void);
bool gt_root_is(pid_t pid);
/*
 * Whether the kernel could read there, so that we may. Asked by a call that no filter can have
 * forbidden without notice (it is one of ours): with a nonsensical first argument it reads the set,
 * and then fails.
 */
bool gt_root_readable(const void *from, size_t bytes);
/* Children and programs that are started are not traced; nothing of us is left in environ. */
void gt_root_unfollow(void);
/* And neither is anything else done from here on, no system call at all. */
void gt_root_leave(void);
/* In a child of fork, however that was made. */
void gt_root_in_child(void);
/* A trace that was given up goes on in this process. */
void gt_root_start_again(void);
/* A signal is about to be sent to the calling thread: if it ends the process, so does the trace. */
void gt_root_before_signal(int number);
