/*
 * The files whose code is mapped into the process.
 */
#include "module.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/hash.h"
#include "base/sys.h"

/* As many mappings as Linux allows a process unless it is told otherwise (vm.max_map_count). */
enum { MODULES_MAX = 1 << 16, PATH_BYTES = 4096 };

/* An array in mapped memory that grows by doubling; its items are moved then. */
struct array {
	void *items;
	size_t bytes; /* mapped */
};

static bool array_fit(struct array *a, size_t bytes)
{
	size_t grown = a->bytes != 0 ? a->bytes : 1 << 14;
	void *p;

	while (grown < bytes) {
		grown *= 2;
	}
	if (grown == a->bytes) {
		return true;
	}
	if (gt_sys_map(&p, grown) != 0) {
		return false;
	}
	if (a->items != NULL) {
		memcpy(p, a->items, a->bytes);
		gt_sys_unmap(a->items, a->bytes);
	}
	a->items = p;
	a->bytes = grown;
	return true;
}

/* An executable mapping. */
struct range {
	uintptr_t lo;
	uintptr_t hi;
	uint64_t offset;
	size_t module;
	bool noted; /* see gt_module_note */
};

static struct array modules;
static size_t nmodules;
static size_t nfree; /* no place below it is free */
/* Modules by id: their number, plus one; 0 is free. A power of two, twice as many as modules. */
static struct array places;
static size_t nplaces;
static struct array ranges; /* by address, as the kernel lists them */
static size_t nranges;
static struct array paths; /* the modules' paths, each with its 0 */
static size_t paths_used;
static uint64_t last_hash;

static unsigned capped;
static char capped_path[256];

static struct gt_module *module_at(size_t i)
{
	return (struct gt_module *)modules.items + i;
}

const char *gt_module_path(const struct gt_module *m)
{
	return (const char *)paths.items + m->path;
}

/* The place of this id, or the free one for it. */
static uint32_t *place_of(uint64_t id)
{
	uint32_t *place = places.items;
	size_t i = id & (nplaces - 1);

	while (place[i] != 0 && module_at(place[i] - 1)->id != id) {
		i = (i + 1) & (nplaces - 1);
	}
	return &place[i];
}

/* Room for one module more than there are, each found by its id. */
static bool places_fit(void)
{
	size_t n = nplaces != 0 ? nplaces : 1024;

	while (n < 2 * (nmodules + 1)) {
		n *= 2;
	}
	if (n == nplaces) {
		return true;
	}
	if (!array_fit(&places, n * sizeof(uint32_t))) {
		return false;
	}
	nplaces = n;
	memset(places.items, 0, n * sizeof(uint32_t));
	for (size_t i = 0; i < nmodules; i++) {
		if (module_at(i)->id != 0) {
			*place_of(module_at(i)->id) = (uint32_t)i + 1;
		}
	}
	return true;
}

/* The module of this id, new where there is none. */
static struct gt_module *module_with(uint64_t id, size_t *index)
{
	uint32_t *place;

	if (!places_fit()) {
		return NULL;
	}
	place = place_of(id);
	if (*place != 0) {
		*index = *place - 1;
		return module_at(*index);
	}
	while (nfree < nmodules && module_at(nfree)->id != 0) {
		nfree++;
	}
	if (nfree == MODULES_MAX || !array_fit(&modules, (nfree + 1) * sizeof(struct gt_module))) {
		return NULL;
	}
	nmodules = GT_MAX(nmodules, nfree + 1);
	*index = nfree;
	*place = (uint32_t)nfree + 1;
	memset(module_at(nfree), 0, sizeof(struct gt_module));
	module_at(nfree)->id = id;
	return module_at(nfree);
}

/* Those that are not among the mappings any more. */
static void forget_unseen(void)
{
	bool any = false;

	for (size_t i = 0; i < nmodules; i++) {
		struct gt_module *m = module_at(i);

		if (!m->seen && m->id != 0) {
			gt_image_free(&m->image);
			m->id = 0;
			nfree = GT_MIN(nfree, i);
			any = true;
		}
	}
	/* What is out of a table like this leaves a gap: it is made anew with the next module. */
	if (any) {
		nplaces = 0;
	}
}

