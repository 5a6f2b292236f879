/*
 * Calls of class misc.
 */
#include <stdarg.h>

#include "plain.h"

/* The third argument is read whether it is there or not, as glibc does. */
int gt_hook_ioctl(int fd, unsigned long request, ...)
{
	struct gt_thread *t = gt_call_open(GT_CALL_IOCTL, fd, GT_FRAME());
	void *argument;
	va_list list;
	int r;

	va_start(list, request);
	argument = va_arg(list, void *);
	va_end(list);
	r = GT_REAL(ioctl)(fd, request, argument);
	gt_call_close(t, gt_result(r));
	return r;
}

/* clang-format off */
GT_PLAIN(ssize_t, getrandom, GETRANDOM, GT_NO_ARG, (void *to, size_t n, unsigned flags), (to, n, flags))
GT_PLAIN(int, getentropy, GETENTROPY, GT_NO_ARG, (void *to, size_t n), (to, n))
GT_PLAIN(int, tcsetattr, TCSETATTR, fd, (int fd, int when, const struct termios *to), (fd, when, to))
GT_PLAIN(int, tcsendbreak, TCSENDBREAK, fd, (int fd, int duration), (fd, duration))
/* clang-format on */

#define GT_EXPORT_misc(...) GT_EXPORT_NODE(__VA_ARGS__)
#include "export.h"
