/*
 * Symbolizing a trace, one generation after another.
 */
#include "symbolize.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "compose.h"
#include "sym_name.h"
#include "sym_perf.h"

/* A file whose code was mapped; one for each path and build id. */
struct module {
	char *path, *build_id;
	bool own; /* gtrace's library, whose frames it has named itself */
	struct gt_sym_file *file;
};

/* Of a generation. */
struct mapping {
	uint64_t start, end, offset;
	const struct module *module;
};

/* What becomes of a frame: these of `frames`, innermost first; n 0: nothing is known of it. */
struct place {
	size_t first;
	unsigned n;
};

struct gt_symbolizer {
	struct gt_symbolize_options options;
	struct gt_symbolize_sum sum;
	struct module **modules;
	size_t nmodules, modules_cap;
	/* Of a trace. */
	unsigned owner;
	uint64_t process, since;
	bool asked; /* for the map */
	struct gt_sym_perf *perf;
	/* Of a generation. */
	struct mapping *mappings;
	size_t nmappings, mappings_cap;
	struct place *places; /* by the frame's place in the generation */
	size_t places_cap;
	struct gt_compose_frame *frames;
	size_t nframes, frames_cap;
};

struct gt_symbolizer *gt_symbolizer_new(const struct gt_symbolize_options *o)
{
	struct gt_symbolizer *s = gt_alloc(sizeof(*s));

	s->options = *o;
	return s;
}

void gt_symbolizer_free(struct gt_symbolizer *s)
{
	for (size_t i = 0; i < s->nmodules; i++) {
		gt_sym_file_close(s->modules[i]->file);
		free(s->modules[i]->path);
		free(s->modules[i]->build_id);
		free(s->modules[i]);
	}
	gt_sym_perf_close(s->perf);
	free(s->modules);
	free(s->mappings);
	free(s->places);
	free(s->frames);
	free(s);
}

const struct gt_symbolize_sum *gt_symbolizer_sum(const struct gt_symbolizer *s)
{
	return &s->sum;
}

const struct gt_sym_file *gt_symbolizer_file(const struct gt_symbolizer *s, size_t i,
					     const char **path)
{
	if (i >= s->nmodules) {
		return NULL;
	}
	*path = s->modules[i]->path;
	return s->modules[i]->file;
}

/* --- Mappings ----------------------------------------------------------------------------- */

static bool is_text(const struct gt_text *text, const char *string)
{
	return strlen(string) == text->length && memcmp(string, text->data, text->length) == 0;
}

static char *string_of(const struct gt_text *text)
{
	char *s = gt_alloc(text->length + 1);

	return memcpy(s, text->data, text->length);
}

static const struct module *module_of(struct gt_symbolizer *s, const struct gt_text *path,
				      const struct gt_text *build_id, uint64_t before)
{
	struct gt_sym_request request;
	struct module *m;
	const char *slash;

	for (size_t i = 0; i < s->nmodules; i++) {
		if (is_text(path, s->modules[i]->path) &&
		    is_text(build_id, s->modules[i]->build_id)) {
			return s->modules[i];
		}
	}
	m = gt_alloc(sizeof(*m));
	m->path = string_of(path);
	m->build_id = string_of(build_id);
	slash = strrchr(m->path, '/');
	m->own = strcmp(slash != NULL ? slash + 1 : m->path, "libgtrace.so") == 0;
	request = (struct gt_sym_request){m->path, m->build_id, before, s->options.debug_path};
	m->file = gt_sym_file_open(&request);
	s->modules = gt_grow(s->modules, s->nmodules, &s->modules_cap, sizeof(struct module *));
	s->modules[s->nmodules++] = m;
	return m;
}

static int compare_mappings(const void *a, const void *b)
{
	const struct mapping *x = a, *y = b;

	return x->start < y->start ? -1 : x->start > y->start;
}

static void add_mapping(struct gt_symbolizer *s, const struct gt_generation *g,
			const uint64_t *args)
{
	const struct gt_text *path = gt_generation_string(g, args[3]);
	const struct gt_text *build_id = gt_generation_string(g, args[4]);

	if (path == NULL || build_id == NULL || args[0] + args[1] <= args[0]) {
		return;
	}
	s->mappings = gt_grow(s->mappings, s->nmappings, &s->mappings_cap, sizeof(*s->mappings));
	s->mappings[s->nmappings++] =
		(struct mapping){args[0], args[0] + args[1], args[2],
				 /* Written at the generation's end; it lasts a second or so. */
				 module_of(s, path, build_id, g->snapshot_sec + 60)};
	s->sum.mappings = true;
}

