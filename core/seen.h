/*
 * Walks that a thread remembers, so that the same stack is not walked twice.
 *
 * A walk is a function of the frame that it begins at and of the words that it reads from there
 * upwards; where they are the same again, so is the list. To look is a load and a comparison a
 * word, none of which waits for another: no frame is followed, none of the places of the code
 * looked up. Owned by one thread, used by it alone, with its guard up.
 */
#pragma once

#include "base/atomic.h"
#include "base/util.h"

/* Reads other functions' frames, which AddressSanitizer may have poisoned. */
#define GT_STACK_READER __attribute__((no_sanitize("address")))

enum {
	GT_SEEN_WORDS = 64,
	GT_SEEN_STEP = 4, /* words that are compared at a time */
	GT_SEEN_WALKS = 24,
	GT_SEEN_SETS = 16,
	GT_SEEN_WAYS = 4,
};
_Static_assert(GT_SEEN_WORDS % GT_SEEN_STEP == 0, "words are padded to whole steps");

/* The id that a list has in the generation with that low half (gt_stack_put_walked); 0: none. */
struct gt_list_id {
	uint32_t gen;
	uint32_t id;
};

struct gt_seen {
	uintptr_t frame;
	uint32_t forgets; /* how often all was forgotten by then; not so often: nothing is kept */
	uint16_t words;   /* more than there is room for: cannot be kept; settled: whole steps */
	uint16_t n;       /* of them, the first ones: the list */
	uint16_t least; /* for walks of that many at most, or up to so many more, it is the same */
	uint16_t more;
	uint64_t pcs;  /* while it is noted: which words are return addresses */
	uint64_t hash; /* of the list, the same for the same list only */
	struct gt_list_id id;
	bool whole;
	uint8_t set, way;             /* its tag's */
	uint16_t at[GT_SEEN_WORDS];   /* words above frame */
	uint64_t word[GT_SEEN_WORDS]; /* settled: each - 1, as the list has return addresses */
} GT_ALIGNED(GT_LINE);

/*
 * Found by where they began and by the first return address, which leads to a set of tags. A tag
 * that is another's, or whose walk is another by now, costs a look and no more.
 */
struct gt_seen_walks {
	uint16_t misses; /* many: most of the last ones were not found */
	uint8_t next;    /* the last that was overwritten: they are so in an irregular order */
	struct {
		uint32_t tag[GT_SEEN_WAYS]; /* 0: none */
		uint8_t at[GT_SEEN_WAYS];   /* in walk */
	} set[GT_SEEN_SETS];
	struct gt_seen walk[GT_SEEN_WALKS];
};

/* How often all walks of all threads were forgotten, because the code may be another. */
extern GT_HIDDEN _Atomic uint32_t gt_seen_forgets;

/*
 * They begin: a walk from frame, which is noted in what is returned. NULL: not this one, since few
 * come again.
 */
struct gt_seen *gt_seen_begin(struct gt_seen_walks *seen, uintptr_t frame);
/* From the beginning again. */
void gt_seen_again(struct gt_seen *s);
/*
 * They are over: n return addresses, of those noted the first ones, are the list. max: where that
 * was the end of the walk, it is the same for no other.
 */
void gt_seen_settle(struct gt_seen *s, unsigned n, unsigned max, bool whole, uint64_t hash);
/* Of a list; never 0. */
uint64_t gt_seen_hash(const uint64_t *pcs, unsigned n);

/* Of n entries, those of a list with that hash and then the one; never 0. */
GT_INLINE uint64_t gt_seen_hash_and(uint64_t hash, uint64_t entry, unsigned n)
{
	uint64_t h = (hash ^ entry) * 0xff51afd7ed558ccd;

	return ((h ^ h >> 32 ^ n) * 0x9e3779b97f4a7c15) | 1;
}

/* Release: partner is the load in gt_seen_find. After what walks go by has been forgotten. */
void gt_seen_forget(void);

