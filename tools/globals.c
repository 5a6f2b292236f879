/*
 * Names of global variables.
 */
#include "globals.h"

#include <elf.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "error.h"
#include "model_set.h"
#include "name.h"

/* An ELF file in memory. */
struct image {
	const unsigned char *data; /* NULL: it is of no use */
	size_t size;
};

struct symbol {
	uint64_t value, size;
	const char *name;
};

struct module {
	uint64_t start, bytes, offset;
	char *path, *build_id;
	bool opened;
	struct image image, debug;
	uint64_t bias;          /* address in the process minus that in the file */
	struct symbol *symbols; /* by value */
	size_t nsymbols, symbols_cap;
};

struct gt_globals {
	struct module *modules;
	size_t nmodules, modules_cap;
	struct gt_set names; /* key: address, value: char * */
};

/* --- Files ------------------------------------------------------------------------------------ */

/* So many bytes at an offset; NULL where the file ends before. */
static const void *bytes_at(const struct image *image, uint64_t offset, uint64_t bytes)
{
	return offset <= image->size && bytes <= image->size - offset ? image->data + offset : NULL;
}

static struct image open_image(const char *path)
{
	struct image image = {0};
	struct stat st;
	const Elf64_Ehdr *head;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	void *data;

	if (fd < 0) {
		return image;
	}
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0) {
		data = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
		if (data != MAP_FAILED) {
			image = (struct image){data, (size_t)st.st_size};
		}
	}
	close(fd);
	head = bytes_at(&image, 0, sizeof(*head));
	if (image.data != NULL &&
	    (head == NULL || memcmp(head->e_ident, ELFMAG, SELFMAG) != 0 ||
	     head->e_ident[EI_CLASS] != ELFCLASS64 || head->e_ident[EI_DATA] != ELFDATA2LSB ||
	     head->e_phentsize != sizeof(Elf64_Phdr) || head->e_phoff % 8 != 0)) {
		munmap((void *)image.data, image.size); /* NOLINT: it was mapped */
		image = (struct image){0};
	}
	return image;
}

static void close_image(struct image *image)
{
	if (image->data != NULL) {
		munmap((void *)image->data, image->size); /* NOLINT: it was mapped */
		image->data = NULL;
	}
}

/* The program headers of a kind: start with *i = 0; NULL at the end. */
static const Elf64_Phdr *segment(const struct image *image, unsigned *i, unsigned type)
{
	const Elf64_Ehdr *head = (const void *)image->data;
	const Elf64_Phdr *all =
		bytes_at(image, head->e_phoff, (uint64_t)head->e_phnum * sizeof(*all));

	while (all != NULL && *i < head->e_phnum) {
		const Elf64_Phdr *p = &all[(*i)++];

		if (p->p_type == type) {
			return p;
		}
	}
	return NULL;
}

static bool has_build_id(const struct image *image, const char *wanted)
{
	const Elf64_Phdr *p;

	for (unsigned i = 0; (p = segment(image, &i, PT_NOTE)) != NULL;) {
		uint64_t at = p->p_offset, end = p->p_offset + p->p_filesz;
		const Elf64_Nhdr *note;

		while (at % 4 == 0 && at < end &&
		       (note = bytes_at(image, at, sizeof(*note))) != NULL) {
			const uint64_t name = at + sizeof(*note);
			const uint64_t desc = name + GT_ROUND_UP((uint64_t)note->n_namesz, 4);
			const unsigned char *id = bytes_at(image, desc, note->n_descsz);
			char text[3];
			bool same = note->n_type == NT_GNU_BUILD_ID && id != NULL &&
				    strlen(wanted) == 2 * (uint64_t)note->n_descsz;

			for (uint32_t k = 0; same && k < note->n_descsz; k++) {
				snprintf(text, sizeof(text), "%02x", id[k]);
				same = memcmp(text, wanted + (size_t)2 * k, 2) == 0;
			}
			if (same) {
				return true;
			}
			at = desc + GT_ROUND_UP((uint64_t)note->n_descsz, 4);
		}
	}
	return false;
}

