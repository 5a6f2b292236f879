/*
 * Facts in words: names of calls, errors and settings, for the text forms and for stat.
 */
#pragma once

#include <stdio.h>

#include "cursor.h"

/* How the numbers of a call read: what its argument is, and what its result may be besides an
 * error. */
enum gt_call_word {
	GT_CALL_WORD_NONE,   /* no argument */
	GT_CALL_WORD_FD,     /* a descriptor */
	GT_CALL_WORD_CHILD,  /* a process id; so is the result of most */
	GT_CALL_WORD_ID,     /* of System V IPC */
	GT_CALL_WORD_NUMBER, /* of a system call */
};

enum { GT_ERRNO_MAX = 4095 }; /* results down to minus this are errors, as in the kernel */

/* "read"; "call#300" where a newer writer's number has no name here: then in *room. */
struct gt_call_name {
	char s[32];
};
const char *gt_call_name(uint64_t call, struct gt_call_name *room);
/* "EAGAIN"; NULL: no name. */
const char *gt_errno_name(uint64_t error);

/* A result that is an error. */
GT_INLINE bool gt_call_failed(int64_t result)
{
	return result < 0 && result >= -GT_ERRNO_MAX;
}

/*
 * "read fd 5 = 10", "accept fd 3 = EAGAIN", of the arguments of a FACT_CALL. same: without what
 * differs from run to run: ids of processes and of IPC, addresses.
 */
void gt_call_put(FILE *out, const uint64_t *args, bool same);

/* Where recording ended before the program did: a FACT_BROKEN, of which a merged trace has many. */
struct gt_broken_off {
	uint64_t time;
	uint64_t first, why, error, ns; /* its arguments */
};

struct gt_broken_offs {
	struct gt_broken_off *array;
	size_t count, cap;
};

/* Another one. The array is the caller's to free. */
void gt_broken_note(struct gt_broken_offs *all, const struct gt_event *ev);
/* "the trace could not be written (ENOSPC)"; in *room. */
struct gt_broken_words {
	char s[200];
};
const char *gt_broken_words(const struct gt_broken_off *b, struct gt_broken_words *room);

/* The value of a FACT_ABOUT: "yes", "64", "sync,net", "2.36"; in *room. */
struct gt_about_words {
	char s[200];
};
const char *gt_about_words(uint64_t what, uint64_t value, struct gt_about_words *room);
/* The same of a set of classes. */
const char *gt_class_words(uint64_t classes, struct gt_about_words *room);

/* " (mutex)": what the numbers of a fact mean, where there is a word for it. */
void gt_fact_put_words(FILE *out, unsigned fact, const uint64_t *args);
