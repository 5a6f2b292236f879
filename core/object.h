/*
 * The identity of objects that are waited for: an address, and how often an object was made or
 * destroyed at (about) it. Any thread.
 */
#pragma once

#include "base/atomic.h"
#include "base/util.h"

enum { GT_OBJECTS = 4096 };

/* By hash of the address: a collision only makes an identity change too often. */
extern GT_HIDDEN _Atomic uint32_t gt_object_epochs[GT_OBJECTS];

GT_INLINE _Atomic uint32_t *gt_object_place(const void *object)
{
	return &gt_object_epochs[((uint64_t)(uintptr_t)object >> 3) *
					 UINT64_C(0x9e3779b97f4a7c15) >>
				 52];
}

GT_INLINE uint32_t gt_object_epoch(const void *object)
{
	return gt_load_relaxed(gt_object_place(object));
}

/* One is made or destroyed there. */
GT_INLINE void gt_object_renew(const void *object)
{
	gt_add_relaxed(gt_object_place(object), 1);
}
