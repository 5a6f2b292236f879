/*
 * The floor preload: what a tracer of blocking operations must do, and no more.
 *
 * It tries first; only where the call blocks, or may, it appends two events to a buffer of the
 * thread: a clock read, a type byte, three varints, between the two steps of a sequence lock that
 * nobody reads. No stacks, no file, and nothing is ever written: a real tracer lies above it.
 */
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "base/atomic.h"
#include "base/clock.h"
#include "base/varint.h"
#include "real.h"

enum {
	BUF_SIZE = 64 << 10,
	EVENT_MAX = 1 + 3 * GT_VARINT_MAX,
};

enum event { EV_WAIT_BEGIN, EV_WAIT_END, EV_WAKE, EV_CREATE, EV_START, EV_EXIT };

struct buf {
	struct buf *next; /* while free */
	uint64_t last;    /* clock of the last event */
	_Atomic uint64_t seq;
	uint32_t used;
	uint8_t bytes[BUF_SIZE];
};

/* --- One buffer a thread, used again by a later one ---------------------------------------- */

static GT_TLS struct buf *mine;
static GT_TLS bool gone; /* this thread has given its buffer back: it is nearly dead */
static struct buf *free_bufs;
static atomic_flag free_lock = ATOMIC_FLAG_INIT;
static pthread_key_t key;

static void lock_free(void)
{
	while (atomic_flag_test_and_set_explicit(&free_lock, memory_order_acquire)) {
		gt_pause();
	}
}

static void unlock_free(void)
{
	atomic_flag_clear_explicit(&free_lock, memory_order_release);
}

static void emit(enum event type);

static void give_back(void *arg)
{
	struct buf *b = arg;

	emit(EV_EXIT);
	gone = true;
	mine = NULL;
	lock_free();
	b->next = free_bufs;
	free_bufs = b;
	unlock_free();
}

__attribute__((constructor)) static void make_key(void)
{
	if (pthread_key_create(&key, give_back) != 0) {
		gone = true;
	}
}

static GT_COLD struct buf *take(void)
{
	struct buf *b;

	if (gone) {
		return NULL;
	}
	lock_free();
	b = free_bufs;
	if (b) {
		free_bufs = b->next;
	}
	unlock_free();
	if (!b) {
		b = mmap(NULL, sizeof(*b), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			 0);
		if (b == MAP_FAILED) {
			return NULL;
		}
	}
	mine = b;
	pthread_setspecific(key, b);
	return b;
}

/* --- One event ----------------------------------------------------------------------------- */

static void emit(enum event type)
{
	struct buf *b = mine ? mine : take();
	uint8_t *p;
	uint64_t now, seq;

	if (gt_unlikely(!b)) {
		return;
	}
	if (gt_unlikely(b->used > BUF_SIZE - EVENT_MAX)) {
		b->used = 0;
	}
	seq = gt_load_relaxed(&b->seq);
	gt_store_release(&b->seq, seq + 1); /* plain stores: there is no reader to be fenced from */
	now = gt_clock_counter();
	p = b->bytes + b->used;
	*p++ = (uint8_t)type;
	p = gt_varint_put(p, now - b->last);
	p = gt_varint_put(p, 0x80 | (seq & 0xfff)); /* as long as an object's number would be */
	p = gt_varint_put(p, seq & 0x7f);           /* and a stack's */
	b->last = now;
	b->used = (uint32_t)(p - b->bytes);
	gt_store_release(&b->seq, seq + 2);
}

/* --- The calls ----------------------------------------------------------------------------- */

#define PASS(type, call, params, args) \
	type call params               \
	{                              \
		REAL(call)             \
		return real args;      \
	}
#define WAIT(type, call, params, args) \
	type call params               \
	{                              \
		type r;                \
		REAL(call)             \
		emit(EV_WAIT_BEGIN);   \
		r = real args;         \
		emit(EV_WAIT_END);     \
		return r;              \
	}
#define WAKE(type, call, params, args) \
	type call params               \
	{                              \
		REAL(call)             \
		emit(EV_WAKE);         \
		return real args;      \
	}
#define TRY(type, call, try_call, busy, params, args) \
	type call params                              \
	{                                             \
		type r;                               \
		{                                     \
			REAL(try_call)                \
			r = real args;                \
		}                                     \
		if (gt_likely(r != (busy))) {         \
			return r;                     \
		}                                     \
		REAL(call)                            \
		emit(EV_WAIT_BEGIN);                  \
		r = real args;                        \
		emit(EV_WAIT_END);                    \
		return r;                             \
	}

#include "calls.def"

struct start {
	void *(*routine)(void *);
	void *arg;
};

static void *run_thread(void *p)
{
	struct start start = *(struct start *)p;

	free(p);
	emit(EV_START);
	return start.routine(start.arg);
}

int pthread_create(pthread_t *t, const pthread_attr_t *a, void *(*routine)(void *), void *arg)
{
	struct start *start = malloc(sizeof(*start));
	int r;

	REAL(pthread_create)
	if (!start) {
		return real(t, a, routine, arg);
	}
	*start = (struct start){.routine = routine, .arg = arg};
	emit(EV_CREATE);
	r = real(t, a, run_thread, start);
	if (r != 0) {
		free(start);
	}
	return r;
}
