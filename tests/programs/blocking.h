/*
 * Calls that block for ever, each in a thread of its own, and how it is seen that one does. They
 * know nothing of gtrace.
 */
#pragma once

#include <aio.h>
#include <mqueue.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <threads.h>

#include "scene.h"

#pragma GCC diagnostic ignored "-Wdeprecated-declarations" /* of sigpause */

/* --- What they block on ----------------------------------------------------------------------- */

static struct {
	int empty, full, full2, file, file2, events, socket[2], listener, crowded, epoll, queue;
	int full_queue, set;
	mqd_t mq, full_mq;
	pid_t child;
	struct sockaddr_un at;
	struct aiocb aio;
} on;

static char room[65536];
static struct iovec vector = {room, 1};
static struct mmsghdr message = {.msg_hdr = {.msg_iov = &vector, .msg_iovlen = 1}};
static const struct timespec long_time = {.tv_sec = 1000};
static struct timespec far_away;

static void fill(int fd)
{
	raw_syscall(SYS_fcntl, fd, F_SETFL, O_WRONLY | O_NONBLOCK, 0);
	while (raw_syscall(SYS_write, fd, (long)room, sizeof room, 0) > 0) {
	}
	raw_syscall(SYS_fcntl, fd, F_SETFL, O_WRONLY, 0);
}

static int full_pipe(void)
{
	int fds[2];

	OK(pipe(fds));
	fill(fds[1]);
	return fds[1];
}

static mqd_t new_mq(const char *word)
{
	struct mq_attr a = {.mq_maxmsg = 1, .mq_msgsize = 8};
	char name[64];
	mqd_t q;

	snprintf(name, sizeof name, "/play.%s.%d", word, getpid());
	q = mq_open(name, O_RDWR | O_CREAT | O_EXCL, 0600, &a);
	OK(mq_unlink(name));
	return q;
}

/* A child that holds a lock on the file "locked" until it is killed. */
static pid_t holder(void)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	int ready[2];
	char byte;
	pid_t pid;

	OK(pipe(ready));
	pid = (pid_t)raw_syscall(SYS_fork, 0, 0, 0, 0);
	if (pid == 0) {
		int fd = (int)raw_syscall(SYS_openat, AT_FDCWD, (long)"locked", O_RDWR, 0);

		raw_syscall(SYS_fcntl, fd, F_SETLK, (long)&lock, 0);
		raw_syscall(SYS_flock, fd, LOCK_EX, 0, 0);
		raw_syscall(SYS_write, ready[1], (long)"", 1, 0);
		for (;;) {
			raw_syscall(SYS_pause, 0, 0, 0, 0);
		}
	}
	raw_syscall(SYS_read, ready[0], (long)&byte, 1, 0);
	return pid;
}

UNUSED static void set_the_stage(void)
{
	struct {
		long type;
		char text[8000];
	} m = {.type = 1};
	struct epoll_event none = {0};
	int fds[2];
	int small = 4096;

	OK(pipe(fds));
	on.empty = fds[0];
	on.full = full_pipe();
	on.full2 = full_pipe();
	on.file = open("locked", O_RDWR | O_CREAT, 0600);
	OK(ftruncate(on.file, 4096));
	OK(mkfifo("fifo", 0600));
	on.events = eventfd(0, 0);
	OK(socketpair(AF_UNIX, SOCK_STREAM, 0, on.socket));
	OK(setsockopt(on.socket[0], SOL_SOCKET, SO_SNDBUF, &small, sizeof small));
	fill(on.socket[0]);
	on.at = (struct sockaddr_un){.sun_family = AF_UNIX, .sun_path = "socket"};
	on.listener = socket(AF_UNIX, SOCK_STREAM, 0);
	OK(bind(on.listener, (struct sockaddr *)&on.at, sizeof on.at));
	OK(listen(on.listener, 0));
	on.epoll = epoll_create1(0);
	OK(epoll_ctl(on.epoll, EPOLL_CTL_ADD, on.empty, &none));
	on.queue = msgget(IPC_PRIVATE, 0600);
	on.full_queue = msgget(IPC_PRIVATE, 0600);
	while (raw_syscall(SYS_msgsnd, on.full_queue, (long)&m, sizeof m.text, IPC_NOWAIT) == 0) {
	}
	on.set = semget(IPC_PRIVATE, 1, 0600);
	on.mq = new_mq("empty");
	on.full_mq = new_mq("full");
	OK(mq_send(on.full_mq, "", 1, 0));
	on.aio = (struct aiocb){.aio_fildes = on.empty, .aio_buf = room, .aio_nbytes = 1};
	OK(aio_read(&on.aio));
	far_away = deadline_in(CLOCK_REALTIME, 1000000);
	on.child = holder();
}

