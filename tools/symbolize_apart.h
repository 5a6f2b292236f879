/*
 * What commands do with the traces that they have made, without being asked for it: frames get
 * files and lines. For cmd_run.c and cmd_recover.c.
 */
#pragma once

#include <stddef.h>

/*
 * Symbolizes the traces of these names, in a process of its own, since debug information may hold
 * anything and must not take the command's exit status away. What goes wrong is a warning of that
 * command's, and the trace stays as it was. Traces that are not finished, and large ones, are left
 * alone. Nothing goes over a network, wherever DEBUGINFOD_URLS leads: nobody asked for that.
 */
void gt_symbolize_apart(const char *command, char *const *paths, size_t n, unsigned zstd);
