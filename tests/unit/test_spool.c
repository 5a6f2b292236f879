/*
 * What a recovery finds in a spool of this very process: numbers that come to their end.
 */
#include "started.h"

#include <string.h>

#include "buf.h"
#include "shm.h"

#include "../../tools/spool.h"

/* The numbers of buffers begin again after days of a heavy load. */
Test(spool, buffers_keep_their_order_when_numbers_begin_again, .init = started, .fini = ended)
{
	enum { M = 7, BUFFERS = 8 };
	struct gt_buf *bufs[BUFFERS];
	struct gt_batch *found;
	struct gt_spool spool;
	struct gt_error e;
	unsigned next = 0;
	size_t n;

	gt_store_relaxed(&gt_trace->buf_number, UINT32_MAX - BUFFERS / 2);
	/* In the pool they lie in another order than that of their use. */
	for (int i = 0; i < BUFFERS; i++) {
		bufs[i] = gt_buf_get();
		cr_assert_not_null(bufs[i]);
	}
	for (int i = 0; i < BUFFERS; i++) {
		gt_buf_free(bufs[(i * 3) % BUFFERS]);
	}
	for (uint8_t i = 0; i < BUFFERS; i++) {
		bufs[i] = gt_buf_new(1, M, 0);
		bufs[i]->events[0] = i;
		gt_store_relaxed(&bufs[i]->tail, gt_tail(1, 0, 0));
	}
	cr_assert_eq(gt_spool_open(&spool, gt_trace, gt_load_relaxed(&gt_trace->backed), &e), 0);
	found = gt_spool_batches(&spool, 1, &n);
	for (size_t i = 0; i < n; i++) {
		if (found[i].m == M && found[i].experiment == 0) {
			cr_expect_eq(found[i].data[0], next, "batch %u", next);
			next++;
		}
	}
	cr_expect_eq(next, (unsigned)BUFFERS);
	free(found);
}
