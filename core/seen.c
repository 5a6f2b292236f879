/*
 * Walks that a thread remembers: noting one.
 */
#include "seen.h"

GT_OFTEN_READ _Atomic uint32_t gt_seen_forgets;

/* Whether a tag leads to the walk there, and it may come again. */
static bool is_taken(const struct gt_seen_walks *seen, uint8_t place)
{
	const struct gt_seen *s = &seen->walk[place];

	return seen->set[s->set].tag[s->way] != 0 && seen->set[s->set].at[s->way] == place &&
	       s->forgets == gt_load_relaxed(&gt_seen_forgets);
}

struct gt_seen *gt_seen_begin(struct gt_seen_walks *seen, uintptr_t frame)
{
	enum { MANY = 64, MORE = 2, ONE_IN = 8 };
	uint64_t key = gt_seen_key(frame);
	unsigned set = gt_seen_set(key);
	uint32_t tag = gt_seen_tag(key);
	unsigned way = 0;
	unsigned same = 0;
	struct gt_seen *s;
	uint8_t place;

	/* More than one in three. */
	seen->misses += seen->misses < MANY ? MORE : 1;
	if (seen->misses >= MANY && seen->misses % ONE_IN != 0) {
		return NULL;
	}
	seen->misses = GT_MIN(seen->misses, (uint16_t)MANY);
	/* All bytes, one after another (Hull and Dobell), spread over the walks. */
	seen->next = (uint8_t)(seen->next * 5 + 7);
	place = (uint8_t)gt_seen_usual(key);
	if (is_taken(seen, place)) {
		place = (uint8_t)(seen->next * GT_SEEN_WALKS / 256);
	}
	s = &seen->walk[place];
	/* A handler may jump out of here: until it is settled, it is one that was forgotten. */
	s->forgets = gt_load_acquire(&gt_seen_forgets) - 1;
	gt_signal_fence();
	if (seen->set[s->set].at[s->way] == place) {
		seen->set[s->set].tag[s->way] = 0;
	}
	/* A free way, or the last; but two of the same tag at most, for each is a look in vain. */
	while (way < GT_SEEN_WAYS - 1 && seen->set[set].tag[way] != 0) {
		same += seen->set[set].tag[way] == tag;
		if (same == 2) {
			break;
		}
		way++;
	}
	/* In this order: a tag leads to no walk of somebody who had the record before. */
	seen->set[set].at[way] = place;
	gt_signal_fence();
	seen->set[set].tag[way] = tag;
	s->set = (uint8_t)set;
	s->way = (uint8_t)way;
	s->frame = frame;
	gt_seen_again(s);
	return s;
}

void gt_seen_again(struct gt_seen *s)
{
	s->words = 0;
	s->pcs = 0;
	s->id.gen = 0;
}

void gt_seen_settle(struct gt_seen *s, unsigned n, unsigned max, bool whole, uint64_t hash)
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
	/* To whole steps of gt_seen_find: the last one, again. */
	while (s->words % GT_SEEN_STEP != 0) {
		s->at[s->words] = s->at[s->words - 1];
		s->word[s->words] = s->word[s->words - 1];
		s->words++;
	}
	for (unsigned i = 0; i < s->words; i++) {
		s->word[i]--;
	}
	s->n = (uint16_t)n;
	s->least = (uint16_t)(n < max ? n + 1 : max);
	s->more = n < max ? INT16_MAX : 0;
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
