/*
 * Whether a free lock may be locked and unlocked without glibc: found out at the start.
 */
#include "quick.h"

#include <string.h>

#include "hook.h"
#include "loaded.h"

static const char no;
/* What was found out at the start. */
static unsigned kinds;
/* With what is linked behind it, this fills a line. */
GT_OFTEN_READ struct gt_quick gt_quick GT_ALIGNED(GT_LINE) = {.single = &no};

/* Whether o itself defines the function that is the real one under this name. */
#define IS_OF(o, id) \
	(gt_loaded_find((o), #id, gt_loaded_hash(#id), NULL) == (void *)(uintptr_t)gt_real.id)

static bool has_mutexes(const struct gt_loaded *o)
{
	return IS_OF(o, pthread_mutex_lock) && IS_OF(o, pthread_mutex_trylock) &&
	       IS_OF(o, pthread_mutex_unlock);
}

static bool has_rwlocks(const struct gt_loaded *o)
{
	return IS_OF(o, pthread_rwlock_rdlock) && IS_OF(o, pthread_rwlock_tryrdlock) &&
	       IS_OF(o, pthread_rwlock_wrlock) && IS_OF(o, pthread_rwlock_trywrlock) &&
	       IS_OF(o, pthread_rwlock_unlock);
}

/*
 * Where glibc's threads have their tid, if o is what they are of; else 0. It tells debuggers
 * (nptl/structs.def: bits, number, offset), and all others from 2.34 on. Before, libpthread is
 * known by a function that it has for libc alone, and the tid stands where it always did
 * (nptl/descr.h: a head of 0x2c0 bytes, a list).
 */
static uint32_t tid_offset(const struct gt_loaded *o, unsigned glibc)
{
	static const char of_old[] = "__pthread_get_minstack";
	const uint32_t *place = gt_loaded_data(o, "_thread_db_pthread_tid");

	if (place) {
		return place[0] == 32 && place[1] == 1 && place[2] % 4 == 0 ? place[2] : 0;
	}
	return glibc >= 2017 && glibc < 2034 &&
			       gt_loaded_find(o, of_old, gt_loaded_hash(of_old), NULL)
		       ? 0x2d0
		       : 0;
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

static bool same_rwlock(const pthread_rwlock_t *a, const pthread_rwlock_t *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

/* What readers by the real functions leave, and that a writer is seen. */
static bool counts_readers(pthread_rwlock_t *l)
{
	const unsigned *readers = &l->__data.__readers;
	const pthread_rwlock_t unlocked = *l;
	pthread_rwlock_t one = *l, two = *l;
	bool right;

	one.__data.__readers = GT_READERS_ONE;
	two.__data.__readers = 2 * GT_READERS_ONE;
	/* Before 2.25 this is where it ends. Never is more unlocked than was locked. */
	if (gt_real.pthread_rwlock_rdlock(l) != 0 || !same_rwlock(l, &one) ||
	    gt_real.pthread_rwlock_tryrdlock(l) != 0) {
		return false;
	}
	right = same_rwlock(l, &two) && gt_real.pthread_rwlock_trywrlock(l) == EBUSY;
	gt_real.pthread_rwlock_unlock(l);
	right = right && same_rwlock(l, &one);
	gt_real.pthread_rwlock_unlock(l);
	if (!right || !same_rwlock(l, &unlocked) || gt_real.pthread_rwlock_trywrlock(l) != 0) {
		return false;
	}
	right = *readers == (GT_READERS_PHASE_WRITE | GT_READERS_WRITER);
	gt_real.pthread_rwlock_unlock(l);
	if (!right || gt_real.pthread_rwlock_wrlock(l) != 0) {
		return false;
	}
	right = *readers == (GT_READERS_PHASE_WRITE | GT_READERS_WRITER);
	gt_real.pthread_rwlock_unlock(l);
	/* The first one after that, by ours and by the real lock. */
	one = *l;
	right = right && gt_quick_read_first(&one) && !gt_quick_read_first(&one);
	if (gt_real.pthread_rwlock_rdlock(l) != 0) {
		return false;
	}
	right = right && same_rwlock(l, &one);
	gt_real.pthread_rwlock_unlock(l);
	return right;
}

/* Ours and the real lock for writing, of locks that look the same; and both unlocked. */
static bool writes_alike(pthread_rwlock_t *l, int (*lock)(pthread_rwlock_t *), uint32_t tid)
{
	pthread_rwlock_t ours = *l;
	bool right = lock(l) == 0 && gt_quick_write(&ours, tid) && same_rwlock(l, &ours) &&
		     !gt_quick_write(&ours, tid);

	right = gt_real.pthread_rwlock_unlock(l) == 0 && right && gt_quick_written(&ours, tid);
	return right && same_rwlock(l, &ours) && !gt_quick_written(&ours, tid);
}

/* After nobody, after a writer, and after a reader, who leaves something else behind. */
static bool writes(pthread_rwlock_t *l, uint32_t tid)
{
	bool right = writes_alike(l, gt_real.pthread_rwlock_wrlock, tid) &&
		     writes_alike(l, gt_real.pthread_rwlock_trywrlock, tid);

	right = gt_real.pthread_rwlock_rdlock(l) == 0 && right && !gt_quick_write(l, tid) &&
		!gt_quick_written(l, tid);
	gt_real.pthread_rwlock_unlock(l);
	return right && writes_alike(l, gt_real.pthread_rwlock_trywrlock, tid);
}

static void look_up(unsigned glibc)
{
	pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
	pthread_rwlock_t l = PTHREAD_RWLOCK_INITIALIZER, w = PTHREAD_RWLOCK_INITIALIZER;
	const char *single = NULL;
	uint32_t at = 0;
	bool rwlocks = false;

	for (const struct link_map *map = gt_loaded_first(); map; map = map->l_next) {
		struct gt_loaded o;

		if (gt_loaded_is_ours(map) || !gt_loaded_open(&o, map)) {
			continue;
		}
		/* The first one: a program may have a copy, and then that is the one in use. */
		single = single ? single : gt_loaded_data(&o, "__libc_single_threaded");
		if (tid_offset(&o, glibc) == 0) {
			continue;
		}
		rwlocks = rwlocks || has_rwlocks(&o);
		if (!at && has_mutexes(&o)) {
			at = tid_offset(&o, glibc);
		}
	}
	if (rwlocks && counts_readers(&l)) {
		kinds |= GT_QUICK_READERS;
	}
	/* The owner that glibc itself notes is what must stand there. */
	if (!at || !gt_quick_tid(at) || !is_plain(&m, gt_quick_tid(at))) {
		return;
	}
	/* Before, locks did not ask that, or asked it of each namespace of the loader. */
	if (single && glibc >= 2036) {
		gt_store_relaxed(&gt_quick.single, single);
	}
	gt_store_relaxed(&gt_quick.tid_at, at);
	kinds |= GT_QUICK_MUTEXES;
	if ((kinds & GT_QUICK_READERS) && writes(&w, gt_quick_tid(at))) {
		kinds |= GT_QUICK_WRITERS;
	}
}

unsigned gt_quick_kinds(void)
{
	return kinds;
}

void gt_quick_count(unsigned counted)
{
	unsigned here = kinds & ~counted;

	gt_store_relaxed(&gt_quick.counting, counted != 0);
	/* Release: other libraries may have made threads by now, which use the tid from here on. */
	gt_store_release(&gt_quick.mutexes, (here & GT_QUICK_MUTEXES) != 0);
	gt_store_relaxed(&gt_quick.readers, (here & GT_QUICK_READERS) != 0);
	gt_store_relaxed(&gt_quick.writers_tid_at,
			 here & GT_QUICK_WRITERS ? gt_load_relaxed(&gt_quick.tid_at) : 0);
}

void gt_quick_init(unsigned glibc, bool traced)
{
	bool known = glibc && glibc <= GT_QUICK_NEWEST;

	/* Its bug 23844, from the lock's new algorithm to its mend. */
	gt_store_relaxed(&gt_quick.tries_stall, glibc >= 2025 && glibc < 2030);
	/* A checker of locks must see each of them. */
	if ((traced || known) && !gt_loaded_valgrind()) {
		look_up(glibc);
		gt_quick_count(0);
	}
}

void gt_quick_say(void)
{
	gt_about(GT_ABOUT_FREE_MUTEXES, (kinds & GT_QUICK_MUTEXES) != 0);
	gt_about(GT_ABOUT_FREE_READERS, (kinds & GT_QUICK_READERS) != 0);
	gt_about(GT_ABOUT_FREE_WRITERS, (kinds & GT_QUICK_WRITERS) != 0);
}

void gt_quick_not_single(void)
{
	/* Seldom a store: the line is read by all. */
	if (gt_load_relaxed(&gt_quick.single) != &no) {
		gt_store_relaxed(&gt_quick.single, &no);
	}
}
