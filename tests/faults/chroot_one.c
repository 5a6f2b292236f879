/*
 * Description: a program with one thread locks itself up in a folder, where its trace is not.
 * Root: yes
 * Expect: 1 wait in=contended_lock by=filter_holder
 */
#include "filter.h"

#include <sys/stat.h>

int main(void)
{
	OK(mkdir("jail", 0755));
	OK(chroot("jail"));
	OK(chdir("/"));
	IS(access("/etc", F_OK), -1);
	contended_once();
	puts("in jail");
	return 0;
}
