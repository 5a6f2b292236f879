/*
 * The functions of one ELF file.
 *
 * What is large is static and not on the stack, here and in module.c and dump.c: a process with one
 * thread does all this itself, perhaps at its end in a signal handler on a small stack of its own.
 * One thread at a time, by x_advance.
 */
#include "image.h"

#include <elf.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "base/sys.h"

/* As many bytes as are there, at most this many; 0 on any error. */
static size_t read_some(const struct gt_image_file *file, void *to, size_t bytes, uint64_t offset)
{
	size_t have = 0;

	if (file->fd < 0) {
		have = offset < file->bytes ? GT_MIN(bytes, file->bytes - offset) : 0;
		memcpy(to, file->mem + (have != 0 ? offset : 0), have);
		return have;
	}
	while (have < bytes && offset + have <= INT64_MAX) {
		ssize_t n = gt_sys_pread(file->fd, (char *)to + have, bytes - have,
					 (off_t)(offset + have));

		if (n <= 0) {
			break;
		}
		have += (size_t)n;
	}
	return have;
}

static bool read_all(const struct gt_image_file *file, void *to, size_t bytes, uint64_t offset)
{
	return read_some(file, to, bytes, offset) == bytes;
}

/* --- Reading -------------------------------------------------------------------------------- */

/* Looks for the build id in a segment of notes; what does not fit in 1 KiB has none that counts. */
static void read_notes(struct gt_image *image, const struct gt_image_file *file,
		       const Elf64_Phdr *ph)
{
	static uint8_t notes[1024];
	size_t bytes = read_some(file, notes, GT_MIN(ph->p_filesz, sizeof(notes)), ph->p_offset);
	size_t align = ph->p_align == 8 ? 8 : 4;
	size_t at = 0;
	Elf64_Nhdr n;

	while (at + sizeof(n) <= bytes) {
		uint64_t text;
		uint64_t next;

		memcpy(&n, notes + at, sizeof(n));
		text = at + GT_ROUND_UP(sizeof(n) + (uint64_t)n.n_namesz, align);
		next = text + GT_ROUND_UP((uint64_t)n.n_descsz, align);
		if (text + n.n_descsz > bytes) {
			return;
		}
		if (n.n_type == NT_GNU_BUILD_ID && n.n_namesz == sizeof(ELF_NOTE_GNU) &&
		    memcmp(notes + at + sizeof(n), ELF_NOTE_GNU, sizeof(ELF_NOTE_GNU)) == 0 &&
		    n.n_descsz <= GT_IMAGE_BUILD_ID_MAX) {
			memcpy(image->build_id, notes + text, n.n_descsz);
			image->build_id_bytes = (uint8_t)n.n_descsz;
			return;
		}
		at = next;
	}
}

static int read_segments(struct gt_image *image, const struct gt_image_file *file,
			 const Elf64_Ehdr *eh)
{
	Elf64_Phdr ph;

	if (eh->e_phentsize != sizeof(ph)) {
		return -ENOEXEC;
	}
	image->base = UINT64_MAX;
	for (unsigned i = 0; i < eh->e_phnum; i++) {
		if (!read_all(file, &ph, sizeof(ph), eh->e_phoff + i * sizeof(ph))) {
			return -ENOEXEC;
		}
		if (ph.p_type == PT_LOAD && (ph.p_flags & PF_X) != 0 &&
		    image->ncode < GT_LEN(image->code)) {
			image->code[image->ncode].offset = ph.p_offset;
			image->code[image->ncode].bytes = ph.p_filesz;
			image->code[image->ncode].address = ph.p_vaddr;
			image->ncode++;
			image->base = GT_MIN(image->base, ph.p_vaddr);
		} else if (ph.p_type == PT_GNU_EH_FRAME) {
			image->frames = ph.p_offset;
			image->frames_address = ph.p_vaddr;
		} else if (ph.p_type == PT_NOTE && image->build_id_bytes == 0) {
			read_notes(image, file, &ph);
		}
	}
	return image->ncode != 0 ? 0 : -ENOEXEC;
}

/* The symbol table to use, and its strings; the one of all symbols before that of exported ones. */
static bool choose_table(struct gt_image *image, const struct gt_image_file *file,
			 const Elf64_Ehdr *eh, Elf64_Shdr *table)
{
	Elf64_Shdr section;
	Elf64_Shdr strings;
	uint64_t count = eh->e_shnum;
	bool found = false;

	if (eh->e_shentsize != sizeof(section) || eh->e_shoff == 0) {
		return false;
	}
	if (count == 0 && read_all(file, &section, sizeof(section), eh->e_shoff)) {
		count = section.sh_size; /* 65,280 sections or more */
	}
	/* One by one: a file has some forty; those with a million are not worth more code. */
	for (uint64_t i = 0; i < count && i < 100000; i++) {
		if (!read_all(file, &section, sizeof(section), eh->e_shoff + i * sizeof(section))) {
			break;
		}
		if ((section.sh_type != SHT_SYMTAB && section.sh_type != SHT_DYNSYM) ||
		    section.sh_entsize != sizeof(Elf64_Sym) || section.sh_link >= count ||
		    (found && section.sh_type == SHT_DYNSYM)) {
			continue;
		}
		if (section.sh_size > GT_IMAGE_SYMTAB_MAX) {
			image->capped = true;
			continue;
		}
		if (!read_all(file, &strings, sizeof(strings),
			      eh->e_shoff + section.sh_link * sizeof(strings))) {
			continue;
		}
		*table = section;
		image->names = strings.sh_offset;
		image->names_bytes = strings.sh_size;
		found = true;
	}
	return found;
}