UNUSED static void clear_the_stage(void)
{
	OK(unlink("locked"));
	OK(unlink("fifo"));
	OK(unlink("socket"));
	OK(msgctl(on.queue, IPC_RMID, NULL));
	OK(msgctl(on.full_queue, IPC_RMID, NULL));
	OK(semctl(on.set, 0, IPC_RMID));
	raw_syscall(SYS_kill, on.child, SIGKILL, 0, 0);
	raw_syscall(SYS_wait4, on.child, 0, 0, 0);
}

/* --- The calls -------------------------------------------------------------------------------- */

static struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
static struct pollfd polled;
static sigset_t no_signal;
static sigset_t other_signal;
static const struct aiocb *aio_list[] = {&on.aio};

static long the_select(void)
{
	fd_set set;

	FD_ZERO(&set);
	FD_SET(on.empty, &set);
	return select(on.empty + 1, &set, NULL, NULL, NULL);
}

static long the_pselect(void)
{
	fd_set set;

	FD_ZERO(&set);
	FD_SET(on.empty, &set);
	return pselect(on.empty + 1, &set, NULL, NULL, NULL, NULL);
}

static long the_semop(void)
{
	return semop(on.set, &(struct sembuf){.sem_op = -1}, 1);
}

static long the_semtimedop(void)
{
	return semtimedop(on.set, &(struct sembuf){.sem_op = -1}, 1, &long_time);
}

/* sleep tells how much is left, in seconds. */
static long the_sleep(void)
{
	return sleep(1000) > 0 ? -1 : 0;
}

static long the_clock_nanosleep(void)
{
	errno = clock_nanosleep(CLOCK_MONOTONIC, 0, &long_time, NULL);
	return errno ? -1 : 0;
}

static long the_waitid(void)
{
	siginfo_t info;

	return waitid(P_PID, (id_t)on.child, &info, WEXITED);
}

static long the_sigwait(void)
{
	int number;

	return sigwait(&other_signal, &number);
}

static long the_msgsnd(void)
{
	struct {
		long type;
		char text[8000];
	} m = {.type = 1};

	return msgsnd(on.full_queue, &m, sizeof m.text, 0);
}

static long the_msgrcv(void)
{
	struct {
		long type;
		char text[8];
	} m;

	return msgrcv(on.queue, &m, sizeof m.text, 0, 0);
}

/* X(name, system call, point, restarts, call): point: a cancellation point; restarts: EINTR never
 * shows. */
