/*
 * Walks that a thread remembers: noting one.
 */
#include "seen.h"

_Atomic uint32_t gt_seen_forgets;

struct gt_seen *gt_seen_begin(struct gt_seen_walks *seen, uintptr_t frame)
{
	enum { MANY = 16, ONE_IN = 8 };
	uint64_t key = gt_seen_key(frame);
	size_t first = gt_seen_place(key);
	uint8_t *next = &seen->next[first / GT_SEEN_WAYS];
	struct gt_seen *s;

	if (++seen->misses > MANY) {
		if (seen->misses % ONE_IN != 0) {
			return NULL;
		}
		seen->misses = MANY;
	}
	s = &seen->walk[first + *next];
	/* A handler may jump out of here: until it is settled, it is one that was forgotten. */
	s->forgets = gt_load_acquire(&gt_seen_forgets) - 1;
	gt_signal_fence();
	seen->key[first + *next] = key;
	*next = (*next + 1) % GT_SEEN_WAYS;
	s->frame = frame;
	gt_seen_again(s);
	return s;
}

void gt_seen_again(struct gt_seen *s)
{
	s->words = 0;
	s->pcs = 0;
	s->id_gen = 0;
}

void gt_seen_settle(struct gt_seen *s, unsigned n, bool whole, uint64_t hash)
{
	unsigned pcs = 0;

	if (s->words == 0 || s->words > GT_SEEN_WORDS) {
		return;
	}
	/* Return addresses first, in their order; no order is asked of the others. */
	for (unsigned i = 0; i < s->words; i++) {
		if (s->pcs >> i & 1) {
			uint16_t at = s->at[i];
			uint64_t word = s->word[i];

			s->at[i] = s->at[pcs];
			s->word[i] = s->word[pcs];
			s->at[pcs] = at;
			s->word[pcs++] = word;
		}
	}
	for (unsigned i = 0; i < n; i++) {
		s->word[i]--;
	}
	s->n = (uint16_t)n;
	s->whole = whole;
	s->hash = hash;
	gt_signal_fence();
	s->forgets++;
}

uint64_t gt_seen_hash(const uint64_t *pcs, unsigned n)
{
	uint64_t h = n;

	for (unsigned i = 0; i < n; i++) {
		h = (h ^ pcs[i]) * 0xff51afd7ed558ccd;
		h ^= h >> 32;
	}
	return h | 1;
}

void gt_seen_forget(void)
{
	gt_add_acq_rel(&gt_seen_forgets, 1);
}
