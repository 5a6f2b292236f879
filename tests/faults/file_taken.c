/*
 * Description: somebody writes a longer file over the one that is being written: that is his.
 * Period: 5ms
 * Says: somebody else has changed it
 * Judged: no
 */
#include <fcntl.h>
#include <sys/stat.h>

#include "filter.h"

enum { BYTES = 1 << 20 };

static char bytes[BYTES];

int main(void)
{
	struct stat st = {.st_size = 0};
	int fd;

	contended_once();
	fd = open("app.trace", O_WRONLY | O_CREAT | O_TRUNC, 0644);
	if (fd < 0 || write(fd, bytes, BYTES) != BYTES) {
		puts("not written");
		return 1;
	}
	/* The trace breaks off when its next generation ends, and has no spool then. */
	do {
		contended_once();
	} while (access("app.trace.spool", F_OK) == 0);
	if (fstat(fd, &st) != 0 || st.st_size < BYTES) {
		printf("%lld bytes are left\n", (long long)st.st_size);
		return 1;
	}
	puts("taken");
	return 0;
}
