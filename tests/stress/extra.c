/*
 * Hooks of the stress library alone: system calls through core's own API, so that hand-off, silent
 * system calls and sleeps are under stress before the library has hooks for them.
 */
#include <dlfcn.h>
#include <poll.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>

#include "hook.h"
#include "call.h"

/* The next function of that name; found again at each call, since this is a test. */
static void *next(const char *name)
{
	return dlsym(RTLD_NEXT, name);
}

#define NEXT(name)              \
	__typeof__(name) *real; \
	void *p_ = next(#name); \
	memcpy(&real, &p_, sizeof(p_))

GT_PUBLIC ssize_t read(int fd, void *to, size_t n)
{
	NEXT(read);
	struct gt_thread *t = gt_self(GT_FRAME());
	ssize_t r;

	if (!t) {
		return real(fd, to, n);
	}
	gt_call_begin(t, GT_CALL_READ, 0, fd, GT_FRAME());
	r = real(fd, to, n);
	gt_call_end(t, gt_result(r));
	return r;
}

GT_PUBLIC ssize_t write(int fd, const void *from, size_t n)
{
	NEXT(write);
	struct gt_thread *t = gt_self(GT_FRAME());
	ssize_t r;

	if (!t) {
		return real(fd, from, n);
	}
	gt_call_begin(t, GT_CALL_WRITE, 0, fd, GT_FRAME());
	r = real(fd, from, n);
	gt_call_end(t, gt_result(r));
	return r;
}

GT_PUBLIC int sched_yield(void)
{
	NEXT(sched_yield);
	struct gt_thread *t = gt_self(GT_FRAME());
	int r;

	if (!t) {
		return real();
	}
	gt_yield_begin(t);
	r = real();
	gt_yield_end(t, GT_FRAME());
	return r;
}

GT_PUBLIC int usleep(useconds_t us)
{
	NEXT(usleep);
	struct gt_thread *t = gt_self(GT_FRAME());
	int r;

	if (!t) {
		return real(us);
	}
	gt_call_begin(t, GT_CALL_USLEEP, GT_REASON_SLEEP, -1, GT_FRAME());
	r = real(us);
	gt_call_end(t, gt_result(r));
	return r;
}

GT_PUBLIC int poll(struct pollfd *fds, nfds_t n, int ms)
{
	NEXT(poll);
	struct gt_thread *t = gt_self(GT_FRAME());
	int r;

	if (!t) {
		return real(fds, n, ms);
	}
	gt_call_begin(t, GT_CALL_POLL, GT_REASON_SELECT, -1, GT_FRAME());
	r = real(fds, n, ms);
	gt_call_end(t, gt_result(r));
	return r;
}
