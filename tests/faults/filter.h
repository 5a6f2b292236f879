/*
 * Seccomp filters for the programs of this folder: a list of calls that are treated in one way, and
 * all others in another.
 */
#pragma once

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>

#include "../programs/scene.h"

#define FILTER_MAX 64

struct filter {
	struct sock_filter code[FILTER_MAX];
	struct sock_fprog program;
};

UNUSED static void filter_make(struct filter *f, const int *calls, unsigned n, uint32_t listed,
			       uint32_t others)
{
	unsigned at = 0;

	f->code[at++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
						     offsetof(struct seccomp_data, nr));
	for (unsigned i = 0; i < n; i++) {
		f->code[at++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
							     (uint32_t)calls[i], 0, 1);
		f->code[at++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, listed);
	}
	f->code[at++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, others);
	f->program = (struct sock_fprog){.len = (unsigned short)at, .filter = f->code};
}

/* For the calling thread alone, by prctl. */
UNUSED static void filter_install(struct filter *f)
{
	OK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	OK(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &f->program, 0, 0));
}

/*
 * One wait for a lock that another thread has, which a trace shows, 20 ms long. The holder may open
 * no file to see that the other one sleeps; but glibc's lock word says 2 once somebody is about to.
 * It stays until the lock has been taken: of a thread that has ended, nobody can be told that it
 * woke another.
 */
static pthread_mutex_t filter_mutex = PTHREAD_MUTEX_INITIALIZER;
static atomic_int filter_taken;
static atomic_int filter_tid; /* of the last holder */

UNUSED static void *filter_holder(void *arg)
{
	tell_tid(&filter_tid);
	OK(pthread_mutex_lock(&filter_mutex));
	atomic_store(&filter_taken, 0);
	reach(1);
	while (__atomic_load_n(&filter_mutex.__data.__lock, __ATOMIC_ACQUIRE) != 2) {
		scene_pause(200);
	}
	scene_pause(20000);
	OK(pthread_mutex_unlock(&filter_mutex));
	await_at_least(&filter_taken, 1);
	return arg;
}

UNUSED static void contended_lock(void)
{
	OK(pthread_mutex_lock(&filter_mutex));
	OK(pthread_mutex_unlock(&filter_mutex));
	atomic_store(&filter_taken, 1);
}

/* Such a wait from its beginning to its end; the holder lives for it alone. */
UNUSED static void contended_once(void)
{
	pthread_t holder;

	atomic_store(&scene_stage, 0);
	OK(pthread_create(&holder, NULL, filter_holder, NULL));
	await(1);
	contended_lock();
	join_ended(holder);
}
