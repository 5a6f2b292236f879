/*
 * Debug information, looked up by address.
 *
 * libdwfl's own look-ups go by .debug_aranges, which Clang does not write, and search a unit from
 * its beginning for each address. So the units' ranges are read once here, and the functions of a
 * unit when the first address in it is asked for.
 */
#include "sym_dwarf.h"

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "idmap.h"
#include "sym_name.h"

enum {
	NESTING_MAX = 256, /* of DIEs */
	REFERENCES_MAX = 8,
	BACK_MAX = 64, /* ranges that begin before the address and may reach it */
};

struct range {
	Dwarf_Addr lo, hi;
	size_t what; /* a unit; or a function's place among those of its unit */
};

struct ranges {
	struct range *array;
	size_t n, cap;
};

struct unit {
	Dwarf_Die die;
	Dwarf_Die body; /* of split debug information the part in the other file, else die */
	bool read;      /* the functions */
	struct ranges ranges;
	Dwarf_Die *functions;
	size_t n, cap;
};

struct name {
	char *text;
	bool linkage;
};

struct gt_sym_dwarf {
	Dwarf_Addr bias; /* of the module's addresses over those of the debug information */
	struct unit *units;
	size_t n, cap;
	struct ranges ranges;
	struct gt_idmap names; /* where the DIE is in memory -> struct name * */
};

/* --- Ranges ------------------------------------------------------------------------------- */

static void add_ranges(struct ranges *to, Dwarf_Die *die, size_t what)
{
	Dwarf_Addr base, lo, hi;
	ptrdiff_t at = 0;

	while ((at = dwarf_ranges(die, at, &base, &lo, &hi)) > 0) {
		if (lo < hi) {
			to->array = gt_grow(to->array, to->n, &to->cap, sizeof(*to->array));
			to->array[to->n++] = (struct range){lo, hi, what};
		}
	}
}

static int compare_ranges(const void *a, const void *b)
{
	const struct range *x = a, *y = b;

	if (x->lo != y->lo) {
		return x->lo < y->lo ? -1 : 1;
	}
	/* The larger one first, so that the one that is found is the innermost. */
	return x->hi > y->hi ? -1 : x->hi < y->hi;
}

static void sort_ranges(struct ranges *r)
{
	if (r->n > 1) {
		qsort(r->array, r->n, sizeof(*r->array), compare_ranges);
	}
}

/* The range around the address that begins last; NULL. */
static const struct range *find_range(const struct ranges *r, Dwarf_Addr address)
{
	size_t from = 0;
	size_t to = r->n;

	while (from < to) {
		const size_t mid = from + (to - from) / 2;

		if (r->array[mid].lo <= address) {
			from = mid + 1;
		} else {
			to = mid;
		}
	}
	for (unsigned back = 0; from > 0 && back < BACK_MAX; back++) {
		if (address < r->array[--from].hi) {
			return &r->array[from];
		}
	}
	return NULL;
}

/* --- Units and functions ------------------------------------------------------------------ */

struct gt_sym_dwarf *gt_sym_dwarf_new(Dwfl_Module *module)
{
	Dwarf_Addr bias;
	Dwarf *dwarf = dwfl_module_getdwarf(module, &bias);
	struct gt_sym_dwarf *d;
	Dwarf_CU *cu = NULL;
	uint8_t type;
	Dwarf_Die die;

	if (dwarf == NULL) {
		return NULL;
	}
	d = gt_alloc(sizeof(*d));
	d->bias = bias;
	while (dwarf_get_units(dwarf, cu, &cu, NULL, &type, &die, NULL) == 0) {
		if (type != DW_UT_compile && type != DW_UT_skeleton) {
			continue;
		}
		d->units = gt_grow(d->units, d->n, &d->cap, sizeof(*d->units));
		d->units[d->n] = (struct unit){.die = die, .body = die};
		add_ranges(&d->ranges, &die, d->n++);
	}
	sort_ranges(&d->ranges);
	return d;
}

void gt_sym_dwarf_free(struct gt_sym_dwarf *d)
{
	const struct gt_idmap_slot *s;

	if (d == NULL) {
		return;
	}
	for (size_t i = 0; (s = gt_idmap_each(&d->names, &i)) != NULL;) {
		struct name *name = (struct name *)s->word; /* NOLINT: words are pointers here */

		free(name->text);
		free(name);
	}
	gt_idmap_fini(&d->names);
	for (size_t i = 0; i < d->n; i++) {
		free(d->units[i].ranges.array);
		free(d->units[i].functions);
	}
	free(d->units);
	free(d->ranges.array);
	free(d);
}

/* The next DIE beside this one; a damaged reference to a sibling must not lead back. */
static bool next_sibling(Dwarf_Die *die)
{
	const Dwarf_Off at = dwarf_dieoffset(die);

	return dwarf_siblingof(die, die) == 0 && dwarf_dieoffset(die) > at;
}

