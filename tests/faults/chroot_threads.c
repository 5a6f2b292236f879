/*
 * Description: the same with threads, and another user.
 * Root: yes
 * Expect: 2 wait in=contended_lock by=filter_holder
 */
#include "filter.h"

#include <sys/stat.h>

static void with_a_thread(void)
{
	pthread_t thread;

	atomic_store(&scene_stage, 0);
	OK(pthread_create(&thread, NULL, filter_holder, NULL));
	await(1);
	contended_lock();
	OK(pthread_join(thread, NULL));
}

int main(void)
{
	with_a_thread();
	OK(mkdir("jail", 0755));
	OK(chroot("jail"));
	OK(setgid(54321));
	OK(setuid(54321));
	with_a_thread();
	puts("in jail");
	return 0;
}
