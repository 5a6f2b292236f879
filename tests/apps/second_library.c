/*
 * A library to preload: each child that is made by fork has a second thread for a moment. A process
 * that never had one leaves no trace of its own; with this one, the processes of servers and
 * stressors that are made by fork alone are traced as well. Knows nothing of gtrace.
 */
#include <dlfcn.h>
#include <pthread.h>
#include <sys/types.h>

static void *nothing(void *arg)
{
	return arg;
}

pid_t fork(void)
{
	pid_t (*real)(void);
	pthread_t thread;
	pid_t pid;

	*(void **)&real = dlsym(RTLD_NEXT, "fork");
	pid = real();
	if (pid == 0 && pthread_create(&thread, NULL, nothing, NULL) == 0) {
		pthread_join(thread, NULL);
	}
	return pid;
}
