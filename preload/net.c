/*
 * The network: sockets, what waits for many descriptors at once, and the resolver.
 */
#include "sockets.h"

#include "plain.h"

_Atomic uint64_t gt_sockets[GT_SOCKETS / 64];

/* A child of vfork closes and duplicates descriptors of its own in its parent's memory. */
void gt_socket_set(int fd, bool is)
{
	uint64_t bit = UINT64_C(1) << ((unsigned)fd % 64);

	if (gt_vforks) {
		return;
	}
	if (is) {
		atomic_fetch_or_explicit(&gt_sockets[fd / 64], bit, memory_order_relaxed);
	} else {
		atomic_fetch_and_explicit(&gt_sockets[fd / 64], ~bit, memory_order_relaxed);
	}
}

void gt_socket_close_range(unsigned first, unsigned last)
{
	last = GT_MIN(last, (unsigned)GT_SOCKETS - 1);
	for (unsigned fd = first; fd <= last; fd++) {
		if (fd % 64 == 0 && !gt_load_relaxed(&gt_sockets[fd / 64])) {
			fd += 63;
		} else {
			gt_socket_note((int)fd, false);
		}
	}
}

/* A call that works on a socket alone: if it succeeds, fd is one. */
#define SOCKET(type, id, call, parameters, arguments)                               \
	type gt_hook_##id parameters                                                \
	{                                                                           \
		struct gt_thread *t = gt_call_open(GT_CALL_##call, fd, GT_FRAME()); \
		type r = GT_REAL(id) arguments;                                     \
                                                                                    \
		gt_call_close(t, gt_result(r));                                     \
		if (r >= 0) {                                                       \
			gt_socket_note(fd, true);                                   \
		}                                                                   \
		return r;                                                           \
	}
/* One whose result is a socket, too. */
#define ACCEPT(id, call, parameters, arguments)                                     \
	int gt_hook_##id parameters                                                 \
	{                                                                           \
		struct gt_thread *t = gt_call_open(GT_CALL_##call, fd, GT_FRAME()); \
		int r = GT_REAL(id) arguments;                                      \
                                                                                    \
		gt_call_close(t, gt_result(r));                                     \
		gt_socket_note(r, true);                                            \
		return r;                                                           \
	}
/* clang-format off */
SOCKET(ssize_t, send, SEND, (int fd, const void *from, size_t n, int flags), (fd, from, n, flags))
SOCKET(ssize_t, sendto, SENDTO, (int fd, const void *from, size_t n, int flags, __CONST_SOCKADDR_ARG to, socklen_t length), (fd, from, n, flags, to, length))
SOCKET(ssize_t, sendmsg, SENDMSG, (int fd, const struct msghdr *m, int flags), (fd, m, flags))
SOCKET(int, sendmmsg, SENDMMSG, (int fd, struct mmsghdr *m, unsigned n, int flags), (fd, m, n, flags))
SOCKET(ssize_t, recv, RECV, (int fd, void *to, size_t n, int flags), (fd, to, n, flags))
SOCKET(ssize_t, __recv_chk, RECV, (int fd, void *to, size_t n, size_t room, int flags), (fd, to, n, room, flags))
SOCKET(ssize_t, recvfrom, RECVFROM, (int fd, void *restrict to, size_t n, int flags, __SOCKADDR_ARG from, socklen_t *restrict length), (fd, to, n, flags, from, length))
SOCKET(ssize_t, __recvfrom_chk, RECVFROM, (int fd, void *restrict to, size_t n, size_t room, int flags, __SOCKADDR_ARG from, socklen_t *restrict length), (fd, to, n, room, flags, from, length))
SOCKET(ssize_t, recvmsg, RECVMSG, (int fd, struct msghdr *m, int flags), (fd, m, flags))
SOCKET(int, recvmmsg, RECVMMSG, (int fd, struct mmsghdr *m, unsigned n, int flags, struct timespec *within), (fd, m, n, flags, within))
SOCKET(int, connect, CONNECT, (int fd, __CONST_SOCKADDR_ARG to, socklen_t length), (fd, to, length))
SOCKET(int, shutdown, SHUTDOWN, (int fd, int how), (fd, how))
ACCEPT(accept, ACCEPT, (int fd, __SOCKADDR_ARG from, socklen_t *restrict length), (fd, from, length))
ACCEPT(accept4, ACCEPT4, (int fd, __SOCKADDR_ARG from, socklen_t *restrict length, int flags), (fd, from, length, flags))
#undef SOCKET
#undef ACCEPT

GT_PLAIN(int, epoll_wait, EPOLL_WAIT, fd, (int fd, struct epoll_event *to, int n, int ms), (fd, to, n, ms))
GT_PLAIN(int, epoll_pwait, EPOLL_PWAIT, fd, (int fd, struct epoll_event *to, int n, int ms, const sigset_t *mask), (fd, to, n, ms, mask))
GT_PLAIN(int, epoll_pwait2, EPOLL_PWAIT2, fd, (int fd, struct epoll_event *to, int n, const struct timespec *within, const sigset_t *mask), (fd, to, n, within, mask))
GT_PLAIN(int, poll, POLL, GT_NO_ARG, (struct pollfd *fds, nfds_t n, int ms), (fds, n, ms))
GT_PLAIN(int, __poll_chk, POLL, GT_NO_ARG, (struct pollfd *fds, nfds_t n, int ms, size_t room), (fds, n, ms, room))
GT_PLAIN(int, ppoll, PPOLL, GT_NO_ARG, (struct pollfd *fds, nfds_t n, const struct timespec *within, const sigset_t *mask), (fds, n, within, mask))
GT_PLAIN(int, __ppoll_chk, PPOLL, GT_NO_ARG, (struct pollfd *fds, nfds_t n, const struct timespec *within, const sigset_t *mask, size_t room), (fds, n, within, mask, room))
GT_PLAIN(int, select, SELECT, GT_NO_ARG, (int n, fd_set *restrict r_, fd_set *restrict w, fd_set *restrict x, struct timeval *restrict within), (n, r_, w, x, within))
GT_PLAIN(int, pselect, PSELECT, GT_NO_ARG, (int n, fd_set *restrict r_, fd_set *restrict w, fd_set *restrict x, const struct timespec *restrict within, const sigset_t *restrict mask), (n, r_, w, x, within, mask))
/* clang-format on */

int gt_hook_socket(int domain, int type, int protocol)
{
	struct gt_thread *t = gt_call_open(GT_CALL_SOCKET, GT_NO_ARG, GT_FRAME());
	int r = GT_REAL(socket)(domain, type, protocol);

	gt_call_close(t, gt_result(r));
	gt_socket_note(r, true);
	return r;
}

int gt_hook_socketpair(int domain, int type, int protocol, int fds[2])
{
	struct gt_thread *t = gt_call_open(GT_CALL_SOCKETPAIR, GT_NO_ARG, GT_FRAME());
	int r = GT_REAL(socketpair)(domain, type, protocol, fds);

	gt_call_close(t, gt_result(r));
	if (r == 0) {
		gt_socket_note(fds[0], true);
		gt_socket_note(fds[1], true);
	}
	return r;
}

/*
 * The resolver's functions have error codes of their own. Its result in a trace is that code, as a
 * positive number, or minus errno where the code says to look there.
 */
static int64_t eai_result(int r)
{
	return r == EAI_SYSTEM ? -(int64_t)errno : r < 0 ? -(int64_t)r : r;
}

static int64_t h_result(const struct hostent *h)
{
	return h ? 0 : h_errno == NETDB_INTERNAL ? -(int64_t)errno : h_errno;
}

/* clang-format off */
GT_PLAIN_AS(int, getaddrinfo, GETADDRINFO, GT_NO_ARG, (const char *restrict name, const char *restrict service, const struct addrinfo *restrict want, struct addrinfo **restrict to), (name, service, want, to), eai_result(r))
GT_PLAIN_AS(int, getnameinfo, GETNAMEINFO, GT_NO_ARG, (const struct sockaddr *restrict from, socklen_t length, char *restrict host, socklen_t host_room, char *restrict service, socklen_t service_room, int flags), (from, length, host, host_room, service, service_room, flags), eai_result(r))
GT_PLAIN_AS(struct hostent *, gethostbyname, GETHOSTBYNAME, GT_NO_ARG, (const char *name), (name), h_result(r))
GT_PLAIN_AS(struct hostent *, gethostbyname2, GETHOSTBYNAME, GT_NO_ARG, (const char *name, int family), (name, family), h_result(r))
GT_PLAIN_AS(struct hostent *, gethostbyaddr, GETHOSTBYADDR, GT_NO_ARG, (const void *from, socklen_t length, int family), (from, length, family), h_result(r))
GT_PLAIN_CODE(gethostbyname_r, GETHOSTBYNAME, GT_NO_ARG, (const char *restrict name, struct hostent *restrict to, char *restrict room, size_t n, struct hostent **restrict found, int *restrict err), (name, to, room, n, found, err))
GT_PLAIN_CODE(gethostbyname2_r, GETHOSTBYNAME, GT_NO_ARG, (const char *restrict name, int family, struct hostent *restrict to, char *restrict room, size_t n, struct hostent **restrict found, int *restrict err), (name, family, to, room, n, found, err))
GT_PLAIN_CODE(gethostbyaddr_r, GETHOSTBYADDR, GT_NO_ARG, (const void *restrict from, socklen_t length, int family, struct hostent *restrict to, char *restrict room, size_t n, struct hostent **restrict found, int *restrict err), (from, length, family, to, room, n, found, err))
GT_PLAIN_AS(int, gai_suspend, GAI_SUSPEND, GT_NO_ARG, (const struct gaicb *const list[], int n, const struct timespec *within), (list, n, within), eai_result(r))
/* clang-format on */

#define GT_EXPORT_net(...) GT_EXPORT_NODE(__VA_ARGS__)
#include "export.h"
