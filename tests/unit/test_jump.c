/*
 * A handler that jumps out of either end of a wait, at each of its instructions
 * in turn, by a trap after every one (as test_unwritten.c does with calls).
 * What is left is a whole trace: Go's order of events tells whether an unblock
 * is lost or there twice. Where the jump has broken recording off, what was
 * before it is whole, and there are few such places.
 */
#include "started.h"

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <ucontext.h>

#include "advance.h"
#include "call.h"
#include "emit.h"
#include "shm.h"
#include "wait.h"

#include "../../tools/merge.h"

#if defined(__x86_64__)
#define TRAP_EACH() __asm__ volatile("pushfq; orq $0x100, (%%rsp); popfq" : : : "memory", "cc")
#define TRAP_NONE()                                             \
	__asm__ volatile("pushfq; andq $~0x100, (%%rsp); popfq" \
			 :                                      \
			 :                                      \
			 : "memory", "c"                        \
				     "c")

/* So many jumps are in one trace. */
enum { TRAPS_MOST = 4000, JUMPS = 100, OTHERS = 2, POSTS_MOST = 2 };

/* What the process with a trace tells who began it. */
struct told {
	unsigned at;   /* the instruction that is next; 0: none yet */
	unsigned last; /* so many there are */
	bool at_once;  /* where nobody jumps it is written so */
	unsigned lost; /* jumps that broke the trace off */
	unsigned jumps;
	bool worth[TRAPS_MOST];
	char why[400]; /* what is wrong */
};
static struct told *told;

/* What is jumped out of. */
struct way {
	bool begins;
	bool cond;
	unsigned posts;  /* in the mailbox */
	bool refused;    /* the waker has no room */
	unsigned breaks; /* at most so many instructions may break the trace */
};

static int mutex, cond, others[POSTS_MOST];
static struct gt_thread *parts[OTHERS + POSTS_MOST];
static pthread_barrier_t attached;

/* A thread of the kernel's for each part, that there is an M for it; the
 * calling one plays it. */
static void *part(void *arg)
{
	struct gt_thread **mine = arg;

	gt_tls.busy = 1;
	*mine = gt_thread_attach((uintptr_t)part + 16 * (uintptr_t)(mine - parts));
	pthread_barrier_wait(&attached);
	for (;;) {
		pause();
	}
	return NULL;
}

static void play(unsigned n)
{
	pthread_t id;

	pthread_barrier_init(&attached, NULL, n + 1);
	for (unsigned i = 0; i < n; i++) {
		pthread_create(&id, NULL, part, &parts[i]);
	}
	pthread_barrier_wait(&attached);
}

static uint32_t begins(struct gt_thread *t, const void *object, const void *mutex_of)
{
	return gt_wait_begin(
		t, &(struct gt_wait_for){.reason = mutex_of ? GT_REASON_COND : GT_REASON_MUTEX,
					 .kind = mutex_of ? GT_OBJECT_COND : GT_OBJECT_MUTEX,
					 .object = object,
					 .mutex = mutex_of});
}

static void ends(struct gt_thread *t, uint32_t number)
{
	struct gt_thread *self = gt_tls.thread;

	gt_tls.thread = t;
	gt_wait_end(t, number, GT_ENDED_WAKER, 0);
	gt_tls.thread = self;
}

static void signal_to(struct gt_thread *by, const void *object)
{
	gt_wake_over(by, gt_wake_hint(by, object, GT_WAKE_SIGNAL, NULL, NULL));
}

/* The waker of t ends its wait, and somebody else that for its mutex. */
static void wake(const struct way *way)
{
	const uint32_t word = 2;
	const struct gt_wake_word contended = {&word, 2, false};

	if (way->cond) {
		signal_to(parts[0], &cond);
	}
	gt_wake_hint(parts[way->cond], &mutex, GT_WAKE_UNLOCK, &contended, NULL);
}

/* Their sections write what was posted to them. */
static void drain_others(void)
{
	gt_tls.busy++;
	for (unsigned i = 0; i < OTHERS; i++) {
		struct gt_w w = gt_acquire(parts[i]);

		gt_release(&w);
	}
	gt_tls.busy--;
}

static sigjmp_buf outside;
static volatile unsigned traps, traps_until;
static uint32_t left; /* posts, where the traps begin; */
static uint64_t tail; /* and what is in the batch */

/* What a jump finds: where an instruction has changed none of it, to jump is as
 * before that one. */
static struct found {
	struct gt_tls tls;
	struct gt_thread t;
	struct gt_mailbox box;
	struct gt_proc proc;
	struct gt_last last[2];
	uint64_t tail;
	uint64_t taken;
} found, before;

