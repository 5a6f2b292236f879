/*
 * syscall(): what its two halves share. syscall.c decides by the number; futex.c knows the futex
 * calls.
 */
#pragma once

#include <stdbool.h>

/* The six registers of a system call, as the program gave them; what it did not give is garbage. */
struct gt_six {
	long number;
	long a, b, c, d, e, f;
};

/* The real syscall() with these. */
long gt_six_real(const struct gt_six *s);

/* Whether the number is one of futex.c's, and the call, made once. frame: of the hook. */
bool gt_futex_is(long number);
long gt_futex(const struct gt_six *s, void *frame);
