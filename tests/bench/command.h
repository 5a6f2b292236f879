/*
 * The command line of a program that runs one row of several.
 */
#pragma once

/*
 * ROW [--seconds S] | --list | --help. Gives the row's name, and sets the seconds (in (0, most])
 * if they are given; else it ends the process: 0 after the list or the usage, 2 after a message.
 */
const char *bench_command(int argc, char **argv, const char *usage, void (*list)(void), int most,
			  double *seconds);
