/*
 * Starting a program and waiting for it. For cmd_run.c.
 */
#pragma once

#include "program.h"

#include <sys/types.h>

/*
 * Runs p, found by gt_program_find for argv[0], with our environment, and hands on the signals that
 * are sent to us meanwhile. Returns its wait status; or -1 where it could not be started, which has
 * then been said on standard error, with the exit status to end with in *failed.
 */
int gt_spawn_wait(const struct gt_program *p, char *const *argv, pid_t *pid, int *failed);

/*
 * Calls it in a child, after gt_spawn_wait, with signals handed on as there: its wait status, or -1
 * with errno.
 */
int gt_spawn_call(void (*call)(void *), void *argument);
