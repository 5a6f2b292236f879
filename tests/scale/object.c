/*
 * One of many shared objects. tests/scale/large copies it under other names, with another number
 * in the place of 00000 in its file: the name of its function. One that comes where another was,
 * which has gone, is of the other of two kinds (OTHER).
 */
#include <semaphore.h>

__attribute__((noinline)) static int wait_in_object_00000(sem_t *mine, sem_t *yours)
{
	int r;

#ifdef OTHER
	/* So that the places of calls in it are others. */
	__asm__ volatile(".skip 32, 0x90");
#endif
	r = sem_post(yours);

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
