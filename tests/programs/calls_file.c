/*
 * Description: each call that works on names of files and on descriptors, once well, once failing.
 * Events: file
 */
#include <dirent.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>

#include "says.h"

int __open_2(const char *path, int flags);
int __open64_2(const char *path, int flags);
int __openat_2(int fd, const char *path, int flags);
int __openat64_2(int fd, const char *path, int flags);
ssize_t __readlink_chk(const char *path, char *to, size_t n, size_t room);
ssize_t __readlinkat_chk(int fd, const char *path, char *to, size_t n, size_t room);
#ifdef __x86_64__
enum { STAT_VERSION = 1 };
int __xstat(int version, const char *path, struct stat *to);
int __lxstat(int version, const char *path, struct stat *to);
int __fxstat(int version, int fd, struct stat *to);
int __fxstatat(int version, int fd, const char *path, struct stat *to, int flags);
int __xstat64(int version, const char *path, struct stat64 *to);
int __lxstat64(int version, const char *path, struct stat64 *to);
int __fxstat64(int version, int fd, struct stat64 *to);
int __fxstatat64(int version, int fd, const char *path, struct stat64 *to, int flags);
#endif

static char room[8192];

/* Modes: only where a file is made is there a third argument. */
static int mode_of(const char *path)
{
	struct stat st;

	return stat(path, &st) ? -1 : (int)st.st_mode & 07777;
}

static void opens(int dir)
{
	union {
		struct file_handle file;
		char room[256];
	} handle = {.file.handle_bytes = 0};

	umask(0);
	SAY(open("f", O_RDWR | O_CREAT, 0640));
	SAY(mode_of("f"));
	SAY(open("f", O_RDONLY));
	SAY(open("no/such", O_RDONLY));
	SAY(open(BAD, O_RDONLY));
	SAY(open64("g", O_RDWR | O_CREAT | O_EXCL, 0604));
	SAY(open64("g", O_RDWR | O_CREAT | O_EXCL, 0604));
	SAY(mode_of("g"));
	SAY(openat(dir, "h", O_RDWR | O_CREAT, 0622));
	SAY(mode_of("h"));
	SAY(openat(AT_FDCWD, "no/such", O_RDONLY));
	SAY(openat64(dir, "h", O_RDONLY));
	SAY(openat(AT_FDCWD, ".", O_TMPFILE | O_RDWR, 0600));
	SAY(__open_2("f", O_RDONLY));
	SAY(__open64_2("f", O_RDONLY));
	SAY(__openat_2(dir, "f", O_RDONLY));
	SAY(__openat64_2(dir, "f", O_RDONLY));
	SAY(creat("f", 0600));
	SAY(creat64("no/such", 0600));
	SAY(open_by_handle_at(-1, &handle.file, O_RDONLY));
}

static void descriptors(void)
{
	int fd = open("f", O_RDWR);

	SAY(dup(fd));
	SAY(dup(-1));
	SAY(dup2(fd, 60));
	SAY(dup2(fd, -1));
	SAY(dup3(fd, 61, O_CLOEXEC));
	SAY(dup3(fd, fd, 0));
	SAY(close(60));
	SAY(close(60));
	SAY(close(-1));
	SAY(close_range(61, 100, 0));
	SAY(close_range(100, 61, 0));
	SAY(dup2(fd, 70));
	closefrom(65);
	SAY(close(70));
}

static void statuses(int dir)
{
	struct stat st;
	struct stat64 st64;
	struct statx stx;
	struct statfs fs;
	struct statfs64 fs64;
	struct statvfs vfs;
	struct statvfs64 vfs64;

	SAY(stat("f", &st));
	SAY(stat("no/such", &st));
	SAY(stat("f", BAD));
	SAY(stat64("f", &st64));
	SAY(lstat("f", &st));
	SAY(lstat64("no/such", &st64));
	SAY(fstat(dir, &st));
	SAY(fstat64(-1, &st64));
	SAY(fstatat(dir, "f", &st, 0));
	SAY(fstatat64(AT_FDCWD, "no/such", &st64, 0));
#ifdef __x86_64__
	SAY(__xstat(STAT_VERSION, "f", &st));
	SAY(__xstat64(STAT_VERSION, "no/such", &st64));
	SAY(__lxstat(STAT_VERSION, "f", &st));
	SAY(__lxstat64(STAT_VERSION, "f", &st64));
	SAY(__fxstat(STAT_VERSION, dir, &st));
	SAY(__fxstat64(77, dir, &st64));
	SAY(__fxstatat(STAT_VERSION, dir, "f", &st, 0));
	SAY(__fxstatat64(STAT_VERSION, dir, "f", &st64, 0));
#endif
	SAY(statx(dir, "f", 0, STATX_SIZE, &stx));
	SAY(statx(dir, "f", -1, STATX_SIZE, &stx));
	SAY(statfs(".", &fs));
	SAY(statfs64("no/such", &fs64));
	SAY(fstatfs(dir, &fs));
	SAY(fstatfs64(-1, &fs64));
	SAY(statvfs(".", &vfs));
	SAY(statvfs64("no/such", &vfs64));
	SAY(fstatvfs(dir, &vfs));
	SAY(fstatvfs64(-1, &vfs64));
	SAY(access("f", R_OK));
	SAY(access("no/such", R_OK));
	SAY(eaccess("f", R_OK));
	SAY(euidaccess("no/such", R_OK));
	SAY(faccessat(dir, "f", R_OK, 0));
}

static void names(int dir)
{
	int empty;

	SAY(rename("f", "f2"));
	SAY(rename("no/such", "f2"));
	SAY(renameat(dir, "f2", AT_FDCWD, "f"));
	SAY(renameat2(dir, "f", dir, "g", RENAME_NOREPLACE));
	SAY(mkdir("d", 0700));
	SAY(mkdir("d", 0700));
	empty = open("d", O_RDONLY | O_DIRECTORY);
	SAY(getdents64(empty, room, sizeof room)); /* "." and ".." */
	SAY(getdents64(empty, room, sizeof room));
	SAY(getdents64(-1, room, sizeof room));
	SAY(mkdirat(dir, "d/e", 0700));
	SAY(link("f", "l"));
	SAY(linkat(dir, "f", dir, "l", 0));
	SAY(symlink("f", "s"));
	SAY(symlinkat("f", dir, "s"));
	SAY(readlink("s", room, sizeof room));
	SAY(readlink("f", room, sizeof room));
	SAY(__readlink_chk("s", room, 10, sizeof room));
	SAY(readlinkat(dir, "s", room, sizeof room));
	SAY(__readlinkat_chk(dir, "s", room, 10, sizeof room));
	SAY(rmdir("d"));
	SAY(unlinkat(dir, "d/e", AT_REMOVEDIR));
	SAY(rmdir("d"));
	SAY(remove("s"));
	SAY(remove("no/such"));
	SAY(unlink("l"));
	SAY(unlink("no/such"));
	SAY(unlink("f"));
	SAY(unlink("g"));
	SAY(unlink("h"));
}

int main(void)
{
	int dir = open(".", O_RDONLY | O_DIRECTORY);

	opens(dir);
	descriptors();
	statuses(dir);
	names(dir);
	return 0;
}
