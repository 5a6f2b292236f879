/*
 * The functions that the loaded objects define.
 */
#include "loaded.h"

#include <string.h>
#include <sys/auxv.h>

enum {
	VERSION_MASK = 0x7fff, /* of an ElfW(Versym) */
	VERSION_HIDDEN = 0x8000,
	VERSION_GLOBAL = 1, /* defined, and without a version */
};

const struct link_map *gt_loaded_first(void)
{
	return _r_debug.r_map;
}

bool gt_loaded_is_ours(const struct link_map *map)
{
	return map->l_ld == _DYNAMIC; /* that name is local to each object */
}

static const struct link_map *ours(void)
{
	const struct link_map *map = gt_loaded_first();

	while (map && !gt_loaded_is_ours(map)) {
		map = map->l_next;
	}
	return map;
}

const struct link_map *gt_loaded_behind_us(void)
{
	const struct link_map *map = ours();

	return map ? map->l_next : NULL;
}

const char *gt_loaded_our_path(void)
{
	const struct link_map *map = ours();

	return map && *map->l_name ? map->l_name : NULL;
}

bool gt_loaded_open(struct gt_loaded *o, const struct link_map *map)
{
	*o = (struct gt_loaded){.map = map};
	for (const ElfW(Dyn) *d = map->l_ld; d && d->d_tag != DT_NULL; d++) {
		/* The loader has added the base where the section is writable, as it mostly is. */
		uintptr_t at = d->d_un.d_ptr + (d->d_un.d_ptr < map->l_addr ? map->l_addr : 0);

		switch (d->d_tag) {
		case DT_SYMTAB:
			o->symbols = (const void *)at;
			break;
		case DT_STRTAB:
			o->strings = (const void *)at;
			break;
		case DT_GNU_HASH:
			o->gnu_hash = (const void *)at;
			break;
		case DT_HASH:
			o->hash = (const void *)at;
			break;
		case DT_VERSYM:
			o->versions = (const void *)at;
			break;
		case DT_VERDEF:
			o->definitions = (const void *)at;
			break;
		default:
			break;
		}
	}
	return o->symbols && o->strings && (o->gnu_hash || o->hash);
}

uint32_t gt_loaded_hash(const char *name)
{
	uint32_t h = 5381;

	while (*name) {
		h = h * 33 + (unsigned char)*name++;
	}
	return h;
}

/* The hash of System V's tables, which few objects still have alone. */
static uint32_t old_hash(const char *name)
{
	uint32_t h = 0;

	while (*name) {
		h = (h << 4) + (unsigned char)*name++;
		h = (h ^ (h >> 24 & 0xf0)) & 0x0fffffff;
	}
	return h;
}

/* The name of the version with that index. */
static const char *version_name(const struct gt_loaded *o, unsigned index)
{
	const char *d = (const char *)o->definitions;

	while (d) {
		const ElfW(Verdef) *definition = (const void *)d;

		if (definition->vd_ndx == index) {
			const ElfW(Verdaux) *name = (const void *)(d + definition->vd_aux);

			return o->strings + name->vda_name;
		}
		d = definition->vd_next ? d + definition->vd_next : NULL;
	}
	return NULL;
}

/* As the loader decides it for a reference (check_match in elf/dl-lookup.c). */
static bool version_fits(const struct gt_loaded *o, uint32_t symbol, const char *version)
{
	unsigned index = o->versions ? o->versions[symbol] : VERSION_GLOBAL;
	const char *name;

	if (!version) {
		return index != 0 && !(index & VERSION_HIDDEN);
	}
	if (index == VERSION_GLOBAL) {
		return true;
	}
	name = version_name(o, index & VERSION_MASK);
	return name && strcmp(name, version) == 0;
}

/* Types of symbols, a bit for each. */
enum {
	CODE = 1 << STT_FUNC | 1 << STT_GNU_IFUNC | 1 << STT_NOTYPE,
	DATA = 1 << STT_OBJECT,
};

/* What is looked for. */
struct wanted {
	const char *name;
	const char *version;
	uint32_t hash;
	unsigned types;
};

