/*
 * Description: every way to be somebody else, and to limit oneself, with a thread beside it.
 * Root: yes
 * Expect: 1 wait reason=mutex
 */
#include "filter.h"

#include <grp.h>
#include <linux/capability.h>
#include <sys/resource.h>

int capset(void *head, const void *data);

static void *idle(void *arg)
{
	await(2);
	return arg;
}

int main(void)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct caps[2] = {{0}};
	struct rlimit limit;
	struct rlimit64 limit64;
	const gid_t group = 54321;
	pthread_t thread;

	OK(pthread_create(&thread, NULL, idle, NULL));
	OK(getrlimit(RLIMIT_AS, &limit));
	OK(setrlimit(RLIMIT_AS, &limit));
	OK(getrlimit64(RLIMIT_AS, &limit64));
	OK(setrlimit64(RLIMIT_AS, &limit64));
	OK(prlimit(0, RLIMIT_AS, &limit, NULL));
	OK(prlimit64(getpid(), RLIMIT_AS, &limit64, NULL));
	OK(setgroups(1, &group));
	OK(initgroups("root", 0));
	OK(setgid(54321));
	OK(setegid(54321));
	OK(setregid(54321, 54321));
	OK(setresgid(54321, 54321, 54321));
	OK(setresuid(54321, 54321, 0));
	OK(seteuid(54321));
	OK(setreuid(54321, 54321));
	OK(setuid(54321));
	OK(capset(&head, caps));
	contended_once();
	reach(2);
	join_ended(thread);
	puts("nobody in particular");
	return 0;
}
