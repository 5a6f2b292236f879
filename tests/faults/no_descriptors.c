/*
 * Description: not one descriptor is left, from the first thread to the end.
 * Period: 5ms
 * Expect: 6 wait in=contended_lock by=filter_holder
 */
#include "filter.h"

#include <sys/resource.h>

int main(void)
{
	struct rlimit few = {3, 3};

	OK(setrlimit(RLIMIT_NOFILE, &few));
	for (int i = 0; i < 6; i++) {
		contended_once();
		IS(open("/dev/null", O_RDONLY), -1);
	}
	puts("none");
	return 0;
}
