/*
 * The GTRACE_* variables: read by the library, set by the command, printed by the documents, all
 * from env.def.
 */
#pragma once

#include "base/util.h"

struct gt_env {
#define GT_TYPE_STRING                        const char *
#define GT_TYPE_TIME                          uint64_t
#define GT_TYPE_SIZE                          uint64_t
#define GT_TYPE_COUNT                         uint64_t
#define GT_TYPE_FLAG                          uint64_t
#define GT_TYPE_SHARE                         uint64_t /* millionths */
#define GT_TYPE_CLASSES                       uint64_t /* a bit for each enum gt_class */
#define GT_ENV(field, name, type, value, doc) GT_TYPE_##type field;
#include "base/env.def"
#undef GT_TYPE_STRING
#undef GT_TYPE_TIME
#undef GT_TYPE_SIZE
#undef GT_TYPE_COUNT
#undef GT_TYPE_FLAG
#undef GT_TYPE_SHARE
#undef GT_TYPE_CLASSES
};

struct gt_env_spec {
	const char *name;
	const char *type; /* STRING, TIME, ... */
	const char *value;
	const char *doc;
};

extern GT_HIDDEN const struct gt_env_spec gt_env_specs[];
extern GT_HIDDEN const size_t gt_env_specs_count;

/*
 * Fills e from environ. A value that does not parse leaves the default and is reported: bad gets
 * the variable's name (of the first such one), else NULL. Unknown names that begin with GTRACE_
 * are reported the same way in unknown. Strings point into the environment. No allocation.
 */
void gt_env_read(struct gt_env *e, char *const *environ_, const char **bad, const char **unknown);

/* "10ms" -> nanoseconds; "64M" -> bytes. False where the text is not wholly that. */
bool gt_env_time(const char *text, uint64_t *ns);
bool gt_env_size(const char *text, uint64_t *bytes);
/* "0.5%" -> millionths. */
bool gt_env_share(const char *text, uint64_t *millionths);
/* "io,net" -> bits of those classes. A list that begins with "-name" starts from *classes. */
bool gt_env_classes(const char *text, uint64_t *classes);
