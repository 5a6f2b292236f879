/*
 * The one way in which an assertion fails.
 */
#include "base/check.h"
#include "base/sys.h"

static size_t put(char *to, size_t at, size_t cap, const char *s)
{
	while (*s && at < cap) {
		to[at++] = *s++;
	}
	return at;
}

_Noreturn void gt_invariant_failed(int number, const char *what, const char *where)
{
	static const char *const names[] = {[0] = "assertion",
#define X(n, name) [n] = "invariant " #n " (" name ")",
					    GT_INVARIANTS(X)
#undef X
	};
	char line[512];
	size_t n = 0;
	int fd;

	n = put(line, n, sizeof(line) - 1, "gtrace: ");
	n = put(line, n, sizeof(line) - 1, names[number]);
	n = put(line, n, sizeof(line) - 1, " failed: ");
	n = put(line, n, sizeof(line) - 1, what);
	n = put(line, n, sizeof(line) - 1, " at ");
	n = put(line, n, sizeof(line) - 1, where);
	line[n++] = '\n';
	fd = gt_sys_open_stderr();
	gt_sys_write_all(fd < 0 ? 2 : fd, line, n);
	gt_sys_abort();
}
