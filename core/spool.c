/*
 * Where a reader of the spool finds what is in it: the tracer's types, described (base/spool.h).
 */
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>

#include "base/sys.h"

#include "shm.h"
#include "thread.h"

static const uint32_t places[GT_SPOOL_PLACES] = {
	[GT_SPOOL_THREADS] = offsetof(struct gt_trace, threads),
	[GT_SPOOL_BUFFERS] = offsetof(struct gt_trace, bufs),
	[GT_SPOOL_STAMP] = offsetof(struct gt_trace, stamp),
	[GT_SPOOL_STAMP_SIZE] = sizeof(struct gt_stamp),
	[GT_SPOOL_STACKS] = offsetof(struct gt_trace, stacks) + offsetof(struct gt_table, root),
	[GT_SPOOL_STRINGS] = offsetof(struct gt_trace, strings) + offsetof(struct gt_table, root),
	[GT_SPOOL_TABLE_SIZE] = sizeof(struct gt_table),
	[GT_SPOOL_TABLE_ROOTS] = GT_TABLE_ROOTS,
	[GT_SPOOL_LOSSES] = offsetof(struct gt_trace, losses),
	[GT_SPOOL_NLOSSES] = GT_LOSS_END,
	[GT_SPOOL_MAPS_LEN] = offsetof(struct gt_trace, maps_len),
	[GT_SPOOL_MAPS] = offsetof(struct gt_trace, maps),
	[GT_SPOOL_MAPS_MAX] = GT_MAPS_MAX,
	[GT_SPOOL_BROKEN] = offsetof(struct gt_trace, broken),

	[GT_SPOOL_NODE_CHILDREN] = offsetof(struct gt_table_node, child),
	[GT_SPOOL_NODE_ID] = offsetof(struct gt_table_node, id),
	[GT_SPOOL_NODE_BYTES] = offsetof(struct gt_table_node, bytes),
	[GT_SPOOL_NODE_DATA] = offsetof(struct gt_table_node, data),

	[GT_SPOOL_BUFFER_NEXT] = offsetof(struct gt_buf, all),
	[GT_SPOOL_BUFFER_GEN] = offsetof(struct gt_buf, gen),
	[GT_SPOOL_BUFFER_M] = offsetof(struct gt_buf, m),
	[GT_SPOOL_BUFFER_TIME] = offsetof(struct gt_buf, base),
	[GT_SPOOL_BUFFER_NUMBER] = offsetof(struct gt_buf, number),
	[GT_SPOOL_BUFFER_TAIL] = offsetof(struct gt_buf, tail),
	[GT_SPOOL_BUFFER_PACKED_LEN] = offsetof(struct gt_buf, packed_len),
	[GT_SPOOL_BUFFER_EVENTS] = offsetof(struct gt_buf, events),
	[GT_SPOOL_BUFFER_EVENTS_MAX] = GT_BUF_EVENTS,
	[GT_SPOOL_BUFFER_FACTS] = offsetof(struct gt_buf, facts),
	[GT_SPOOL_BUFFER_FACTS_MAX] = GT_BUF_FACTS,

	[GT_SPOOL_THREAD_NEXT] = offsetof(struct gt_thread, next),
	[GT_SPOOL_THREAD_TID] = offsetof(struct gt_thread, tid),
	[GT_SPOOL_THREAD_ID] = offsetof(struct gt_thread, id),
	[GT_SPOOL_THREAD_DEAD] = offsetof(struct gt_thread, dead_gen),
	[GT_SPOOL_THREAD_MAILBOX] = offsetof(struct gt_thread, mailbox),
	[GT_SPOOL_MAILBOX_SIZE] = sizeof(struct gt_mailbox),
	[GT_SPOOL_THREAD_POSTS] = offsetof(struct gt_thread, posts),
	[GT_SPOOL_POSTS_SIZE] = sizeof(struct gt_post[GT_MAILBOX]),

	[GT_SPOOL_MAILBOX_POSTED] = offsetof(struct gt_mailbox, posted),
	[GT_SPOOL_MAILBOX_WRITTEN] = offsetof(struct gt_mailbox, written),
	[GT_SPOOL_MAILBOX_MAX] = GT_MAILBOX,
	[GT_SPOOL_POST_SIZE] = sizeof(struct gt_post),
	[GT_SPOOL_POST_G] = offsetof(struct gt_post, g),
	[GT_SPOOL_POST_SEQ] = offsetof(struct gt_post, seq),
	[GT_SPOOL_POST_NS] = offsetof(struct gt_post, ns),
	[GT_SPOOL_POST_STACK] = offsetof(struct gt_post, stack),

	[GT_SPOOL_THREAD_DRAFT_GEN] = offsetof(struct gt_thread, draft.gen),
	[GT_SPOOL_THREAD_CLAIM] = offsetof(struct gt_thread, x_claim),
	[GT_SPOOL_THREAD_DRAFT_LEN] = offsetof(struct gt_thread, draft.len),
	[GT_SPOOL_THREAD_DRAFT] = offsetof(struct gt_thread, draft.bytes),
	[GT_SPOOL_DRAFT_MAX] = GT_DRAFT_BYTES,
};
_Static_assert((GT_MAILBOX & (GT_MAILBOX - 1)) == 0, "counts that go round meet their entry");
_Static_assert(GT_SPOOL_UNIT == GT_REF_UNIT, "a ref is the same to a reader");
_Static_assert((int)GT_SPOOL_CLAIMED == (int)GT_CLAIM_TAKEN, "what a claim says is, too");

