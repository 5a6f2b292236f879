/*
 * Description: somebody cuts the file that is being written.
 * Period: 5ms
 * Says: somebody else has changed it
 * Judged: no
 */
#include "filter.h"

int main(void)
{
	for (int i = 0; i < 6; i++) {
		contended_once();
		if (i == 2) {
			truncate("app.trace", 100);
		}
	}
	puts("cut");
	return 0;
}
