/*
 * Description: the calls of class mem, which are not traced unless they are asked for.
 * Events: mem
 */
#include <sys/mman.h>

#include "says.h"

enum { PAGE = 4096 };

int main(void)
{
	const int flags = MAP_PRIVATE | MAP_ANONYMOUS;
	char *p = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, flags, -1, 0);
	char *q;

	SAY(p != MAP_FAILED);
	SAY(mmap(NULL, 0, PROT_READ, flags, -1, 0) == MAP_FAILED);
	q = mmap64(NULL, PAGE, PROT_READ, flags, -1, 0);
	SAY(q != MAP_FAILED);
	SAY(mprotect(p, PAGE, PROT_READ));
	SAY(mprotect(p + 1, PAGE, PROT_READ));
	SAY(madvise(p, PAGE, MADV_DONTNEED));
	SAY(madvise(p, PAGE, -1));
	SAY(mlock(p, PAGE));
	SAY(mlock2(p, PAGE, -1));
	SAY(munlock(p, PAGE));
	SAY(mlockall(0));
	SAY(munlockall());
	SAY(mremap(p, 4 * PAGE, 2 * PAGE, 0) == p);
	SAY(mremap(p, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, q) == q);
	SAY(mremap(p + 1, PAGE, PAGE, 0) == MAP_FAILED);
	SAY(munmap(q, PAGE));
	SAY(munmap(p + 1, PAGE));
	return 0;
}