/* --- Symbols ---------------------------------------------------------------------------------- */

static int by_value(const void *x, const void *y)
{
	const struct symbol *a = x, *b = y;

	return (a->value > b->value) - (a->value < b->value);
}

/* The variables in a file's symbol tables of this type: how many there are. */
static size_t add_symbols(struct module *m, const struct image *image, unsigned type)
{
	const Elf64_Ehdr *head = (const void *)image->data;
	const Elf64_Shdr *sections =
		image->data == NULL || head->e_shentsize != sizeof(*sections) || head->e_shoff % 8
			? NULL
			: bytes_at(image, head->e_shoff,
				   (uint64_t)head->e_shnum * sizeof(*sections));
	const size_t before = m->nsymbols;

	for (unsigned i = 0; sections != NULL && i < head->e_shnum; i++) {
		const Elf64_Shdr *s = &sections[i];
		const Elf64_Shdr *names = s->sh_link < head->e_shnum ? &sections[s->sh_link] : NULL;
		const Elf64_Sym *symbols = bytes_at(image, s->sh_offset, s->sh_size);
		const char *text = names == NULL || names->sh_type != SHT_STRTAB
					   ? NULL
					   : bytes_at(image, names->sh_offset, names->sh_size);

		if (s->sh_type != type || s->sh_offset % 8 != 0 || symbols == NULL ||
		    text == NULL || names->sh_size == 0 || text[names->sh_size - 1] != '\0') {
			continue;
		}
		for (uint64_t k = 0; k < s->sh_size / sizeof(*symbols); k++) {
			const Elf64_Sym *sym = &symbols[k];

			if (ELF64_ST_TYPE(sym->st_info) != STT_OBJECT || sym->st_size == 0 ||
			    sym->st_shndx == SHN_UNDEF || sym->st_name >= names->sh_size) {
				continue;
			}
			m->symbols = gt_grow(m->symbols, m->nsymbols, &m->symbols_cap,
					     sizeof(*m->symbols));
			m->symbols[m->nsymbols++] =
				(struct symbol){sym->st_value, sym->st_size, text + sym->st_name};
		}
	}
	return m->nsymbols - before;
}

static void find_symbols(struct module *m)
{
	char path[200];

	if (add_symbols(m, &m->image, SHT_SYMTAB) == 0) {
		snprintf(path, sizeof(path), "/usr/lib/debug/.build-id/%.2s/%.150s.debug",
			 m->build_id, m->build_id + 2);
		m->debug = open_image(path);
		if (add_symbols(m, &m->debug, SHT_SYMTAB) == 0) {
			add_symbols(m, &m->image, SHT_DYNSYM);
		}
	}
	if (m->nsymbols != 0) {
		qsort(m->symbols, m->nsymbols, sizeof(*m->symbols), by_value);
	}
}

static void open_module(struct module *m)
{
	const Elf64_Phdr *p;

	if (m->opened) {
		return;
	}
	m->opened = true;
	if (strlen(m->build_id) < 4) {
		return; /* whose file it is now nobody knows */
	}
	m->image = open_image(m->path);
	if (m->image.data == NULL) {
		return;
	}
	for (unsigned i = 0; (p = segment(&m->image, &i, PT_LOAD)) != NULL;) {
		/* The mapping begins with the page that the segment's first byte is in. */
		if ((p->p_flags & PF_X) != 0 && p->p_offset < m->offset + m->bytes &&
		    m->offset < p->p_offset + p->p_filesz) {
			break;
		}
	}
	if (p == NULL || !has_build_id(&m->image, m->build_id)) {
		close_image(&m->image);
		return;
	}
	m->bias = m->start - (p->p_vaddr + m->offset - p->p_offset);
	find_symbols(m);
}

