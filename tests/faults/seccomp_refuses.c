/*
 * Description: a filter that answers open with an error, before there is any thread to write.
 * Says: forbids itself
 */
#include "filter.h"

int main(void)
{
	static const int refused[] = {SYS_openat, SYS_open};
	struct filter f;

	filter_make(&f, refused, 2, SECCOMP_RET_ERRNO | EPERM, SECCOMP_RET_ALLOW);
	filter_install(&f);
	IS(open("/dev/null", O_RDONLY), -1);
	IS(errno, EPERM);
	contended_lock();
	puts("refused");
	return 0;
}
