/*
 * The functions that a compiler may call of itself, and the few of <string.h> that the library
 * uses: our own, hidden, so that they are bound here.
 *
 * Through the dynamic linker they could be a sanitizer's interceptors, which look at thread state
 * that the advancer does not have, or another library's, which may call our hooks. They are simple:
 * nothing large is copied on a hook's path.
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* A loop of these must not be recognised as, and made, a call of itself. */
#ifdef __clang__
#define OWN __attribute__((visibility("hidden"), used, no_builtin))
#else
#define OWN \
	__attribute__((visibility("hidden"), used, optimize("no-tree-loop-distribute-patterns")))
#endif

OWN void *memcpy(void *restrict to, const void *restrict from, size_t n)
{
	unsigned char *t = to;
	const unsigned char *f = from;

	for (; n >= 8; n -= 8, t += 8, f += 8) {
		uint64_t word;

		__builtin_memcpy(&word, f, 8);
		__builtin_memcpy(t, &word, 8);
	}
	while (n--) {
		*t++ = *f++;
	}
	return to;
}

OWN void *memmove(void *to, const void *from, size_t n)
{
	unsigned char *t = to;
	const unsigned char *f = from;

	if ((uintptr_t)t - (uintptr_t)f >= n) {
		return memcpy(to, from, n);
	}
	while (n--) {
		t[n] = f[n];
	}
	return to;
}

OWN void *memset(void *to, int byte, size_t n)
{
	unsigned char *t = to;
	uint64_t word = (unsigned char)byte * UINT64_C(0x0101010101010101);

	for (; n >= 8; n -= 8, t += 8) {
		__builtin_memcpy(t, &word, 8);
	}
	while (n--) {
		*t++ = (unsigned char)byte;
	}
	return to;
}

OWN int memcmp(const void *a, const void *b, size_t n)
{
	const unsigned char *x = a;
	const unsigned char *y = b;

	for (; n >= 8; n -= 8, x += 8, y += 8) {
		uint64_t p;
		uint64_t q;

		__builtin_memcpy(&p, x, 8);
		__builtin_memcpy(&q, y, 8);
		if (p != q) {
			break;
		}
	}
	for (; n; n--, x++, y++) {
		if (*x != *y) {
			return *x - *y;
		}
	}
	return 0;
}

OWN void *memchr(const void *s, int byte, size_t n)
{
	const unsigned char *p = s;

	for (; n; n--, p++) {
		if (*p == (unsigned char)byte) {
			return (void *)(uintptr_t)p;
		}
	}
	return NULL;
}

OWN size_t strlen(const char *s)
{
	size_t n = 0;

	while (s[n]) {
		n++;
	}
	return n;
}

OWN int strcmp(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return (unsigned char)*a - (unsigned char)*b;
}

OWN int strncmp(const char *a, const char *b, size_t n)
{
	while (n && *a && *a == *b) {
		a++;
		b++;
		n--;
	}
	return n ? (unsigned char)*a - (unsigned char)*b : 0;
}

OWN char *strchr(const char *s, int byte)
{
	while (*s != (char)byte) {
		if (!*s++) {
			return NULL;
		}
	}
	return (char *)(uintptr_t)s;
}

OWN char *strrchr(const char *s, int byte)
{
	const char *last = NULL;

	do {
		if (*s == (char)byte) {
			last = s;
		}
	} while (*s++);
	return (char *)(uintptr_t)last;
}