static int read_facts(struct gt_symbolizer *s, const struct gt_generation *g, struct gt_error *e)
{
	struct gt_cursor c;
	struct gt_brief brief;
	struct gt_event ev;
	uint64_t unread = 0;
	int n;

	s->nmappings = 0;
	gt_cursor_init_common(&c, g, &brief);
	c.unread = &unread;
	while ((n = gt_cursor_next(&c, &ev, e)) > 0) {
		if (ev.number == GT_FACT_MAPPING) {
			add_mapping(s, g, ev.args);
		} else if (ev.number == GT_FACT_ABOUT && ev.args[0] == GT_ABOUT_PROCESS) {
			s->process = ev.args[1];
		}
	}
	if (s->nmappings > 1) {
		qsort(s->mappings, s->nmappings, sizeof(*s->mappings), compare_mappings);
	}
	if (s->since == 0) {
		s->since = g->snapshot_sec;
	}
	return n < 0 ? -1 : 0;
}

static const struct mapping *mapping_of(const struct gt_symbolizer *s, uint64_t pc)
{
	size_t from = 0;
	size_t to = s->nmappings;

	while (from < to) {
		const size_t mid = from + (to - from) / 2;

		if (s->mappings[mid].start <= pc) {
			from = mid + 1;
		} else {
			to = mid;
		}
	}
	return from > 0 && pc < s->mappings[from - 1].end ? &s->mappings[from - 1] : NULL;
}

/* --- Frames ------------------------------------------------------------------------------- */

static void add_frame(struct gt_symbolizer *s, struct place *p, struct gt_compose_frame frame)
{
	s->frames = gt_grow(s->frames, s->nframes, &s->frames_cap, sizeof(*s->frames));
	s->frames[s->nframes++] = frame;
	p->n++;
}

/* "libm.so.6+0x1234", as core/symbol.c names a function without a symbol; or "?". */
static bool is_place(const struct gt_text *func, const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *base = slash != NULL ? slash + 1 : path;
	const void *plus = memmem(func->data, func->length, "+0x", 3);
	size_t n;

	if (plus == NULL) {
		return func->length == 0 || (func->length == 1 && func->data[0] == '?');
	}
	n = (size_t)((const char *)plus - func->data);
	return n <= strlen(base) && memcmp(func->data, base, n) == 0 &&
	       (base[n] == '\0' || base[n] == ' ');
}

/* The name that the trace has, as people write it. */
static uint64_t plain_name(struct gt_compose *c, const struct gt_text *func)
{
	char *plain = gt_sym_demangle(func->data, func->length);
	uint64_t id;

	if (plain == NULL) {
		return gt_compose_string(c, func->data,
					 gt_sym_plain_length(func->data, func->length));
	}
	id = gt_compose_string(c, plain, strlen(plain));
	free(plain);
	return id;
}

/* Code of a file. */
static void place_in_file(struct gt_symbolizer *s, struct gt_compose *c, const struct gt_frame *f,
			  const struct mapping *m, struct place *p)
{
	const struct gt_sym_frame *found;
	const unsigned n = gt_sym_file_find(m->module->file, f->pc - m->start + m->offset, &found);

	for (unsigned i = 0; i < n; i++) {
		struct gt_compose_frame frame = {
			.pc = f->pc | (uint64_t)(n - 1 - i) << GT_PC_SHIFT,
			.file = f->file_id,
			.line = f->line,
		};

		if (found[i].file != NULL) {
			frame.file = gt_compose_string(c, found[i].file, strlen(found[i].file));
			frame.line = found[i].line;
		}
		/*
		 * The traced program's symbol counts, which may be one of several for the place,
		 * but for one that was made of the linker's name here.
		 */
		if (i == n - 1 && !found[i].linkage &&
		    (found[i].func == NULL || !is_place(&f->func, m->module->path))) {
			frame.func = plain_name(c, &f->func);
		} else if (found[i].func != NULL) {
			frame.func = gt_compose_string(c, found[i].func, strlen(found[i].func));
		} else {
			frame.func = gt_compose_string(c, "?", 1);
		}
		add_frame(s, p, frame);
	}
}

