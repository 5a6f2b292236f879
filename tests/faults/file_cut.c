/*
 * Description: somebody cuts the file that is being written.
 * Period: 5ms
 * Says: somebody else has changed it
 * Judged: no
 */
#include "filter.h"

int main(void)
{
	pthread_t thread;

	for (int i = 0; i < 6; i++) {
		atomic_store(&scene_stage, 0);
		OK(pthread_create(&thread, NULL, filter_holder, NULL));
		await(1);
		contended_lock();
		join_ended(thread);
		if (i == 2) {
			truncate("app.trace", 100);
		}
	}
	puts("cut");
	return 0;
}
