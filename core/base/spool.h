/*
 * A spool file: its head, and where the tracer's state is found in it.
 *
 * The spool FILE.spool lies beside FILE while it is written, and a clean end removes it. It is the
 * shared memory of the tracer (core/trace.h), and outlives a killed process. What a reader needs of
 * it is described by the head itself, place by place, so that tools know the format and not the
 * tracer's types, which may change.
 *
 * What is there after a death. A thread stops between any two instructions, so a value that is
 * stored later is a promise about what was stored before: bytes of a buffer below its length are
 * whole, a buffer whose generation is not 0 has its other fields, a node that a trie points to is
 * filled, an entry of a mailbox that is counted as posted is filled.
 */
#pragma once

#include <stdatomic.h>

#include "base/util.h"

#define GT_SPOOL_MAGIC   "gtrace spool\0\0\0"
#define GT_SPOOL_VERSION 4
#define GT_SPOOL_SUFFIX  ".spool"

/*
 * Places: offsets in bytes, of 32-bit (no remark) or 64-bit (64) words, or sizes. A ref is a 32-bit
 * offset from the beginning of the spool in units of GT_SPOOL_UNIT; 0 is none. Of what is there
 * twice, by parity of the generation, the first is given and the distance to the second.
 */
#define GT_SPOOL_UNIT    64
#define GT_SPOOL_CLAIMED 2

enum gt_spool_place {
	/* From the beginning of the spool. */
	GT_SPOOL_THREADS,     /* ref of the newest thread */
	GT_SPOOL_BUFFERS,     /* ref of the newest buffer; all that there are, used or not */
	GT_SPOOL_STAMP,       /* 64, four: ticks, CLOCK_MONOTONIC, seconds, nanoseconds at the */
	GT_SPOOL_STAMP_SIZE,  /* beginning of the generation of that parity */
	GT_SPOOL_STACKS,      /* table: an array of refs of nodes */
	GT_SPOOL_STRINGS,     /* the same */
	GT_SPOOL_TABLE_SIZE,  /* to the table of the other parity */
	GT_SPOOL_TABLE_ROOTS, /* number of refs */
	GT_SPOOL_LOSSES,      /* 64, by enum gt_loss */
	GT_SPOOL_NLOSSES,     /* number of them */
	GT_SPOOL_MAPS_LEN,    /* bytes of the text of GT_SPOOL_MAPS */
	GT_SPOOL_MAPS,        /* lines of /proc/PID/maps: where code is mapped from files */
	GT_SPOOL_MAPS_MAX,    /* size */
	GT_SPOOL_BROKEN, /* not 0: recording broke off, and what is unfinished lacks something */

	/* In a node: it has four children, refs; then what is in the table. */
	GT_SPOOL_NODE_CHILDREN,
	GT_SPOOL_NODE_ID,
	GT_SPOOL_NODE_BYTES, /* number of bytes */
	GT_SPOOL_NODE_DATA,  /* of a stack: 64, program counters; of a string: its text */

	/* In a buffer: a batch of events, one of facts. */
	GT_SPOOL_BUFFER_NEXT,
	GT_SPOOL_BUFFER_GEN,        /* 64; 0: it is free */
	GT_SPOOL_BUFFER_M,          /* 64 */
	GT_SPOOL_BUFFER_TIME,       /* 64, ticks */
	GT_SPOOL_BUFFER_NUMBER,     /* those of one M follow each other by it */
	GT_SPOOL_BUFFER_TAIL,       /* 64: bytes that are whole: 32 bits of events, 31 of facts */
	GT_SPOOL_BUFFER_PACKED_LEN, /* not 0: batches of several Ms, with their headers, so long */
	GT_SPOOL_BUFFER_EVENTS,
	GT_SPOOL_BUFFER_EVENTS_MAX, /* size */
	GT_SPOOL_BUFFER_FACTS,
	GT_SPOOL_BUFFER_FACTS_MAX, /* size */

	/* In a thread. */
	GT_SPOOL_THREAD_NEXT,
	GT_SPOOL_THREAD_TID,
	GT_SPOOL_THREAD_ID,      /* 64, of its G */
	GT_SPOOL_THREAD_DEAD,    /* 64; not 0: it has ended */
	GT_SPOOL_THREAD_MAILBOX, /* mailbox */
	GT_SPOOL_MAILBOX_SIZE,   /* to that of the other parity */
	GT_SPOOL_THREAD_POSTS,   /* entries of that mailbox */
	GT_SPOOL_POSTS_SIZE,     /* to those of the other */

	/* In a mailbox: unblocks that are to be written in the thread's name. */
	GT_SPOOL_MAILBOX_POSTED,  /* so many ever were, modulo 2^32: the last in entry POSTED - 1 */
	GT_SPOOL_MAILBOX_WRITTEN, /* modulo MAX; so many of them need not be there any more */
	GT_SPOOL_MAILBOX_MAX,     /* number of entries, a power of two */
	GT_SPOOL_POST_SIZE,
	GT_SPOOL_POST_G,     /* 64, in an entry */
	GT_SPOOL_POST_SEQ,   /* 64 */
	GT_SPOOL_POST_NS,    /* 64, trace clock */
	GT_SPOOL_POST_STACK, /* id */

	/* In a thread: the last batch of its M in a generation, with its header. */
	GT_SPOOL_THREAD_DRAFT_GEN, /* 64; 0: there is none */
	GT_SPOOL_THREAD_CLAIM,     /* less than GT_SPOOL_CLAIMED: it does not count */
	GT_SPOOL_THREAD_DRAFT_LEN, /* bytes */
	GT_SPOOL_THREAD_DRAFT,
	GT_SPOOL_DRAFT_MAX, /* size */

	GT_SPOOL_PLACES
};

struct gt_spool_head {
	char magic[16];
	uint32_t version;
	uint32_t pid; /* of the process that writes it */
	/* The generation that is being written; 0: none (the file is whole, or recording broke
	 * off). */
	_Atomic uint64_t gen;
	/* Bytes of FILE that are whole generations, and how many these are. */
	_Atomic uint64_t written;
	_Atomic uint64_t generations;
	uint32_t unused;
	uint32_t nplaces; /* a reader needs all that it knows */
	uint32_t places[GT_SPOOL_PLACES];
};
