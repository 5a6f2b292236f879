/*
 * Description: limits the size of its files when it has begun: no signal of ours, and one message.
 * Period: 5ms
 * Says: file too large
 */
#include "filter.h"

#include <sys/resource.h>

int main(void)
{
	struct rlimit limit = {2048, 2048};

	OK(setrlimit(RLIMIT_FSIZE, &limit));
	for (int i = 0; i < 20; i++) {
		contended_once();
	}
	puts("small files");
	return 0;
}
