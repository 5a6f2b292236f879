/*
 * The stack walk by call frame information.
 */
#include "unwind.h"

#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <ucontext.h>

#include "base/atomic.h"
#include "base/sys.h"
#include "cfi.h"
#include "loaded.h"
#include "stack.h"

#if defined(__x86_64__)

/* --- Objects -------------------------------------------------------------------------------- */

/* glibc's struct dl_find_object, which its headers before 2.35 do not have. */
struct found {
	unsigned long long flags;
	void *map_start;
	void *map_end;
	struct link_map *link_map;
	void *eh_frame; /* .eh_frame_hdr */
	unsigned long long reserved[7];
};

typedef int find_object(void *pc, struct found *found);

struct object {
	uintptr_t lo;
	uintptr_t hi;
	uintptr_t hdr;
};

/* Written once, by the constructor, before any walk. */
static find_object *find_in_loader;
static struct object objects[512]; /* by address */
static size_t nobjects;

static int object_add(struct dl_phdr_info *info, size_t size, void *unused)
{
	struct object o = {.lo = UINTPTR_MAX};
	size_t i = nobjects;

	(void)size;
	(void)unused;
	for (unsigned p = 0; p < info->dlpi_phnum; p++) {
		const ElfW(Phdr) *ph = &info->dlpi_phdr[p];
		uintptr_t at = info->dlpi_addr + ph->p_vaddr;

		if (ph->p_type == PT_LOAD) {
			o.lo = GT_MIN(o.lo, at);
			o.hi = GT_MAX(o.hi, at + ph->p_memsz);
		} else if (ph->p_type == PT_GNU_EH_FRAME) {
			o.hdr = at;
		}
	}
	if (o.hdr == 0 || nobjects == GT_LEN(objects)) {
		return 0;
	}
	for (; i > 0 && objects[i - 1].lo > o.lo; i--) {
		objects[i] = objects[i - 1];
	}
	objects[i] = o;
	nobjects++;
	return 0;
}

static const struct object *object_at_start(uintptr_t address)
{
	size_t from = 0;
	size_t to = nobjects;

	while (from < to) {
		size_t mid = from + (to - from) / 2;

		if (objects[mid].lo <= address) {
			from = mid + 1;
		} else {
			to = mid;
		}
	}
	return from != 0 && address < objects[from - 1].hi ? &objects[from - 1] : NULL;
}

static const struct object *object_of(uintptr_t pc, struct object *o)
{
	struct found found = {0};

	if (find_in_loader == NULL) {
		return object_at_start(pc);
	}
	if (find_in_loader((void *)pc, &found) != 0 || found.eh_frame == NULL) {
		return NULL;
	}
	o->lo = (uintptr_t)found.map_start;
	o->hi = (uintptr_t)found.map_end;
	o->hdr = (uintptr_t)found.eh_frame;
	if (o->hdr >= o->lo && o->hdr < o->hi) {
		return o;
	}
	/* Of a program with gaps between its segments glibc gives only the one around pc. */
	return object_at_start(o->hdr);
}

void gt_unwind_init_snapshot(void)
{
	find_in_loader = NULL;
	nobjects = 0;
	dl_iterate_phdr(object_add, NULL);
}

void gt_unwind_init(void)
{
	void *p = gt_loaded_next("_dl_find_object", NULL);

	gt_unwind_init_snapshot();
	/* A pointer to data and one to code are the same bytes here (POSIX, dlsym). */
	memcpy(&find_in_loader, &p, sizeof(p));
}

bool gt_unwind_lock_free(void)
{
	return find_in_loader != NULL;
}

bool gt_unwind_object(uintptr_t address, uintptr_t *lo, uintptr_t *hi, const struct link_map **map)
{
	struct found found = {0};

	if (find_in_loader == NULL || find_in_loader((void *)address, &found) != 0) {
		return false;
	}
	*lo = (uintptr_t)found.map_start;
	*hi = (uintptr_t)found.map_end;
	*map = found.link_map;
	return true;
}

bool gt_unwind_ready(void)
{
	return find_in_loader != NULL || nobjects != 0;
}

/* --- Rows ----------------------------------------------------------------------------------- */

