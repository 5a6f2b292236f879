/*
 * Description: sockets, multiplexers and the resolver, once well and once failing; read and write
 *              on a socket are of the network, too, until the descriptor is something else.
 * Events: net
 */
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>

#include "says.h"

ssize_t __recv_chk(int fd, void *to, size_t n, size_t room, int flags);
ssize_t __recvfrom_chk(int fd, void *to, size_t n, size_t room, int flags, struct sockaddr *from,
		       socklen_t *length);
int __poll_chk(struct pollfd *fds, nfds_t n, int ms, size_t room);
int __ppoll_chk(struct pollfd *fds, nfds_t n, const struct timespec *within, const sigset_t *mask,
		size_t room);

static char room[4096];
static const struct timespec soon = {.tv_nsec = 1000000};

static void connects(void)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX, .sun_path = "socket"};
	struct sockaddr *to = (struct sockaddr *)&at;
	int listener = socket(AF_UNIX, SOCK_STREAM, 0);
	int client = socket(AF_UNIX, SOCK_STREAM, 0);
	int other = socket(AF_UNIX, SOCK_STREAM, 0);

	SAY(socket(-1, SOCK_STREAM, 0));
	SAY(connect(client, to, sizeof at));
	OK(bind(listener, to, sizeof at));
	OK(listen(listener, 5));
	SAY(connect(client, to, sizeof at));
	SAY(connect(other, to, sizeof at));
	SAY(connect(other, BAD, sizeof at));
	SAY(accept(listener, NULL, NULL));
	SAY(accept4(listener, NULL, NULL, SOCK_CLOEXEC));
	SAY(accept4(listener, NULL, NULL, -1));
	SAY(accept(-1, NULL, NULL));
	SAY(shutdown(client, SHUT_WR));
	SAY(shutdown(-1, SHUT_WR));
	OK(unlink("socket"));
}

static void sends(int a, int b)
{
	struct iovec v = {room, 4};
	struct mmsghdr m = {.msg_hdr = {.msg_iov = &v, .msg_iovlen = 1}};

	SAY(send(a, room, 5, 0));
	SAY(send(a, BAD, 5, 0));
	SAY(send(-1, room, 5, 0));
	SAY(recv(b, room, 5, 0));
	SAY(recv(b, room, 5, MSG_DONTWAIT));
	SAY(sendto(a, room, 5, 0, NULL, 0));
	SAY(recvfrom(b, room, 5, 0, NULL, NULL));
	SAY(sendmsg(a, &m.msg_hdr, 0));
	SAY(recvmsg(b, &m.msg_hdr, 0));
	SAY(sendmmsg(a, &m, 1, 0));
	SAY(recvmmsg(b, &m, 1, 0, NULL));
	SAY(recvmsg(b, &m.msg_hdr, MSG_DONTWAIT));
	SAY(sendmsg(-1, &m.msg_hdr, 0));
	SAY(sendmmsg(-1, &m, 1, 0));
	SAY(recvmmsg(b, &m, 1, MSG_DONTWAIT, NULL));
	SAY(send(a, room, 5, 0));
	SAY(__recv_chk(b, room, 5, sizeof room, 0));
	SAY(send(a, room, 5, 0));
	SAY(__recvfrom_chk(b, room, 5, sizeof room, 0, NULL, NULL));
}

/* Which of these are in the trace says what the tracer takes for a socket. */
static void reads(int a, int b)
{
	struct iovec v = {room, 4};
	int file = open("file", O_RDWR | O_CREAT, 0600);
	off_t at = 0;
	int fd;

	SAY(write(file, room, 10));
	SAY(write(a, room, 5));
	SAY(read(b, room, 5));
	SAY(writev(a, &v, 1));
	SAY(readv(b, &v, 1));
	SAY(sendfile(a, file, &at, 3));
	fd = dup(b);
	SAY(read(fd, room, 3));
	SAY(write(a, room, 5));
	SAY(dup2(b, 60));
	SAY(read(60, room, 5));
	SAY(dup2(file, 60));
	SAY(read(60, room, 1));
	SAY(close(fd));
	SAY(open("file", O_RDONLY));
	SAY(read(fd, room, 1));
	SAY(close_range(60, 60, 0));
	OK(unlink("file"));
}

