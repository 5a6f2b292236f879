/*
 * Maps of code made at run time.
 */
#include "sym_perf.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { OVERLAPS_MAX = 256 }; /* earlier beginnings that may reach a place */

struct entry {
	uint64_t start, size;
	size_t name, length; /* in text */
	size_t line;         /* in the file; the later one counts */
};

struct gt_sym_perf {
	char *text;
	struct entry *entries;
	size_t n, cap;
};

static bool trusted(const struct stat *st, uint64_t since, unsigned owner, char *why, size_t size)
{
	if (!S_ISREG(st->st_mode) || (st->st_uid != owner && st->st_uid != 0)) {
		snprintf(why, size, "it is not a file of the trace's owner");
	} else if ((uint64_t)st->st_mtime + 1 < since) {
		snprintf(why, size,
			 "it is older than the trace: of another process of that number");
	} else {
		return true;
	}
	return false;
}

/* The whole file, with a zero after it; NULL with errno. */
static char *read_all(int fd, size_t *length)
{
	size_t have = 0, cap = 0;
	char *text = NULL;
	ssize_t n;

	for (;;) {
		if (cap - have < 2) {
			cap = cap != 0 ? cap * 2 : 1 << 16;
			text = gt_realloc(text, cap);
		}
		n = read(fd, text + have, cap - have - 1);
		if (n < 0 && errno == EINTR) {
			continue;
		}
		if (n <= 0) {
			break;
		}
		have += (size_t)n;
	}
	if (n < 0) {
		free(text);
		return NULL;
	}
	text[have] = '\0';
	*length = have;
	return text;
}

static int compare(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	if (x->start != y->start) {
		return x->start < y->start ? -1 : 1;
	}
	return x->line < y->line ? -1 : x->line > y->line;
}

/* "3ef414c0 398 LazyCompile:*f /a.js:1:10". A line that is not so is left out. */
static void read_line(struct gt_sym_perf *p, const char *at, const char *end, size_t line)
{
	struct entry e = {.line = line};
	char *next;

	e.start = strtoull(at, &next, 16);
	if (next == at || *next != ' ') {
		return;
	}
	at = next;
	e.size = strtoull(at, &next, 16);
	if (next == at || *next != ' ' || next + 1 >= end || e.start + e.size <= e.start) {
		return;
	}
	e.name = (size_t)(next + 1 - p->text);
	e.length = (size_t)(end - next - 1);
	p->entries = gt_grow(p->entries, p->n, &p->cap, sizeof(*p->entries));
	p->entries[p->n++] = e;
}

struct gt_sym_perf *gt_sym_perf_open(const char *path, uint64_t process, uint64_t since,
				     unsigned owner, char *why, size_t size)
{
	struct gt_sym_perf *p;
	char usual[64];
	size_t length, line = 0;
	struct stat st;
	int fd;

	*why = '\0';
	snprintf(usual, sizeof(usual), "/tmp/perf-%" PRIu64 ".map", process);
	/* /tmp is everybody's: neither a link nor a pipe is followed there. */
	fd = open(path != NULL ? path : usual,
		  O_RDONLY | O_CLOEXEC | (path != NULL ? 0 : O_NOFOLLOW | O_NONBLOCK));
	if (fd < 0) {
		if (path != NULL || errno != ENOENT) {
			snprintf(why, size, "%s: %s", path != NULL ? path : usual, strerror(errno));
		}
		return NULL;
	}
	p = gt_alloc(sizeof(*p));
	if (path == NULL) {
		const int n = snprintf(why, size, "%s: ", usual);

		if (fstat(fd, &st) != 0 || !trusted(&st, since, owner, why + n, size - (size_t)n)) {
			close(fd);
			free(p);
			return NULL;
		}
		*why = '\0';
	}
	p->text = read_all(fd, &length);
	if (p->text == NULL) {
		snprintf(why, size, "%s: %s", path != NULL ? path : usual, strerror(errno));
		close(fd);
		free(p);
		return NULL;
	}
	close(fd);
	for (char *at = p->text, *end; at < p->text + length; at = end + 1) {
		end = memchr(at, '\n', (size_t)(p->text + length - at));
		if (end == NULL) {
			break; /* a line that is still being written */
		}
		*end = '\0';
		read_line(p, at, end, line++);
	}
	if (p->n > 1) {
		qsort(p->entries, p->n, sizeof(*p->entries), compare);
	}
	return p;
}

void gt_sym_perf_close(struct gt_sym_perf *p)
{
	if (p != NULL) {
		free(p->text);
		free(p->entries);
		free(p);
	}
}

static bool digits(const char *from, const char *to)
{
	for (const char *c = from; c < to; c++) {
		if (*c < '0' || *c > '9') {
			return false;
		}
	}
	return from < to;
}

static const char *last(const char *from, const char *to, char c)
{
	return from < to ? memrchr(from, c, (size_t)(to - from)) : NULL;
}

/*
 * What V8 and CPython put into the name: "JS:*f file:///a.js:12:3" and "py::f:/a.py". The mark
 * that tells how V8 compiled it stays.
 */
static void split(struct gt_sym_perf_frame *f)
{
	const char *begin = f->func.data, *end = begin + f->func.length;
	const char *column = last(begin, end, ':');
	const char *line = column != NULL ? last(begin, column, ':') : NULL;
	const char *blank = line != NULL ? memchr(begin, ' ', (size_t)(line - begin)) : NULL;

	if (blank != NULL && digits(column + 1, end) && digits(line + 1, column) &&
	    blank + 1 < line) {
		f->file = (struct gt_text){blank + 1, (size_t)(line - blank - 1)};
		f->line = strtoull(line + 1, NULL, 10);
		f->func.length = (size_t)(blank - begin);
	} else if (f->func.length > 4 && memcmp(begin, "py::", 4) == 0) {
		const char *colon = memchr(begin + 4, ':', f->func.length - 4);

		if (colon != NULL && colon > begin + 4 && colon + 1 < end) {
			f->file = (struct gt_text){colon + 1, (size_t)(end - colon - 1)};
			f->func.length = (size_t)(colon - begin);
		}
	}
}

bool gt_sym_perf_find(const struct gt_sym_perf *p, uint64_t pc, struct gt_sym_perf_frame *frame)
{
	const struct entry *best = NULL;
	size_t from = 0;
	size_t to = p->n;

	while (from < to) {
		const size_t mid = from + (to - from) / 2;

		if (p->entries[mid].start <= pc) {
			from = mid + 1;
		} else {
			to = mid;
		}
	}
	for (unsigned back = 0; from > 0 && back < OVERLAPS_MAX; back++) {
		const struct entry *e = &p->entries[--from];

		if (pc - e->start < e->size && (best == NULL || e->line > best->line)) {
			best = e;
		}
	}
	if (best == NULL) {
		return false;
	}
	*frame = (struct gt_sym_perf_frame){.func = {p->text + best->name, best->length}};
	split(frame);
	return true;
}
