/*
 * Description: daemon(): what goes on is a child of a child, and the trace is its own.
 * Done: done
 * Expect: 1 wait in=contended_lock by=filter_holder
 */
#include "filter.h"

int main(void)
{
	OK(daemon(1, 1));
	contended_once();
	IS(creat("done", 0600) >= 0, 1);
	return 0;
}
