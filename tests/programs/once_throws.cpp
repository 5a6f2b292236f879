/*
 * Description: an exception leaves a routine that is to run once; who waited for it runs it.
 */
#include <mutex>

#include "scene.h"

static pthread_once_t control = PTHREAD_ONCE_INIT;
static std::once_flag flag;
static atomic_int tid;
static int runs;

static void routine()
{
	if (runs++ == 0) {
		reach(1);
		AWAIT_ASLEEP_ON(&tid, &control);
		throw 7;
	}
}

static void *thrower(void *arg)
{
	try {
		pthread_once(&control, routine);
	} catch (int e) {
		IS(e, 7);
	}
	await(2);
	return arg;
}

static void *waiter(void *arg)
{
	await(1);
	tell_tid(&tid);
	OK(pthread_once(&control, routine));
	reach(2);
	return arg;
}

static int tries;

static void flagged()
{
	if (tries++ == 0) {
		throw 8;
	}
}

int main()
{
	pthread_t a;
	pthread_t b;

	OK(pthread_create(&a, NULL, thrower, NULL));
	OK(pthread_create(&b, NULL, waiter, NULL));
	join_ended(a);
	join_ended(b);
	IS(runs, 2);
	try {
		std::call_once(flag, flagged);
	} catch (int e) {
		IS(e, 8);
	}
	std::call_once(flag, flagged);
	std::call_once(flag, flagged);
	IS(tries, 2);
	puts("thrown");
	return 0;
}