static void find(const struct gt_thread *t)
{
	const uint64_t gen = gt_trace->head.gen;
	const struct gt_buf *b = gt_ref_ptr(t->x_slot[gen & 1]);

	/* With what lies between the fields. */
	memcpy(&found.tls, &gt_tls, sizeof(found.tls));
	memcpy(&found.t, t, sizeof(found.t));
	memcpy(&found.box, &parts[0]->mailbox[gen & 1], sizeof(found.box));
	/* The first one is the advancer's. */
	memcpy(&found.proc, &gt_trace->procs.proc[1], sizeof(found.proc));
	memcpy(found.last, b->last, sizeof(found.last));
	found.tail = gt_load_relaxed(&b->tail);
	found.taken = gt_load_relaxed(&gt_trace->procs.eight[0]);
}

/* Who is killed just here is recovered: its posts are in the batch, or in the
 * mailbox. */
static void check_written(void)
{
	const unsigned parity = gt_trace->head.gen & 1;
	const struct gt_mailbox *box = &found.t.mailbox[parity];

	if (traps == 1) {
		left = gt_mailbox_left(box);
		tail = found.tail;
	}
	if (left && gt_mailbox_left(box) == 0 && found.tail == tail) {
		snprintf(told->why, sizeof(told->why), "instruction %u: a post is nowhere", traps);
	}
}

/*
 * The first time through nobody jumps, and it is noted where it is worth it.
 * Who holds a lock breaks the trace off, wherever it is.
 */
static void on_trap(int signal, siginfo_t *info, void *context)
{
	if (++traps == traps_until && !gt_locks_held) {
		((ucontext_t *)context)->uc_mcontext.gregs[REG_EFL] &= ~0x100L;
		siglongjmp(outside, 1);
	}
	if (traps_until == 0 && traps < TRAPS_MOST) {
		find(gt_tls.thread);
		check_written();
		if (!gt_locks_held && memcmp(&found, &before, sizeof(found)) != 0) {
			told->worth[traps] = true;
			before = found;
		}
	}
	(void)signal;
	(void)info;
}

/* As the thread's next hook does (preload/hook.c). */
static void recover(struct gt_thread *t)
{
	uint64_t state;

	if (gt_tls.busy) {
		gt_call_recover(t);
	}
	gt_tls.busy = 0;
	state = gt_load_relaxed(&t->x_state);
	if (gt_load_relaxed(&t->p) !=
	    (gt_state_g(state) == GT_GO_RUNNING ? gt_state_p(state) : GT_PROC_NONE)) {
		snprintf(told->why, sizeof(told->why), "instruction %u: another P", told->at);
	}
	if (gt_state_g(state) != GT_GO_RUNNING) {
		gt_wait_end(t, gt_load_relaxed(&t->wait_number), GT_ENDED_CANCELLED, 0);
	}
}

/* What is written next is dated behind what is there: the sum of all times is
 * what it says. */
static void check_times(struct gt_thread *t)
{
	const struct gt_buf *b = gt_ref_ptr(t->x_slot[gt_trace->head.gen & 1]);
	const uint8_t *p = b->events, *end = p + gt_buf_events(b);
	uint64_t ticks = b->base, v = 0;

	while (p < end) {
		const struct gt_spec *spec = gt_spec_event(*p++);

		p += gt_varint_get(p, end, &v);
		ticks += v;
		for (unsigned i = 0; i < spec->nargs; i++) {
			p += gt_varint_get(p, end, &v);
		}
	}
	if (p != end || ticks != b->last[gt_tail_side(gt_load_relaxed(&b->tail))].event) {
		snprintf(told->why, sizeof(told->why), "instruction %u: another time", told->at);
	}
}

/* One end of t's wait. */
struct end {
	struct gt_thread *t;
	const struct way *way;
	uint32_t number;
};

static void end_begin(struct end *e)
{
	e->number = begins(e->t, e->way->cond ? &cond : &mutex, e->way->cond ? &mutex : NULL);
}

static void end_end(struct end *e)
{
	gt_wait_end(e->t, e->number, GT_ENDED_WAKER, 0);
}

/* Makes it; trapped: and leaves it at the instruction that told says. True: it
 * was left. */
static GT_NOINLINE bool leave(void (*make)(struct end *), struct end *e, bool trapped)
{
	const uint64_t sections = gt_load_relaxed(&e->t->x_seq);

	if (!trapped) {
		make(e);
		return false;
	}
	traps = 0;
	traps_until = told->at;
	if (sigsetjmp(outside, 1) != 0) {
		recover(e->t);
		check_times(e->t);
		return true;
	}
	TRAP_EACH();
	make(e);
	TRAP_NONE();
	told->at_once = gt_load_relaxed(&e->t->x_seq) - sections == 2;
	told->last = traps;
	return false;
}

/* One wait; trapped: the end in question is. */
static void wait_once(const struct way *way, bool trapped)
{
	struct end e = {gt_tls.thread, way, 0};
	struct gt_mailbox *box = &parts[0]->mailbox[gt_trace->head.gen & 1];
	uint32_t n[POSTS_MOST];

	/* Others that it has woken before, and that run again before that end. */
	for (unsigned i = 0; i < way->posts; i++) {
		n[i] = begins(parts[OTHERS + i], &others[i], NULL);
		signal_to(e.t, &others[i]);
	}
	for (unsigned i = 0; way->begins && i < way->posts; i++) {
		ends(parts[OTHERS + i], n[i]);
	}
	if (leave(end_begin, &e, trapped && way->begins)) {
		return;
	}
	wake(way);
	for (unsigned i = 0; !way->begins && i < way->posts; i++) {
		ends(parts[OTHERS + i], n[i]);
	}
	gt_store_relaxed(&box->closed, way->refused);
	leave(end_end, &e, trapped && !way->begins);
	gt_store_relaxed(&box->closed, 0);
}

