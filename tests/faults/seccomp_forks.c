/*
 * Description: a filter that kills for a call that we make nowhere else: memory given back. The
 * trace goes on, and a child of fork lives.
 * Expect: 1 wait in=contended_lock by=filter_holder
 */
#include "filter.h"

#include <sys/mman.h>
#include <sys/wait.h>

int main(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_madvise, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[2])),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, MADV_DONTNEED, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct filter f = {.program = {sizeof code / sizeof code[0], code}};
	int status;
	pid_t child;

	contended_once();
	filter_install(&f);
	child = fork();
	if (child == 0) {
		contended_lock();
		_exit(7);
	}
	IS(waitpid(child, &status, 0), child);
	IS(status, 7 << 8);
	return 0;
}
