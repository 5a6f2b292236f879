/*
 * Description: dlclose of what is no handle, but has an address of the program where one has its own.
 * Expect: 1+ wait in=contended_lock by=filter_holder
 */
#include "filter.h"

#include <dlfcn.h>

int main(void)
{
	/* glibc's struct link_map: where it is, its name, its dynamic section. */
	static const void *no_handle[1024];

	no_handle[2] = no_handle;
	contended_once();
	IS(dlclose((void *)no_handle), -1);
	puts(dlerror());
	return 0;
}