/* A new batch: after an undo one remembers nothing more. */
static void seal(struct gt_thread *t)
{
	_Atomic uint32_t *slot = &t->x_slot[gt_trace->head.gen & 1];
	struct gt_buf *b = gt_ref_ptr(gt_load_relaxed(slot));

	gt_store_relaxed(slot, 0);
	gt_buf_seal(b);
}

/* Whether the file is a trace: its events in an order that can be, and all that
 * gtrace promises. */
static void verify(void)
{
	struct gt_error e = {0};
	struct gt_merge *m = gt_merge_open(trace_path, GT_MERGE_STRICT | GT_MERGE_LIVE, &e);
	uint64_t listed[64] = {0};
	struct gt_event ev;
	int more = m ? 1 : -1;

	while (more > 0) {
		more = gt_merge_next(m, &ev, &e);
		if (more > 0 && ev.kind == GT_TIMED && ev.number == GT_EV_PROC_STATUS &&
		    ev.args[0] < GT_LEN(listed)) {
			const uint64_t gen = gt_merge_generation(m)->number;

			if (listed[ev.args[0]] == gen) {
				snprintf(told->why, sizeof(told->why), "a P has two states");
			}
			listed[ev.args[0]] = gen;
		}
	}
	if (more < 0) {
		gt_error_text(&e, told->why, sizeof(told->why));
	}
}

/* A process with a trace of its own: it jumps from that instruction on until it
 * breaks. */
static void jump(const struct way *way)
{
	const unsigned first = told->at;
	struct gt_thread *t;

	started();
	gt_store_relaxed(&gt_stack_depth, 0);
	t = gt_tls.thread;
	play(OTHERS + POSTS_MOST);
	for (; told->at <= told->last && told->at < first + JUMPS; told->at++) {
		if (told->at && !told->worth[told->at]) {
			continue;
		}
		/* Each batch is to name all, and of each kind of wait one is as those
		 * before. */
		for (int i = 0; i < 2; i++) {
			wait_once(way, false);
			drain_others();
		}
		told->jumps += told->at != 0;
		wait_once(way, true);
		if (gt_load_relaxed(&gt_trace->broken)) {
			told->lost++;
			told->at++;
			break;
		}
		if (gt_in_section(t) || gt_tls.busy || t->undo.writes != GT_WRITES_NOTHING) {
			snprintf(told->why, sizeof(told->why), "it is inside still");
			break;
		}
		wait_once(way, false);
		drain_others();
		seal(t);
		/* What is whole so far is judged whatever comes after it. */
		if (told->at % 8 == 0) {
			gt_advance(t, false, false);
		}
	}
	gt_trace_stop();
	/* Before the first generation it has broken off there is none. */
	if (access(trace_path, F_OK) == 0) {
		verify();
	}
	ended();
}

static void jump_everywhere(const struct way *way)
{
	struct sigaction trap = {.sa_sigaction = on_trap, .sa_flags = SA_SIGINFO | SA_NODEFER};

	told = mmap(NULL, sizeof(*told), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	cr_assert_neq(told, MAP_FAILED);
	sigaction(SIGTRAP, &trap, NULL);
	while (told->at <= told->last) {
		const unsigned first = told->at;
		int status = 0;
		pid_t child = fork();

		if (child == 0) {
			jump(way);
			_exit(0);
		}
		cr_assert_eq(waitpid(child, &status, 0), child);
		cr_assert_eq(status, 0, "instruction %u or before: status %x", told->at, status);
		cr_assert_eq(told->why[0], 0, "instructions %u to %u: %s", first, told->at - 1,
			     told->why);
		cr_assert_lt(told->last, (unsigned)TRAPS_MOST);
	}
	cr_expect_gt(told->last, 100u);
	cr_expect_gt(told->jumps, 20u);
	cr_expect_eq(told->at_once, true);
	cr_expect_leq(told->lost, way->breaks, "%u of %u", told->lost, told->jumps);
}

/* Between what is posted, or drained, and what says so there is no way back: so
 * many of each. */
enum { DRAIN = 8, POST = 8 };

Test(jump, out_of_a_beginning)
{
	jump_everywhere(&(struct way){.begins = true, .posts = 1, .breaks = DRAIN});
}

Test(jump, out_of_an_end)
{
	jump_everywhere(&(struct way){.cond = true, .posts = 2, .breaks = DRAIN + POST});
}

Test(jump, out_of_an_end_whose_post_is_refused)
{
	jump_everywhere(&(struct way){.refused = true, .breaks = POST});
}
#endif
