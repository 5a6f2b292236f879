/*
 * Description: one program becomes the next by each of the ways to exec; the last has a thread.
 * Expect: 1 wait in=contended_lock by=filter_holder
 */
#include "filter.h"

extern char **environ;

enum { WAYS = 9 };

int main(int argc, char **argv)
{
	int stage = argc > 1 ? argv[1][0] - '0' : 0;
	char next[2] = {(char)('1' + stage), 0};
	char *again[] = {argv[0], next, NULL};

	printf("stage %d\n", stage);
	fflush(stdout);
	/* First one that fails: nothing has happened then. */
	IS(execv("/nowhere/program", again), -1);
	IS(errno, ENOENT);
	switch (stage) {
	case 0:
		execl(argv[0], argv[0], next, NULL);
		break;
	case 1:
		execle(argv[0], argv[0], next, NULL, environ);
		break;
	case 2:
		execlp(argv[0], argv[0], next, NULL);
		break;
	case 3:
		execv(argv[0], again);
		break;
	case 4:
		execve(argv[0], again, environ);
		break;
	case 5:
		execvp(argv[0], again);
		break;
	case 6:
		execvpe(argv[0], again, environ);
		break;
	case 7:
		fexecve(open(argv[0], O_RDONLY | O_CLOEXEC), again, environ);
		break;
	case 8:
		execveat(AT_FDCWD, argv[0], again, environ, 0);
		break;
	case WAYS:
		contended_once();
		return 0;
	}
	return 99;
}
