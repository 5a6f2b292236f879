/*
 * Starting a program, or a child of ours, and waiting for it. For cmd_run.c and symbolize_apart.c.
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
 * Calls it in a child, with signals handed on as above: its wait status, or -1 with errno. Those
 * signals stay blocked here: the caller is about to end.
 */
int gt_spawn_call(void (*call)(void *), void *argument);
