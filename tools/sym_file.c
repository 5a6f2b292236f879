/*
 * An executable or library, and what is known of its code.
 */
#include "sym_file.h"

#include <elfutils/libdwfl.h>
#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "error.h"
#include "idmap.h"
#include "sym_dwarf.h"
#include "sym_name.h"

enum { BUILD_ID_MAX = 64, SEGMENTS_MAX = 16, PAGE = 4096 };

/* What was found at an offset: frames[first] and so on. */
struct answer {
	size_t first;
	unsigned n;
};

struct segment {
	uint64_t offset, bytes, address;
};

struct gt_sym_inside {
	char *debug_path;
	Dwfl_Callbacks callbacks;
	Dwfl *dwfl;
	Dwfl_Module *module;
	bool tried; /* to find debug information */
	struct gt_sym_dwarf *dwarf;
	struct segment code[SEGMENTS_MAX];
	unsigned ncode;
	struct gt_idmap by_offset; /* -> index in answers + 1 */
	struct answer *answers;
	size_t nanswers, answers_cap;
	struct gt_sym_frame *frames;
	size_t nframes, frames_cap;
	char **names; /* those of symbols */
	size_t nnames, names_cap;
};

const char *gt_sym_missing(void)
{
	return NULL;
}

GT_PRINTF(3, 4)
static void useless(struct gt_sym_file *f, enum gt_sym_state state, const char *format, ...)
{
	va_list args;

	f->state = state;
	va_start(args, format);
	vsnprintf(f->reason, sizeof(f->reason), format, args);
	va_end(args);
	for (char *c = f->reason; *c != '\0'; c++) {
		if ((unsigned char)*c < 0x20 || *c == 0x7f) {
			*c = '?'; /* a build id out of a trace may be anything */
		}
	}
}

/* --- Opening ------------------------------------------------------------------------------ */

static void to_hex(char *to, const unsigned char *bytes, size_t n)
{
	*to = '\0';
	for (size_t i = 0; i < n && i < BUILD_ID_MAX; i++) {
		sprintf(to + 2 * i, "%02x", bytes[i]);
	}
}

static size_t from_hex(unsigned char *to, const char *hex)
{
	size_t n = 0;
	unsigned v;

	while (n < BUILD_ID_MAX && sscanf(hex + 2 * n, "%2x", &v) == 1) {
		to[n++] = (unsigned char)v;
	}
	return n;
}

static void end_session(struct gt_sym_inside *in)
{
	if (in->dwfl != NULL) {
		dwfl_end(in->dwfl);
	}
	in->dwfl = NULL;
	in->module = NULL;
}

static bool begin_session(struct gt_sym_inside *in)
{
	end_session(in);
	in->dwfl = dwfl_begin(&in->callbacks);
	if (in->dwfl == NULL) {
		return false;
	}
	dwfl_report_begin(in->dwfl);
	return true;
}

/* Its addresses are then those that it is linked for. */
static bool open_elf(struct gt_sym_inside *in, const char *path)
{
	const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd < 0) {
		return false;
	}
	if (begin_session(in)) {
		in->module = dwfl_report_elf(in->dwfl, path, path, fd, 0, true);
		dwfl_report_end(in->dwfl, NULL, NULL);
	}
	if (in->module == NULL) {
		close(fd);
		errno = ENOEXEC;
	}
	return in->module != NULL;
}

/* The file of this build id, wherever elfutils knows to look; NULL, or to be freed. */
static char *find_elsewhere(struct gt_sym_inside *in, const char *build_id)
{
	unsigned char id[BUILD_ID_MAX];
	const size_t n = from_hex(id, build_id);
	char *path = NULL;
	Dwfl_Module *m;
	void *unused = NULL;
	Elf *elf = NULL;
	int fd = -1;

	if (n == 0 || !begin_session(in)) {
		return NULL;
	}
	m = dwfl_report_module(in->dwfl, "by build id", 0, 1);
	if (m != NULL && dwfl_module_report_build_id(m, id, n, 0) == 0) {
		fd = dwfl_build_id_find_elf(m, &unused, "by build id", 0, &path, &elf);
	}
	if (elf != NULL) {
		elf_end(elf);
	}
	if (fd >= 0) {
		close(fd);
	}
	dwfl_report_end(in->dwfl, NULL, NULL);
	return path;
}

static void build_id_of(struct gt_sym_inside *in, char *hex)
{
	const unsigned char *bits = NULL;
	GElf_Addr unused;
	const int n = dwfl_module_build_id(in->module, &bits, &unused);

	to_hex(hex, bits, n > 0 ? (size_t)n : 0);
}

