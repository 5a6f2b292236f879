/*
 * Description: locks all its memory: no more than it has, and what it takes later.
 * Root: yes
 * Expect: 1 wait in=contended_lock by=filter_holder
 */
#include "filter.h"

#include <sys/mman.h>

static long locked_kilobytes(void)
{
	FILE *f = fopen("/proc/self/status", "r");
	char line[256];
	long n = -1;

	while (f && fgets(line, sizeof line, f)) {
		if (sscanf(line, "VmLck: %ld", &n) == 1) {
			break;
		}
	}
	fclose(f);
	return n;
}

int main(void)
{
	OK(mlockall(MCL_CURRENT | MCL_FUTURE));
	/* Its stack, its libraries, and a few MiB of ours; not GTRACE_BUFFERS. */
	IS(locked_kilobytes() < 64 << 10, 1);
	contended_once();
	OK(munlockall());
	puts("locked");
	return 0;
}
