/*
 * Description: exceptions of a C++ library that a C program loads late are libgcc_s's business, and
 * no unwinder, file or descriptor of the tracer's is to be seen.
 */
#include <dirent.h>
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

static void *wait_for_lock(void *unused)
{
	(void)unused;
	pthread_mutex_lock(&mutex);
	pthread_mutex_unlock(&mutex);
	return NULL;
}

/* A stack is taken: a thread waits for a lock. */
static void contend(void)
{
	pthread_t t;

	pthread_mutex_lock(&mutex);
	pthread_create(&t, NULL, wait_for_lock, NULL);
	usleep(20000);
	pthread_mutex_unlock(&mutex);
	pthread_join(t, NULL);
}

static unsigned descriptors(void)
{
	DIR *d = opendir("/proc/self/fd");
	unsigned n = 0;

	while (readdir(d) != NULL) {
		n++;
	}
	closedir(d);
	return n;
}

static int mapped(const char *name)
{
	FILE *maps = fopen("/proc/self/maps", "r");
	char line[4096];
	int found = 0;

	while (fgets(line, sizeof(line), maps) != NULL) {
		found |= strstr(line, name) != NULL;
	}
	fclose(maps);
	return found;
}

static int fail(const char *what, const char *where)
{
	fprintf(stderr, "%s: %s\n", what, where);
	return 1;
}

int main(int argc, char **argv)
{
	unsigned before = descriptors();
	void *library;
	void *raise;
	int (*catches)(int);
	Dl_info info;

	if (argc != 2) {
		return fail("usage", "unwinder LIBRARY");
	}
	if (mapped("libstdc++") || mapped("libgcc_s")) {
		return fail("linked from the start", "this program must not be");
	}
	contend();
	library = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
	if (library == NULL) {
		return fail("dlopen", dlerror());
	}
	contend();
	*(void **)&catches = dlsym(library, "catch_depth");
	if (catches(7) != 7 || catches(0) != 0) {
		return fail("catch_depth", "a wrong number of frames was unwound");
	}
	/* The one that the library is bound to: it looks in the global scope before its own. */
	raise = dlsym(RTLD_DEFAULT, "_Unwind_RaiseException");
	if (raise != NULL &&
	    (dladdr(raise, &info) == 0 || strstr(info.dli_fname, "libgcc_s") == NULL)) {
		return fail("_Unwind_RaiseException in the global scope is of", info.dli_fname);
	}
	raise = dlsym(library, "_Unwind_RaiseException");
	if (raise == NULL || dladdr(raise, &info) == 0 ||
	    strstr(info.dli_fname, "libgcc_s") == NULL) {
		return fail("_Unwind_RaiseException is of",
			    raise != NULL ? info.dli_fname : "nobody");
	}
	if (mapped("libunwind")) {
		return fail("mapped", "libunwind");
	}
	if (descriptors() != before) {
		return fail("descriptors", "more or fewer than at the start");
	}
	return 0;
}
