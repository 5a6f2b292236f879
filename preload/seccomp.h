/*
 * Seccomp: what a program that restricts its own system calls leaves to us.
 *
 * Called by whatever can install a filter (rights.c, syscall.c), before it does.
 */
#pragma once

#include "base/util.h"

/* Strict mode: four calls are left, none of which helps us. */
void gt_seccomp_before_strict(void);
/*
 * A filter: program is the struct sock_fprog that the kernel is going to copy, at an address that
 * may be wrong; all_threads: SECCOMP_FILTER_FLAG_TSYNC.
 */
void gt_seccomp_before_filter(const void *program, bool all_threads);
/* It is in force. */
void gt_seccomp_done(void);
/* Whether one is, so that calls of ours that are only useful are better not made. */
bool gt_seccomp_on(void);
