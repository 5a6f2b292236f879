/*
 * The environment without us: what GTRACE_FOLLOW=0 leaves to the program and to what it starts.
 */
#include "strip.h"

#include <string.h>

#include "base/util.h"

#include "loaded.h"

#define PRELOAD "LD_PRELOAD="

/* The entry with all libraries but this one. */
static char preload[4096] = PRELOAD;

static const char *base_name(const char *path, size_t n)
{
	while (n && path[n - 1] != '/') {
		n--;
	}
	return path + n;
}

/* Whether the path, of n bytes, names the library of that file name. */
static bool names(const char *path, size_t n, const char *library)
{
	const char *base = base_name(path, n);
	size_t length = strlen(library);

	return (size_t)(path + n - base) == length && memcmp(base, library, length) == 0;
}

/* Fills preload from such an entry. False: it has no room. */
static bool without(const char *entry, const char *library)
{
	const char *item = entry + strlen(PRELOAD);
	size_t start = strlen(PRELOAD);
	size_t n = start;

	if (strlen(entry) >= sizeof(preload)) {
		return false;
	}
	while (*item) {
		size_t length = 0;

		/* Both separate libraries there (ld.so(8)). */
		while (item[length] && item[length] != ':' && item[length] != ' ') {
			length++;
		}
		if (length && !names(item, length, library)) {
			if (n > start) {
				preload[n++] = ':';
			}
			memcpy(preload + n, item, length);
			n += length;
		}
		item += length + (item[length] != 0);
	}
	preload[n] = 0;
	return true;
}

void gt_strip(char **envp)
{
	const char *path = gt_loaded_our_path();
	const char *library = path ? base_name(path, strlen(path)) : NULL;
	char **to = envp;

	for (char **e = envp; e && *e; e++) {
		if (strncmp(*e, "GTRACE_", strlen("GTRACE_")) == 0) {
			continue;
		}
		if (library && strncmp(*e, PRELOAD, strlen(PRELOAD)) == 0 && without(*e, library)) {
			if (!preload[strlen(PRELOAD)]) {
				continue;
			}
			*e = preload;
		}
		*to++ = *e;
	}
	if (to) {
		*to = NULL;
	}
}