/* --- The mappings ---------------------------------------------------------------------------- */

struct line {
	const char *p;
	const char *end;
};

static uint64_t take_hex(struct line *l)
{
	uint64_t v = 0;

	for (; l->p < l->end; l->p++) {
		char c = *l->p;

		if (c >= '0' && c <= '9') {
			v = v << 4 | (uint64_t)(c - '0');
		} else if (c >= 'a' && c <= 'f') {
			v = v << 4 | (uint64_t)(c - 'a' + 10);
		} else {
			break;
		}
	}
	return v;
}

/* Past the next run of this character; what stands before it is dropped. */
static void skip_past(struct line *l, char c)
{
	while (l->p < l->end && *l->p != c) {
		l->p++;
	}
	while (l->p < l->end && *l->p == c) {
		l->p++;
	}
}

/*
 * Of interest: executable, and of a file or the vDSO. Code made at run time stands in anonymous
 * memory, which comes and goes. False for any other line.
 */
static bool read_line(struct line l, struct range *r, struct line *id, struct line *path)
{
	r->lo = take_hex(&l); /* lo-hi rwxp offset device inode    path */
	skip_past(&l, '-');
	r->hi = take_hex(&l);
	skip_past(&l, ' ');
	if (l.end - l.p < 4 || l.p[2] != 'x') {
		return false;
	}
	skip_past(&l, ' ');
	r->offset = take_hex(&l);
	skip_past(&l, ' ');
	*id = l; /* device, inode and path */
	skip_past(&l, ' ');
	skip_past(&l, ' ');
	*path = l;
	if (l.end - l.p >= PATH_BYTES) {
		return false;
	}
	return l.p < l.end && (*l.p == '/' || (l.end - l.p == 6 && memcmp(l.p, "[vdso]", 6) == 0));
}

static void add_range(struct range *r, struct line id, struct line path)
{
	size_t n = (size_t)(path.end - path.p);
	struct gt_module *m;

	/* No id is 0: that is a free place. */
	m = module_with(gt_hash(id.p, (size_t)(id.end - id.p)) | 1, &r->module);
	if (m == NULL || !array_fit(&ranges, (nranges + 1) * sizeof(*r)) ||
	    !array_fit(&paths, paths_used + n + 1)) {
		return;
	}
	if (!m->seen) {
		m->seen = true;
		m->path = paths_used;
		memcpy((char *)paths.items + paths_used, path.p, n);
		((char *)paths.items)[paths_used + n] = '\0';
		paths_used += n + 1;
		m->memory = *path.p == '[' ? r->lo : 0;
		m->bytes = r->hi - r->lo;
	}
	r->noted = false;
	((struct range *)ranges.items)[nranges++] = *r;
}

/* Reads all lines: the hash of those of interest, and their ranges if add is set. */
static bool read_maps(bool add, uint64_t *hash)
{
	static struct array buffer;
	size_t have = 0;
	ssize_t n;
	int fd;

	if (!array_fit(&buffer, 1 << 16)) {
		return false;
	}
	fd = gt_sys_open("/proc/thread-self/maps", O_RDONLY, 0);
	if (fd < 0) {
		return false;
	}
	*hash = 1;
	while ((n = gt_sys_read(fd, (char *)buffer.items + have, buffer.bytes - have)) > 0) {
		char *from = buffer.items;
		char *end = from + have + n;
		char *newline;

		while ((newline = memchr(from, '\n', (size_t)(end - from))) != NULL) {
			struct line id;
			struct line path;
			struct range r;

			if (read_line((struct line){from, newline}, &r, &id, &path)) {
				*hash = XXH3_64bits_withSeed(from, (size_t)(newline - from), *hash);
				if (add) {
					add_range(&r, id, path);
				}
			}
			from = newline + 1;
		}
		have = (size_t)(end - from);
		memmove(buffer.items, from, have);
		if (have == buffer.bytes) {
			have = 0; /* a line of 64 KiB: no path is that long */
		}
	}
	gt_sys_close(fd);
	return n == 0;
}

