/*
 * A compiler at run time: makes a function that calls another, runs it in a thread, and writes the
 * map of it, as perf wants one. See run.py.
 */
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static void nap(void)
{
	usleep(1);
	__asm__ volatile("");
}

/* push %rbp; mov %rsp,%rbp; call *%rdi; pop %rbp; ret */
static const unsigned char code[] = {0x55, 0x48, 0x89, 0xe5, 0xff, 0xd7, 0x5d, 0xc3};

static void *thread(void *made)
{
	void (*call)(void (*)(void));

	memcpy(&call, &made, sizeof(call));
	call(nap);
	__asm__ volatile("");
	return NULL;
}

int main(void)
{
	char path[64];
	pthread_t t;
	FILE *map;
	void *made = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (made == MAP_FAILED) {
		return 77; /* a kernel that allows no such memory */
	}
	memcpy(made, code, sizeof(code));
	snprintf(path, sizeof(path), "/tmp/perf-%d.map", (int)getpid());
	map = fopen(path, "wx");
	if (map == NULL) {
		return 1;
	}
	/* The place was another's before: the later line counts. */
	fprintf(map, "%lx 1000 JS:~old /old.js:1:1\n", (unsigned long)made);
	fprintf(map, "no line of a map\n");
	fprintf(map, "%lx %zx JS:*made /app/made.js:12:34\n", (unsigned long)made, sizeof(code));
	fclose(map);
	puts(path);
	pthread_create(&t, NULL, thread, made);
	pthread_join(t, NULL);
	return 0;
}
