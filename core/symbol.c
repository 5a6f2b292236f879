/*
 * Names of functions, and a cache of what was asked.
 */
#include "symbol.h"

#include <fcntl.h>
#include <string.h>

#include "base/atomic.h"
#include "base/sys.h"
#include "base/wire.h"
#include "module.h"

/* Names that live until the mappings change. Chunks are kept and used again. */
enum { CHUNK = 1 << 18, CHUNKS_MAX = 128 };

static struct {
	char *chunk[CHUNKS_MAX];
	unsigned n;  /* chunks there are */
	unsigned at; /* the one in use */
	size_t used; /* bytes of it */
} arena;

/* NULL where 32 MiB are not enough. */
static const char *arena_string(const char *s)
{
	size_t bytes = strlen(s) + 1;
	void *p;

	if (bytes > CHUNK) {
		return NULL;
	}
	if (arena.n == 0 || arena.used + bytes > CHUNK) {
		unsigned next = arena.n == 0 ? 0 : arena.at + 1;

		if (next == CHUNKS_MAX || (next == arena.n && gt_sys_map(&p, CHUNK) != 0)) {
			return NULL;
		}
		if (next == arena.n) {
			arena.chunk[arena.n++] = p;
		}
		arena.at = next;
		arena.used = 0;
	}
	p = memcpy(arena.chunk[arena.at] + arena.used, s, bytes);
	arena.used += bytes;
	return p;
}

/* --- Names ---------------------------------------------------------------------------------- */

static struct {
	uintptr_t address;
	_Atomic(const char *) name; /* stored last */
} entries[16];
static _Atomic unsigned nentries;

void gt_symbol_name_entry(uintptr_t address, const char *name)
{
	unsigned i = gt_add_relaxed(&nentries, 1);

	if (i < GT_LEN(entries)) {
		entries[i].address = address;
		gt_store_release(&entries[i].name, name); /* pairs with entry_name */
	}
}

static const char *entry_name(uintptr_t address)
{
	for (size_t i = 0; i < GT_LEN(entries); i++) {
		const char *name = gt_load_acquire(&entries[i].name);

		if (name != NULL && entries[i].address == address) {
			return name;
		}
	}
	return NULL;
}

static void set_name(char *buf, size_t bytes, const char *name)
{
	size_t n = GT_MIN(strlen(name), bytes - 1);

	memcpy(buf, name, n);
	buf[n] = '\0';
}

/* "<file>+0x<address>" */
static void set_place(char *buf, size_t bytes, const char *path, uint64_t address)
{
	size_t length = gt_module_path_length(path);
	size_t base = length;
	char digits[20] = "+0x";
	unsigned shift = 60;
	size_t n = 3;

	while (base > 0 && path[base - 1] != '/') {
		base--;
	}
	while (shift > 0 && address >> shift == 0) {
		shift -= 4;
	}
	for (;; shift -= 4) {
		digits[n++] = "0123456789abcdef"[address >> shift & 15];
		if (shift == 0) {
			break;
		}
	}
	length = GT_MIN(length - base, bytes - 1 - n);
	memcpy(buf, path + base, length);
	memcpy(buf + length, digits, n);
	buf[length + n] = '\0';
}

/* Fills buf with the name. */
static bool resolve(uint64_t pc, struct gt_symbol *out, char *buf, size_t bytes)
{
	const char *known = entry_name(pc);
	struct gt_image_file file;
	struct gt_module *m;
	uint64_t offset;
	uint64_t start;
	size_t range;
	bool usable;
	bool named;

	out->func = buf;
	out->module = "?";
	out->offset = 0;
	out->mapping = 0;
	m = gt_module_of(pc, &offset, &range);
	if (m == NULL) {
		set_name(buf, bytes, known != NULL ? known : "?");
		return false;
	}
	out->module = gt_module_path(m);
	out->mapping = range + 1;
	/* In a file that cannot be read, the place in the file stands for the address. */
	out->offset = offset;
	usable = gt_module_open(m, &file) && gt_image_address(&m->image, offset, &out->offset);
	named = usable && gt_image_name(&m->image, &file, out->offset, &start, buf, bytes);
	if (!named && (!usable || !gt_image_start(&m->image, &file, out->offset, &start))) {
		start = out->offset;
	}
	/* A name that was given to an entry stands before its symbol. */
	known = entry_name(pc - (out->offset - start));
	if (known != NULL) {
		set_name(buf, bytes, known);
	} else if (!named) {
		set_place(buf, bytes, out->module, start);
	}
	gt_module_close(&file);
	return true;
}

