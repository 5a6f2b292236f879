/*
 * Description: each call that moves or flushes bytes or locks files, once well and once failing.
 * Events: io
 */
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/uio.h>
#include <termios.h>

#include "says.h"

ssize_t __read_chk(int fd, void *to, size_t n, size_t room);
ssize_t __pread_chk(int fd, void *to, size_t n, off_t at, size_t room);
ssize_t __pread64_chk(int fd, void *to, size_t n, off64_t at, size_t room);

static char room[8192];

static void bytes(int fd, int null)
{
	struct iovec v[2] = {{room, 3}, {room + 3, 4}};

	SAY(write(fd, "0123456789", 10));
	SAY(write(fd, BAD, 10));
	SAY(write(-1, room, 1));
	SAY(write(null, BAD, 1));
	SAY(lseek(fd, 0, SEEK_SET));
	SAY(read(fd, room, 4));
	SAY(read(fd, BAD, 4));
	SAY(read(-1, room, 1));
	SAY(__read_chk(fd, room, 4, sizeof room));
	SAY(read(fd, room, 100));
	SAY(read(fd, room, 1));
	SAY(pread(fd, room, 5, 2));
	SAY(pread(fd, room, 5, -1));
	SAY(pread64(fd, room, 5, 2));
	SAY(__pread_chk(fd, room, 5, 2, sizeof room));
	SAY(__pread64_chk(fd, room, 5, 2, sizeof room));
	SAY(pwrite(fd, room, 5, 20));
	SAY(pwrite(fd, BAD, 5, 20));
	SAY(pwrite64(fd, room, 5, 20));
	SAY(writev(fd, v, 2));
	SAY(writev(fd, BAD, 2));
	SAY(readv(fd, v, 2));
	SAY(readv(-1, v, 2));
	SAY(preadv(fd, v, 2, 0));
	SAY(preadv64(fd, v, 2, 0));
	SAY(pwritev(fd, v, 2, 0));
	SAY(pwritev64(fd, v, 2, 0));
	SAY(preadv2(fd, v, 2, 0, 0));
	SAY(preadv2(fd, v, 2, 0, -1));
	SAY(preadv64v2(fd, v, 2, 0, 0));
	SAY(pwritev2(fd, v, 2, 0, 0));
	SAY(pwritev64v2(fd, v, 2, 0, 0));
}

static void moves(int fd, int null)
{
	struct iovec v = {room, 3};
	off64_t at = 0;
	off64_t to_at = 100;
	off_t from = 0;
	int a[2];
	int b[2];
	int events = eventfd(0, EFD_NONBLOCK);
	eventfd_t value;

	OK(pipe(a));
	OK(pipe(b));
	SAY(sendfile(a[1], fd, &from, 5));
	SAY(sendfile64(a[1], fd, BAD, 5));
	SAY(tee(a[0], b[1], 3, 0));
	SAY(tee(a[0], null, 3, 0));
	SAY(splice(b[0], NULL, null, NULL, 3, 0));
	SAY(splice(fd, &at, null, NULL, 3, 0));
	SAY(vmsplice(b[1], &v, 1, 0));
	SAY(vmsplice(-1, &v, 1, 0));
	at = 0;
	SAY(copy_file_range(fd, &at, fd, &to_at, 5, 0));
	SAY(copy_file_range(fd, &at, fd, &to_at, 5, 1));
	SAY(eventfd_write(events, 7));
	SAY(eventfd_read(events, &value));
	SAY(eventfd_read(events, &value));
	SAY(process_vm_readv(getpid(), &v, 1, &v, 1, 0));
	SAY(process_vm_writev(getpid(), &v, 1, &v, 1, 1));
}

static void flushes(int fd, int null)
{
	char *map = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	SAY(fsync(fd));
	SAY(fsync(-1));
	SAY(fdatasync(fd));
	SAY(fdatasync(-1));
	SAY(msync(map, 4096, MS_SYNC));
	SAY(msync(map + 1, 4096, MS_SYNC));
	SAY(sync_file_range(fd, 0, 100, SYNC_FILE_RANGE_WRITE));
	SAY(sync_file_range(fd, -1, 100, 0));
	SAY(syncfs(-1));
	sync();
	SAY(posix_fadvise(fd, 0, 10, POSIX_FADV_WILLNEED));
	SAY(posix_fadvise64(fd, 0, 10, 77));
	SAY(readahead(fd, 0, 10));
	SAY(readahead(-1, 0, 10));
	SAY(fallocate(fd, 0, 0, 4096));
	SAY(fallocate64(fd, 0, 0, -1));
	SAY(posix_fallocate(fd, 0, 4096));
	SAY(posix_fallocate64(-1, 0, 4096));
	SAY(ftruncate(fd, 50));
	SAY(ftruncate64(-1, 50));
	SAY(truncate("bytes", 40));
	SAY(truncate64("nothing", 40));
	SAY(tcdrain(null));
}

static void locks(int fd)
{
	struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	int other = open("bytes", O_RDWR);

	SAY(flock(fd, LOCK_EX));
	SAY(flock(other, LOCK_EX | LOCK_NB));
	SAY(flock(fd, LOCK_UN));
	SAY(lockf(fd, F_LOCK, 0));
	SAY(lockf(fd, F_ULOCK, 0));
	SAY(lockf64(-1, F_LOCK, 0));
	SAY(fcntl(fd, F_GETFD));
	SAY(fcntl(fd, F_SETFD, FD_CLOEXEC));
	SAY(fcntl(fd, F_GETFD));
	SAY(fcntl(-1, F_GETFD));
	SAY(fcntl(fd, F_DUPFD, 100));
	SAY(fcntl64(fd, F_DUPFD_CLOEXEC, 110));
	SAY(fcntl(fd, F_SETLK, &whole));
	SAY(fcntl(fd, F_SETLKW, &whole));
	SAY(fcntl(fd, F_SETLKW, BAD));
	whole.l_type = F_UNLCK;
	SAY(fcntl(fd, F_SETLKW, &whole));
	whole.l_type = F_WRLCK;
	SAY(fcntl(fd, F_OFD_SETLKW, &whole));
	SAY(fcntl64(other, F_OFD_SETLK, &whole));
	whole.l_type = F_UNLCK;
	SAY(fcntl64(fd, F_OFD_SETLKW, &whole));
}

int main(void)
{
	int fd = open("bytes", O_RDWR | O_CREAT | O_TRUNC, 0600);
	int null = open("/dev/null", O_RDWR);

	bytes(fd, null);
	moves(fd, null);
	flushes(fd, null);
	locks(fd);
	OK(unlink("bytes"));
	return 0;
}