/*
 * A row and its whole key in one word, so that a relaxed load gives both or neither. The key is
 * the address (47 bits in user space) times an odd number: that is a bijection, so its upper bits,
 * which choose the bucket, and its lower bits, kept in the word, together are the address.
 *
 *	63 .. 31 key	30 .. 28 kind	27 .. 12 cfa / 8	11 .. 0 fp / 8
 */
enum { PC_BITS = 47, BUCKET_BITS = 14, WAYS = 2, ROW_BITS = 3 + GT_CFI_CFA_BITS + GT_CFI_FP_BITS };
_Static_assert(PC_BITS - BUCKET_BITS + ROW_BITS == 64, "a row and its key fill one word");

/* 256 KiB, of which the touched pages cost: touched has a bit for each of them. [any thread] */
enum { PAGES = 64, PAGE_BUCKETS = (1 << BUCKET_BITS) / PAGES };
static _Atomic uint64_t rows[1 << BUCKET_BITS][WAYS] GT_ALIGNED(GT_PAGE);
static _Atomic uint64_t touched;
_Static_assert(sizeof(rows) == PAGES * GT_PAGE, "a bit is a page");

static uint64_t pack(struct gt_cfi_row row)
{
	return (uint64_t)row.kind << (GT_CFI_CFA_BITS + GT_CFI_FP_BITS) |
	       (uint64_t)(row.cfa / 8) << GT_CFI_FP_BITS | row.fp / 8;
}

GT_INLINE uint64_t kind_in(uint64_t row)
{
	return row >> (GT_CFI_CFA_BITS + GT_CFI_FP_BITS) & 7;
}

/* Both in bytes, each by one shift and one mask: they are on the walk's critical path. */
GT_INLINE uintptr_t cfa_in(uint64_t row)
{
	return row >> (GT_CFI_FP_BITS - 3) & GT_CFI_CFA_MAX;
}

GT_INLINE uintptr_t fp_in(uint64_t row)
{
	return row << 3 & GT_CFI_FP_MAX;
}

static GT_NOINLINE uint64_t row_find(uintptr_t pc, _Atomic uint64_t *bucket, uint64_t key)
{
	const uint64_t page = UINT64_C(1) << ((uintptr_t)bucket - (uintptr_t)rows) / GT_PAGE;
	struct gt_cfi_row row = {.kind = GT_CFI_NONE};
	struct object found;
	const struct object *o = object_of(pc, &found);
	uint64_t packed;

	if (o != NULL) {
		row = gt_cfi_find(o->lo, o->hi, o->hdr, pc);
	}
	packed = key << ROW_BITS | pack(row);
	/* Before and after: the bit may be taken, and the page cleared, in between. Partner: the
	 * exchange in gt_unwind_forget. */
	gt_or_acq_rel(&touched, page);
	/* Two threads may do this at once: a row is then there twice, or lost. */
	gt_store_relaxed(&bucket[1], gt_load_relaxed(&bucket[0]));
	gt_store_relaxed(&bucket[0], packed);
	gt_or_acq_rel(&touched, page);
	return packed;
}

/* The row of the call that returns to next. */
GT_INLINE uint64_t row_at(uintptr_t next)
{
	uint64_t product = next * 0x9e3779b97f4a7c15;
	uint64_t key = product & ((1ull << (PC_BITS - BUCKET_BITS)) - 1);
	_Atomic uint64_t *bucket =
		rows[product >> (PC_BITS - BUCKET_BITS) & ((1u << BUCKET_BITS) - 1)];

	for (unsigned way = 0; way < WAYS; way++) {
		uint64_t row = gt_load_relaxed(&bucket[way]);

		/* The same key leaves the row's bits; 0 there is an empty word. */
		if (gt_likely((row ^ key << ROW_BITS) - 1 < (1ull << ROW_BITS) - 1)) {
			return row;
		}
	}
	return row_find(next - 1, bucket, key);
}

void gt_unwind_forget(void)
{
	uint64_t pages = gt_exchange_acq_rel(&touched, 0);

	/* The others are not there yet: to clear them would make them. */
	for (; pages != 0; pages &= pages - 1) {
		const size_t first = (size_t)__builtin_ctzll(pages) * PAGE_BUCKETS;

		for (size_t i = first; i < first + PAGE_BUCKETS; i++) {
			for (unsigned way = 0; way < WAYS; way++) {
				gt_store_relaxed(&rows[i][way], 0);
			}
		}
	}
	/* Behind the rows: a walk by old ones must not count as one that came later. */
	gt_seen_forget();
}

