/*
 * The functions that the loaded objects define: dlvsym(RTLD_NEXT) by hand.
 *
 * Owns nothing: it reads the loader's list of objects and their symbol tables. By hand, because
 * dlsym allocates and takes the loader's lock (an allocator whose first call it is comes back to us
 * out of our own look-up), because other libraries stand in its place, and because its version is
 * the one thing that would bind this library to a new glibc.
 *
 * It takes no lock either. Other threads may load objects meanwhile, but not unload any: it is for
 * the constructor and for hooks that come before that, or for under the loader's lock.
 */
#pragma once

#include <link.h>

#include "base/util.h"

/* The symbol table of one loaded object. */
struct gt_loaded {
	const struct link_map *map;
	const ElfW(Sym) * symbols;
	const char *strings;
	const uint32_t *gnu_hash;      /* or NULL */
	const uint32_t *hash;          /* or NULL */
	const ElfW(Versym) * versions; /* NULL: no symbol of it has one */
	const ElfW(Verdef) * definitions;
};

/* The first object behind us in the order of look-ups, or first of all. NULL: there is none. */
const struct link_map *gt_loaded_behind_us(void);
const struct link_map *gt_loaded_first(void);
bool gt_loaded_is_ours(const struct link_map *map);
/* The path under which we were loaded; NULL: part of a program. */
const char *gt_loaded_our_path(void);

/* False: it defines nothing. */
bool gt_loaded_open(struct gt_loaded *o, const struct link_map *map);

/* The hash of a name, for gt_loaded_find. */
uint32_t gt_loaded_hash(const char *name);

/*
 * The function that a reference to this name and version would be bound to in o: of that version,
 * or without any (other preloads and sanitizers define theirs so). version NULL: the default one.
 * NULL: o defines none.
 */
void *gt_loaded_find(const struct gt_loaded *o, const char *name, uint32_t hash,
		     const char *version);

/* The variable that o defines under its default version; NULL: none. */
const void *gt_loaded_data(const struct gt_loaded *o, const char *name);

/* The first one in the objects behind us; where they define none, in all objects but ours. */
void *gt_loaded_next(const char *name, const char *version);

/*
 * Whether this is valgrind's simulation of the machine, which knows only the usual ways to make a
 * thread, keeps its own books of the mappings, and reports what reads memory never written.
 */
bool gt_loaded_valgrind(void);
