/*
 * A library whose constructor takes a mutex of the program, for loader_lock.c.
 */
#include <pthread.h>
#include <stdatomic.h>

extern pthread_mutex_t of_program;
extern atomic_int constructor_runs;

__attribute__((constructor)) static void take(void)
{
	atomic_store(&constructor_runs, 1);
	pthread_mutex_lock(&of_program);
	pthread_mutex_unlock(&of_program);
}
