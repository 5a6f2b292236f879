/*
 * Description: a program without threads, and on glibc 2.31 without libpthread, whose plugin brings
 * them; its own locks are real ones from then on.
 */
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

int main(int argc, char **argv)
{
	char plugin[4096];
	int (*work)(pthread_mutex_t *) = NULL;
	void *library;
	void *symbol;
	int r;

	(void)argc;
	snprintf(plugin, sizeof plugin, "%s_library.so", argv[0]);
	pthread_mutex_lock(&mutex);
	pthread_mutex_unlock(&mutex);
	library = dlopen(plugin, RTLD_NOW);
	symbol = library ? dlsym(library, "late_work") : NULL;
	if (!symbol) {
		printf("%s\n", dlerror());
		return 1;
	}
	memcpy(&work, &symbol, sizeof work);
	pthread_mutex_lock(&mutex);
	r = work(&mutex);
	pthread_mutex_unlock(&mutex);
	printf("%d\n", r);
	return 0; /* without dlclose, so that what is in the plugin keeps its names */
}
