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

/* What a lock and an unlock by the real functions leave; an elided one leaves another kind. */
static bool is_plain(pthread_mutex_t *m, uint32_t tid)
{
	const pthread_mutex_t unlocked = *m;
	pthread_mutex_t locked = *m;
	bool right;

	locked.__data.__lock = 1;
	gt_quick_owned(&locked, tid);
	right = gt_real.pthread_mutex_lock(m) == 0 && same(m, &locked) &&
		gt_real.pthread_mutex_trylock(m) == EBUSY;
	gt_real.pthread_mutex_unlock(m);
	right = right && same(m, &unlocked);
	right = gt_real.pthread_mutex_trylock(m) == 0 && right && same(m, &locked);
	gt_real.pthread_mutex_unlock(m);
	return right && same(m, &unlocked);
}

void gt_quick_init(void)
{
	pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
	const char *single = NULL;
	uint32_t at = 0;

	/* A checker of locks must see each of them. */
	if (gt_loaded_valgrind()) {
		return;
	}
	for (const struct link_map *map = gt_loaded_first(); map; map = map->l_next) {
		struct gt_loaded o;

		if (gt_loaded_is_ours(map) || !gt_loaded_open(&o, map)) {
			continue;
		}
		/* The first one: a program may have a copy, and then that is the one in use. */
		single = single ? single : gt_loaded_data(&o, "__libc_single_threaded");
		if (!at) {
			at = tid_offset(&o);
			/* Before both were one library, 2.34, locks did not ask that. */
			if (at && !gt_loaded_data(&o, "__libc_single_threaded")) {
				single = &no;
			}
		}
	}
	if (!at || gt_quick_tid(at) != (uint32_t)gt_sys_tid() ||
	    !is_plain(&m, (uint32_t)gt_sys_tid())) {
		return;
	}
	gt_store_relaxed(&gt_quick.single, single);
	/* Release: other libraries may have made threads by now, which use it from here on. */
	gt_store_release(&gt_quick.tid_at, at);
}

void gt_quick_not_single(void)
{
	/* Seldom a store: the line is read by all. */
	if (gt_load_relaxed(&gt_quick.single) != &no) {
		gt_store_relaxed(&gt_quick.single, &no);
	}
}
