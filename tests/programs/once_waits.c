/*
 * Description: a routine runs once, while another thread waits for it; later calls are nothing.
 */
#include <threads.h>

#include "scene.h"

static pthread_once_t control = PTHREAD_ONCE_INIT;
static pthread_once_t inner = PTHREAD_ONCE_INIT;
static once_flag flag = ONCE_FLAG_INIT;
static atomic_int tid;
static int runs;

static void innermost(void)
{
	runs++;
}

static void routine(void)
{
	runs++;
	reach(1);
	AWAIT_ASLEEP_ON(&tid, &control);
	OK(pthread_once(&inner, innermost));
}

static void routine_of_c11(void)
{
	runs++;
	reach(3);
	AWAIT_ASLEEP_ON(&tid, &flag);
}

static void *runner(void *arg)
{
	OK(pthread_once(&control, routine));
	await(2);
	call_once(&flag, routine_of_c11);
	await(4);
	return arg;
}

static void *waiter(void *arg)
{
	await(1);
	tell_tid(&tid);
	OK(pthread_once(&control, routine));
	IS(runs, 2);
	atomic_store(&tid, 0);
	reach(2);
	await(3);
	tell_tid(&tid);
	call_once(&flag, routine_of_c11);
	IS(runs, 3);
	reach(4);
	return arg;
}

int main(void)
{
	pthread_t a;
	pthread_t b;

	OK(pthread_create(&a, NULL, runner, NULL));
	OK(pthread_create(&b, NULL, waiter, NULL));
	join_ended(a);
	join_ended(b);
	OK(pthread_once(&control, routine));
	OK(pthread_once(&inner, routine));
	call_once(&flag, routine_of_c11);
	IS(runs, 3);
	puts("once");
	return 0;
}