void gt_spool_describe(struct gt_spool_head *head)
{
	memcpy(head->magic, GT_SPOOL_MAGIC, sizeof(head->magic));
	head->version = GT_SPOOL_VERSION;
	head->nplaces = GT_SPOOL_PLACES;
	memcpy(head->places, places, sizeof(places));
}

void gt_spool_drop_maps(void)
{
	struct gt_trace *t = gt_trace;
	uintptr_t from = GT_ROUND_UP((uintptr_t)t->maps, (uintptr_t)GT_PAGE);
	uintptr_t to = ((uintptr_t)t->maps + sizeof(t->maps)) & ~(uintptr_t)(GT_PAGE - 1);

	gt_store_release(&t->maps_len, 0);
	gt_sys_madvise((void *)from, to - from, MADV_REMOVE);
}

/* A line of code that is mapped from a file: "lo-hi r-xp offset device inode /path". */
static bool is_code(const char *line, size_t n)
{
	const char *space = memchr(line, ' ', n);

	return space && line + n - space > 4 && space[3] == 'x' &&
	       memchr(space, '/', n - (size_t)(space - line)) != NULL;
}

void gt_spool_keep_maps(void)
{
	static char buffer[1 << 14];
	struct gt_trace *t = gt_trace;
	uint32_t kept = 0;
	size_t have = 0;
	ssize_t n;
	int fd = gt_sys_open("/proc/thread-self/maps", O_RDONLY, 0);

	if (fd < 0) {
		return;
	}
	/* Whole, or none. */
	gt_store_release(&t->maps_len, 0);
	gt_signal_fence();
	while ((n = gt_sys_read(fd, buffer + have, sizeof(buffer) - have)) > 0) {
		char *from = buffer;
		char *end = buffer + have + n;
		char *newline;

		while ((newline = memchr(from, '\n', (size_t)(end - from))) != NULL) {
			size_t bytes = (size_t)(newline + 1 - from);

			if (is_code(from, bytes) && bytes <= GT_MAPS_MAX - kept) {
				memcpy(t->maps + kept, from, bytes);
				kept += (uint32_t)bytes;
			}
			from = newline + 1;
		}
		have = (size_t)(end - from);
		memmove(buffer, from, have);
		if (have == sizeof(buffer)) {
			have = 0; /* no path is that long */
		}
	}
	gt_sys_close(fd);
	gt_store_release(&t->maps_len, kept);
}
