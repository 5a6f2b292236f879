/*
 * The load of core alone: what its two halves share.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

bool stopped(void);
uint32_t roll(uint64_t *state);
uint64_t start_state(void *salt);
void spin(uint32_t n);

/* Threads of core_others.c: bare futexes, yields, and what a jump out of the tracer leaves. */
void *word_waiter(void *arg);
void *word_waker(void *arg);
void *yielder(void *arg);
void *jumper(void *arg);