/* Whether what is open is the file that was traced. */
static bool is_same(struct gt_sym_file *f, const struct gt_sym_request *r, const char *path)
{
	char hex[2 * BUILD_ID_MAX + 1];
	struct stat st;

	build_id_of(f->inside, hex);
	if (*r->build_id != '\0' && strcmp(hex, r->build_id) != 0) {
		useless(f, GT_SYM_CHANGED,
			"it is another file now: its build id is %.12s%s, that of the traced one "
			"%.12s…",
			*hex ? hex : "none", *hex ? "…" : "", r->build_id);
		return false;
	}
	if (*r->build_id == '\0' && *hex != '\0') {
		/* The tracer would have seen it; unless it could not read the file. */
		useless(f, GT_SYM_CHANGED,
			"whether it is the traced file cannot be known: that had no build id that "
			"could be read, this one has");
		return false;
	}
	if (*hex == '\0' && stat(path, &st) == 0 && (uint64_t)st.st_mtime > r->before) {
		useless(f, GT_SYM_CHANGED,
			"it was changed after the trace was written, and has no "
			"build id");
		return false;
	}
	return true;
}

static void read_segments(struct gt_sym_inside *in)
{
	GElf_Addr bias;
	Elf *elf = dwfl_module_getelf(in->module, &bias);
	size_t n = 0;
	GElf_Phdr ph;

	if (elf == NULL || elf_getphdrnum(elf, &n) != 0) {
		return;
	}
	for (size_t i = 0; i < n && in->ncode < SEGMENTS_MAX; i++) {
		if (gelf_getphdr(elf, (int)i, &ph) != NULL && ph.p_type == PT_LOAD &&
		    (ph.p_flags & PF_X) != 0) {
			in->code[in->ncode++] =
				(struct segment){ph.p_offset, ph.p_filesz, ph.p_vaddr + bias};
		}
	}
}

/* Opens the traced file, where it was or somewhere else. */
static void open_traced(struct gt_sym_file *f, const struct gt_sym_request *r)
{
	static const char deleted[] = " (deleted)";
	const size_t n = strlen(r->path), mark = sizeof(deleted) - 1;
	const bool gone = n > mark && strcmp(r->path + n - mark, deleted) == 0;
	char *path = strndup(r->path, gone ? n - mark : n);
	char *other = NULL;

	if (path == NULL) {
		abort();
	}
	if (!open_elf(f->inside, path)) {
		useless(f, GT_SYM_GONE, "%s",
			errno == ENOEXEC ? "it is no ELF file that can be read" : strerror(errno));
	} else if (gone && *r->build_id == '\0') {
		useless(f, GT_SYM_CHANGED,
			"the traced one was deleted, and had no build id that "
			"could be read");
	} else if (is_same(f, r, path)) {
		read_segments(f->inside);
		free(path);
		return;
	}
	other = find_elsewhere(f->inside, r->build_id);
	if (other != NULL && open_elf(f->inside, other) && is_same(f, r, other)) {
		f->state = GT_SYM_SYMBOLS;
		*f->reason = '\0';
		read_segments(f->inside);
	} else {
		end_session(f->inside);
	}
	free(other);
	free(path);
}

struct gt_sym_file *gt_sym_file_open(const struct gt_sym_request *r)
{
	struct gt_sym_file *f = gt_alloc(sizeof(*f));
	struct gt_sym_inside *in = gt_alloc(sizeof(*in));

	f->state = GT_SYM_SYMBOLS;
	f->inside = in;
	in->debug_path = r->debug_path != NULL ? strdup(r->debug_path) : NULL;
	in->callbacks = (Dwfl_Callbacks){
		.find_elf = dwfl_build_id_find_elf,
		.find_debuginfo = dwfl_standard_find_debuginfo,
		.section_address = dwfl_offline_section_address,
		.debuginfo_path = in->debug_path != NULL ? &in->debug_path : NULL,
	};
	if (r->path[0] == '[') { /* the vDSO */
		useless(f, GT_SYM_GONE, "the kernel's own, no file");
	} else {
		open_traced(f, r);
	}
	return f;
}

void gt_sym_file_close(struct gt_sym_file *f)
{
	struct gt_sym_inside *in = f->inside;

	gt_sym_dwarf_free(in->dwarf);
	end_session(in);
	for (size_t i = 0; i < in->nnames; i++) {
		free(in->names[i]);
	}
	free(in->names);
	free(in->frames);
	free(in->answers);
	gt_idmap_fini(&in->by_offset);
	free(in->debug_path);
	free(in);
	free(f);
}

