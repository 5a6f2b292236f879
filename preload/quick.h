/*
 * A plain mutex that is free, and a read-write lock that is: locked and unlocked here, as glibc
 * does it, without a call.
 *
 * What nptl/pthread_mutex_lock.c, _trylock.c and _unlock.c (2.17 to 2.41) do with a mutex of the
 * timed kind: the word from 0 to 1, owner and users noted; and back, a futex call where somebody
 * sleeps. And what pthread_rwlock_common.c (2.25 to 2.41) does for a reader of a lock that no
 * writer has or waits for: one more in a word, or one less, and the first after a writer takes a
 * bit away; and for a writer of one that nobody has: two bits in that word, and back. The hook then
 * costs what the function would, instead of both. All other kinds, and whatever is not just so, are
 * the real functions' affair.
 *
 * For mutex.c and rwlock.c, any thread, at any time; init.c and thread.c say when.
 */
#pragma once

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>

#include "base/atomic.h"
#include "base/sys.h"
#include "base/util.h"

/* Kind bits that matter here (nptl/pthreadP.h): decided against elision, and nothing else. */
enum { GT_KIND_NO_ELISION = 0x200 };

struct gt_quick {
	/* Where a thread's tid stands behind its thread pointer; 0: not known. */
	_Atomic uint32_t tid_at;
	/*
	 * The same where writers are let in and out here; 0: they are not. And whether mutexes are
	 * locked here, which needs the tid as well, and readers let in and out. Any of them can
	 * change at any time (gt_quick_count): what one way has locked the other unlocks.
	 */
	_Atomic uint32_t writers_tid_at;
	_Atomic bool mutexes, readers;
	/* What is not done here now is done elsewhere so that it can be counted. */
	_Atomic bool counting;
	/* glibc's tries of a read-write lock may leave a reader asleep for good (rwlock.c). */
	_Atomic bool tries_stall;
	/* __libc_single_threaded (sys/single_threaded.h), or a byte that says no. */
	_Atomic(const char *) single;
};
extern GT_HIDDEN struct gt_quick gt_quick;

/*
 * Constructor only, with the real functions known. Nothing is done here unless they are glibc's own
 * (not another library's that stands in front of it), and a lock looks the same after both. Makes
 * no system call. glibc: its version, major * 1000 + minor; 0: not known. traced: there will be a
 * trace; without one, a version is let be of which nobody has read yet what it does with a word
 * that others wait for.
 */
enum { GT_QUICK_NEWEST = 2041 };
void gt_quick_init(unsigned glibc, bool traced);
/* Of a trace that has begun. */
void gt_quick_say(void);
/* There will be threads: a locked instruction is always right. */
void gt_quick_not_single(void);

/*
 * For a moment, those of these kinds are not done here, but counted by who does them
 * (gt_budget_free); none of them: as always. Any thread, at any time.
 */
enum { GT_QUICK_MUTEXES = 1, GT_QUICK_READERS = 2, GT_QUICK_WRITERS = 4 };
void gt_quick_count(unsigned kinds);
/* Which of them are done here when they are not counted. */
unsigned gt_quick_kinds(void);

GT_INLINE uint32_t gt_quick_tid(uint32_t at)
{
	uint32_t tid = 0;

#ifdef __x86_64__
	__asm__("movl %%fs:(%1), %0" : "=r"(tid) : "r"((uintptr_t)at));
#endif
	return tid;
}

/* A process with one thread needs no locked instruction to lock and to unlock; to try it has one.
 */
GT_INLINE bool gt_quick_single(void)
{
	return gt_unlikely(*gt_load_relaxed(&gt_quick.single));
}

/* Whether m is of the kind that is handled here. */
GT_INLINE bool gt_quick_kind(const pthread_mutex_t *m)
{
	int kind = __atomic_load_n(&m->__data.__kind, __ATOMIC_RELAXED);

	return gt_likely((kind & ~GT_KIND_NO_ELISION) == PTHREAD_MUTEX_TIMED_NP);
}

