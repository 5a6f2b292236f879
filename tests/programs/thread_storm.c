/*
 * Description: four threads each make and join three hundred short ones.
 * Schedule: free
 * Expect: 1204 create
 * Expect: 1204 destroy
 */
#include "scene.h"

static atomic_int count;

static void *brief(void *arg)
{
	atomic_fetch_add(&count, 1);
	return arg;
}

static void *maker(void *arg)
{
	for (int i = 0; i < 100; i++) {
		pthread_t threads[3];

		for (int j = 0; j < 3; j++) {
			OK(pthread_create(&threads[j], NULL, brief, NULL));
		}
		for (int j = 0; j < 3; j++) {
			OK(pthread_join(threads[j], NULL));
		}
	}
	return arg;
}

int main(void)
{
	pthread_t makers[4];

	for (int i = 0; i < 4; i++) {
		OK(pthread_create(&makers[i], NULL, maker, NULL));
	}
	for (int i = 0; i < 4; i++) {
		OK(pthread_join(makers[i], NULL));
	}
	printf("%d\n", atomic_load(&count));
	return 0;
}
