/*
 * Threads: an M and its G, the seqlock, the mailbox, and the registry of all of them.
 *
 * Protocol. A writer makes its sequence number odd and *then* loads the generation; the advancer
 * stores the next generation and *then* loads each sequence number. Both pairs are store X / load
 * Y against store Y / load X, so both sides need sequential consistency between their two steps:
 * without it the writer could see the old generation while the advancer sees its old, even number.
 * (The advancer's barrier serves both: fence.h.)
 * From it follows: once the advancer has seen a sequence number even, or changed, no event of the
 * old generation can still be written by that M, and its slot of that parity may be taken.
 *
 *	writer (gt_open)		advancer (gt_advance)
 *	x_seq = odd   (fence.h)		gen = N + 1	(fence.h)
 *	load gen      (seq_cst)		load x_seq	(seq_cst)
 *	... write into slot[gen & 1]	wait until even or changed
 *	x_seq = even  (release)		take slot[N & 1] (acquire)
 *
 * It ends because a section never waits for the program: it takes only gtrace's own locks, whose
 * holders do not either (lock.h).
 *
 * Trace state and ownership are different words. x_state is what the events say, and changes only
 * inside a section (but for the end of a hand-off, hand_off.h). Who may change it is ownership: a
 *thread that runs owns itself; a thread that blocked in pthread_join and stands in the other's
 *x_joiner is owned by whoever takes it out of there by an atomic exchange; in every other wait a
 *thread wakes itself (wait.h).
 *
 * Life of a record: made by the creator (pthread_create) or by the thread itself (a thread that was
 * not seen being created); linked in the registry before its first section; its last section
 * destroys the G and seals its batch. A record whose thread was born and has ended in one
 * generation is used again at once, since no other knows of it; another one when the advancer has
 * unlinked it, since the generation of its death is in the file. Records are never unmapped: a
 * stale ref leads to some record, and the G id beside it tells whether it is still the right one.
 */
#pragma once

#include <pthread.h>

#include "base/atomic.h"
#include "base/brief.h"
#include "base/check.h"
#include "base/util.h"
#include "base/wire.h"

#include "budget.h"
#include "lock.h"
#include "stack.h"

enum {
	GT_MAILBOX = 64,      /* entries of a mailbox */
	GT_DEAD_BURST = 1024, /* thread ends that end a generation: it bounds the records */
	GT_KNOWN_STACKS = 64, /* ids of stacks that a thread remembers */
	GT_WAKE_STACKS = 8,   /* last stacks of a waker that are kept */
	GT_WAKE_DEPTH = 32,   /* frames of them */
	GT_NAME_MAX = 16,
	GT_DRAFT_BYTES = 176,
};

/*
 * Values of x_joiner beside refs of records: nobody joins (yet), and this thread's end is recorded:
 * a join does not block any more.
 */
#define GT_JOINER_NONE   0u
#define GT_JOINER_CLOSED 1u

/*
 * Who writes the beginning of a call (call.h, hand_off.c). x_in_call: the thread is in one, as it
 * says itself. x_claim:
 *
 *	NONE	the thread itself
 *	WANTED	the same so far; the advancer is about to look whether it is in a call
 *	TAKEN	the advancer, in the generation of the draft, unless the thread comes back in that
 *	WRITTEN	the advancer; that generation is over, and the thread has no P
 *	BACK	as TAKEN or WRITTEN, and the thread has written the end
 *
 *	thread, at the call's end		advancer (gt_hand_off_draft)
 *	x_in_call = 0	(fence.h)		x_claim = WANTED   (fence.h)
 *	load x_claim	(seq_cst)		load x_in_call     (seq_cst)
 *	NONE: go on				1: WANTED -> TAKEN (cas)
 *	WANTED -> NONE	(cas)			0: WANTED -> NONE  (cas)
 *
 * As above one of the two sees the other's store; where both do, who changes WANTED has the call.
 * Neither waits: a thread that finds TAKEN looks, inside a section, whether the generation of the
 * draft is over. Is it not, then it takes the claim away, and the advancer sees that when it has
 * waited for that section; else the draft stands.
 */