#define BLOCKING(X)                                                                               \
	X(read, SYS_read, 1, 0, read(on.empty, room, 1))                                          \
	X(readv, SYS_readv, 1, 0, readv(on.empty, &vector, 1))                                    \
	X(write, SYS_write, 1, 0, write(on.full, room, 1))                                        \
	X(writev, SYS_writev, 1, 0, writev(on.full, &vector, 1))                                  \
	X(read_of_socket, SYS_read, 1, 0, read(on.socket[0], room, 1))                            \
	X(write_of_socket, SYS_write, 1, 0, write(on.socket[0], room, 1))                         \
	X(splice, SYS_splice, 1, 0, splice(on.empty, NULL, on.full, NULL, 1, 0))                  \
	X(tee, SYS_tee, 1, 0, tee(on.empty, on.full, 1, 0))                                       \
	X(vmsplice, SYS_vmsplice, 1, 0, vmsplice(on.full, &vector, 1, 0))                         \
	X(sendfile, SYS_sendfile, 0, 0, sendfile(on.full, on.file, NULL, 1))                      \
	X(eventfd_read, SYS_read, 1, 0, eventfd_read(on.events, (eventfd_t *)(void *)room))       \
	X(flock, SYS_flock, 0, 0, flock(on.file, LOCK_EX))                                        \
	X(lockf, SYS_fcntl, 1, 0, lockf(on.file, F_LOCK, 0))                                      \
	X(fcntl, SYS_fcntl, 1, 0, fcntl(on.file, F_SETLKW, &whole))                               \
	X(open, SYS_openat, 1, 0, open("fifo", O_RDONLY))                                         \
	X(open64, SYS_openat, 1, 0, open64("fifo", O_RDONLY))                                     \
	X(openat, SYS_openat, 1, 0, openat(AT_FDCWD, "fifo", O_RDONLY))                           \
	X(creat, SYS_creat, 1, 0, creat("fifo", 0600))                                            \
	X(accept, SYS_accept, 1, 0, accept(on.listener, NULL, NULL))                              \
	X(accept4, SYS_accept4, 1, 0, accept4(on.listener, NULL, NULL, 0))                        \
	X(recv, SYS_recvfrom, 1, 0, recv(on.socket[0], room, 1, 0))                               \
	X(recvfrom, SYS_recvfrom, 1, 0, recvfrom(on.socket[0], room, 1, 0, NULL, NULL))           \
	X(recvmsg, SYS_recvmsg, 1, 0, recvmsg(on.socket[0], &message.msg_hdr, 0))                 \
	X(recvmmsg, SYS_recvmmsg, 1, 0, recvmmsg(on.socket[0], &message, 1, 0, NULL))             \
	X(send, SYS_sendto, 1, 0, send(on.socket[0], room, 1, 0))                                 \
	X(sendto, SYS_sendto, 1, 0, sendto(on.socket[0], room, 1, 0, NULL, 0))                    \
	X(sendmsg, SYS_sendmsg, 1, 0, sendmsg(on.socket[0], &message.msg_hdr, 0))                 \
	X(sendmmsg, SYS_sendmmsg, 1, 0, sendmmsg(on.socket[0], &message, 1, 0))                   \
	X(epoll_wait, SYS_epoll_wait, 1, 0, epoll_wait(on.epoll, &event, 1, -1))                  \
	X(epoll_pwait, SYS_epoll_pwait, 1, 0, epoll_pwait(on.epoll, &event, 1, -1, NULL))         \
	X(epoll_pwait2, SYS_epoll_pwait2, 1, 0, epoll_pwait2(on.epoll, &event, 1, NULL, NULL))    \
	X(poll, SYS_poll, 1, 0, poll(&polled, 1, -1))                                             \
	X(ppoll, SYS_ppoll, 1, 0, ppoll(&polled, 1, &long_time, NULL))                            \
	X(select, SYS_pselect6, 1, 0, the_select())                                               \
	X(pselect, SYS_pselect6, 1, 0, the_pselect())                                             \
	X(nanosleep, SYS_clock_nanosleep, 1, 0, nanosleep(&long_time, NULL))                      \
	X(clock_nanosleep, SYS_clock_nanosleep, 1, 0, the_clock_nanosleep())                      \
	X(sleep, SYS_clock_nanosleep, 1, 0, the_sleep())                                          \
	X(usleep, SYS_clock_nanosleep, 1, 0, usleep(1000000000))                                  \
	X(thrd_sleep, SYS_clock_nanosleep, 1, 0, thrd_sleep(&long_time, NULL))                    \
	X(wait, SYS_wait4, 1, 0, wait(NULL))                                                      \
	X(waitpid, SYS_wait4, 1, 0, waitpid(on.child, NULL, 0))                                   \
	X(wait3, SYS_wait4, 1, 0, wait3(NULL, 0, NULL))                                           \
	X(wait4, SYS_wait4, 1, 0, wait4(on.child, NULL, 0, NULL))                                 \
	X(waitid, SYS_waitid, 1, 0, the_waitid())                                                 \
	X(sigwait, SYS_rt_sigtimedwait, 1, 1, the_sigwait())                                      \
	X(sigwaitinfo, SYS_rt_sigtimedwait, 1, 0, sigwaitinfo(&other_signal, NULL))               \
	X(sigtimedwait, SYS_rt_sigtimedwait, 1, 0, sigtimedwait(&other_signal, NULL, &long_time)) \
	X(sigsuspend, SYS_rt_sigsuspend, 1, 0, sigsuspend(&no_signal))                            \
	X(sigpause, SYS_rt_sigsuspend, 1, 0, sigpause(SIGUSR2))                                   \
	X(pause, SYS_pause, 1, 0, pause())                                                        \
	X(msgsnd, SYS_msgsnd, 1, 0, the_msgsnd())                                                 \
	X(msgrcv, SYS_msgrcv, 1, 0, the_msgrcv())                                                 \
	X(mq_send, SYS_mq_timedsend, 1, 0, mq_send(on.full_mq, "", 1, 0))                         \
	X(mq_timedsend, SYS_mq_timedsend, 1, 0, mq_timedsend(on.full_mq, "", 1, 0, &far_away))    \
	X(mq_receive, SYS_mq_timedreceive, 1, 0, mq_receive(on.mq, room, 8, NULL))                \
	X(mq_timedreceive, SYS_mq_timedreceive, 1, 0,                                             \
	  mq_timedreceive(on.mq, room, 8, NULL, &far_away))                                       \
	X(semop, SYS_semtimedop, 0, 0, the_semop())                                               \
	X(semtimedop, SYS_semtimedop, 0, 0, the_semtimedop())                                     \
	X(aio_suspend, SYS_futex, 1, 0, aio_suspend(aio_list, 1, NULL))

