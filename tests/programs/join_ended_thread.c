/*
 * Description: a thread that has ended long before is joined without waiting.
 */
#include "scene.h"

static atomic_int tid;

static void *worker(void *arg)
{
	tell_tid(&tid);
	return arg;
}

int main(void)
{
	pthread_t thread;
	char path[64];
	int value;
	void *result;

	OK(pthread_create(&thread, NULL, worker, &value));
	await_at_least(&tid, 1);
	snprintf(path, sizeof path, "/proc/self/task/%d", atomic_load(&tid));
	while (raw_syscall(SYS_access, (long)path, F_OK, 0, 0) == 0) {
		scene_pause(500);
	}
	OK(pthread_join(thread, &result));
	IS(result == &value, 1);
	puts("joined");
	return 0;
}