static bool symbol_fits(const struct gt_loaded *o, uint32_t symbol, const struct wanted *w)
{
	const ElfW(Sym) *s = &o->symbols[symbol];

	return s->st_shndx != SHN_UNDEF && s->st_value != 0 &&
	       (w->types >> ELF64_ST_TYPE(s->st_info) & 1) &&
	       strcmp(o->strings + s->st_name, w->name) == 0 && version_fits(o, symbol, w->version);
}

/* Index of the symbol; 0: none.
 * https://sourceware.org/gnu-gabi/program-loading-and-dynamic-linking.txt */
static uint32_t find_gnu(const struct gt_loaded *o, const struct wanted *w)
{
	const uint32_t hash = w->hash;
	const uint32_t nbuckets = o->gnu_hash[0];
	const uint32_t first = o->gnu_hash[1];
	const uint32_t nwords = o->gnu_hash[2]; /* a power of two */
	const uint32_t shift = o->gnu_hash[3];
	const ElfW(Addr) *words = (const void *)(o->gnu_hash + 4);
	const uint32_t *buckets = (const void *)(words + nwords);
	const uint32_t *chain = buckets + nbuckets;
	ElfW(Addr) word = words[hash / 64 & (nwords - 1)];
	uint32_t i;

	if (!(word >> hash % 64 & word >> (hash >> shift) % 64 & 1) || nbuckets == 0) {
		return 0;
	}
	i = buckets[hash % nbuckets];
	if (i < first) {
		return 0;
	}
	do {
		/* The lowest bit marks the end of a chain. */
		if ((chain[i - first] ^ hash) < 2 && symbol_fits(o, i, w)) {
			return i;
		}
	} while (!(chain[i++ - first] & 1));
	return 0;
}

static uint32_t find_old(const struct gt_loaded *o, const struct wanted *w)
{
	const uint32_t nbuckets = o->hash[0];
	const uint32_t *buckets = o->hash + 2;
	const uint32_t *chain = buckets + nbuckets;
	uint32_t i = nbuckets ? buckets[old_hash(w->name) % nbuckets] : 0;

	while (i && !symbol_fits(o, i, w)) {
		i = chain[i];
	}
	return i;
}

static const ElfW(Sym) * find(const struct gt_loaded *o, const struct wanted *w)
{
	uint32_t i = o->gnu_hash ? find_gnu(o, w) : find_old(o, w);

	return i ? &o->symbols[i] : NULL;
}

const void *gt_loaded_data(const struct gt_loaded *o, const char *name)
{
	const struct wanted w = {.name = name, .hash = gt_loaded_hash(name), .types = DATA};
	const ElfW(Sym) *s = find(o, &w);

	return s ? (const void *)(o->map->l_addr + s->st_value) : NULL;
}

void *gt_loaded_find(const struct gt_loaded *o, const char *name, uint32_t hash,
		     const char *version)
{
	const struct wanted w = {name, version, hash, CODE};
	const ElfW(Sym) *s = find(o, &w);
	uintptr_t at;

	if (!s) {
		return NULL;
	}
	at = o->map->l_addr + s->st_value;
	if (ELF64_ST_TYPE(s->st_info) == STT_GNU_IFUNC) {
		/* It chooses by the processor. What it is passed differs: x86-64 passes nothing. */
		uintptr_t (*choose)(unsigned long) = (uintptr_t(*)(unsigned long))at;

		at = choose(getauxval(AT_HWCAP));
	}
	return (void *)at;
}

void *gt_loaded_next(const char *name, const char *version)
{
	uint32_t hash = gt_loaded_hash(name);
	const struct link_map *from[] = {gt_loaded_behind_us(), gt_loaded_first()};

	for (size_t i = 0; i < GT_LEN(from); i++) {
		for (const struct link_map *map = from[i]; map; map = map->l_next) {
			struct gt_loaded o;
			void *p = NULL;

			if (!gt_loaded_is_ours(map) && gt_loaded_open(&o, map)) {
				p = gt_loaded_find(&o, name, hash, version);
			}
			if (p) {
				return p;
			}
		}
	}
	return NULL;
}

bool gt_loaded_valgrind(void)
{
	const struct link_map *map = gt_loaded_first();

	/* Whatever the tool is, this one it puts in front of the program. */
	while (map && !strstr(map->l_name, "/vgpreload_core")) {
		map = map->l_next;
	}
	return map != NULL;
}
