/*
 * Demangling, by GNU libiberty.
 */
#include "sym_name.h"

#include <stdlib.h>
#include <string.h>

#include <libiberty/demangle.h>

#include "error.h"

/* Templates give names of some thousand bytes; what is longer only costs time. */
enum { MANGLED_MAX = 1 << 15 };

char *gt_sym_demangle(const char *name, size_t length)
{
	char *mangled, *plain;

	/* "_Z" of C++ and legacy Rust, "_R" of Rust v0; no C name of a program begins so. */
	if (length < 3 || length > MANGLED_MAX || name[0] != '_' ||
	    (name[1] != 'Z' && name[1] != 'R')) {
		return NULL;
	}
	mangled = gt_alloc(length + 1);
	memcpy(mangled, name, length);
	plain = cplus_demangle(mangled, DMGL_ANSI | DMGL_AUTO);
	free(mangled);
	return plain;
}

size_t gt_sym_plain_length(const char *name, size_t length)
{
	/* GCC's, and LLVM's for what it moves between units. */
	static const char *const endings[] = {".part.",     ".constprop.", ".isra.",  ".cold",
					      ".lto_priv.", ".localalias", ".clone.", ".llvm."};
	const char *dot = length > 0 ? memchr(name + 1, '.', length - 1) : NULL;

	for (size_t i = 0; dot != NULL && i < GT_LEN(endings); i++) {
		const size_t n = strlen(endings[i]);

		if ((size_t)(name + length - dot) >= n && memcmp(dot, endings[i], n) == 0) {
			return (size_t)(dot - name);
		}
	}
	return length;
}