/* The walk goes by that word; pc: as a return address. */
GT_INLINE void gt_seen_note(struct gt_seen *s, uintptr_t address, uintptr_t word, bool pc)
{
	uintptr_t at = (address - s->frame) / 8;

	/* Not behind the frame, nor far above it: then it is not kept. */
	if (gt_likely(s->words < GT_SEEN_WORDS && at <= UINT16_MAX && address % 8 == 0)) {
		s->at[s->words] = (uint16_t)at;
		s->pcs |= (uint64_t)pc << s->words;
		s->word[s->words++] = word;
	} else {
		s->words = GT_SEEN_WORDS + 1;
	}
}

/* Which tags to ask, and for which one. */
GT_INLINE GT_STACK_READER uint64_t gt_seen_key(uintptr_t frame)
{
	return (frame + ((const uintptr_t *)frame)[1]) * 0x9e3779b97f4a7c15;
}

GT_INLINE unsigned gt_seen_set(uint64_t key)
{
	_Static_assert(GT_SEEN_SETS == 16, "four bits");
	return key >> 60;
}

GT_INLINE uint32_t gt_seen_tag(uint64_t key)
{
	return (uint32_t)(key >> 28) | 1;
}

/* Where its walk is noted, if nobody is there. */
GT_INLINE unsigned gt_seen_usual(uint64_t key)
{
	return (unsigned)((key >> 28 & UINT32_MAX) * GT_SEEN_WALKS >> 32);
}

/* Two words, which any processor has instructions for; elsewhere the compiler takes them apart. */
typedef uint64_t gt_seen_pair __attribute__((vector_size(16)));

/* Whether two words lie where they did. */
GT_INLINE GT_STACK_READER gt_seen_pair gt_seen_differ(const uint64_t *stack, const uint16_t *at,
						      const uint64_t *word)
{
	gt_seen_pair found = {stack[at[0]], stack[at[1]]};
	gt_seen_pair wanted;

	__builtin_memcpy(&wanted, word, sizeof(wanted));
	return (found - 1) ^ wanted;
}

/* Whether it would be that one. No word waits for another. */
GT_INLINE bool gt_seen_is(const struct gt_seen *s, uintptr_t frame, unsigned max)
{
	const uint64_t *word = s->word;
	const uint64_t *end = word + s->words;
	const uint16_t *at = s->at;

	if (gt_unlikely(s->frame != frame || max - s->least > s->more ||
			s->forgets != gt_load_acquire(&gt_seen_forgets))) {
		return false;
	}
	do {
		gt_seen_pair d = gt_seen_differ((const uint64_t *)frame, at, word) |
				 gt_seen_differ((const uint64_t *)frame, at + 2, word + 2);

		if (gt_unlikely((d[0] | d[1]) != 0)) {
			return false;
		}
		word += GT_SEEN_STEP;
		at += GT_SEEN_STEP;
	} while (word != end);
	return true;
}

/*
 * The walk from frame by max return addresses at most, if it would be the same again; NULL.
 * All its words lie on the stack that frame is on: they can be read, whatever is there now.
 */
GT_INLINE struct gt_seen *gt_seen_find(struct gt_seen_walks *seen, uintptr_t frame, unsigned max)
{
	uint64_t key = gt_seen_key(frame);
	unsigned set = gt_seen_set(key);
	uint32_t tag = gt_seen_tag(key);
	const struct gt_seen *usual = &seen->walk[gt_seen_usual(key)];

	/* Mostly it is there; its tag, which may have to be fetched itself, says so later. */
	__builtin_prefetch(usual);
	__builtin_prefetch((const char *)usual + GT_LINE);
	for (unsigned way = 0; way < GT_SEEN_WAYS; way++) {
		if (seen->set[set].tag[way] == tag) {
			struct gt_seen *s = &seen->walk[seen->set[set].at[way]];

			/* Its address is worked out once, not at each use. */
			GT_OPAQUE(s);
			if (gt_likely(gt_seen_is(s, frame, max))) {
				if (gt_unlikely(seen->misses != 0)) {
					seen->misses--;
				}
				return s;
			}
		}
	}
	return NULL;
}
