/*
 * XXH3 (Debian's libxxhash, BSD 2-clause), inlined and private: no symbol of it leaves the object.
 */
#pragma once

#define XXH_INLINE_ALL
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpedantic"
#include <xxhash.h>
#pragma GCC diagnostic pop

#include "base/util.h"

GT_INLINE uint64_t gt_hash(const void *data, size_t bytes)
{
	return XXH3_64bits(data, bytes);
}