/* Whether it is, now. Acquire: the tid's place was there first. */
GT_INLINE bool gt_quick_is(const pthread_mutex_t *m)
{
	return gt_quick_kind(m) && gt_likely(gt_load_acquire(&gt_quick.mutexes));
}

/*
 * One store more on the way to a locked instruction, which makes that faster: on a Xeon (Ice Lake's
 * core) a lock and an unlock in a loop take 38 cycles so, as with glibc's, which saves a register
 * there, and 42 without (docs/hot-paths.md).
 */
GT_INLINE void gt_quick_store(const void *what)
{
#ifdef __x86_64__
	GT_UNUSED const void *volatile stored = what;
#else
	(void)what;
#endif
}

GT_INLINE void gt_quick_owned(pthread_mutex_t *m, uint32_t tid)
{
	m->__data.__owner = (int)tid;
	m->__data.__nusers++;
}

GT_INLINE bool gt_quick_take(pthread_mutex_t *m)
{
	int is_free = 0;

	return gt_likely(__atomic_compare_exchange_n(&m->__data.__lock, &is_free, 1, false,
						     __ATOMIC_ACQUIRE, __ATOMIC_RELAXED));
}

/* As pthread_mutex_lock (LLL_MUTEX_LOCK_OPTIMIZED): 0, or EBUSY. Of such a mutex. */
GT_INLINE int gt_quick_lock(pthread_mutex_t *m)
{
	volatile int *word = &m->__data.__lock;

	gt_quick_store(m);
	if (gt_quick_single() && *word == 0) {
		*word = 1;
	} else if (!gt_quick_take(m)) {
		return EBUSY;
	}
	gt_quick_owned(m, gt_quick_tid(gt_load_relaxed(&gt_quick.tid_at)));
	return 0;
}

/*
 * As pthread_mutex_trylock and the timed ones (lll_trylock): the same, which holds between
 * processes too. A mutex that is held is not taken from its owner's cache.
 */
GT_INLINE int gt_quick_trylock(pthread_mutex_t *m)
{
	if (__atomic_load_n(&m->__data.__lock, __ATOMIC_RELAXED) != 0 || !gt_quick_take(m)) {
		return EBUSY;
	}
	gt_quick_owned(m, gt_quick_tid(gt_load_relaxed(&gt_quick.tid_at)));
	return 0;
}

/* As pthread_mutex_unlock (lll_mutex_unlock_optimized). */
GT_INLINE int gt_quick_unlock(pthread_mutex_t *m)
{
	int *word = &m->__data.__lock;

	m->__data.__owner = 0;
	m->__data.__nusers--;
	if (gt_quick_single()) {
		*(volatile int *)word = 0;
	} else if (gt_unlikely(__atomic_exchange_n(word, 0, __ATOMIC_RELEASE) > 1)) {
		/* The mutex may be gone by now; a futex is only an address. */
		gt_sys_futex(word, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 1, NULL, 0);
	}
	return 0;
}

/*
 * What glibc keeps in __readers: whether it is held for writing, or was the last time; whether a
 * writer has it or will have it next; whether readers sleep until that one has been; and how many
 * there are.
 */
enum {
	GT_READERS_PHASE_WRITE = 0x1,
	GT_READERS_WRITER = 0x2,
	GT_READERS_SLEEP = 0x4,
	GT_READERS_ONE = 0x8,
	GT_READERS_FULL = 0x7ffffff7, /* below that there is room for one more */
};

/*
 * And in __writers_futex and __wrphase_futex: whether other writers may sleep until the next has
 * its turn, and readers until they have theirs; and whether somebody does.
 */
enum { GT_FUTEX_MAY = 0x1, GT_FUTEX_USED = 0x2 };

/*
 * Brings the line of a lock that others may have to this processor as one that it may write: a look
 * and then an exchange would bring it twice.
 */
GT_INLINE void gt_quick_bring(const unsigned *word)
{
#ifdef __x86_64__
	/* Without an effect on Intel's processors before Broadwell. */
	__asm__ volatile("prefetchw %0" : : "m"(*word));
#else
	__builtin_prefetch(word, 1);
#endif
}

