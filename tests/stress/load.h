/*
 * The load: what its two halves share. load.c: mutexes, condition variables, life and death, system
 * calls, and main; load_others.c: the other objects, sockets, signals, cancellation, children.
 */
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

enum { MUTEXES = 2, OTHERS = 18 };

extern atomic_bool stop;
extern pthread_mutex_t mutexes[MUTEXES];
extern pthread_cond_t never;

uint32_t roll(uint64_t *state);
uint64_t start_state(uintptr_t salt);
struct timespec in_ns(clockid_t clock, long ns);
void spin(uint32_t n);
/* Joins it in one of all ways. */
void join_somehow(pthread_t thread, uint32_t how);

/* The threads of load_others.c; what they need, before they begin; and when they are to stop. */
extern void *(*const others[OTHERS])(void *);
bool others_begin(void);
void others_end(void);
