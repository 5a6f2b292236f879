/*
 * Description: the limit on processes leaves one more to a program with a thread: and with us.
 * Root: yes
 */
#include "filter.h"

#include <sys/resource.h>
#include <sys/wait.h>

enum { LIMIT = 3 };

static void *idle(void *arg)
{
	await(2);
	return arg;
}

int main(void)
{
	struct rlimit limit = {LIMIT, LIMIT};
	pthread_t thread;
	int status;
	uid_t user;
	pid_t pid;

	/* A user that no other test is now: the limit counts all that it runs. */
	user = 40000 + (uid_t)getpid() % 10000;
	OK(setresuid(user, user, user));
	OK(setrlimit(RLIMIT_NPROC, &limit));
	OK(pthread_create(&thread, NULL, idle, NULL));
	pid = fork();
	if (pid == 0) {
		_exit(3);
	}
	IS(waitpid(pid, &status, 0) == pid, 1);
	IS(status, 3 << 8);
	reach(2);
	join_ended(thread);
	puts("a child");
	return 0;
}
