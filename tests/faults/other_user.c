/*
 * Description: becomes another user for a while, more than once, and root again.
 * Root: yes
 * Expect: 3 wait reason=mutex
 */
#include "filter.h"

int main(void)
{
	OK(setegid(54321));
	OK(seteuid(54321));
	contended_once();
	OK(seteuid(0));
	OK(seteuid(54322));
	contended_once();
	OK(seteuid(0));
	contended_once();
	puts("root again");
	return 0;
}