enum gt_claim {
	GT_CLAIM_NONE,
	GT_CLAIM_WANTED,
	GT_CLAIM_TAKEN,
	GT_CLAIM_WRITTEN,
	GT_CLAIM_BACK,
};

/*
 * The beginning of a call, as the advancer writes it (hand_off.c): a batch with its header. It
 * counts for its generation while x_claim is TAKEN or above, and is found here by a recovery until
 * it is in the file.
 */
struct gt_draft {
	_Atomic uint64_t gen; /* 0: none */
	uint32_t p;           /* that the call gives back */
	uint32_t len;
	bool waits; /* the thread blocks; else it is in a system call */
	bool lists; /* it is the first mention of the thread in its generation */
	uint8_t bytes[GT_DRAFT_BYTES];
};

/* Beside the generation of its death: the record is on the spare list (registry.c). */
#define GT_DEAD_SPARE (UINT64_C(1) << 63)

/* Trace states beyond those that status events know. */
enum { GT_GO_NEW = 5, GT_GO_DEAD = 6 };

/* An unblock that a waiter posts to its waker: to be written in the waker's stream. */
struct gt_post {
	uint64_t g;
	uint64_t seq;
	uint64_t ns; /* of the wake-up */
	uint32_t stack;
	uint32_t unused;
};

/*
 * One per parity; its posts are in gt_thread.posts, a ring. Who posts holds the lock; the owner
 * takes out without it, and only waits for it where somebody is just posting (gt_mailbox_drain).
 * What is left when the generation is over the advancer takes out. closed is written under the
 * lock as well, but by an owner that opens it, or that has never been a waker.
 */
struct gt_mailbox {
	struct gt_lock lock;
	_Atomic uint32_t posted;  /* so many ever were */
	_Atomic uint32_t written; /* so many of them are in a batch */
	_Atomic uint32_t closed;  /* the owner's last section is over, or this is no thread */
};

/* How many there are to be written. */
GT_INLINE uint32_t gt_mailbox_left(const struct gt_mailbox *box)
{
	/* Acquire: partner is post (wait.c). */
	return gt_load_acquire(&box->posted) - gt_load_relaxed(&box->written);
}

/* The last stacks from which this thread woke others; see wait.h. */
struct gt_wake_stack {
	_Atomic uint32_t version; /* the wake-up it belongs to; 0 while it is being written */
	_Atomic uint16_t n;
	_Atomic bool over; /* that call has returned */
	uint64_t hash;     /* of the list (gt_walks.hash), own; 0: not known */
	_Atomic uint64_t pcs[GT_WAKE_DEPTH];
} GT_ALIGNED(GT_LINE);

/* That a list with this hash has this id in that generation (its low half). */
struct gt_known_stack {
	uint64_t hash;
	uint32_t gen;
	uint32_t id;
};

/* Who ended a wait. */
struct gt_hint {
	uint32_t who;     /* ref of the waker's record */
	uint32_t run;     /* its wait_number then: it has not woken since, as long as that holds */
	uint64_t g;       /* its G: the record is still the waker's if it has this id */
	uint64_t at;      /* the moment */
	uint64_t hash;    /* of its stack (gt_walks.hash); 0: not known */
	uint32_t version; /* of its wake stack, where it has noted one */
	bool contended;   /* of an unlock: the lock word said that somebody sleeps, */
	bool unsure;      /* and one of those who do may not stand in the queue */
};

/* The hints that a waiter may have; in this order those that most waits have lie on a line each. */
enum gt_hint_kind {
	GT_HINT_OWN, /* a wake-up meant for one */
	/*
	 * For all waiters of the object, kept by the first of them: the last unlock that found
	 * nobody asleep, and the last one that did not, or broadcast.
	 */
	GT_HINT_WEAK,
	GT_HINT_ANY,
	GT_HINT_LATE, /* who was still signalling as it came */
	GT_HINT_CUT,  /* who cancels or signals the thread: what ends a wait that fails */
	GT_HINT_TURN, /* of one in a queue: what ended its last sleep */
	GT_HINT_BACK, /* of one that waited for a condition: the unlock that gave its mutex back */
	GT_HINTS
};