/* --- Finding ------------------------------------------------------------------------------ */

/* When the first place is asked for: it may take long, and servers may be asked. */
static void find_debug(struct gt_sym_file *f)
{
	struct gt_sym_inside *in = f->inside;
	const char *main = NULL, *debug = NULL;

	in->tried = true;
	in->dwarf = gt_sym_dwarf_new(in->module);
	if (in->dwarf == NULL) {
		useless(f, GT_SYM_SYMBOLS, "no debug information: %s", dwfl_errmsg(-1));
		return;
	}
	f->state = GT_SYM_LINES;
	dwfl_module_info(in->module, NULL, NULL, NULL, NULL, NULL, &main, &debug);
	f->debug = debug != NULL ? debug : main;
}

/* As the kernel maps segments: by whole pages. */
static bool address_of(const struct gt_sym_inside *in, uint64_t offset, GElf_Addr *address)
{
	for (unsigned i = 0; i < in->ncode; i++) {
		const struct segment *s = &in->code[i];
		const uint64_t from = s->offset & ~(uint64_t)(PAGE - 1);

		if (offset >= from && offset - from < s->bytes + PAGE) {
			*address = offset - s->offset + s->address;
			return true;
		}
	}
	return false;
}

/* By the symbol table, which may be in the debug file too. */
static unsigned find_symbol(struct gt_sym_inside *in, GElf_Addr address, struct gt_sym_frame *frame)
{
	GElf_Off offset;
	GElf_Sym symbol;
	const char *name =
		dwfl_module_addrinfo(in->module, address, &offset, &symbol, NULL, NULL, NULL);
	size_t length;

	if (name == NULL || *name == '\0' || (symbol.st_size != 0 && offset >= symbol.st_size) ||
	    (GELF_ST_TYPE(symbol.st_info) != STT_FUNC &&
	     GELF_ST_TYPE(symbol.st_info) != STT_GNU_IFUNC)) {
		return 0;
	}
	length = strlen(name);
	in->names = gt_grow(in->names, in->nnames, &in->names_cap, sizeof(*in->names));
	in->names[in->nnames] = gt_sym_demangle(name, length);
	if (in->names[in->nnames] == NULL) {
		in->names[in->nnames] = strndup(name, gt_sym_plain_length(name, length));
	}
	*frame = (struct gt_sym_frame){.func = in->names[in->nnames++]};
	return 1;
}

unsigned gt_sym_file_find(struct gt_sym_file *f, uint64_t offset,
			  const struct gt_sym_frame **frames)
{
	static struct gt_sym_frame found[GT_SYM_DEPTH_MAX + 1];
	struct gt_sym_inside *in = f->inside;
	uintptr_t known = gt_idmap_get(&in->by_offset, offset);
	GElf_Addr address;
	unsigned n = 0;

	if (known != 0) {
		const struct answer *a = &in->answers[known - 1];

		*frames = a->n > 0 ? in->frames + a->first : NULL;
		return a->n;
	}
	if (in->module != NULL && !in->tried) {
		find_debug(f);
	}
	if (in->module != NULL && address_of(in, offset, &address)) {
		if (in->dwarf != NULL) {
			n = gt_sym_dwarf_find(in->dwarf, address, found);
		}
		if (n == 0 || (n == 1 && found[0].func == NULL)) {
			struct gt_sym_frame symbol;

			if (find_symbol(in, address, &symbol)) {
				found[0].func = symbol.func;
				found[0].file = n != 0 ? found[0].file : NULL;
				found[0].line = n != 0 ? found[0].line : 0;
				found[0].linkage = false;
				n = 1;
			}
		}
	}
	f->places++;
	f->lines += n > 0 && found[0].file != NULL;
	f->inlined += n > 0 ? n - 1 : 0;
	in->answers = gt_grow(in->answers, in->nanswers, &in->answers_cap, sizeof(*in->answers));
	in->answers[in->nanswers] = (struct answer){in->nframes, n};
	for (unsigned i = 0; i < n; i++) {
		in->frames = gt_grow(in->frames, in->nframes, &in->frames_cap, sizeof(*in->frames));
		in->frames[in->nframes++] = found[i];
	}
	gt_idmap_put(&in->by_offset, offset, ++in->nanswers);
	*frames = n > 0 ? in->frames + in->answers[in->nanswers - 1].first : NULL;
	return n;
}
