/*
 * Description: each way to sleep, for a little while, and each that fails; yielding.
 * Events: sleep
 * Expect: 2+ call name=clock_nanosleep as=sleep
 * Expect: 80+ yield
 */
#include <sched.h>
#include <threads.h>

#include "says.h"

int main(void)
{
	struct timespec t = {.tv_nsec = 2000000};
	struct timespec bad = {.tv_nsec = -1};
	struct timespec past = {0};

	SAY(nanosleep(&t, NULL));
	SAY(nanosleep(&bad, NULL));
	SAY(nanosleep(BAD, NULL));
	SAY(clock_nanosleep(CLOCK_MONOTONIC, 0, &t, NULL));
	SAY(clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &past, NULL));
	SAY(clock_nanosleep(77, 0, &t, NULL));
	SAY(clock_nanosleep(CLOCK_REALTIME, 0, &t, BAD));
	SAY(sleep(0));
	SAY(usleep(1000));
	SAY(thrd_sleep(&t, NULL));
	SAY(thrd_sleep(&bad, NULL));
	for (int i = 0; i < 40; i++) {
		OK(sched_yield());
		thrd_yield();
	}
	SAY(nanosleep(&t, NULL));
	return 0;
}