/*
 * A waiter of one object, in the wait registry (waiters.c); all fields under its bucket's lock. A
 * wait mostly has one hint, its own, and so touches two lines of it.
 */
struct gt_wait {
	_Atomic uintptr_t object;
	struct gt_wait *next;
	struct gt_wait *before;
	uint64_t since;
	uint32_t mask; /* of the wake-ups that concern it (gt_wake_some) */
	uint8_t has;   /* a bit for each kind of hint */
	bool listed;   /* the owner's, as it enters and leaves */
	/* Of one that waits for a condition: which mutex it will take back, else 0; and when it was
	 * called, by a signal, 0: not yet. Both the owner's when it is in no line. */
	uintptr_t mutex;
	uint64_t called;
	uint64_t slept; /* of one in a queue: when its last sleep began */
	struct gt_hint hint[GT_HINTS];
} GT_ALIGNED(GT_LINE);

/*
 * What the section that is open found, for one that a signal handler leaves for good: it jumps out,
 * or ends the process (gt_section_undo).
 */
enum {
	GT_WRITES_NOTHING, /* so far */
	GT_WRITES,         /* more than can be undone; so does the next */
	GT_WRITES_PAUSED,
	GT_WRITES_EVENTS, /* those, with numbers of a P; else nothing is changed */
	GT_WRITES_UNDOABLE,
};
struct gt_undo {
	uint32_t writes;
	uint32_t parity;
	uint64_t tail; /* of its buffer */
	uint64_t p_seq;
	uint32_t p;        /* whose next numbers it took, from p_seq on; GT_PROC_NONE: of none */
	uint32_t p_listed; /* it wrote the state of that one */
	/* Not where it writes events alone: p, spare_p and x_state of the thread, seq of its G. */
	uint32_t own_p;
	uint32_t spare_p;
	uint64_t state;
	uint64_t seq;
};

struct gt_thread {
	/* The seqlock: written by its M in each section. Odd: inside. */
	_Atomic uint64_t x_seq GT_ALIGNED(GT_LINE);
	/* Buffers by parity: the M's inside a section; taken by exchange (advancer, thread end). */
	_Atomic uint32_t x_slot[2];
	uint32_t kept_buf;   /* of a spare record, and until its next thread's first event: ref */
	uint64_t last_ticks; /* M: time of its last event; never falls */
	struct gt_undo undo; /* of the section that is open: its first half lies on this line */
	_Atomic uint64_t x_section_gen; /* its generation; for assertions */

	/*
	 * Identity. id changes only under both mailbox locks, tid only by the thread itself as it
	 * starts; who has a ref of a thread that starts or is over may read them at that moment.
	 */
	_Atomic uint32_t tid GT_ALIGNED(GT_LINE);
	uint32_t registered;
	struct gt_stack_root root;
	/* What pthread_create was given: for the trampoline. */
	void *(*start)(void *);
	void *arg;
	/* Its pthread_t; 0: not known yet, or over. Written under threads_lock, as the next two. */
	_Atomic uintptr_t pthread;
	_Atomic uint32_t next_place; /* in the chain by pthread_t: ref */

	/* Trace state, changed inside sections only: gstate | pstate << 8 | p << 32. */
	_Atomic uint64_t x_state GT_ALIGNED(GT_LINE);
	/* By parity, by who owns the transition: last generation with a status, sequence in it. */
	_Atomic uint64_t traced[2];
	uint64_t seq[2];
	_Atomic uint32_t p;   /* ownership: the slot held, or GT_PROC_NONE */
	uint32_t spare_p;     /* taken, but not yet run in; or GT_PROC_NONE */
	uint32_t is_advancer; /* has slot 0 for good */
	/* A name is to be written as a label, at its next block, start or end: a new one, or one
	 * that the generation does not have yet. */
	_Atomic uint32_t name_new;
	uint64_t yields; /* sched_yield (call.c): calls not yet written */