/* --- The walk ------------------------------------------------------------------------------- */

struct cursor {
	uintptr_t next; /* the return address; one more than the place that a signal interrupted */
	uintptr_t sp;
	uintptr_t fp;
	uintptr_t fp_at; /* where that was read; 0: nowhere, or that is noted */
	uintptr_t hi;    /* nothing at or above it is read; 0: a stack whose bounds are not known */
	uintptr_t probed_lo; /* of such a stack: what was found to be readable */
	uintptr_t probed_hi;
	struct gt_seen *seen; /* what it reads is noted here; NULL: nowhere */
};

GT_INLINE GT_STACK_READER uintptr_t word_at(uintptr_t address)
{
	return *(const uintptr_t *)address;
}

GT_INLINE void note(struct cursor *c, uintptr_t address, uintptr_t word, bool pc)
{
	if (c->seen) {
		gt_seen_note(c->seen, address, word, pc);
	}
}

/* What rbp was, for a frame that is found by it. Most code keeps something else there. */
GT_INLINE uintptr_t use_fp(struct cursor *c)
{
	if (c->fp_at != 0) {
		note(c, c->fp_at, c->fp, false);
		c->fp_at = 0;
	}
	return c->fp;
}

/*
 * On a stack with unknown bounds (a coroutine's, a signal's), how far memory may be read from sp
 * on: to the end of its page, and of those behind it that are there, as far as the largest frame
 * that a row can describe. Asks the kernel: rt_sigprocmask reads its argument before it finds that
 * nothing is to be done with it (EINVAL), or cannot (EFAULT).
 */
static GT_COLD uintptr_t probe(uintptr_t sp)
{
	/* The word below sp was read; sp itself may be the end of the stack. */
	uintptr_t end = GT_ROUND_UP(sp, (uintptr_t)GT_PAGE);
	uint64_t set;

	while (end < sp + GT_CFI_CFA_MAX) {
		const long bad_how = -1;

		set = 0;
		if (gt_syscall6(SYS_rt_sigprocmask, bad_how, (long)end, 0, sizeof(set), 0, 0) !=
		    -EINVAL) {
			break;
		}
		end += GT_PAGE;
	}
	return end;
}

/* The end of what may be read next. */
GT_INLINE uintptr_t limit(struct cursor *c)
{
	if (gt_likely(c->hi != 0)) {
		return c->hi;
	}
	if (c->sp >= c->probed_lo && c->sp + 256 < c->probed_hi) {
		return c->probed_hi;
	}
	c->probed_lo = c->sp;
	c->probed_hi = probe(c->sp);
	return c->probed_hi;
}

GT_INLINE void place(struct cursor *c, const struct gt_stack_root *root, uintptr_t sp)
{
	c->sp = sp;
	c->hi = sp - root->lo < root->hi - root->lo ? root->hi : 0;
}

/* The registers that a signal interrupted. Where it ran on a stack of its own, back to the other.
 */
GT_INLINE bool step_signal(struct cursor *c, const struct gt_stack_root *root)
{
	const ucontext_t *uc = (const ucontext_t *)c->sp;

	if (c->seen) {
		c->seen->words = GT_SEEN_WORDS + 1;
	}
	if (c->sp % 8 != 0 || limit(c) - c->sp < sizeof(uc->uc_mcontext.gregs) +
							 offsetof(ucontext_t, uc_mcontext.gregs)) {
		return false;
	}
	c->next = (uintptr_t)uc->uc_mcontext.gregs[REG_RIP] + 1;
	c->fp = (uintptr_t)uc->uc_mcontext.gregs[REG_RBP];
	place(c, root, (uintptr_t)uc->uc_mcontext.gregs[REG_RSP]);
	return c->sp % 8 == 0;
}

/* To the caller whose stack pointer is cfa and whose rbp is at saved (0: where it is now). */
GT_INLINE bool step_to(struct cursor *c, uintptr_t cfa, uintptr_t saved)
{
	if (gt_unlikely(cfa <= c->sp || cfa > limit(c) || cfa % 8 != 0)) {
		return false;
	}
	if (saved != 0) {
		/*
		 * Behind a pop in an epilogue, where a signal may interrupt, gcc's tables still
		 * name the place that was popped from; the kernel leaves 128 bytes there alone.
		 */
		if (gt_unlikely(saved < c->sp - 128 || saved > cfa - 8)) {
			return false;
		}
		c->fp = word_at(saved);
		c->fp_at = saved;
	}
	c->next = word_at(cfa - 8);
	note(c, cfa - 8, c->next, true);
	c->sp = cfa;
	return true;
}

