/*
 * The real functions: what a program's call would have reached without us.
 *
 * Owns gt_real. Filled by the constructor, or by the first hook before it. What is absent then is
 * looked for again when it is called: before glibc 2.34 there were libpthread, librt and libdl,
 * which may be loaded late, and our symbols of their names are there from the start.
 */
#include "hook.h"

#include <string.h>
#include <threads.h>

#include "loaded.h"

/* What the hot pointers hold while they are not resolved. */
static int unresolved_trylock(pthread_mutex_t *m);
static int unresolved_unlock(pthread_mutex_t *m);

struct gt_real gt_real = {
	.pthread_mutex_trylock = unresolved_trylock,
	.pthread_mutex_unlock = unresolved_unlock,
};

/* Both are in the order of hooks.def; slot: offset in struct gt_real. */
static const struct {
	const char *name;
	size_t slot;
	bool alone; /* its id is its name: what has no version is this one */
} hooks[] = {
#define GT_HOOK(name, id, family, need, doc) \
	{#name, offsetof(struct gt_real, id), sizeof(#name) == sizeof(#id)},
#include "hooks.def"
};

static const struct {
	const char *name;
	const char *version;
	size_t slot;
} nodes[] = {
#define GT_NODE(name, id, family, at, version) \
	{#name, GT_V_##version, offsetof(struct gt_real, id)},
#include "hooks.def"
};

static uint32_t hashes[GT_LEN(nodes)]; /* of their names; 0: a second name of its id */
static _Atomic bool resolved;          /* at least once; release: with hashes */

static void **pointer(struct gt_real *real, size_t slot)
{
	return (void **)(void *)((char *)real + slot);
}

static bool absent(size_t slot)
{
	const void *p = *pointer(&gt_real, slot);

	return !p || p == (const void *)(uintptr_t)unresolved_trylock ||
	       p == (const void *)(uintptr_t)unresolved_unlock;
}

static void take(const struct gt_loaded *o, size_t slot, const char *name, uint32_t hash,
		 const char *version)
{
	void *p = absent(slot) ? gt_loaded_find(o, name, hash, version) : NULL;

	if (p) {
		*pointer(&gt_real, slot) = p;
	}
}

/* By version, newest first; or the default one, for a libc that has none of these. */
static void resolve_from(const struct link_map *map, bool versions)
{
	for (; map; map = map->l_next) {
		struct gt_loaded o;

		if (gt_loaded_is_ours(map) || !gt_loaded_open(&o, map)) {
			continue;
		}
		for (size_t i = 0; versions && i < GT_LEN(nodes); i++) {
			if (hashes[i] != 0) {
				take(&o, nodes[i].slot, nodes[i].name, hashes[i], nodes[i].version);
			}
		}
		for (size_t i = 0; !versions && i < GT_LEN(hooks); i++) {
			if (hooks[i].alone && absent(hooks[i].slot)) {
				take(&o, hooks[i].slot, hooks[i].name,
				     gt_loaded_hash(hooks[i].name), NULL);
			}
		}
	}
}

static void resolve(void)
{
	for (int versions = 1; versions >= 0; versions--) {
		resolve_from(gt_loaded_behind_us(), versions);
		resolve_from(gt_loaded_first(), versions);
	}
}

void gt_hook_resolve(void)
{
	for (size_t i = 0; i < GT_LEN(nodes); i++) {
		const char *first = hooks[nodes[i].slot / sizeof(void *)].name;

		/*
		 * Only under its first name (not as __pthread_mutex_lock): a library that
		 * interposes one of them may leave the other alone.
		 */
		hashes[i] = strcmp(nodes[i].name, first) == 0 ? gt_loaded_hash(first) : 0;
	}
	resolve();
	gt_store_release(&resolved, true);
}

bool gt_hook_lookup(const char *name, void *function)
{
	void *p = gt_loaded_next(name, NULL);

	/* A pointer to data and one to code are the same bytes here (POSIX, dlsym). */
	memcpy(function, &p, sizeof(p));
	return p != NULL;
}

/* --- Absent ----------------------------------------------------------------------------------- */

/* Under the loader's lock: nothing that is in its list goes away now. */
static int resolve_added(struct dl_phdr_info *info, GT_UNUSED size_t size, GT_UNUSED void *unused)
{
	static unsigned long long added;

	if (info->dlpi_adds != added) {
		added = info->dlpi_adds;
		resolve();
	}
	return 1;
}

/* In a process without threads locks do nothing: so do libc's own where libpthread is not there. */
static int nothing_to_do(void)
{
	return 0;
}

static int run_once(pthread_once_t *control, void (*init)(void))
{
	enum { DONE = 2 }; /* as in glibc, which may come later */

	if (*control != DONE) {
		*control = DONE;
		init();
	}
	return 0;
}

static int code(void)
{
	return ENOSYS;
}

static int code_of_c11(void)
{
	return thrd_error;
}

static long minus_one(void)
{
	errno = ENOSYS;
	return -1;
}

static void *null(void)
{
	errno = ENOSYS;
	return NULL;
}

/* What is called in the place of a function that is not there. The first whose name fits. */
static const struct {
	const char *begin;
	void (*function)(void);
} stand_ins[] = {
	{"pthread_mutex_", (void (*)(void))nothing_to_do},
	{"pthread_cond_", (void (*)(void))nothing_to_do},
	{"pthread_rwlock_", (void (*)(void))nothing_to_do},
	{"pthread_spin_", (void (*)(void))nothing_to_do},
	{"mtx_", (void (*)(void))nothing_to_do},
	{"cnd_", (void (*)(void))nothing_to_do},
	{"pthread_once", (void (*)(void))run_once},
	{"call_once", (void (*)(void))run_once},
	{"pthread_", (void (*)(void))code},
	{"thrd_", (void (*)(void))code_of_c11},
	{"sem_open", (void (*)(void))null},
	{"dl", (void (*)(void))null},
	{"", (void (*)(void))minus_one},
};

static struct gt_real stand_in_for;

struct gt_real *gt_hook_look_again(size_t slot)
{
	const char *name = hooks[slot / sizeof(void *)].name;
	size_t i = 0;

	if (!gt_load_acquire(&resolved)) {
		gt_hook_resolve();
	}
	if (absent(slot)) {
		dl_iterate_phdr(resolve_added, NULL);
	}
	if (!absent(slot)) {
		return &gt_real;
	}
	while (strncmp(name, stand_ins[i].begin, strlen(stand_ins[i].begin)) != 0) {
		i++;
	}
	memcpy(pointer(&stand_in_for, slot), &stand_ins[i].function, sizeof(void *));
	return &stand_in_for;
}

static int unresolved_trylock(pthread_mutex_t *m)
{
	size_t slot = offsetof(struct gt_real, pthread_mutex_trylock);

	return gt_hook_look_again(slot)->pthread_mutex_trylock(m);
}

static int unresolved_unlock(pthread_mutex_t *m)
{
	size_t slot = offsetof(struct gt_real, pthread_mutex_unlock);

	return gt_hook_look_again(slot)->pthread_mutex_unlock(m);
}