static bool in_code(const struct gt_image *image, uint64_t address)
{
	for (unsigned i = 0; i < image->ncode; i++) {
		if (address - image->code[i].address < image->code[i].bytes) {
			return true;
		}
	}
	return false;
}

static void take_symbol(struct gt_image *image, const Elf64_Sym *sym)
{
	unsigned type = ELF64_ST_TYPE(sym->st_info);
	struct gt_image_function *f = &image->functions[image->nfunctions];

	if ((type != STT_FUNC && type != STT_GNU_IFUNC) || sym->st_shndx == SHN_UNDEF ||
	    sym->st_name == 0 || !in_code(image, sym->st_value) ||
	    sym->st_value - image->base > UINT32_MAX) {
		return;
	}
	f->at = (uint32_t)(sym->st_value - image->base);
	f->size = (uint32_t)GT_MIN(sym->st_size, UINT32_MAX);
	f->name = sym->st_name;
	f->weight = ELF64_ST_BIND(sym->st_info) == STB_LOCAL;
	image->nfunctions++;
}

/* By address, stable: four rounds of one byte each. scratch has the same size. */
static void sort(struct gt_image_function *v, struct gt_image_function *scratch, size_t n)
{
	for (unsigned shift = 0; shift < 32; shift += 8) {
		static size_t start[257];
		struct gt_image_function *t = v;

		memset(start, 0, sizeof(start));
		for (size_t i = 0; i < n; i++) {
			start[(v[i].at >> shift & 0xff) + 1]++;
		}
		for (unsigned b = 1; b < 256; b++) {
			start[b] += start[b - 1];
		}
		for (size_t i = 0; i < n; i++) {
			scratch[start[v[i].at >> shift & 0xff]++] = v[i];
		}
		v = scratch;
		scratch = t;
	}
}

static int read_symbols(struct gt_image *image, const struct gt_image_file *file,
			const Elf64_Shdr *table)
{
	uint64_t count = table->sh_size / sizeof(Elf64_Sym);
	static Elf64_Sym some[128];
	size_t bytes = GT_ROUND_UP((count + 1) * sizeof(struct gt_image_function), GT_PAGE);
	size_t used;
	void *functions;
	void *scratch;
	int r = gt_sys_map(&functions, bytes);

	if (r != 0) {
		return r;
	}
	image->functions = functions;
	image->mapped = bytes;
	for (uint64_t i = 0; i < count;) {
		size_t want = GT_MIN(count - i, GT_LEN(some)) * sizeof(*some);
		size_t n = read_some(file, some, want, table->sh_offset + i * sizeof(*some)) /
			   sizeof(*some);

		for (size_t k = 0; k < n; k++) {
			take_symbol(image, &some[k]);
		}
		if (n * sizeof(*some) != want) {
			break;
		}
		i += n;
	}
	/* Most symbols of a program are no functions: give back what was not needed. */
	used = GT_ROUND_UP((image->nfunctions + 1) * sizeof(struct gt_image_function), GT_PAGE);
	if (used < bytes) {
		gt_sys_unmap((char *)functions + used, bytes - used);
		image->mapped = used;
	}
	r = gt_sys_map(&scratch, used);
	if (r != 0) {
		image->nfunctions = 0;
		return r;
	}
	sort(image->functions, scratch, image->nfunctions);
	gt_sys_unmap(scratch, used);
	return 0;
}

int gt_image_read(struct gt_image *image, const struct gt_image_file *file)
{
	Elf64_Ehdr eh;
	Elf64_Shdr table;
	int r;

	memset(image, 0, sizeof(*image));
	if (!read_all(file, &eh, sizeof(eh), 0) || memcmp(eh.e_ident, ELFMAG, SELFMAG) != 0 ||
	    eh.e_ident[EI_CLASS] != ELFCLASS64 || eh.e_ident[EI_DATA] != ELFDATA2LSB) {
		return -ENOEXEC;
	}
	r = read_segments(image, file, &eh);
	if (r == 0 && choose_table(image, file, &eh, &table)) {
		r = read_symbols(image, file, &table);
	}
	return r;
}

void gt_image_free(struct gt_image *image)
{
	if (image->functions != NULL) {
		gt_sys_unmap(image->functions, image->mapped);
	}
	memset(image, 0, sizeof(*image));
}

/* --- Finding -------------------------------------------------------------------------------- */