static void multiplexers(int a, int b)
{
	struct pollfd p = {.fd = a, .events = POLLIN};
	struct epoll_event e = {.events = EPOLLIN};
	struct timeval within = {.tv_usec = 1000};
	int epoll = epoll_create1(0);
	fd_set set;

	OK(epoll_ctl(epoll, EPOLL_CTL_ADD, a, &e));
	FD_ZERO(&set);
	FD_SET(a, &set);
	SAY(poll(&p, 1, 1));
	SAY(__poll_chk(&p, 1, 1, sizeof p));
	SAY(ppoll(&p, 1, &soon, NULL));
	SAY(__ppoll_chk(&p, 1, &soon, NULL, sizeof p));
	SAY(select(a + 1, &set, NULL, NULL, &within));
	FD_SET(a, &set);
	SAY(pselect(a + 1, &set, NULL, NULL, &soon, NULL));
	SAY(epoll_wait(epoll, &e, 1, 1));
	SAY(epoll_pwait(epoll, &e, 1, 1, NULL));
	SAY(epoll_pwait2(epoll, &e, 1, &soon, NULL));
	SAY(write(b, room, 1));
	SAY(poll(&p, 1, -1));
	SAY(poll(BAD, 1, 0));
	SAY(ppoll(&p, 1, NULL, NULL));
	SAY(ppoll(BAD, 1, &soon, NULL));
	FD_SET(a, &set);
	SAY(select(a + 1, &set, NULL, NULL, NULL));
	SAY(select(-1, NULL, NULL, NULL, NULL));
	SAY(pselect(a + 1, &set, NULL, NULL, NULL, NULL));
	SAY(pselect(-1, NULL, NULL, NULL, NULL, NULL));
	SAY(epoll_wait(epoll, &e, 1, -1));
	SAY(epoll_wait(a, &e, 1, 0));
	SAY(epoll_pwait(epoll, &e, 0, -1, NULL));
	SAY(epoll_pwait2(-1, &e, 1, NULL, NULL));
}

/* Numbers alone: no name is looked for outside. */
static void names(void)
{
	struct sockaddr_in at = {.sin_family = AF_INET};
	struct addrinfo want = {.ai_flags = AI_NUMERICHOST};
	struct addrinfo *found = NULL;
	struct hostent h;
	struct hostent *hp;
	struct gaicb request = {.ar_name = "127.0.0.1", .ar_request = &want};
	struct gaicb *list[] = {&request};
	uint32_t here = htonl(INADDR_LOOPBACK);
	int err;

	SAY(getaddrinfo("127.0.0.1", NULL, &want, &found));
	freeaddrinfo(found);
	SAY(getaddrinfo("no number", NULL, &want, &found));
	SAY(getnameinfo((struct sockaddr *)&at, sizeof at, room, sizeof room, NULL, 0,
			NI_NUMERICHOST));
	SAY(getnameinfo((struct sockaddr *)&at, 1, room, sizeof room, NULL, 0, NI_NUMERICHOST));
	SAY(gethostbyname("127.0.0.1") != NULL);
	SAY(gethostbyname2("127.0.0.1", AF_INET) != NULL);
	SAY(gethostbyname_r("127.0.0.1", &h, room, sizeof room, &hp, &err));
	SAY(gethostbyname_r("127.0.0.1", &h, room, 1, &hp, &err));
	SAY(gethostbyname2_r("127.0.0.1", AF_INET, &h, room, sizeof room, &hp, &err));
	SAY(gethostbyaddr(&here, 1, AF_INET) != NULL);
	SAY(gethostbyaddr_r(&here, 1, AF_INET, &h, room, sizeof room, &hp, &err));
	SAY(gai_suspend((const struct gaicb *const *)list, 0, NULL));
}

int main(void)
{
	int none[2];
	int s[2];

	connects();
	SAY(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	SAY(socketpair(-1, SOCK_STREAM, 0, none));
	sends(s[0], s[1]);
	reads(s[0], s[1]);
	multiplexers(s[0], s[1]);
	names();
	return 0;
}