	/* The wait that this thread is in (wait.c); sp tells whether it was left by longjmp. */
	uintptr_t wait_sp;
	uint64_t wait_at;              /* the moment when it began */
	uint64_t wait_cpu;             /* its time on a processor by then, ns; 0: not asked */
	struct gt_thread *join_target; /* in a join: the thread that it waits for */
	uint64_t join_g;               /* the G that it joins */
	uint32_t join_stood;           /* in somebody's x_joiner, or claimed out of it */
	_Atomic uint32_t reason;       /* enum gt_reason of the wait */
	_Atomic uint64_t block_gen;    /* of the section that blocked, */
	uint64_t block_ticks;          /* and when it says that was */
	uint32_t wake_version;         /* of its last wake-up: each hint has one; never 0 */
	uint32_t born_version;         /* of the last when its G began to be */

	/* What who posts to this thread looks at. */
	struct gt_mailbox mailbox[2] GT_ALIGNED(GT_LINE);
	_Atomic uint64_t id;          /* of the G */
	_Atomic uint32_t wait_number; /* odd while it waits; own writes, waiters' reads (post) */

	/* What others ask of it, seldom. */
	_Atomic uint64_t born_gen; /* generation of its creation event */
	/* Ownership of a thread that joins this one: GT_JOINER_*, or the joiner's ref. */
	_Atomic uint32_t x_joiner;
	_Atomic uint64_t dead_gen; /* generation of its last section, GT_DEAD_SPARE; 0: alive */

	/* Registry: refs. next: its owner's until it is linked, then the advancer's. */
	uint32_t next;
	_Atomic uint32_t next_unused; /* on the list of free or of spare records */
	bool was_spare;               /* [advancer] */
	/* [advancer] The state noted before the bump (advance.c). */
	uint64_t noted_gen;
	uint64_t noted_state;
	uint32_t noted_stack;

	_Atomic uint64_t name[GT_NAME_MAX / 8];

	/* What its wait stands under in the registry (waiters.h). */
	struct gt_wait wait;

	/* The call that this thread is in (call.c): as it is, written by who owns the thread. */
	_Atomic uint64_t x_in_call GT_ALIGNED(GT_LINE);
	_Atomic uint32_t x_claim; /* enum gt_claim */
	uint16_t call;            /* enum gt_call */
	uint16_t call_as;         /* enum gt_reason of the block that it is; 0: a system call */
	uint32_t call_stack;      /* frames in pcs */
	int64_t call_arg;
	uint64_t call_at;                /* the moment when it began */
	_Atomic uint64_t calls_left_out; /* own writes; the advancer sums them up */
	struct gt_draft draft;           /* the advancer's; read by the thread while TAKEN */

	/* What its passages cost, and what it may still trace (budget.h). */
	struct gt_meter meter GT_ALIGNED(GT_LINE);

	/* sched_yield (call.c): since when calls are not written; when the last one began. */
	uint64_t yields_since;
	uint64_t yield_at;

	/* What its batch of facts has said (core/brief.h); off: until the next one, nothing. */
	struct gt_brief brief GT_ALIGNED(GT_LINE);
	bool brief_off;

	/*
	 * Scratch of the thread itself while its guard is up: the stack that it has walked. Here
	 * and not on the program's stack, which may be small. The scratch in walks is also for a
	 * status that is written before the walked stack is used.
	 */
	struct gt_walks walks;
	struct gt_known_stack known[GT_KNOWN_STACKS];
	/* Stack of the last block event: its own. Read by the advancer while the thread waits. */
	uint64_t block_hash GT_ALIGNED(GT_LINE); /* of block_pcs, as gt_walks.hash; own */
	_Atomic uint32_t nblock;
	_Atomic uint64_t block_pcs[GT_WIRE_FRAMES_MAX];

	/* Stacks of the last wake-ups: own writes, waiters' reads, checked by version. */
	struct gt_wake_stack wake[GT_WAKE_STACKS];

	struct gt_post posts[2][GT_MAILBOX]; /* of mailbox[] */
};

