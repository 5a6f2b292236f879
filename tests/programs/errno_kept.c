/*
 * Description: no call changes errno, whether it waits, fails or does nothing.
 * Schedule: free
 * Expect: 1 wait in=worker reason=mutex by=waits
 * Expect: 1 wait in=worker reason=cond by=waits
 */
#include "scene.h"

/* The output is compared with that of the untraced run, so glibc's own changes are no fault. */
#define KEEP(call)                            \
	do {                                  \
		errno = 12345;                \
		int result = (call);          \
		int after = errno;            \
		report(#call, result, after); \
	} while (0)

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t guard = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static atomic_int tid;
static int ready;

/* Each thread writes a text of its own; main prints them one after the other. */
static char texts[2][8192];
static _Thread_local char *text = texts[0];

static void report(const char *what, int result, int after)
{
	text += sprintf(text, "%s = %d, errno %d\n", what, result, after);
}

static void *worker(void *arg)
{
	text = texts[1];
	tell_tid(&tid);
	KEEP(pthread_mutex_lock(&mutex));
	KEEP(pthread_mutex_unlock(&mutex));
	OK(pthread_mutex_lock(&guard));
	while (!ready) {
		KEEP(pthread_cond_wait(&cond, &guard));
	}
	OK(pthread_mutex_unlock(&guard));
	return arg;
}

static void *sleeper(void *arg)
{
	await(1);
	return arg;
}

static void waits(void)
{
	pthread_t thread;

	OK(pthread_mutex_lock(&mutex));
	KEEP(pthread_create(&thread, NULL, worker, NULL));
	AWAIT_ASLEEP_ON(&tid, &mutex);
	KEEP(pthread_mutex_unlock(&mutex));
	AWAIT_ASLEEP_ON(&tid, &cond);
	OK(pthread_mutex_lock(&guard));
	ready = 1;
	KEEP(pthread_cond_signal(&cond));
	KEEP(pthread_cond_broadcast(&cond));
	KEEP(pthread_mutex_unlock(&guard));
	KEEP(pthread_join(thread, NULL));
}

static void failures(void)
{
	struct timespec past = {.tv_sec = 1};
	struct timespec soon;
	pthread_attr_t attr;
	pthread_t thread;

	OK(pthread_attr_init(&attr));
	OK(pthread_attr_setstacksize(&attr, (size_t)1 << 47));
	KEEP(pthread_create(&thread, &attr, sleeper, NULL));
	OK(pthread_create(&thread, NULL, sleeper, NULL));
	KEEP(pthread_tryjoin_np(thread, NULL));
	KEEP(pthread_timedjoin_np(thread, NULL, &past));
	KEEP(pthread_clockjoin_np(thread, NULL, CLOCK_MONOTONIC, &past));
	KEEP(pthread_setname_np(thread, "name"));
	KEEP(pthread_setname_np(thread, "a name that is too long"));
	KEEP(pthread_detach(thread));
	reach(1);

	OK(pthread_mutex_lock(&mutex));
	KEEP(pthread_mutex_trylock(&mutex));
	KEEP(pthread_mutex_timedlock(&mutex, &past));
	soon = deadline_in(CLOCK_MONOTONIC, 5);
	KEEP(pthread_mutex_clocklock(&mutex, CLOCK_MONOTONIC, &soon));
	KEEP(pthread_cond_timedwait(&cond, &mutex, &past));
	soon = deadline_in(CLOCK_REALTIME, 5);
	KEEP(pthread_cond_timedwait(&cond, &mutex, &soon));
	KEEP(pthread_cond_clockwait(&cond, &mutex, CLOCK_MONOTONIC, &past));
	KEEP(pthread_mutex_unlock(&mutex));
}

static void plain(void)
{
	pthread_mutex_t m;
	pthread_cond_t c;

	KEEP(pthread_mutex_init(&m, NULL));
	KEEP(pthread_mutex_lock(&m));
	KEEP(pthread_mutex_unlock(&m));
	KEEP(pthread_mutex_trylock(&m));
	KEEP(pthread_mutex_unlock(&m));
	KEEP(pthread_mutex_destroy(&m));
	KEEP(pthread_cond_init(&c, NULL));
	KEEP(pthread_cond_signal(&c));
	KEEP(pthread_cond_broadcast(&c));
	KEEP(pthread_cond_destroy(&c));
}

int main(void)
{
	plain();
	waits();
	failures();
	fputs(texts[0], stdout);
	fputs(texts[1], stdout);
	return 0;
}
