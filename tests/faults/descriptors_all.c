/*
 * Description: closes all descriptors in each way, and puts its own files on every number.
 * Period: 5ms
 * Expect: 5 wait in=wait_once by=holder
 */
#include "once.h"

#include <sys/stat.h>

enum { LAST = 300 };

static void close_each(void)
{
	for (int fd = 3; fd < 1024; fd++) {
		close(fd);
	}
}

/* The same file on every number; nobody else writes there, and nobody else's is closed. */
static void cover(void)
{
	struct stat mine;
	struct stat st;

	IS(open("mine", O_RDWR | O_CREAT | O_APPEND, 0600), 3);
	for (int fd = 4; fd < LAST; fd++) {
		IS(dup2(3, fd), fd);
	}
	wait_once();
	scene_pause(15000);
	OK(fstat(3, &mine));
	IS((int)mine.st_size, 0);
	for (int fd = 3; fd < LAST; fd++) {
		OK(fstat(fd, &st));
		IS(st.st_ino == mine.st_ino, 1);
	}
}

int main(void)
{
	wait_once();
	scene_pause(15000);
	close_each();
	cover();
	closefrom(3);
	wait_once();
	scene_pause(15000);
	cover();
	OK(close_range(3, ~0u, 0));
	wait_once();
	scene_pause(15000);
	IS(open("/dev/null", O_RDONLY), 3);
	OK(unlink("mine"));
	close_each();
	return 0;
}
