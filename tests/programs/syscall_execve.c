/*
 * Description: a program with threads replaces itself by syscall(SYS_execve): two traces.
 * Traces: 2
 */
#include "scene.h"

extern char **environ;

static void *thread(void *arg)
{
	return arg;
}

int main(int argc, char **argv)
{
	char *again[] = {argv[0], "again", NULL};
	pthread_t t;

	OK(pthread_create(&t, NULL, thread, NULL));
	join_ended(t);
	if (argc == 1) {
		syscall(SYS_execve, argv[0], again, environ);
		return 1;
	}
	puts("again");
	return 0;
}
