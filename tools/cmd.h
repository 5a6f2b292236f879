/*
 * The subcommands of gtrace: one file cmd_<name>.c and one function each.
 *
 * argv[0] is the subcommand's name. The function returns the exit status: GT_EXIT_GOOD, GT_EXIT_NO
 * where the question was understood and the answer is no (a trace is not valid), GT_EXIT_TROUBLE
 * for bad usage or a file that cannot be read, GT_EXIT_TRUNCATED where only the end of a trace is
 * missing. Each answers --help itself.
 */
#pragma once

#include "mapped.h"

enum { GT_EXIT_GOOD = 0, GT_EXIT_NO = 1, GT_EXIT_TROUBLE = 2, GT_EXIT_TRUNCATED = 3 };

int gt_cmd_run(int argc, char **argv);
int gt_cmd_verify(int argc, char **argv);
int gt_cmd_stat(int argc, char **argv);
int gt_cmd_pprof(int argc, char **argv);
int gt_cmd_export(int argc, char **argv);
int gt_cmd_dump(int argc, char **argv);
int gt_cmd_cut(int argc, char **argv);
int gt_cmd_diff(int argc, char **argv);
int gt_cmd_convert(int argc, char **argv);
int gt_cmd_merge(int argc, char **argv);
int gt_cmd_recover(int argc, char **argv);
int gt_cmd_assemble(int argc, char **argv);
int gt_cmd_spec(int argc, char **argv);
int gt_cmd_symbolize(int argc, char **argv);

/* Prints "gtrace CMD: PATH: " and what errno says on stderr; returns GT_EXIT_TROUBLE. */
int gt_cmd_trouble(const char *cmd, const char *path);
/*
 * Prints on stderr what is wrong with the trace at path. Returns GT_EXIT_TRUNCATED, GT_EXIT_TROUBLE
 * where it cannot be read, or GT_EXIT_NO.
 */
int gt_cmd_wrong(const char *cmd, const char *path, const struct gt_error *e);
/* The same where gt_mapped_open has failed. */
int gt_cmd_unmapped(const char *cmd, const char *path, const struct gt_mapped *m);
/* Prints "gtrace CMD: message" and how to get help on stderr; returns GT_EXIT_TROUBLE. */
GT_PRINTF(2, 3) int gt_cmd_usage(const char *cmd, const char *format, ...);
