/*
 * A slow critical section, put into servers that nobody built again: libc's functions that they
 * call while they hold a known lock, and that now and then sleep first. Preloaded before gtrace by
 * answers, which names the function (SLOW_CALL) and reads the record of what slept where
 * (SLOW_LOG).
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <unwind.h>

enum { ASLEEP = 60, AWAKE = 60 }; /* ms; awake: at least, for the others to have come again */

struct line {
	char s[2000];
	int n;
};

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* A function as gtrace names it, but for the file: by its symbol, or "+0x" and where it begins. */
static _Unwind_Reason_Code frame(struct _Unwind_Context *context, void *arg)
{
	struct line *line = arg;
	void *const pc = (void *)(_Unwind_GetIP(context) - 1);
	const char *begin = _Unwind_FindEnclosingFunction(pc);
	Dl_info info;

	if (begin == NULL || dladdr(pc, &info) == 0 || sizeof(line->s) - (size_t)line->n < 200) {
		return _URC_END_OF_STACK;
	}
	if (info.dli_sname != NULL && info.dli_saddr == begin) {
		line->n += sprintf(line->s + line->n, " %.150s", info.dli_sname);
	} else {
		line->n += sprintf(line->s + line->n, " +0x%tx", begin - (char *)info.dli_fbase);
	}
	return _URC_NO_REASON;
}

static char *call, *log_path;
static int (*real_signal)(pthread_cond_t *), (*real_broadcast)(pthread_cond_t *);

/* nginx gives its environment up later, and writes over it. */
static __attribute__((constructor)) void start(void)
{
	call = strdup(getenv("SLOW_CALL"));
	log_path = strdup(getenv("SLOW_LOG"));
	*(void **)&real_signal = dlsym(RTLD_NEXT, "pthread_cond_signal");
	*(void **)&real_broadcast = dlsym(RTLD_NEXT, "pthread_cond_broadcast");
}

/* The work that somebody put under a lock. */
static __attribute__((noinline)) void slow(const char *name)
{
	static _Atomic uint64_t last;
	const uint64_t begin = now();
	struct line line;
	int fd;

	if (call == NULL || strcmp(call, name) != 0 ||
	    begin - atomic_load(&last) < AWAKE * UINT64_C(1000000)) {
		return;
	}
	nanosleep(&(struct timespec){.tv_nsec = ASLEEP * 1000000}, NULL);
	atomic_store(&last, now());
	line.n = sprintf(line.s, "%d %" PRIu64 " %" PRIu64, (int)gettid(), begin, last);
	_Unwind_Backtrace(frame, &line);
	line.s[line.n++] = '\n';
	fd = open(log_path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
	if (fd < 0 || write(fd, line.s, (size_t)line.n) != line.n) {
		abort();
	}
	close(fd);
}

/* memcached prints the statistics of its slabs under the lock that allocations need. */
int __snprintf_chk(char *s, size_t size, int flag, size_t room, const char *format, ...)
{
	va_list args;
	int n;

	if (strcmp(format, "%d:%s") == 0) {
		slow("snprintf");
	}
	va_start(args, format);
	n = vsnprintf(s, size, format, args);
	va_end(args);
	(void)flag;
	(void)room;
	return n;
}

/* Redis's background threads say under the lock of their queue that a job is done. */
int pthread_cond_broadcast(pthread_cond_t *cond)
{
	slow("pthread_cond_broadcast");
	return real_broadcast(cond);
}

/* nginx's workers wake a thread of their pool while they hold the lock of its queue. */
int pthread_cond_signal(pthread_cond_t *cond)
{
	const int error = real_signal(cond);

	slow("pthread_cond_signal"); /* meanwhile the woken thread comes for the lock */
	return error;
}
