/*
 * Description: waits of C11 that time out, a recursive mutex, and errors.
 */
#include <threads.h>

#include "scene.h"

static mtx_t mutex;
static cnd_t cond;

static int impatient(void *arg)
{
	struct timespec t = deadline_in(CLOCK_REALTIME, 20);

	IS(mtx_timedlock(&mutex, &t), thrd_timedout);
	reach(1);
	await(2);
	t = deadline_in(CLOCK_REALTIME, 60000);
	IS(mtx_timedlock(&mutex, &t), thrd_success);
	t = deadline_in(CLOCK_REALTIME, 20);
	IS(cnd_timedwait(&cond, &mutex, &t), thrd_timedout);
	t.tv_nsec = -1;
	IS(cnd_timedwait(&cond, &mutex, &t), thrd_error);
	IS(mtx_unlock(&mutex), thrd_success);
	reach(3);
	return arg != NULL;
}

int main(void)
{
	thrd_t thread;

	IS(mtx_init(&mutex, mtx_timed | mtx_recursive), thrd_success);
	IS(cnd_init(&cond), thrd_success);
	IS(mtx_lock(&mutex), thrd_success);
	IS(mtx_lock(&mutex), thrd_success);
	IS(mtx_trylock(&mutex), thrd_success);
	IS(thrd_create(&thread, impatient, NULL), thrd_success);
	await(1);
	IS(mtx_unlock(&mutex), thrd_success);
	IS(mtx_unlock(&mutex), thrd_success);
	IS(mtx_unlock(&mutex), thrd_success);
	reach(2);
	await(3);
	join_ended(thread);
	puts("timed out");
	return 0;
}