/*
 * Whether a lock that nobody has or waits for, of which a writer was the last, has one reader now,
 * as by pthread_rwlock_rdlock: whose phase begins, so that others who meant to wait for it go on.
 */
GT_INLINE bool gt_quick_read_first(pthread_rwlock_t *l)
{
	unsigned r = GT_READERS_PHASE_WRITE;

	if (!__atomic_compare_exchange_n(&l->__data.__readers, &r, GT_READERS_ONE, false,
					 __ATOMIC_ACQUIRE, __ATOMIC_RELAXED)) {
		return false;
	}
	if (gt_unlikely(__atomic_exchange_n(&l->__data.__wrphase_futex, 0, __ATOMIC_RELAXED) &
			GT_FUTEX_USED)) {
		gt_sys_futex(&l->__data.__wrphase_futex,
			     FUTEX_WAKE | (l->__data.__shared ? 0 : FUTEX_PRIVATE_FLAG), INT_MAX,
			     NULL, 0);
	}
	return true;
}

/* Whether a read-write lock of which that is the word would be locked here, if that is done now. */
GT_INLINE bool gt_quick_is_free(unsigned r, bool write)
{
	return (r & ~(unsigned)GT_READERS_PHASE_WRITE) == 0 ||
	       (!write && !(r & (GT_READERS_PHASE_WRITE | GT_READERS_WRITER)));
}

/* Whether it is one more now, as by pthread_rwlock_rdlock; false: nothing was done. */
GT_INLINE bool gt_quick_rdlock(pthread_rwlock_t *l)
{
	unsigned *readers = &l->__data.__readers;
	unsigned r;

	gt_quick_bring(readers);
	r = __atomic_load_n(readers, __ATOMIC_RELAXED);
	/* Again where other readers have come or gone meanwhile: one of them has got on. */
	do {
		if (gt_unlikely(!gt_load_relaxed(&gt_quick.readers))) {
			return false;
		}
		if (gt_unlikely((r & (GT_READERS_PHASE_WRITE | GT_READERS_WRITER)) != 0) ||
		    gt_unlikely(r >= GT_READERS_FULL)) {
			return r == GT_READERS_PHASE_WRITE && gt_quick_read_first(l);
		}
	} while (gt_unlikely(!__atomic_compare_exchange_n(readers, &r, r + GT_READERS_ONE, false,
							  __ATOMIC_ACQUIRE, __ATOMIC_RELAXED)));
	return true;
}

/* Whether it is one less now, as by pthread_rwlock_unlock, and nobody is to be woken. */
GT_INLINE bool gt_quick_rdunlock(pthread_rwlock_t *l)
{
	unsigned *readers = &l->__data.__readers;
	unsigned r;

	r = __atomic_load_n(readers, __ATOMIC_RELAXED);
	do {
		if (gt_unlikely((r & (GT_READERS_PHASE_WRITE | GT_READERS_WRITER |
				      GT_READERS_SLEEP)) != 0) ||
		    gt_unlikely(r == 0) || gt_unlikely(!gt_load_relaxed(&gt_quick.readers))) {
			return false;
		}
	} while (gt_unlikely(!__atomic_compare_exchange_n(readers, &r, r - GT_READERS_ONE, false,
							  __ATOMIC_RELEASE, __ATOMIC_RELAXED)));
	return true;
}

/*
 * Whether it is that thread's to write now, as by pthread_rwlock_trywrlock, which is what
 * pthread_rwlock_wrlock comes to where nobody has it; false: nothing was done.
 */
