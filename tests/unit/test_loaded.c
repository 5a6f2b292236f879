/*
 * The look-up of functions, with the loader's own as the judge.
 */
#include <criterion/criterion.h>

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

#include "loaded.h"

/* All names and versions that hooks.def knows. */
static const struct {
	const char *name;
	const char *version; /* with _ for . */
} nodes[] = {
#define GT_NODE(name, id, family, at, version) {#name, #version},
#include "../../preload/hooks.def"
};

static void with_dots(char *to, const char *version)
{
	strcpy(to, version);
	for (char *c = strchr(to, '_') + 1; *c; c++) {
		*c = *c == '_' ? '.' : *c;
	}
}

Test(loaded, finds_what_dlvsym_finds)
{
	size_t found = 0;

	for (size_t i = 0; i < GT_LEN(nodes); i++) {
		char version[32];
		void *p;

		with_dots(version, nodes[i].version);
		p = gt_loaded_next(nodes[i].name, version);
		cr_expect_eq(p, dlvsym(RTLD_NEXT, nodes[i].name, version), "%s@%s", nodes[i].name,
			     version);
		found += p != NULL;
	}
	cr_expect_gt(found, 50u);
}

Test(loaded, default_version)
{
	cr_expect_eq(gt_loaded_next("pthread_create", NULL), dlsym(RTLD_NEXT, "pthread_create"));
	cr_expect_eq(gt_loaded_next("malloc", NULL), dlsym(RTLD_NEXT, "malloc"));
}

Test(loaded, chosen_by_the_processor)
{
	/* time, strlen: STT_GNU_IFUNC, whose address must be what it chooses, not itself. */
	cr_expect_eq(gt_loaded_next("strlen", NULL), dlsym(RTLD_NEXT, "strlen"));
	cr_expect_eq(gt_loaded_next("time", "GLIBC_2.2.5"),
		     dlvsym(RTLD_NEXT, "time", "GLIBC_2.2.5"));
}

Test(loaded, two_functions_of_one_name)
{
	cr_expect_neq(gt_loaded_next("pthread_cond_wait", "GLIBC_2.2.5"),
		      gt_loaded_next("pthread_cond_wait", "GLIBC_2.3.2"));
}

Test(loaded, not_there)
{
	cr_expect_null(gt_loaded_next("pthread_create", "GLIBC_2.99"));
	cr_expect_null(gt_loaded_next("no_such_function", NULL));
	cr_expect_null(gt_loaded_next("", NULL));
}

/* The vDSO has only an old table or a new one, as the kernel was built; libc has the new one. */
Test(loaded, each_object_by_itself)
{
	size_t objects = 0;

	for (const struct link_map *map = gt_loaded_first(); map; map = map->l_next) {
		struct gt_loaded o;

		if (!gt_loaded_open(&o, map)) {
			continue;
		}
		objects++;
		cr_expect_null(gt_loaded_find(&o, "no_such_function",
					      gt_loaded_hash("no_such_function"), NULL));
		if (strstr(map->l_name, "/libc.so.6")) {
			cr_expect_eq(
				gt_loaded_find(&o, "fork", gt_loaded_hash("fork"), "GLIBC_2.2.5"),
				dlsym(RTLD_NEXT, "fork"));
			/* The same by the table of System V, where libc has that one too. */
			if (o.hash) {
				o.gnu_hash = NULL;
				cr_expect_eq(gt_loaded_find(&o, "fork", 0, "GLIBC_2.2.5"),
					     dlsym(RTLD_NEXT, "fork"));
			}
		}
	}
	cr_expect_gt(objects, 2u);
}
