/*
 * A profile as pprof's profile.proto
 * (https://github.com/google/pprof/blob/main/proto/profile.proto), compressed by gzip.
 */
#pragma once

#include "profile.h"

struct gt_pprof {
	const struct gt_profile *profile;
	bool system;         /* with samples of system threads */
	const char *path;    /* of the trace */
	const char *problem; /* why it was read only in part; NULL: it was not */
};

/* Writes it to out, where an error of writing stays: see output.h. */
void gt_pprof_write(const struct gt_pprof *pprof, FILE *out);