bool gt_module_refresh(void)
{
	uint64_t hash;

	/* Where /proc cannot be read any more, what is known stays. */
	if (!read_maps(false, &hash) || hash == last_hash) {
		return false;
	}
	nranges = 0;
	paths_used = 0;
	for (size_t i = 0; i < nmodules; i++) {
		module_at(i)->seen = false;
	}
	/* A change between the two readings shows at the next refresh: the first hash is kept. */
	last_hash = hash;
	read_maps(true, &hash);
	forget_unseen();
	return true;
}

struct gt_module *gt_module_of(uint64_t pc, uint64_t *offset, size_t *range)
{
	const struct range *r = ranges.items;
	size_t from = 0;
	size_t to = nranges;

	while (from < to) {
		size_t mid = from + (to - from) / 2;

		if (r[mid].lo <= pc) {
			from = mid + 1;
		} else {
			to = mid;
		}
	}
	if (from == 0 || pc >= r[from - 1].hi) {
		return NULL;
	}
	*range = from - 1;
	*offset = pc - r[from - 1].lo + r[from - 1].offset;
	return module_at(r[from - 1].module);
}

void gt_module_note(size_t range)
{
	((struct range *)ranges.items)[range].noted = true;
}

bool gt_module_take_noted(size_t *range, struct gt_mapping *out)
{
	for (; *range < nranges; ++*range) {
		struct range *r = (struct range *)ranges.items + *range;
		const struct gt_module *m = module_at(r->module);

		if (r->noted) {
			r->noted = false;
			*out = (struct gt_mapping){r->lo,
						   r->hi - r->lo,
						   r->offset,
						   gt_module_path(m),
						   m->image.build_id,
						   m->image.build_id_bytes};
			++*range;
			return true;
		}
	}
	return false;
}

/* --- Files ---------------------------------------------------------------------------------- */

size_t gt_module_path_length(const char *path)
{
	static const char deleted[] = " (deleted)";
	size_t n = strlen(path);
	size_t mark = sizeof(deleted) - 1;

	return n > mark && memcmp(path + n - mark, deleted, mark) == 0 ? n - mark : n;
}

/* The descriptor, or -errno. */
static int open_file(const char *path)
{
	static char exe[PATH_BYTES];
	size_t n = strlen(path);
	int r;

	if (gt_module_path_length(path) == n) {
		return gt_sys_open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
	}
	/* A file that is gone can still be reached where it is the program itself. */
	r = gt_sys_readlink("/proc/thread-self/exe", exe, sizeof(exe));
	if (r < 0 || (size_t)r != n || memcmp(exe, path, n) != 0) {
		return -ENOENT;
	}
	return gt_sys_open("/proc/thread-self/exe", O_RDONLY, 0);
}

bool gt_module_open(struct gt_module *m, struct gt_image_file *file)
{
	*file = (struct gt_image_file){-1, (const uint8_t *)m->memory, m->bytes};
	if (m->memory == 0) {
		file->fd = open_file(gt_module_path(m));
		if (file->fd < 0) {
			return false;
		}
	}
	if (!m->read) {
		m->read = true;
		gt_image_read(&m->image, file);
		if (m->image.capped) {
			size_t n = GT_MIN(strlen(gt_module_path(m)), sizeof(capped_path) - 1);

			memcpy(capped_path, gt_module_path(m), n);
			capped_path[n] = '\0';
			capped++;
		}
	}
	return true;
}

void gt_module_close(struct gt_image_file *file)
{
	if (file->fd >= 0) {
		gt_sys_close(file->fd);
	}
}

unsigned gt_module_capped(const char **path)
{
	*path = capped_path;
	return capped;
}
