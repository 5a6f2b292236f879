/*
 * Description: somebody changes the file before anything of the trace is in it: then it is his.
 * Says: somebody else has changed it
 * Judged: no
 */
#include "filter.h"

int main(void)
{
	truncate("app.trace", 100);
	contended_once();
	puts("cut");
	return 0;
}
