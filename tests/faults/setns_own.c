/*
 * Description: enters namespaces that it is in already, after its threads have ended.
 * Root: yes
 */
#include "filter.h"

#include <sched.h>

int main(void)
{
	static const char *const names[] = {"uts", "mnt", "net", "ipc", "user"};

	contended_once();
	await_gone(&filter_tid);
	for (int i = 0; i < 5; i++) {
		char path[64];
		int fd;

		snprintf(path, sizeof path, "/proc/self/ns/%s", names[i]);
		fd = open(path, O_RDONLY);
		errno = 0;
		printf("%s %d", names[i], setns(fd, 0));
		printf(" %d\n", errno);
		close(fd);
	}
	return 0;
}
