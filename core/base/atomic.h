/*
 * The allowed atomic operations, with the memory order in the name.
 *
 * Every use in core has one line beside it that names its partner. Where an order is stronger than
 * acquire/release, the comment gives the shape (who stores what, who loads what) and what would
 * break without it. All fields that two threads may touch go through these, also where a plain
 * access would compile to the same instruction: a relaxed load is free, and ThreadSanitizer then
 * checks the rest.
 */
#pragma once

#include <stdatomic.h>

#include "base/util.h"

#define gt_load_relaxed(p)        atomic_load_explicit((p), memory_order_relaxed)
#define gt_load_acquire(p)        atomic_load_explicit((p), memory_order_acquire)
#define gt_load_seq(p)            atomic_load_explicit((p), memory_order_seq_cst)
#define gt_store_relaxed(p, v)    atomic_store_explicit((p), (v), memory_order_relaxed)
#define gt_store_release(p, v)    atomic_store_explicit((p), (v), memory_order_release)
#define gt_store_seq(p, v)        atomic_store_explicit((p), (v), memory_order_seq_cst)
#define gt_exchange_acq_rel(p, v) atomic_exchange_explicit((p), (v), memory_order_acq_rel)
#define gt_exchange_seq(p, v)     atomic_exchange_explicit((p), (v), memory_order_seq_cst)
#define gt_add_relaxed(p, v)      atomic_fetch_add_explicit((p), (v), memory_order_relaxed)
#define gt_add_acq_rel(p, v)      atomic_fetch_add_explicit((p), (v), memory_order_acq_rel)
#define gt_add_seq(p, v)          atomic_fetch_add_explicit((p), (v), memory_order_seq_cst)
#define gt_or_acq_rel(p, v)       atomic_fetch_or_explicit((p), (v), memory_order_acq_rel)
#define gt_and_acq_rel(p, v)      atomic_fetch_and_explicit((p), (v), memory_order_acq_rel)
#define gt_cas_acq_rel(p, old, v)                                                      \
	atomic_compare_exchange_strong_explicit((p), (old), (v), memory_order_acq_rel, \
						memory_order_acquire)
#define gt_cas_seq(p, old, v)                                                          \
	atomic_compare_exchange_strong_explicit((p), (old), (v), memory_order_seq_cst, \
						memory_order_acquire)
#define gt_cas_weak_acq_rel(p, old, v)                                               \
	atomic_compare_exchange_weak_explicit((p), (old), (v), memory_order_acq_rel, \
					      memory_order_acquire)
/* Between two accesses of one thread, against its own signal handlers: no instruction. */
#define gt_signal_fence() atomic_signal_fence(memory_order_seq_cst)

/*
 * A full fence right after a locked instruction of the same thread (a read-modify-write, of
 * whatever order): on x86 that is one, and only the compiler is kept in order.
 */
GT_INLINE void gt_fence_locked(void)
{
#if defined(__x86_64__)
	gt_signal_fence();
#else
	atomic_thread_fence(memory_order_seq_cst);
#endif
}

GT_INLINE void gt_pause(void)
{
#if defined(__x86_64__)
	__builtin_ia32_pause();
#elif defined(__aarch64__)
	__asm__ volatile("yield");
#endif
}