/* The functions that have code, in whatever they are declared. */
static void read_functions(struct unit *u, Dwarf_Die *parent, unsigned nesting)
{
	Dwarf_Die die;

	if (nesting > NESTING_MAX || dwarf_child(parent, &die) != 0) {
		return;
	}
	do {
		const size_t before = u->ranges.n;

		switch (dwarf_tag(&die)) {
		case DW_TAG_subprogram:
			add_ranges(&u->ranges, &die, u->n);
			if (u->ranges.n > before) {
				u->functions =
					gt_grow(u->functions, u->n, &u->cap, sizeof(*u->functions));
				u->functions[u->n++] = die;
			}
			break;
		case DW_TAG_namespace:
		case DW_TAG_module:
		case DW_TAG_structure_type:
		case DW_TAG_class_type:
		case DW_TAG_union_type:
		case DW_TAG_enumeration_type: /* Rust's have functions */
			read_functions(u, &die, nesting + 1);
			break;
		default:
			break;
		}
	} while (next_sibling(&die));
}

static void read_unit(struct unit *u)
{
	Dwarf_Die split;

	u->read = true;
	if (dwarf_cu_info(u->die.cu, NULL, NULL, NULL, &split, NULL, NULL, NULL) == 0 &&
	    dwarf_tag(&split) == DW_TAG_compile_unit) {
		u->body = split;
	}
	read_functions(u, &u->body, 0);
	sort_ranges(&u->ranges);
}

/* --- Names -------------------------------------------------------------------------------- */

static bool follow(Dwarf_Die *die, unsigned attribute)
{
	Dwarf_Attribute a;
	Dwarf_Die to;

	if (dwarf_attr(die, attribute, &a) == NULL || dwarf_formref_die(&a, &to) == NULL) {
		return false;
	}
	*die = to;
	return true;
}

static const char *string_of(Dwarf_Die *die, unsigned attribute)
{
	Dwarf_Attribute a;

	return dwarf_attr_integrate(die, attribute, &a) != NULL ? dwarf_formstring(&a) : NULL;
}

/* What a scope adds in front of a function's name; NULL: nothing. */
static const char *scope_name(Dwarf_Die *die, const char *function)
{
	const char *name = dwarf_diename(die);

	switch (dwarf_tag(die)) {
	case DW_TAG_namespace:
		return name != NULL ? name : "(anonymous namespace)";
	case DW_TAG_structure_type:
	case DW_TAG_class_type:
	case DW_TAG_union_type:
		return name != NULL                          ? name
		       : strcmp(function, "operator()") == 0 ? "{lambda}"
							     : "{unnamed}";
	case DW_TAG_module:
	case DW_TAG_enumeration_type:
	case DW_TAG_subprogram:
		return name;
	default:
		return NULL;
	}
}

static bool is_c(Dwarf_Die *die)
{
	Dwarf_Die unit;

	if (dwarf_diecu(die, &unit, NULL, NULL) == NULL) {
		return true;
	}
	switch (dwarf_srclang(&unit)) {
	case DW_LANG_C:
	case DW_LANG_C89:
	case DW_LANG_C99:
	case DW_LANG_C11:
	case DW_LANG_Mips_Assembler:
		return true;
	default:
		return false;
	}
}

/* With the scopes of its declaration before it: compilers give no linker's name to local ones. */
static char *qualified(const Dwarf_Die *function, const char *name)
{
	Dwarf_Die declaration = *function;
	Dwarf_Die *scopes = NULL;
	char *text = NULL;
	size_t size;
	FILE *out;
	int n = 0;

	follow(&declaration, DW_AT_specification);
	if (!is_c(&declaration)) {
		n = dwarf_getscopes_die(&declaration, &scopes);
	}
	out = open_memstream(&text, &size);
	if (out == NULL) {
		abort();
	}
	for (int i = n - 1; i > 0; i--) { /* the function itself is the first */
		const char *scope = scope_name(&scopes[i], name);

		if (scope != NULL) {
			fprintf(out, "%s::", scope);
		}
	}
	fputs(name, out);
	free(scopes);
	if (fclose(out) != 0) {
		abort();
	}
	return text;
}

static struct name *make_name(Dwarf_Die *function)
{
	struct name *made = gt_alloc(sizeof(*made));
	const char *linkage = string_of(function, DW_AT_linkage_name);
	const char *plain;

	if (linkage == NULL) {
		linkage = string_of(function, DW_AT_MIPS_linkage_name);
	}
	if (linkage != NULL) {
		made->text = gt_sym_demangle(linkage, strlen(linkage));
		made->linkage = made->text != NULL;
	}
	plain = dwarf_diename(function);
	if (made->text == NULL && plain != NULL) {
		made->text = qualified(function, plain);
	}
	return made;
}

