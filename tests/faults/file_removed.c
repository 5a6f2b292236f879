/*
 * Description: somebody removes the file that is being written.
 * Period: 5ms
 * Says: no such file
 * Traces: 0
 */
#include "filter.h"

int main(void)
{
	for (int i = 0; i < 6; i++) {
		contended_once();
		if (i == 2) {
			unlink("app.trace");
		}
	}
	puts("removed");
	return 0;
}
