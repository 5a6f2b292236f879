/*
 * What exec would make of a file, and whether a preloaded library can come with it.
 *
 * Knows the kernel's side of starting a program (ELF headers, "#!", secure execution) and nothing
 * of traces. For cmd_run.c.
 */
#pragma once

#include "base/util.h"

#include <limits.h>

struct gt_program {
	char path[PATH_MAX]; /* what to hand to exec */
	/*
	 * "#!/usr/bin/env NAME" is resolved here, so that the trace shows NAME's program and not
	 * env's, which execs it: path is then that of NAME, and these come before the arguments.
	 * Empty otherwise: the kernel follows all other scripts by itself.
	 */
	char env_name[256];
	char env_script[PATH_MAX];
	/*
	 * 0: can be traced. Else the exit status to end with: 127 not found, 126 found but not
	 * executable (as sh and env do), 2 runs but cannot be traced.
	 */
	int status;
	char text[768]; /* the reason, or where status is 0 what to know beforehand, or "" */
};

/* Looks name up as execvp would and examines the file. True where p->status is 0. */
bool gt_program_find(struct gt_program *p, const char *name);
