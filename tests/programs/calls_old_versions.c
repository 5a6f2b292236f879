/*
 * Description: calls by the versions that old binaries bind, where glibc has others for new ones.
 * Events: sleep,proc,ipc
 * Expect: 40+ yield
 */
#include <aio.h>
#include <spawn.h>
#include <sys/wait.h>

#include "says.h"

extern char **environ;

__typeof__(clock_nanosleep) old_clock_nanosleep;
__typeof__(lio_listio) old_lio_listio;
__typeof__(lio_listio64) old_lio_listio64;
__typeof__(posix_spawn) old_posix_spawn;
__typeof__(posix_spawnp) old_posix_spawnp;
int old_pthread_yield(void);
__asm__(".symver old_clock_nanosleep, clock_nanosleep@GLIBC_2.2.5");
__asm__(".symver old_lio_listio, lio_listio@GLIBC_2.2.5");
__asm__(".symver old_lio_listio64, lio_listio64@GLIBC_2.2.5");
__asm__(".symver old_posix_spawn, posix_spawn@GLIBC_2.2.5");
__asm__(".symver old_posix_spawnp, posix_spawnp@GLIBC_2.2.5");
__asm__(".symver old_pthread_yield, pthread_yield@GLIBC_2.2.5");

int main(void)
{
	struct timespec soon = {.tv_nsec = 1000000};
	char *const argv[] = {"true", NULL};
	char byte = 0;
	struct aiocb one = {.aio_fildes = open("/dev/zero", O_RDONLY),
			    .aio_buf = &byte,
			    .aio_nbytes = 1,
			    .aio_lio_opcode = LIO_READ};
	struct aiocb64 one64 = {.aio_fildes = one.aio_fildes,
				.aio_buf = &byte,
				.aio_nbytes = 1,
				.aio_lio_opcode = LIO_READ};
	struct aiocb *list[] = {&one};
	struct aiocb64 *list64[] = {&one64};
	int status;
	pid_t pid;

	for (int i = 0; i < 40; i++) {
		OK(old_pthread_yield());
	}
	SAY(old_clock_nanosleep(CLOCK_MONOTONIC, 0, &soon, NULL));
	SAY(old_lio_listio(LIO_WAIT, list, 1, NULL));
	SAY(old_lio_listio64(LIO_WAIT, list64, 1, NULL));
	OK(unsetenv("LD_PRELOAD"));
	SAY(old_posix_spawn(&pid, "/bin/true", NULL, NULL, argv, environ));
	SAY_SIGN(waitpid(pid, &status, 0));
	SAY(old_posix_spawnp(&pid, "true", NULL, NULL, argv, environ));
	SAY_SIGN(waitpid(pid, &status, 0));
	return 0;
}