GT_INLINE bool gt_quick_write(pthread_rwlock_t *l, uint32_t tid)
{
	unsigned *readers = &l->__data.__readers;
	unsigned r = __atomic_load_n(readers, __ATOMIC_RELAXED);

	if (gt_unlikely((r & ~(unsigned)GT_READERS_PHASE_WRITE) != 0) ||
	    gt_unlikely(!__atomic_compare_exchange_n(readers, &r,
						     GT_READERS_PHASE_WRITE | GT_READERS_WRITER,
						     false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))) {
		return false;
	}
	/* Other writers may sleep; and readers, who could already if the phase has not begun now.
	 */
	__atomic_store_n(&l->__data.__writers_futex, GT_FUTEX_MAY, __ATOMIC_RELAXED);
	if (r == 0) {
		__atomic_store_n(&l->__data.__wrphase_futex, GT_FUTEX_MAY, __ATOMIC_RELAXED);
	}
	__atomic_store_n(&l->__data.__cur_writer, (int)tid, __ATOMIC_RELAXED);
	return true;
}

/*
 * Whether that thread, the calling one, had it to write, and has set it free, as
 * pthread_rwlock_unlock; not where it would have to hand it to a writer that waits (a kind that
 * prefers them).
 *
 * The word is not looked at before it is exchanged: it was written last by a locked instruction,
 * and who loads it again waits until that has reached the cache, 2 ns of 22.
 */
GT_INLINE bool gt_quick_written(pthread_rwlock_t *l, uint32_t tid)
{
	unsigned *readers = &l->__data.__readers;
	unsigned r = GT_READERS_PHASE_WRITE | GT_READERS_WRITER;
	/* That is asked before others may wait no more: who comes in between is woken below. */
	const bool hands = l->__data.__flags != PTHREAD_RWLOCK_PREFER_READER_NP &&
			   __atomic_load_n(&l->__data.__writers, __ATOMIC_RELAXED) != 0;
	int wake = FUTEX_WAKE | FUTEX_PRIVATE_FLAG;
	unsigned next, sleepers;

	if ((uint32_t)__atomic_load_n(&l->__data.__cur_writer, __ATOMIC_RELAXED) != tid || hands) {
		return false;
	}
	__atomic_store_n(&l->__data.__cur_writer, 0, __ATOMIC_RELAXED);
	/* Before it is free: the next writer says that others may sleep. */
	sleepers = __atomic_exchange_n(&l->__data.__writers_futex, 0, __ATOMIC_RELAXED);
	do {
		/* Readers that have come meanwhile have it then; else the phase stays. */
		next = r ^ GT_READERS_WRITER;
		next ^= r >= GT_READERS_ONE ? GT_READERS_PHASE_WRITE : 0;
		/* Somebody will be woken: asked while the lock is there for certain. */
		if (gt_unlikely((sleepers & GT_FUTEX_USED) != 0 || r >= GT_READERS_ONE) &&
		    l->__data.__shared) {
			wake = FUTEX_WAKE;
		}
	} while (!__atomic_compare_exchange_n(readers, &r, next, false, __ATOMIC_RELEASE,
					      __ATOMIC_RELAXED));
	if (gt_unlikely(r >= GT_READERS_ONE) &&
	    (__atomic_exchange_n(&l->__data.__wrphase_futex, 0, __ATOMIC_RELAXED) &
	     GT_FUTEX_USED)) {
		gt_sys_futex(&l->__data.__wrphase_futex, wake, INT_MAX, NULL, 0);
	}
	/* The lock may be gone by now; a futex is only an address. */
	if (gt_unlikely(sleepers & GT_FUTEX_USED)) {
		gt_sys_futex(&l->__data.__writers_futex, wake, 1, NULL, 0);
	}
	return true;
}

/* The same of the calling thread, where that is done here. */
GT_INLINE bool gt_quick_wrlock(pthread_rwlock_t *l)
{
	uint32_t at = gt_load_relaxed(&gt_quick.writers_tid_at);

	return gt_likely(at != 0) && gt_quick_write(l, gt_quick_tid(at));
}

/* Whether the calling thread had it, to read or to write, and has it no more. */
GT_INLINE bool gt_quick_rwunlock(pthread_rwlock_t *l)
{
	uint32_t at = gt_load_relaxed(&gt_quick.writers_tid_at);

	gt_quick_bring(&l->__data.__readers);
	return (gt_likely(at != 0) && gt_quick_written(l, gt_quick_tid(at))) ||
	       gt_quick_rdunlock(l);
}
