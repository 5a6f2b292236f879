/*
 * What gtrace run does with the traces when its program has ended: their frames get files and
 * lines. For cmd_run.c.
 */
#pragma once

#include <stddef.h>

/*
 * Symbolizes the traces of these names, in a process of its own, since debug information may hold
 * anything and must not take the command's exit status away. What goes wrong is a warning, and the
 * trace stays as it was. Traces that are not finished, and large ones, are left alone. Nothing goes
 * over a network, wherever DEBUGINFOD_URLS leads: nobody asked for that.
 */
void gt_run_symbolize(char *const *paths, size_t n);
