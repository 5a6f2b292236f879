/*
 * Views of a trace as text, for people and for tests. Each reads a trace to its end: 0, or -1 with
 * *e after having printed what came before.
 */
#pragma once

#include <stdio.h>

#include "merge.h"

/* The ordered events, one a line, with names instead of ids; with stacks, frames follow. */
int gt_view_events(struct gt_merge *t, FILE *out, bool stacks, struct gt_error *e);
/* What a program did, without what differs from run to run (normal.c says what that is). */
int gt_view_normal(struct gt_merge *t, FILE *out, struct gt_error *e);

/* A name from a trace on one line: "?" if empty, and for each control character in it. */
void gt_view_name(FILE *out, const struct gt_text *name);
