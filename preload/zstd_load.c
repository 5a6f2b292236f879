/*
 * Loading libzstd.
 */
#include "zstd_load.h"

#include <dlfcn.h>
#include <errno.h>
#include <string.h>

#include "hook.h"
#include "loaded.h"
#include "trace.h"

/*
 * Nothing is bound later: the advancer, which calls it, has no state of libc. Nobody but us sees
 * its names; and it sees its own before a program's, which may export a zstd of another version.
 */
enum { MODE = RTLD_NOW | RTLD_LOCAL | RTLD_DEEPBIND };

static const struct link_map *load(void)
{
	void *(*open)(const char *, int);
	char *(*error)(void);
	void *library;

	/* glibc before 2.34 has the first in libdl, and the second for itself. */
	if (!gt_hook_lookup("dlopen", &open) && !gt_hook_lookup("__libc_dlopen_mode", &open)) {
		return NULL;
	}
	library = open("libzstd.so.1", MODE);
	if (!library && gt_hook_lookup("dlerror", &error)) {
		error(); /* it is not the program's */
	}
	return library; /* a handle is a link_map: dlopen(3) of glibc, <link.h> */
}

static bool find(const struct link_map *map, struct gt_zstd_library *library)
{
	static const char *const names[] = {
#define GT_ZSTD_FUNCTION(type, name, args) "ZSTD_" #name,
		GT_ZSTD_FUNCTIONS(GT_ZSTD_FUNCTION)
#undef GT_ZSTD_FUNCTION
	};
	void *found[GT_LEN(names)];
	struct gt_loaded o;

	_Static_assert(sizeof(found) == sizeof(*library), "the same pointers in the same order");
	if (!gt_loaded_open(&o, map)) {
		return false;
	}
	for (size_t i = 0; i < GT_LEN(names); i++) {
		found[i] = gt_loaded_find(&o, names[i], gt_loaded_hash(names[i]), NULL);
		if (!found[i]) {
			return false;
		}
	}
	memcpy(library, found, sizeof(found));
	return true;
}

void gt_zstd_load(unsigned level)
{
	static const char plain[] = "GTRACE_ZSTD: the trace is written plain: ";
	const struct link_map *map = load();
	struct gt_zstd_library library;
	int r;

	if (!map) {
		gt_say(plain, "libzstd.so.1 cannot be loaded", 0);
	} else if (!find(map, &library)) {
		gt_say(plain, "libzstd.so.1 lacks a function that is needed", 0);
	} else if ((r = gt_zstd_use(&library, level)) < 0) {
		gt_say(plain, "memory for the compressor", r);
	}
}
