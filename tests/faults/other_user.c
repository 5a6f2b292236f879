/*
 * Description: becomes another user for a while, more than once, and root again.
 * Root: yes
 * Expect: 3 wait reason=mutex
 */
#include "filter.h"

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
	OK(setegid(54321));
	OK(seteuid(54321));
	with_a_thread();
	OK(seteuid(0));
	OK(seteuid(54322));
	with_a_thread();
	OK(seteuid(0));
	with_a_thread();
	puts("root again");
	return 0;
}