GT_INLINE uint64_t gt_state(unsigned g, unsigned pstate, uint32_t p)
{
	return (uint64_t)g | (uint64_t)pstate << 8 | (uint64_t)p << 32;
}

GT_INLINE unsigned gt_state_g(uint64_t state)
{
	return state & 0xff;
}

GT_INLINE unsigned gt_state_proc(uint64_t state)
{
	return state >> 8 & 0xff;
}

GT_INLINE uint32_t gt_state_p(uint64_t state)
{
	return (uint32_t)(state >> 32);
}

/* What this library keeps in the thread-local storage of the program's threads. */
struct gt_tls {
	struct gt_thread *thread;
	/* The trace that thread belongs to; GT_EPOCH_NONE, or GT_EPOCH_ENDED after its end. */
	uint32_t epoch;
	/*
	 * Guard: > 0 while this thread is inside the tracer, GT_BUSY_CALL while it makes a call
	 * (call.h); its hooks, those of signal handlers, then pass straight.
	 */
	uint32_t busy;
	/* The frame of the hook that was last traced: while busy, the one inside the tracer. */
	uintptr_t frame;
	/* Its stacks' end, kept here for the record that it gets in a forked child. */
	struct gt_stack_root root;
	/* At thread end: rounds of key destructors seen. */
	uint32_t rounds;
	/* Our own thread, to its end: its record may be another's sooner. */
	bool advancer;
};

enum { GT_BUSY_CALL = 1 << 16 };

#define GT_EPOCH_OFF   0u
#define GT_EPOCH_NONE  1u
#define GT_EPOCH_FIRST 2u
#define GT_EPOCH_ENDED UINT32_MAX

extern GT_HIDDEN GT_TLS struct gt_tls gt_tls;

/*
 * Raises the guard in a frame of the hook, or below it: who runs above that has left it. A hook in
 * a handler between gt_self and this has put its own frame there, which is none any more.
 */
GT_INLINE void gt_guard_up(void *frame)
{
	if (gt_tls.busy++ == 0) {
		gt_tls.frame = (uintptr_t)frame;
	}
	gt_signal_fence();
}

/*
 * The same where gt_self has found it down. (A handler since then may have left a call open that it
 * was jumped out of: it ends here, unwritten.)
 */
GT_INLINE void gt_guard_raise(void *frame)
{
	gt_tls.busy = 1;
	gt_tls.frame = (uintptr_t)frame;
	gt_signal_fence();
}

/* The id of its G. */
GT_INLINE uint64_t gt_thread_id(const struct gt_thread *t)
{
	return gt_load_relaxed(&t->id);
}

/* The tid of its M; 0: it has not started. */
GT_INLINE uint32_t gt_thread_tid(const struct gt_thread *t)
{
	return gt_load_relaxed(&t->tid);
}

/*
 * A new record, not yet known to anybody: its G has an id, no state. NULL: no memory. Any thread,
 * with its guard set.
 */
struct gt_thread *gt_thread_new(uintptr_t entry);
/* It is the advancer's, just made: it has slot 0, and is not counted among the program's. */
void gt_thread_set_advancer(struct gt_thread *t);
/* Links it in the registry. Before its first section, and before its creation event. */
void gt_thread_register(struct gt_thread *t);
/*
 * The calling thread becomes t and starts to run. created: its creation event is in the trace
 * (else it creates itself here). On its own stack, with its root set.
 */
void gt_thread_start(struct gt_thread *t, bool created);
/* Writes the creation of t, before t can write anything itself (invariant 10). frame: of the hook.
 */
void gt_thread_announce(struct gt_thread *creator, struct gt_thread *t, void *frame);
/*
 * A thread that was announced was not made: its G ends without having run, on the creator's M, in
 * the one way that Go's reader accepts.
 */
void gt_thread_create_failed(struct gt_thread *creator, struct gt_thread *t);
/* The calling thread's last section. Its hooks pass straight from here on. */
void gt_thread_end(struct gt_thread *t);
/* The calling thread was not seen being created: gives it a record. NULL: no memory. */
struct gt_thread *gt_thread_attach(uintptr_t entry);

