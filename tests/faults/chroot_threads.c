/*
 * Description: the same with threads, and another user.
 * Root: yes
 * Expect: 2 wait in=contended_lock by=filter_holder
 */
#include "filter.h"

#include <sys/stat.h>

int main(void)
{
	contended_once();
	OK(mkdir("jail", 0755));
	OK(chroot("jail"));
	OK(setgid(54321));
	OK(setuid(54321));
	contended_once();
	puts("in jail");
	return 0;
}
