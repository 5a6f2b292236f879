/*
 * Description: a daemon made by hand: two forks, a session, no descriptor left open.
 * Done: done
 * Traces: 2
 */
#include "filter.h"

#include <sys/stat.h>

int main(void)
{
	if (fork() != 0) {
		_exit(0);
	}
	IS(setsid() > 0, 1);
	if (fork() != 0) {
		_exit(0);
	}
	umask(0);
	for (int fd = 0; fd < 256; fd++) {
		close(fd);
	}
	contended_once();
	IS(creat("done", 0600), 0);
	return 0;
}