/* Of a function, or of an inlined one's place. */
static const struct name *name_of(struct gt_sym_dwarf *d, const Dwarf_Die *die)
{
	Dwarf_Die function = *die;
	struct name *name;
	uint64_t key;

	for (unsigned i = 0; i < REFERENCES_MAX && follow(&function, DW_AT_abstract_origin); i++) {
	}
	key = (uintptr_t)function.addr;
	name = gt_idmap_pointer(&d->names, key);
	if (name == NULL) {
		name = make_name(&function);
		gt_idmap_put(&d->names, key, (uintptr_t)name);
	}
	return name;
}

/* --- Places ------------------------------------------------------------------------------- */

/* Where the instruction came from. Some come from nowhere (line 0): then what stands before. */
static void place_of(struct unit *u, Dwarf_Addr address, struct gt_sym_frame *frame)
{
	for (unsigned back = 0; back < BACK_MAX; back++) {
		Dwarf_Line *line = dwarf_getsrc_die(&u->die, address);
		int number = 0;
		Dwarf_Addr begin;

		if (line == NULL || dwarf_lineaddr(line, &begin) != 0) {
			return;
		}
		if (dwarf_lineno(line, &number) == 0 && number > 0) {
			frame->file = dwarf_linesrc(line, NULL, NULL);
			frame->line = frame->file != NULL ? (uint64_t)number : 0;
			return;
		}
		address = begin - 1;
	}
}

static bool number_of(Dwarf_Die *die, unsigned attribute, Dwarf_Word *value)
{
	Dwarf_Attribute a;

	return dwarf_attr(die, attribute, &a) != NULL && dwarf_formudata(&a, value) == 0;
}

/* Where an inlined function was called. */
static void call_of(struct unit *u, Dwarf_Die *inlined, struct gt_sym_frame *frame)
{
	Dwarf_Word file, line;
	Dwarf_Files *files;
	size_t n;

	frame->file = NULL;
	frame->line = 0;
	if (number_of(inlined, DW_AT_call_file, &file) &&
	    number_of(inlined, DW_AT_call_line, &line) && line != 0 &&
	    dwarf_getsrcfiles(&u->body, &files, &n) == 0 && file < n) {
		frame->file = dwarf_filesrc(files, file, NULL, NULL);
		frame->line = frame->file != NULL ? line : 0;
	}
}

/* The child around the address that has code of its own: an inlined function, or a block. */
static bool descend(Dwarf_Die *at, Dwarf_Addr address)
{
	Dwarf_Die die;

	if (dwarf_child(at, &die) != 0) {
		return false;
	}
	do {
		switch (dwarf_tag(&die)) {
		case DW_TAG_inlined_subroutine:
		case DW_TAG_lexical_block:
		case DW_TAG_try_block:
		case DW_TAG_catch_block:
			if (dwarf_haspc(&die, address) > 0) {
				*at = die;
				return true;
			}
			break;
		default:
			break;
		}
	} while (next_sibling(&die));
	return false;
}

/* The inlined functions around the address, outermost first. */
static unsigned inlined_at(const Dwarf_Die *function, Dwarf_Addr address, Dwarf_Die *chain)
{
	Dwarf_Die at = *function;
	unsigned n = 0;

	for (unsigned nesting = 0; nesting < NESTING_MAX && n < GT_SYM_DEPTH_MAX; nesting++) {
		if (!descend(&at, address)) {
			break;
		}
		if (dwarf_tag(&at) == DW_TAG_inlined_subroutine) {
			chain[n++] = at;
		}
	}
	return n;
}

unsigned gt_sym_dwarf_find(struct gt_sym_dwarf *d, Dwarf_Addr address, struct gt_sym_frame *frames)
{
	static Dwarf_Die chain[GT_SYM_DEPTH_MAX];
	const struct range *r;
	const struct name *name;
	struct gt_sym_frame place = {0};
	Dwarf_Die *function;
	Dwarf_Addr entry;
	struct unit *u;
	unsigned n, k = 0;

	address -= d->bias;
	r = find_range(&d->ranges, address);
	if (r == NULL) {
		return 0;
	}
	u = &d->units[r->what];
	if (!u->read) {
		read_unit(u);
	}
	place_of(u, address, &place);
	r = find_range(&u->ranges, address);
	if (r == NULL) {
		/* Assembly has lines and no functions. */
		frames[0] = place;
		return place.file != NULL;
	}
	function = &u->functions[r->what];
	n = inlined_at(function, address, chain);
	if (n > 0 && dwarf_entrypc(function, &entry) == 0 && entry == address) {
		/* The function itself is meant, as a thread's beginning for one. */
		call_of(u, &chain[0], &place);
		n = 0;
	}
	for (; n > 0; n--) {
		name = name_of(d, &chain[n - 1]);
		place.func = name->text;
		place.linkage = name->linkage;
		frames[k++] = place;
		call_of(u, &chain[n - 1], &place);
	}
	name = name_of(d, function);
	place.func = name->text;
	place.linkage = name->linkage;
	frames[k++] = place;
	return k;
}
