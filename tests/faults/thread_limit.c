/*
 * Description: how many threads the limit leaves to a program must not depend on us.
 * Root: yes
 */
#include "filter.h"

#include <sys/resource.h>

enum { LIMIT = 5 };

static void *idle(void *arg)
{
	await(2);
	return arg;
}

int main(void)
{
	struct rlimit limit = {LIMIT, LIMIT};
	pthread_t threads[2 * LIMIT];
	int n = 0;
	uid_t user;
	pid_t pid;

	/* A user that no other test is now: the limit counts all that it runs. */
	user = 40000 + (uid_t)getpid() % 10000;
	OK(setresuid(user, user, user));
	OK(setrlimit(RLIMIT_NPROC, &limit));
	while (n < 2 * LIMIT && pthread_create(&threads[n], NULL, idle, NULL) == 0) {
		n++;
	}
	pid = fork();
	if (pid == 0) {
		_exit(0);
	}
	printf("%d threads, fork gave %s\n", n, pid < 0 ? "an error" : "a child");
	reach(2);
	for (int i = 0; i < n; i++) {
		OK(pthread_join(threads[i], NULL));
	}
	return 0;
}