bool gt_image_address(const struct gt_image *image, uint64_t offset, uint64_t *address)
{
	for (unsigned i = 0; i < image->ncode; i++) {
		/* Segments are mapped by whole pages. */
		uint64_t from = image->code[i].offset & ~(uint64_t)(GT_PAGE - 1);
		uint64_t to = GT_ROUND_UP(image->code[i].offset + image->code[i].bytes, GT_PAGE);

		if (offset >= from && offset < to) {
			*address = offset - image->code[i].offset + image->code[i].address;
			return true;
		}
	}
	return false;
}

static size_t read_name(const struct gt_image *image, const struct gt_image_file *file,
			uint32_t name, char *to, size_t bytes)
{
	size_t n;

	if (name >= image->names_bytes) {
		return 0;
	}
	n = read_some(file, to, GT_MIN(bytes - 1, image->names_bytes - name), image->names + name);
	to[n] = '\0';
	return strlen(to);
}

static unsigned underscores(const char *name)
{
	unsigned n = 0;

	while (name[n] == '_') {
		n++;
	}
	/* A mangled C++ or Rust name has one or two of its own. */
	return (name[n] == 'Z' || name[n] == 'R') && n <= 2 ? 0 : n;
}

static bool plainer(const char *a, unsigned a_weight, const char *b, unsigned b_weight)
{
	if (underscores(a) != underscores(b)) {
		return underscores(a) < underscores(b);
	}
	if (a_weight != b_weight) {
		return a_weight < b_weight;
	}
	return strlen(a) < strlen(b);
}

/* The plainest name of those from first on that stand at one address. */
static bool choose_name(const struct gt_image *image, const struct gt_image_file *file,
			size_t first, char *name, size_t bytes)
{
	const struct gt_image_function *f = image->functions;
	static char other[1025];
	unsigned weight = 0;
	bool have = false;

	/* memcpy, dlopen and the like have at most a handful. */
	for (size_t i = first; i < image->nfunctions && f[i].at == f[first].at && i < first + 16;
	     i++) {
		if (read_name(image, file, f[i].name, other, GT_MIN(sizeof(other), bytes)) == 0) {
			continue;
		}
		if (!have || plainer(other, f[i].weight, name, weight)) {
			memcpy(name, other, strlen(other) + 1);
			weight = f[i].weight;
			have = true;
		}
	}
	return have;
}

bool gt_image_name(const struct gt_image *image, const struct gt_image_file *file, uint64_t address,
		   uint64_t *start, char *name, size_t bytes)
{
	const struct gt_image_function *f = image->functions;
	uint64_t at = address - image->base;
	size_t from = 0;
	size_t to = image->nfunctions;

	if (address < image->base || at > UINT32_MAX || bytes < 2) {
		return false;
	}
	while (from < to) {
		size_t mid = from + (to - from) / 2;

		if (f[mid].at <= at) {
			from = mid + 1;
		} else {
			to = mid;
		}
	}
	/*
	 * The nearest start whose extent covers the address. A few steps back, for a function
	 * around others (hand-written code). A place without any size extends to the next start.
	 */
	for (unsigned groups = 0; from > 0 && groups < 8; groups++) {
		size_t first = from - 1;
		uint32_t size = 0;

		while (first > 0 && f[first - 1].at == f[from - 1].at) {
			first--;
		}
		for (size_t i = first; i < from; i++) {
			size = GT_MAX(size, f[i].size);
		}
		if (size != 0 ? at - f[first].at < size : groups == 0) {
			*start = image->base + f[first].at;
			return choose_name(image, file, first, name, bytes);
		}
		from = first;
	}
	return false;
}

bool gt_image_start(const struct gt_image *image, const struct gt_image_file *file,
		    uint64_t address, uint64_t *start)
{
	struct {
		uint8_t version, frame_enc, count_enc, table_enc;
		int32_t frame;
		uint32_t count;
	} header;
	int32_t entry[2]; /* start and FDE, relative to the header */
	int32_t fde[4];   /* length, CIE, start relative to itself, length of the code */
	uint64_t from = 0;
	uint64_t to;
	uint64_t table = image->frames + sizeof(header);

	if (image->frames == 0 || !read_all(file, &header, sizeof(header), image->frames) ||
	    header.version != 1 || header.count_enc != 0x03 || header.table_enc != 0x3b) {
		return false;
	}
	to = header.count;
	while (from < to) {
		uint64_t mid = from + (to - from) / 2;

		if (!read_all(file, entry, sizeof(entry), table + mid * sizeof(entry))) {
			return false;
		}
		if (image->frames_address + (uint64_t)(int64_t)entry[0] <= address) {
			from = mid + 1;
		} else {
			to = mid;
		}
	}
	if (from == 0 ||
	    !read_all(file, entry, sizeof(entry), table + (from - 1) * sizeof(entry))) {
		return false;
	}
	*start = image->frames_address + (uint64_t)(int64_t)entry[0];
	/* Its extent, in the encoding that all compilers use; in another, it goes to the next. */
	if (read_all(file, fde, sizeof(fde), image->frames + (uint64_t)(int64_t)entry[1])) {
		int64_t begin = (int64_t)entry[1] + 8 + fde[2];

		if (begin == entry[0] && address - *start >= (uint32_t)fde[3]) {
			return false;
		}
	}
	return true;
}
