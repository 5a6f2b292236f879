/*
 * Description: a lock that inherits priority: held by main, waited for, handed over; a wait that is
 *     moved to it.
 */
#include <linux/futex.h>

#include "scene.h"

static atomic_int lock;
static atomic_int condition;
static atomic_int tid_locker;
static atomic_int tid_waiter;

static void *locker(void *arg)
{
	tell_tid(&tid_locker);
	OK((int)syscall(SYS_futex, &lock, FUTEX_LOCK_PI_PRIVATE, 0, NULL));
	IS(atomic_load(&lock) & FUTEX_TID_MASK, atomic_load(&tid_locker));
	OK((int)syscall(SYS_futex, &lock, FUTEX_UNLOCK_PI_PRIVATE));
	reach(1);
	return arg;
}

static void *waiter(void *arg)
{
	tell_tid(&tid_waiter);
	OK((int)syscall(SYS_futex, &condition, FUTEX_WAIT_REQUEUE_PI_PRIVATE, 0, NULL, &lock, 0));
	IS(atomic_load(&lock) & FUTEX_TID_MASK, atomic_load(&tid_waiter));
	OK((int)syscall(SYS_futex, &lock, FUTEX_UNLOCK_PI_PRIVATE));
	reach(2);
	return arg;
}

static void hand_over(void)
{
	OK((int)syscall(SYS_futex, &lock, FUTEX_UNLOCK_PI_PRIVATE));
	await(1);
}

/* The lock is held, so nobody is woken: one is moved, and woken when the lock is free. */
static void move(void)
{
	IS((int)syscall(SYS_futex, &condition, FUTEX_CMP_REQUEUE_PI_PRIVATE, 1, 10L, &lock, 0), 1);
	scene_pause(2000);
	OK((int)syscall(SYS_futex, &lock, FUTEX_UNLOCK_PI_PRIVATE));
	await(2);
}

int main(void)
{
	pthread_t a;
	pthread_t b;

	atomic_store(&lock, (int)raw_syscall(SYS_gettid, 0, 0, 0, 0));
	IS((int)syscall(SYS_futex, &lock, FUTEX_TRYLOCK_PI_PRIVATE, 0), -1);
	IS(errno, EDEADLK);
	OK(pthread_create(&a, NULL, locker, NULL));
	AWAIT_ASLEEP_ON(&tid_locker, &lock);
	hand_over();
	join_ended(a);

	OK((int)syscall(SYS_futex, &lock, FUTEX_TRYLOCK_PI_PRIVATE, 0));
	OK(pthread_create(&b, NULL, waiter, NULL));
	AWAIT_ASLEEP_ON(&tid_waiter, &condition);
	move();
	join_ended(b);
	return 0;
}
