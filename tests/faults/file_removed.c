/*
 * Description: somebody removes the file that is being written.
 * Period: 5ms
 * Says: no such file
 * Traces: 0
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
			unlink("app.trace");
		}
	}
	puts("removed");
	return 0;
}
