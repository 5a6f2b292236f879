/*
 * Description: a spin lock held while spinner spins for 5 ms, and one that is free.
 * Schedule: free
 * Expect: 1 spin in=spinner
 * Expect: 0 wait in=spinner
 */
#include "scene.h"

static pthread_spinlock_t lock;

static void *spinner(void *arg)
{
	reach(1);
	OK(pthread_spin_lock(&lock));
	OK(pthread_spin_unlock(&lock));
	return arg;
}

int main(void)
{
	pthread_t thread;
	clockid_t used; /* processor time: while it does not run it does not spin */
	uint64_t end;

	OK(pthread_spin_init(&lock, PTHREAD_PROCESS_PRIVATE));
	OK(pthread_spin_trylock(&lock));
	IS(pthread_spin_trylock(&lock), EBUSY);
	OK(pthread_create(&thread, NULL, spinner, NULL));
	await(1);
	OK(pthread_getcpuclockid(thread, &used));
	end = clock_ns(used) + 5000000;
	while (clock_ns(used) < end) {
		scene_pause(500);
	}
	OK(pthread_spin_unlock(&lock));
	join_ended(thread);
	for (int i = 0; i < 1000; i++) {
		OK(pthread_spin_lock(&lock));
		OK(pthread_spin_unlock(&lock));
	}
	OK(pthread_spin_destroy(&lock));
	puts("spun");
	return 0;
}
