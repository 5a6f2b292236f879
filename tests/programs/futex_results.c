/*
 * Description: futex calls that nobody ends: what they return, and errno, as without the library.
 */
#include <linux/futex.h>
#include <sys/mman.h>

#include "scene.h"

#define SAY(call)                                                     \
	do {                                                          \
		errno = 12345;                                        \
		long result = (call);                                 \
		printf("%s = %ld, errno %d\n", #call, result, errno); \
	} while (0)

static uint32_t word = 7;
static uint32_t other = 8;
static uint32_t *const nowhere = (uint32_t *)16;

static void changed(void)
{
	SAY(syscall(SYS_futex, &word, FUTEX_WAIT, 6, NULL));
	SAY(syscall(SYS_futex, &word, FUTEX_WAIT_BITSET, 6, NULL, NULL, 1));
}

static void timed_out(void)
{
	struct timespec brief = {.tv_nsec = 2000000};
	struct timespec past = {.tv_sec = 1};
	struct timespec soon = deadline_in(CLOCK_MONOTONIC, 3);

	SAY(syscall(SYS_futex, &word, FUTEX_WAIT | FUTEX_PRIVATE_FLAG, 7, &brief));
	SAY(syscall(SYS_futex, &word, FUTEX_WAIT_BITSET, 7, &soon, NULL, FUTEX_BITSET_MATCH_ANY));
	SAY(syscall(SYS_futex, &word, FUTEX_WAIT_BITSET | FUTEX_CLOCK_REALTIME, 7, &past, NULL, 4));
}

static void refused(void)
{
	struct timespec wrong = {.tv_nsec = 1000000000};

	SAY(syscall(SYS_futex, nowhere, FUTEX_WAIT, 7, NULL));
	SAY(syscall(SYS_futex, (char *)&word + 1, FUTEX_WAIT, 7, NULL));
	SAY(syscall(SYS_futex, &word, FUTEX_WAIT, 7, &wrong));
	SAY(syscall(SYS_futex, &word, FUTEX_WAIT, 7, (struct timespec *)nowhere));
	SAY(syscall(SYS_futex, &word, FUTEX_WAIT_BITSET, 7, NULL, NULL, 0));
	SAY(syscall(SYS_futex, nowhere, FUTEX_LOCK_PI, 0, NULL));
}

/* Wake-ups, and what is no futex call at all: no events. */
static void without_events(void)
{
	SAY(syscall(SYS_futex, &word, FUTEX_WAKE, 1));
	SAY(syscall(SYS_futex, &word, FUTEX_WAKE_BITSET, 1, NULL, NULL, 1));
	SAY(syscall(SYS_futex, &word, FUTEX_WAKE_BITSET, 1, NULL, NULL, 0));
	SAY(syscall(SYS_futex, nowhere, FUTEX_WAKE, 1));
	SAY(syscall(SYS_futex, nowhere, FUTEX_WAKE_PRIVATE, 1));
	SAY(syscall(SYS_futex, &word, FUTEX_REQUEUE, 1, 1L, &other));
	SAY(syscall(SYS_futex, &word, FUTEX_CMP_REQUEUE, 1, 1L, &other, 6));
	SAY(syscall(SYS_futex, &word, FUTEX_CMP_REQUEUE, 1, 1L, nowhere, 7));
	SAY(syscall(SYS_futex, &word, FUTEX_WAKE_OP, 1, 1L, &other,
		    FUTEX_OP(FUTEX_OP_SET, 9, FUTEX_OP_CMP_EQ, 8)));
	printf("other is %u\n", other);
	SAY(syscall(SYS_futex, &word, FUTEX_UNLOCK_PI));
	SAY(syscall(SYS_futex, &word, FUTEX_FD, 0));
	SAY(syscall(SYS_futex, &word, 99, 0));
}

static void *thread(void *arg)
{
	changed();
	timed_out();
	refused();
	without_events();
	return arg;
}

int main(void)
{
	pthread_t t;

	OK(pthread_create(&t, NULL, thread, NULL));
	join_ended(t);
	return 0;
}
