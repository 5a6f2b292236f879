/*
 * Description: libraries come and go while threads wait for locks.
 * Expect: 1+ wait in=contended_lock by=filter_holder
 */
#include "filter.h"

#include <dlfcn.h>

static void *loader(void *arg)
{
	for (int i = 0; i < 50; i++) {
		void *handle = dlopen("libm.so.6", RTLD_NOW | RTLD_LOCAL);

		IS(handle != NULL, 1);
		OK(dlclose(handle));
	}
	return arg;
}

int main(void)
{
	pthread_t load;

	OK(pthread_create(&load, NULL, loader, NULL));
	for (int i = 0; i < 3; i++) {
		contended_once();
	}
	join_ended(load);
	puts("loaded and gone");
	return 0;
}
