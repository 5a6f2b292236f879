/*
 * Files that get their name when they are whole: who is killed before leaves nothing.
 */
#include "newfile.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/syscall.h>

#include "base/sys.h"

#include "trace.h"

int gt_newfile_open(const char *path, mode_t mode)
{
	const char *slash = strrchr(path, '/');
	/* Of "/name", the folder is "/". */
	size_t n = slash ? GT_MAX((size_t)(slash - path), (size_t)1) : 0;
	char folder[GT_PATH_MAX];

	if (n >= sizeof(folder)) {
		return -ENAMETOOLONG;
	}
	memcpy(folder, path, n);
	folder[n] = 0;
	return gt_sys_open(slash ? folder : ".", O_RDWR | O_TMPFILE, mode);
}

int gt_newfile_name(int fd, const char *path)
{
	char source[] = "/proc/self/fd/..........";
	char *end = source + sizeof(source) - 1;
	char *digit = end;

	/* By its name in /proc, since linkat by the descriptor alone wants a capability (open(2)).
	 */
	do {
		*--digit = (char)('0' + fd % 10);
		fd /= 10;
	} while (fd);
	memmove(source + strlen("/proc/self/fd/"), digit, (size_t)(end - digit) + 1);
	return (int)gt_syscall6(SYS_linkat, AT_FDCWD, (long)source, AT_FDCWD, (long)path,
				AT_SYMLINK_FOLLOW, 0);
}