/* Code that was made at run time. */
static void place_in_map(struct gt_symbolizer *s, struct gt_compose *c, const struct gt_frame *f,
			 struct place *p)
{
	struct gt_sym_perf_frame found;

	if (!s->asked) {
		s->asked = true;
		if (s->process != 0 || s->options.perf_map != NULL) {
			s->perf = gt_sym_perf_open(s->options.perf_map, s->process, s->since,
						   s->owner, s->sum.perf, sizeof(s->sum.perf));
		}
	}
	if (s->perf == NULL || !gt_sym_perf_find(s->perf, f->pc, &found)) {
		s->sum.jit_lost += is_place(&f->func, "");
		return;
	}
	s->sum.jit++;
	add_frame(s, p,
		  (struct gt_compose_frame){
			  .pc = f->pc,
			  .func = gt_compose_string(c, found.func.data, found.func.length),
			  .file = found.file.length > 0
					  ? gt_compose_string(c, found.file.data, found.file.length)
					  : f->file_id,
			  .line = found.line != 0 ? found.line : f->line,
		  });
}

/* Where nothing is known of the place, its name can still be told in the language that it is of. */
static void name_alone(struct gt_symbolizer *s, struct gt_compose *c, const struct gt_frame *f,
		       struct place *p)
{
	char *plain = gt_sym_demangle(f->func.data, f->func.length);

	if (plain != NULL) {
		add_frame(s, p,
			  (struct gt_compose_frame){f->pc,
						    gt_compose_string(c, plain, strlen(plain)),
						    f->file_id, f->line});
		free(plain);
	}
}

static struct place place_of(struct gt_symbolizer *s, struct gt_compose *c,
			     const struct gt_frame *f)
{
	struct place p = {.first = s->nframes};
	const struct mapping *m;

	if (GT_PC_DEPTH(f->pc) != 0) {
		return p;
	}
	m = mapping_of(s, f->pc);
	if (m != NULL && !m->module->own) {
		place_in_file(s, c, f, m, &p);
	} else if (m == NULL && s->nmappings > 0) {
		place_in_map(s, c, f, &p);
	}
	if (p.n == 0) {
		name_alone(s, c, f, &p);
	}
	return p;
}

/* --- Stacks ------------------------------------------------------------------------------- */

/*
 * The frames of a stack, in groups of one pc each: its inlined functions and, last, the one that
 * has the code. Inlined ones that an earlier run has put there stay if nothing is known of that.
 */
struct unrolled {
	struct gt_compose_frame frames[GT_WIRE_FRAMES_MAX];
	struct {
		const struct gt_compose_frame *frames;
		unsigned n;
	} groups[GT_WIRE_FRAMES_MAX];
	unsigned ngroups, total;
};

static void add_group(struct unrolled *u, const struct gt_compose_frame *frames, unsigned n)
{
	u->groups[u->ngroups].frames = frames;
	u->groups[u->ngroups++].n = n;
	u->total += n;
}

static void unroll(const struct gt_symbolizer *s, const struct gt_generation *g,
		   const struct gt_stack *stack, struct unrolled *u)
{
	unsigned held = 0; /* inlined frames before the one that has the code */

	u->ngroups = u->total = 0;
	for (unsigned i = 0; i < stack->nframes; i++) {
		const uint32_t at = g->stack_frames[stack->first + i];
		const struct gt_frame *f = &g->frames[at];
		const struct place *p = &s->places[at];

		if (p->n == 0) {
			u->frames[i] =
				(struct gt_compose_frame){f->pc, f->func_id, f->file_id, f->line};
			add_group(u, &u->frames[i], 1);
			held = GT_PC_DEPTH(f->pc) != 0 ? held + 1 : 0;
			continue;
		}
		while (held > 0 && GT_PC_REAL(u->groups[u->ngroups - 1].frames->pc) == f->pc) {
			u->ngroups--;
			u->total--;
			held--;
		}
		held = 0;
		add_group(u, s->frames + p->first, p->n);
	}
}