void gt_symbol_find_gone(const char *path, uint64_t address, char *buf, size_t bytes)
{
	/* The last one: what is asked for together was closed together. */
	static struct gt_image image;
	static char path_of[256];
	struct gt_image_file file = {-1, NULL, 0};
	uint64_t start = address;

	bytes = GT_MIN(bytes, GT_WIRE_STRING_MAX + 1);
	if (*path != '\0') {
		file.fd = gt_sys_open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
	}
	if (file.fd >= 0 && strncmp(path, path_of, sizeof(path_of)) != 0) {
		gt_image_free(&image);
		gt_image_read(&image, &file);
		set_name(path_of, sizeof(path_of), path);
	}
	if (file.fd < 0 || !gt_image_name(&image, &file, address, &start, buf, bytes)) {
		if (file.fd >= 0) {
			gt_image_start(&image, &file, address, &start);
		}
		set_place(buf, bytes, path, start);
	}
	gt_module_close(&file);
}

/* --- Answers that were given ---------------------------------------------------------------- */

enum { ANSWERS_FIRST = 1 << 10, ANSWERS_MAX = 1 << 19 };

/* 0 as pc: free. At most half of the places are taken, and never more than ANSWERS_MAX there. */
struct answer {
	uint64_t pc;
	struct gt_symbol symbol;
};

static struct answer *answers;
static size_t nplaces; /* a power of two, or 0 */
static size_t nanswers;

static void forget_answers(void)
{
	if (nanswers != 0) {
		memset(answers, 0, nplaces * sizeof(*answers));
		nanswers = 0;
	}
}

bool gt_symbol_refresh(void)
{
	if (!gt_module_refresh()) {
		return false;
	}
	forget_answers();
	arena.at = 0;
	arena.used = 0;
	return true;
}

unsigned gt_symbol_capped(const char **path)
{
	return gt_module_capped(path);
}

/* The place of this pc, or the free one for it. */
static struct answer *answer_place(struct answer *in, size_t places, uint64_t pc)
{
	size_t i = (pc * 0x9e3779b97f4a7c15 >> 32) & (places - 1);

	while (in[i].pc != 0 && in[i].pc != pc) {
		i = (i + 1) & (places - 1);
	}
	return &in[i];
}

static bool answers_grow(void)
{
	size_t places = nplaces != 0 ? nplaces * 2 : ANSWERS_FIRST;
	void *p;

	if (places > ANSWERS_MAX || gt_sys_map(&p, places * sizeof(*answers)) != 0) {
		return false;
	}
	for (size_t i = 0; i < nplaces; i++) {
		if (answers[i].pc != 0) {
			*answer_place(p, places, answers[i].pc) = answers[i];
		}
	}
	if (answers != NULL) {
		gt_sys_unmap(answers, nplaces * sizeof(*answers));
	}
	answers = p;
	nplaces = places;
	return true;
}

bool gt_symbol_find(uint64_t pc, struct gt_symbol *out, char *buf, size_t bytes)
{
	struct answer *a;
	const char *kept;
	bool found;

	bytes = GT_MIN(bytes, GT_WIRE_STRING_MAX + 1);
	if (nanswers != 0 && pc != 0) {
		a = answer_place(answers, nplaces, pc);
		if (a->pc == pc) {
			*out = a->symbol;
			return true;
		}
	}
	found = resolve(pc, out, buf, bytes);
	if (found && (nanswers * 2 < nplaces || answers_grow())) {
		kept = arena_string(buf);
		if (kept != NULL) {
			out->func = kept;
			a = answer_place(answers, nplaces, pc);
			a->pc = pc;
			a->symbol = *out;
			nanswers++;
		}
	}
	return found;
}