/* A frame that nothing is known of but what its rbp says, if that points into a known stack. */
GT_INLINE bool step_guess(struct cursor *c)
{
	uintptr_t fp = use_fp(c);

	if (c->hi == 0 || fp < c->sp || fp > c->hi - 16 || fp % 8 != 0) {
		return false;
	}
	return step_to(c, fp + 16, fp);
}

/* *guessed and *ended stay, or become true. */
GT_INLINE bool step(struct cursor *c, const struct gt_stack_root *root, bool *guessed, bool *ended)
{
	/* What is not an address of user space has no row: a call through a wild pointer. */
	uint64_t none = (uint64_t)GT_CFI_NONE << (GT_CFI_CFA_BITS + GT_CFI_FP_BITS);
	uint64_t row = gt_likely(c->next >> PC_BITS == 0) ? row_at(c->next) : none;
	uint64_t kind = kind_in(row);
	uintptr_t fp = fp_in(row);
	uintptr_t cfa;

	if (gt_likely(kind == GT_CFI_SP)) {
		cfa = c->sp + cfa_in(row);
	} else if (kind == GT_CFI_FP) {
		cfa = use_fp(c) + cfa_in(row);
	} else if (kind == GT_CFI_ALIGNED) {
		uintptr_t at = use_fp(c) - cfa_in(row);
		uintptr_t word;

		if (at < c->sp || at % 8 != 0 || at > limit(c) - 8 || c->fp > limit(c) - 8) {
			return false;
		}
		word = word_at(at);
		note(c, at, word, false);
		return step_to(c, word, c->fp);
	} else if (kind == GT_CFI_SIGNAL) {
		return step_signal(c, root);
	} else if (kind == GT_CFI_END) {
		*ended = true;
		return false;
	} else {
		*guessed = true;
		return step_guess(c);
	}
	if (gt_unlikely(fp == GT_CFI_FP_LOST)) {
		c->fp = 0;
		c->fp_at = 0;
		fp = 0;
	}
	return step_to(c, cfa, fp != 0 ? cfa - fp : 0);
}

GT_STACK_READER unsigned gt_unwind_walk(const struct gt_stack_root *root, uintptr_t frame,
					uint64_t *pcs, unsigned max, bool *whole,
					struct gt_seen *seen)
{
	struct cursor c = {.fp = frame, .seen = seen};
	uintptr_t cut = root->cut_hi - root->cut_lo;
	bool guessed = false;
	bool ended = false;
	unsigned certain = 0; /* entries before the first guess */
	unsigned n = 0;
	bool more;

	*whole = false;
	place(&c, root, frame);
	/* The function that frame belongs to is ours and keeps rbp as its frame pointer. */
	more = step_to(&c, frame + 16, frame);
	while (more) {
		if (c.next - root->cut_lo < cut) {
			*whole = true;
			return n;
		}
		if (n == max || c.next <= 1) {
			break;
		}
		pcs[n++] = c.next - 1;
		certain += !guessed;
		more = step(&c, root, &guessed, &ended);
	}
	/* A thread without a trampoline ends where its code says so. */
	*whole = root->cut_hi == 0 && ended && !guessed;
	return n == max ? n : certain;
}

#else

void gt_unwind_init(void)
{
}

void gt_unwind_init_snapshot(void)
{
}

bool gt_unwind_lock_free(void)
{
	return false;
}

bool gt_unwind_object(uintptr_t address, uintptr_t *lo, uintptr_t *hi, const struct link_map **map)
{
	(void)address;
	(void)lo;
	(void)hi;
	(void)map;
	return false;
}

bool gt_unwind_ready(void)
{
	return false;
}

void gt_unwind_forget(void)
{
}

unsigned gt_unwind_walk(const struct gt_stack_root *root, uintptr_t frame, uint64_t *pcs,
			unsigned max, bool *whole, struct gt_seen *seen)
{
	(void)root;
	(void)frame;
	(void)pcs;
	(void)max;
	(void)seen;
	*whole = false;
	return 0;
}

#endif
