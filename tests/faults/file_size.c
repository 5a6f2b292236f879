/*
 * Description: limits the size of its files when it has begun: no signal of ours, and one message.
 * Period: 5ms
 * Says: file too large
 */
#include "filter.h"

#include <sys/resource.h>

int main(void)
{
	struct rlimit limit = {2048, 2048};
	pthread_t thread;

	OK(setrlimit(RLIMIT_FSIZE, &limit));
	for (int i = 0; i < 20; i++) {
		atomic_store(&scene_stage, 0);
		OK(pthread_create(&thread, NULL, filter_holder, NULL));
		await(1);
		contended_lock();
		join_ended(thread);
	}
	puts("small files");
	return 0;
}
