/*
 * Description: under GTRACE_BUDGET storms are left out in part, and what is rare is there as a whole.
 * Schedule: free
 * Events: sync,sleep,io
 * Budget: 1%
 * Expect: 10000+ loss of=budget_calls
 * Expect: 1000+ loss of=budget_waits
 * Expect: 10+ call name=read
 * Expect: 10+ wait in=pings reason=cond by=pings
 * Expect: 10+ wait in=throws reason=sem by=catches
 * Expect: 3 wait in=rare_waiter reason=mutex by=main
 * Expect: 3 call name=fsync
 */
#include <semaphore.h>

#include "scene.h"

enum { HAMMERS = 3, RARE = 3 };

static atomic_int over;
static atomic_int rare_tid;

static pthread_mutex_t hammered = PTHREAD_MUTEX_INITIALIZER;
static uint64_t hits; /* under hammered */

static pthread_mutex_t turn_mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t turned = PTHREAD_COND_INITIALIZER;
static uint64_t turn; /* even: left's */

static sem_t ball[2];
static atomic_int thrown;
static atomic_int caught;

static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static uint64_t written;

static pthread_mutex_t rare = PTHREAD_MUTEX_INITIALIZER;

/* Each of the storms counts by itself what it did, and by what it guards what all did. */
static void *reads(void *zero)
{
	int fd = open(zero, O_RDONLY | O_CLOEXEC);
	char c;

	while (!atomic_load(&over)) {
		IS((int)read(fd, &c, 1), 1);
	}
	OK(close(fd));
	return NULL;
}

static void *hammers(void *count)
{
	uint64_t n = 0;

	while (!atomic_load(&over)) {
		OK(pthread_mutex_lock(&hammered));
		hits++;
		if (hits % 16 == 0) {
			sched_yield(); /* so that others come meanwhile, and sleep */
		}
		OK(pthread_mutex_unlock(&hammered));
		n++;
	}
	*(uint64_t *)count = n;
	return NULL;
}

static void *pings(void *mine)
{
	uint64_t me = *(const uint64_t *)mine;

	OK(pthread_mutex_lock(&turn_mutex));
	while (!atomic_load(&over)) {
		while (turn % 2 != me && !atomic_load(&over)) {
			OK(pthread_cond_wait(&turned, &turn_mutex));
		}
		turn++;
		OK(pthread_cond_signal(&turned));
	}
	OK(pthread_cond_signal(&turned));
	OK(pthread_mutex_unlock(&turn_mutex));
	return NULL;
}

static void *throws(void *unused)
{
	while (!atomic_load(&over)) {
		atomic_fetch_add(&thrown, 1);
		OK(sem_post(&ball[0]));
		OK(sem_wait(&ball[1]));
	}
	return unused;
}

static void *catches(void *unused)
{
	for (;;) {
		OK(sem_wait(&ball[0]));
		if (atomic_load(&caught) < 0) {
			return unused;
		}
		atomic_fetch_add(&caught, 1);
		OK(sem_post(&ball[1]));
	}
}

static void *writes(void *unused)
{
	while (!atomic_load(&over)) {
		OK(pthread_rwlock_wrlock(&rwlock));
		written++;
		sched_yield();
		OK(pthread_rwlock_unlock(&rwlock));
	}
	return unused;
}

static void *rare_waiter(void *unused)
{
	for (int i = 0; i < RARE; i++) {
		await(2 * i + 1);
		tell_tid(&rare_tid);
		OK(pthread_mutex_lock(&rare));
		OK(pthread_mutex_unlock(&rare));
		IS(fsync(-1), -1);
		reach(2 * i + 2);
	}
	return unused;
}

int main(void)
{
	static uint64_t counts[HAMMERS];
	static uint64_t left;
	static uint64_t right = 1;
	static char zero[] = "/dev/zero";
	pthread_t t[HAMMERS + 8];
	uint64_t sum = 0;
	int n = 0;

	OK(sem_init(&ball[0], 0, 0));
	OK(sem_init(&ball[1], 0, 0));
	for (int i = 0; i < HAMMERS; i++) {
		OK(pthread_create(&t[n++], NULL, hammers, &counts[i]));
	}
	OK(pthread_create(&t[n++], NULL, reads, zero));
	OK(pthread_create(&t[n++], NULL, pings, &left));
	OK(pthread_create(&t[n++], NULL, pings, &right));
	OK(pthread_create(&t[n++], NULL, throws, NULL));
	OK(pthread_create(&t[n++], NULL, writes, NULL));
	OK(pthread_create(&t[n++], NULL, writes, NULL));
	OK(pthread_create(&t[n++], NULL, rare_waiter, NULL));
	OK(pthread_create(&t[n], NULL, catches, NULL));
	for (int i = 0; i < RARE; i++) {
		scene_pause(400000);
		OK(pthread_mutex_lock(&rare));
		reach(2 * i + 1);
		AWAIT_ASLEEP_ON(&rare_tid, &rare);
		OK(pthread_mutex_unlock(&rare));
		await(2 * i + 2);
	}
	atomic_store(&over, 1);
	for (int i = 0; i < n; i++) {
		OK(pthread_join(t[i], NULL));
	}
	IS(atomic_load(&thrown), atomic_load(&caught));
	atomic_store(&caught, -1);
	OK(sem_post(&ball[0]));
	OK(pthread_join(t[n], NULL));
	for (int i = 0; i < HAMMERS; i++) {
		sum += counts[i];
	}
	IS(sum == hits, 1);
	IS(written > 0 && turn > 0, 1);
	puts("storms are over");
	return 0;
}
