/*
 * One of many shared objects. tests/scale/large copies it under other names, with another number
 * in the place of 00000 in its file: the name of its function.
 */
#include <semaphore.h>

__attribute__((noinline)) static int wait_in_object_00000(sem_t *mine, sem_t *yours)
{
	int r = sem_post(yours);

	r += sem_wait(mine);
	/* No jump at the end of this or of who calls: both are on the stack. */
	__asm__ volatile("" : "+r"(r));
	return r;
}

int object_run(sem_t *mine, sem_t *yours);

int object_run(sem_t *mine, sem_t *yours)
{
	int r = wait_in_object_00000(mine, yours);

	__asm__ volatile("" : "+r"(r));
	return r;
}