/*
 * Its next wait, for a thread or in a call, writes this name as a label; and later generations have
 * it again, where it runs in them. Any thread.
 */
void gt_thread_name(struct gt_thread *t, const char *name);
/* The id of that name in the strings of that parity; 0: it has none, or there is no room. */
uint32_t gt_thread_name_id(const struct gt_thread *t, unsigned parity);
/* The pthread_t of t, which has that G: said by itself when it starts. */
void gt_thread_set_pthread(struct gt_thread *t, uint64_t id, pthread_t pthread);
/*
 * The same by its creator, where pthread_create has left it. Not read if t has started: the program
 * may have freed that place by then.
 */
void gt_thread_learn_pthread(struct gt_thread *t, uint64_t id, const pthread_t *pthread);
/* The live thread with that pthread_t and the id of its G; NULL: none is known. */
struct gt_thread *gt_thread_of_pthread(uintptr_t pthread, uint64_t *id);

/* In a child after fork: no pthread_t is known. */
void gt_thread_forget(void);
/*
 * t has ended in that generation; 0: after the end. posts_left: some of the next one are in its
 * mailbox. It is not the caller's any more.
 */
void gt_thread_retire(struct gt_thread *t, uint64_t gen, bool posts_left);
/* Advancer, with the lock: walks the registry. */
struct gt_thread *gt_thread_first(void);
struct gt_thread *gt_thread_next(const struct gt_thread *t);
/* Advancer: frees the records whose death is in the file up to this generation. */
void gt_thread_reap(uint64_t gen);

/*
 * The slot that t runs in from now on; GT_PROC_NONE: there is none. Outside a section (invariant
 * 5), as is giving it back.
 */
uint32_t gt_thread_take_p(struct gt_thread *t);
void gt_thread_give_p(struct gt_thread *t, uint32_t p);

/*
 * The stack on which t blocks: noted by itself before the section that says so, read by itself,
 * by who owns it, or by the advancer, which knows when its copy was torn (advance.c).
 */
GT_INLINE void gt_thread_set_stack(struct gt_thread *t, const uint64_t *pcs, unsigned n)
{
	/* Until its caller says which list that is. */
	t->block_hash = 0;
	gt_signal_fence();
	gt_store_relaxed(&t->nblock, n);
	for (unsigned i = 0; i < n; i++) {
		gt_store_relaxed(&t->block_pcs[i], pcs[i]);
	}
}

GT_INLINE unsigned gt_thread_get_stack(struct gt_thread *t, uint64_t *pcs)
{
	unsigned n = gt_load_relaxed(&t->nblock);

	n = GT_MIN(n, GT_WIRE_FRAMES_MAX);
	for (unsigned i = 0; i < n; i++) {
		pcs[i] = gt_load_relaxed(&t->block_pcs[i]);
	}
	return n;
}

/* Slow half: it was another, or nothing yet. */
GT_NOINLINE void gt_thread_walk_entry(struct gt_thread *t);

/* Whether the last one was that: where there are no stacks, always. */
GT_INLINE bool gt_thread_walked_none(const struct gt_thread *t)
{
	const struct gt_walks *walks = &t->walks;

	return walks->id == &walks->none.id && walks->none.entry == t->root.entry;
}

/* A stack that is its entry alone (t->walks). */
GT_INLINE unsigned gt_thread_walk_none(struct gt_thread *t)
{
	if (gt_unlikely(!gt_thread_walked_none(t))) {
		gt_thread_walk_entry(t);
	}
	return 1;
}

/*
 * Whether the hook frame that t was in is gone: left by longjmp, and the hook that runs at sp is
 * above it or in its place. False: a signal handler runs below it.
 */
bool gt_frame_left(struct gt_thread *t, uintptr_t left, uintptr_t sp);

/* Whether the calling thread is inside a section (for assertions). */
GT_INLINE bool gt_in_section(struct gt_thread *t)
{
	return gt_load_relaxed(&t->x_seq) & 1;
}
