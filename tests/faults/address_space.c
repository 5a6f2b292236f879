/*
 * Description: limits its own address space, and then uses what it has left itself.
 * Expect: 1 wait in=contended_lock by=filter_holder
 */
#include "filter.h"

#include <sys/mman.h>
#include <sys/resource.h>

int main(void)
{
	struct rlimit limit = {256 << 20, 256 << 20};
	void *p;

	OK(setrlimit(RLIMIT_AS, &limit));
	p = malloc(128 << 20);
	IS(p != NULL, 1);
	memset(p, 1, 128 << 20);
	free(p);
	contended_once();
	puts("enough");
	return 0;
}