/* Where there are too many, inlined functions of the outermost frames are left out. */
static void put_stack(struct gt_compose *c, uint64_t id, const struct unrolled *u)
{
	static struct gt_compose_frame out[GT_WIRE_FRAMES_MAX];
	unsigned room = GT_WIRE_FRAMES_MAX - u->ngroups;
	size_t n = 0;

	for (unsigned i = 0; i < u->ngroups; i++) {
		const struct gt_compose_frame *frames = u->groups[i].frames;
		const unsigned inlined = u->groups[i].n - 1;
		const unsigned fit = GT_MIN(inlined, room);

		for (unsigned k = 0; k < fit; k++) {
			out[n++] = frames[k];
		}
		out[n++] = frames[inlined];
		room -= fit;
	}
	gt_compose_stack_as(c, id, out, n);
}

/* --- Traces ------------------------------------------------------------------------------- */

static bool stopped(const struct gt_symbolizer *s)
{
	return s->options.stop != NULL && *s->options.stop != 0;
}

/* -1: with *e; or it cannot be written, or is to stop, with errno. */
static int generation(struct gt_symbolizer *s, struct gt_compose *c, const struct gt_generation *g,
		      struct gt_error *e)
{
	static struct unrolled u;
	const struct gt_compose_head head = gt_compose_head_of(g);

	if (read_facts(s, g, e) < 0) {
		return -1;
	}
	gt_compose_begin(c, &head);
	for (size_t i = 0; i < g->nstrings; i++) {
		const struct gt_string *text = &g->strings[i];

		gt_compose_string_as(c, text->id, text->text.data, text->text.length);
	}
	if (s->places_cap < g->nframes) {
		s->places_cap = g->nframes;
		s->places = gt_realloc(s->places, s->places_cap * sizeof(*s->places));
	}
	s->nframes = 0;
	for (size_t i = 0; i < g->nframes; i++) {
		if (stopped(s)) {
			errno = EINTR;
			return -1;
		}
		s->places[i] = place_of(s, c, &g->frames[i]);
	}
	for (size_t i = 0; i < g->nstacks; i++) {
		unroll(s, g, &g->stacks[i], &u);
		put_stack(c, g->stacks[i].id, &u);
	}
	gt_compose_batches(c, g);
	s->sum.generations++;
	return gt_compose_end(c);
}

/* What stands behind the last whole generation of a file that was cut off. */
static int copy_rest(struct gt_compose *c, const char *path, uint64_t offset)
{
	static char bytes[1 << 16];
	const int fd = strcmp(path, "-") == 0 ? -1 : open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = 0;

	while (fd >= 0 && (n = pread(fd, bytes, sizeof(bytes), (off_t)offset)) > 0) {
		gt_compose_bytes(c, bytes, (size_t)n);
		offset += (uint64_t)n;
	}
	if (fd >= 0) {
		close(fd);
	}
	return n < 0 ? -1 : 0;
}

static void begin_trace(struct gt_symbolizer *s, const char *path)
{
	struct stat st;

	s->owner = stat(path, &st) == 0 ? st.st_uid : geteuid();
	s->process = s->since = 0;
	s->asked = false;
	gt_sym_perf_close(s->perf);
	s->perf = NULL;
}

int gt_symbolize(struct gt_symbolizer *s, const char *path, FILE *out, struct gt_error *e)
{
	struct gt_reader *r = gt_reader_open(path, e);
	struct gt_generation *g;
	struct gt_compose *c;
	uint64_t end = GT_WIRE_HEADER_SIZE;
	int n;

	if (r == NULL) {
		return -1;
	}
	begin_trace(s, path);
	c = gt_compose_new(out, gt_reader_version(r));
	while ((n = gt_reader_next(r, &g, e)) > 0) {
		if (generation(s, c, g, e) < 0) {
			n = -1;
			break;
		}
		end = g->offset + g->size;
	}
	if (n < 0 && e->kind == GT_ERROR_TRUNCATED && copy_rest(c, path, end) < 0) {
		gt_error_set(e, GT_ERROR_READ, end, GT_NOWHERE, GT_NOWHERE, "cannot read: %s",
			     strerror(errno));
	}
	gt_compose_free(c);
	gt_reader_close(r);
	return n;
}