static struct epoll_event event;

#define X(name, number, point, restarts, call)                \
	__attribute__((noinline)) static long do_##name(void) \
	{                                                     \
		return call;                                  \
	}
BLOCKING(X)
#undef X

struct blocking {
	const char *name;
	long number; /* of its system call */
	int point;
	int restarts;
	long (*call)(void);
};

static const struct blocking blocking[] = {
#define X(name, number, point, restarts, call) {#name, number, point, restarts, do_##name},
	BLOCKING(X)
#undef X
};

enum { BLOCKINGS = sizeof blocking / sizeof *blocking };

/* Which system call a function of libc makes is libc's affair, and has changed. */
static int is_call(long found, long number)
{
	return found == number || (number == SYS_pselect6 && found == SYS_select) ||
	       (number == SYS_clock_nanosleep && found == SYS_nanosleep) ||
	       (number == SYS_semtimedop && found == SYS_semop);
}

/* Waits until thread tid sleeps in that system call. */
UNUSED static void await_in(int tid, long number)
{
	long found;
	unsigned long argument;

	while (!sleeps_in(tid, &found, &argument) || !is_call(found, number)) {
		scene_pause(200);
	}
}

/*
 * Interrupts thread tid in its call, and waits until the thread has ended. What slept there may
 * have been a tracer on its way: then the signal is repeated.
 */
UNUSED static void *interrupt_and_join(pthread_t thread, int tid, int signal)
{
	void *result;
	int err;

	for (int i = 0; (err = pthread_tryjoin_np(thread, &result)) == EBUSY; i++) {
		if (i % 200 == 0) {
			raw_syscall(SYS_tgkill, raw_syscall(SYS_getpid, 0, 0, 0, 0), tid, signal,
				    0);
		}
		scene_pause(500);
	}
	OK(err);
	return result;
}
