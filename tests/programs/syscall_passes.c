/*
 * Description: syscall() hands six registers over and its result and errno back, for calls of which
 *     the library knows the name and for others.
 * Events: all
 */
#include <sys/mman.h>

#include "scene.h"

static void six(void)
{
	char path[] = "/tmp/gtrace-six.XXXXXX";
	int fd = mkstemp(path);
	char *map;

	OK((int)raw_syscall(SYS_unlinkat, AT_FDCWD, (long)path, 0, 0));
	OK((int)raw_syscall(SYS_ftruncate, fd, 8192, 0, 0));
	IS((int)syscall(SYS_pwrite64, fd, "second page", 11, 4096L), 11);
	map = (char *)syscall(SYS_mmap, NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 4096L);
	puts(map);
	OK((int)syscall(SYS_munmap, map, 4096));
	OK((int)syscall(SYS_close, fd));
}

static void fails(void)
{
	errno = 0;
	IS((int)syscall(SYS_read, -1, NULL, 0), -1);
	IS(errno, EBADF);
	IS((int)syscall(SYS_openat, AT_FDCWD, "/not/there", O_RDONLY), -1);
	IS(errno, ENOENT);
	IS((int)syscall(99999), -1);
	IS(errno, ENOSYS);
	IS((int)syscall(-1), -1);
	IS(errno, ENOSYS);
	IS((int)syscall(SYS_getpriority, 99, 0), -1);
	IS(errno, EINVAL);
}

static void keeps_errno(void)
{
	char bytes[16];

	errno = 12345;
	IS((int)syscall(SYS_getpid), getpid());
	IS((int)syscall(SYS_getrandom, bytes, sizeof bytes, 0), sizeof bytes);
	IS((int)syscall(SYS_sched_yield), 0);
	IS((int)syscall(SYS_umask, 022), 022);
	IS(errno, 12345);
}

static void *thread(void *arg)
{
	struct timespec t = {.tv_nsec = 1000000};

	six();
	fails();
	keeps_errno();
	OK((int)syscall(SYS_nanosleep, &t, NULL));
	return arg;
}

int main(void)
{
	pthread_t t;

	raw_syscall(SYS_umask, 022, 0, 0, 0);
	OK(pthread_create(&t, NULL, thread, NULL));
	join_ended(t);
	return 0;
}
