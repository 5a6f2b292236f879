/*
 * Whether a free mutex may be locked and unlocked without glibc: found out at the start.
 */
#include "quick.h"

#include <string.h>

#include "hook.h"
#include "loaded.h"

static const char no;
/* With what is linked behind it, this fills a line. */
GT_OFTEN_READ struct gt_quick gt_quick GT_ALIGNED(GT_LINE) = {.single = &no};

/*
 * What o tells debuggers of a tid's place (nptl/structs.def: bits, number, offset); 0: it is not
 * the object whose functions the real ones are.
 */
static uint32_t tid_offset(const struct gt_loaded *o)
{
	static const char lock[] = "pthread_mutex_lock", trylock[] = "pthread_mutex_trylock",
			  unlock[] = "pthread_mutex_unlock";
	const uint32_t *place = gt_loaded_data(o, "_thread_db_pthread_tid");

	if (place && place[0] == 32 && place[1] == 1 && place[2] % 4 == 0 &&
	    gt_loaded_find(o, lock, gt_loaded_hash(lock), NULL) ==
		    (void *)(uintptr_t)gt_real.pthread_mutex_lock &&
	    gt_loaded_find(o, trylock, gt_loaded_hash(trylock), NULL) ==
		    (void *)(uintptr_t)gt_real.pthread_mutex_trylock &&
	    gt_loaded_find(o, unlock, gt_loaded_hash(unlock), NULL) ==
		    (void *)(uintptr_t)gt_real.pthread_mutex_unlock) {
		return place[2];
	}
	return 0;
}

static bool same(const pthread_mutex_t *a, const pthread_mutex_t *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

/* Each half of one way with the other half of the other; an elided lock leaves another kind. */
static bool is_alike(void)
{
	pthread_mutex_t theirs = PTHREAD_MUTEX_INITIALIZER, ours = theirs;
	const pthread_mutex_t unlocked = theirs;

	if (gt_quick_tid() != (uint32_t)gt_sys_tid() || gt_real.pthread_mutex_lock(&theirs) != 0 ||
	    gt_quick_trylock(&ours) != 0 || !same(&theirs, &ours) ||
	    gt_quick_trylock(&theirs) != EBUSY || gt_real.pthread_mutex_trylock(&ours) != EBUSY) {
		return false;
	}
	gt_quick_unlock(&theirs);
	gt_real.pthread_mutex_unlock(&ours);
	return same(&theirs, &unlocked) && same(&ours, &unlocked) &&
	       gt_real.pthread_mutex_trylock(&theirs) == 0 && gt_quick_trylock(&ours) == 0 &&
	       same(&theirs, &ours);
}

void gt_quick_init(void)
{
	/* A checker of locks must see each of them. */
	if (gt_loaded_valgrind()) {
		return;
	}
	for (const struct link_map *map = gt_loaded_first(); map; map = map->l_next) {
		struct gt_loaded o;
		const char *single;

		if (gt_loaded_is_ours(map) || !gt_loaded_open(&o, map)) {
			continue;
		}
		/* The first one: a program may have a copy, and then that is the one in use. */
		single = gt_loaded_data(&o, "__libc_single_threaded");
		if (single && gt_quick.single == &no) {
			gt_quick.single = single;
		}
		if (!gt_quick.tid_at) {
			gt_quick.tid_at = tid_offset(&o);
		}
	}
	if (gt_quick.tid_at && !is_alike()) {
		gt_quick.tid_at = 0;
	}
}
