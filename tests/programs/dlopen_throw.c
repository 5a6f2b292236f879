/*
 * Description: a C program loads a C++ library that throws, catches and unwinds a thread.
 * Schedule: free
 * Expect: 1 create
 */
#include "scene.h"

#include <dlfcn.h>

typedef int (*throwing)(int);

static void *worker(void *arg)
{
	throwing catches = (throwing)(intptr_t)arg;

	printf("%d\n", catches(3));
	return NULL;
}

int main(void)
{
	char path[4096];
	ssize_t n = readlink("/proc/self/exe", path, sizeof path - 32);
	pthread_t thread;

	IS(n > 0, 1);
	path[n] = '\0';
	*strrchr(path, '/') = '\0';
	strcat(path, "/libthrowing.so");
	void *library = dlopen(path, RTLD_NOW);
	if (library == NULL) {
		puts(dlerror());
		return 1;
	}
	void *catches = dlsym(library, "throws_and_catches");
	printf("%d\n", ((throwing)(intptr_t)catches)(5));
	OK(pthread_create(&thread, NULL, worker, catches));
	join_ended(thread);
	return 0;
}
