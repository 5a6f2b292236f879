/*
 * The dialect: the few compiler extensions that gtrace uses, by name.
 *
 * Everything else is ISO C17. -Wpedantic reports any other extension.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GT_PUBLIC __attribute__((visibility("default")))
/* Of a variable that is declared: it is in this library, and needs no look into a table. */
#define GT_HIDDEN                     __attribute__((visibility("hidden")))
#define GT_COLD                       __attribute__((cold, noinline))
#define GT_NOINLINE                   __attribute__((noinline))
#define GT_INLINE                     static inline __attribute__((always_inline))
#define GT_UNUSED                     __attribute__((unused))
#define GT_PRINTF(f, a)               __attribute__((format(printf, f, a)))
#define GT_ALIGNED(n)                 __attribute__((aligned(n)))
#define GT_CLEANUP(f)                 __attribute__((cleanup(f)))
#define gt_likely(x)                  __builtin_expect(!!(x), 1)
#define gt_unlikely(x)                __builtin_expect(!!(x), 0)
#define GT_LEN(a)                     (sizeof(a) / sizeof((a)[0]))
#define GT_MIN(a, b)                  ((a) < (b) ? (a) : (b))
#define GT_MAX(a, b)                  ((a) > (b) ? (a) : (b))
#define GT_ROUND_UP(x, a)             (((x) + (a)-1) / (a) * (a))
#define GT_CONTAINER(p, type, member) ((type *)(void *)((char *)(p)-offsetof(type, member)))

/* Bytes of a page: x86-64. */
#define GT_PAGE 4096

/* Statement: the compiler knows nothing of this variable's value any more. */
#define GT_OPAQUE(v) __asm__("" : "+r"(v))

/* Statement: the compiler knows that this pointer is not NULL. */
#define GT_THERE(p)                              \
	do {                                     \
		if (!(p)) {                      \
			__builtin_unreachable(); \
		}                                \
	} while (0)

/*
 * Thread-local state of the preloaded library: always initial-exec. The dynamic models call
 * __tls_get_addr, which allocates on first use (koute/bytehound#131), and an allocator may be
 * what called us. The price is static TLS space, which is scarce: all of it together stays
 * below 256 bytes, checked by tests/hygiene.
 */
#define GT_TLS __attribute__((tls_model("initial-exec"))) _Thread_local

/*
 * What nearly every hook reads and hardly anything writes: variables of several files, next to each
 * other on a few lines of the cache.
 */
#define GT_OFTEN_READ __attribute__((section("gt_often_read")))

/* Products of a counter and a scale. */
__extension__ typedef unsigned __int128 gt_u128;

/* One cache line of the machines we run on; two are fetched together by the prefetcher. */
#define GT_LINE 64