/* The module in whose writable data an address lies. */
static struct module *module_of(struct gt_globals *globals, uint64_t address)
{
	for (size_t i = 0; i < globals->nmodules; i++) {
		struct module *m = &globals->modules[i];
		const Elf64_Phdr *p;

		open_module(m);
		for (unsigned k = 0;
		     m->image.data != NULL && (p = segment(&m->image, &k, PT_LOAD)) != NULL;) {
			if ((p->p_flags & PF_W) != 0 &&
			    address - m->bias - p->p_vaddr < p->p_memsz) {
				return m;
			}
		}
	}
	return NULL;
}

static const struct symbol *symbol_of(const struct module *m, uint64_t value)
{
	size_t from = 0, to = m->nsymbols;

	while (from < to) {
		const size_t middle = from + (to - from) / 2;

		if (m->symbols[middle].value <= value) {
			from = middle + 1;
		} else {
			to = middle;
		}
	}
	return from > 0 && value - m->symbols[from - 1].value < m->symbols[from - 1].size
		       ? &m->symbols[from - 1]
		       : NULL;
}

static char *name_of(struct gt_globals *globals, uint64_t address)
{
	const struct module *m = module_of(globals, address);
	const struct symbol *symbol;
	const char *name;
	char *plain = NULL, *text;
	uint64_t offset;
	size_t size;

	if (m == NULL) {
		return NULL;
	}
	symbol = symbol_of(m, address - m->bias);
	if (symbol != NULL) {
		plain = gt_name_plain(symbol->name, strlen(symbol->name));
		name = plain != NULL ? plain : symbol->name;
		offset = address - m->bias - symbol->value;
	} else {
		name = strrchr(m->path, '/');
		name = name != NULL ? name + 1 : m->path;
		offset = address - m->bias;
	}
	size = strlen(name) + 32;
	text = gt_alloc(size);
	if (offset != 0) {
		snprintf(text, size, "%s+0x%" PRIx64, name, offset);
	} else {
		snprintf(text, size, "%s", name);
	}
	free(plain);
	return text;
}

/* --- All -------------------------------------------------------------------------------------- */

struct gt_globals *gt_globals_create(void)
{
	struct gt_globals *globals = gt_alloc(sizeof(*globals));

	*globals = (struct gt_globals){.names = gt_set_of(sizeof(char *))};
	return globals;
}

void gt_globals_destroy(struct gt_globals *globals)
{
	for (size_t i = 0; i < globals->nmodules; i++) {
		struct module *m = &globals->modules[i];

		close_image(&m->image);
		close_image(&m->debug);
		free(m->symbols);
		free(m->path);
		free(m->build_id);
	}
	for (size_t i = 0; i < globals->names.count; i++) {
		free(*(char **)gt_set_value(&globals->names, i));
	}
	gt_set_fini(&globals->names);
	free(globals->modules);
	free(globals);
}

static char *copy(const char *text)
{
	const size_t size = strlen(text) + 1;

	return memcpy(gt_alloc(size), text, size);
}

void gt_globals_map(struct gt_globals *globals, uint64_t start, uint64_t bytes, uint64_t offset,
		    const char *file, const char *build_id)
{
	for (size_t i = 0; i < globals->nmodules; i++) {
		const struct module *m = &globals->modules[i];

		if (m->start == start && m->offset == offset && strcmp(m->path, file) == 0) {
			return;
		}
	}
	globals->modules = gt_grow(globals->modules, globals->nmodules, &globals->modules_cap,
				   sizeof(*globals->modules));
	globals->modules[globals->nmodules++] = (struct module){
		.start = start,
		.bytes = bytes,
		.offset = offset,
		.path = copy(file),
		.build_id = copy(build_id),
	};
}

const char *gt_globals_name(struct gt_globals *globals, uint64_t address)
{
	const size_t before = globals->names.count;
	const uint32_t index = gt_set_put(&globals->names, &address, sizeof(address));
	char **name = gt_set_value(&globals->names, index);

	if (index == before) {
		*name = name_of(globals, address);
	}
	return *name;
}
