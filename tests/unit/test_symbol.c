/*
 * Names of functions: with known answers, of files that are stripped, gone or damaged, and in a
 * thread without libc's state.
 */
#include "symbol.h"

#include <criterion/criterion.h>
#include <dlfcn.h>
#include <elf.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/sys.h"
#include "base/wire.h"
#include "image.h"
#include "module.h"

static char buf[GT_WIRE_STRING_MAX + 1];

static struct gt_symbol find(uintptr_t pc, size_t into)
{
	struct gt_symbol s;

	gt_symbol_find(pc + into, &s, buf, sizeof(buf));
	return s;
}

static struct gt_symbol find_named(const char *function, size_t into)
{
	/* Of libc itself: sanitizers have functions of these names. */
	return find((uintptr_t)dlsym(dlopen("libc.so.6", RTLD_NOW), function), into);
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL ? slash + 1 : path;
}

/* Long enough that a few bytes into it is still inside. */
static __attribute__((noinline, used)) unsigned known_function(unsigned a)
{
	for (unsigned i = 0; i < a; i++) {
		a = a * 31 + i % 7;
		__asm__ volatile("" : "+r"(a));
	}
	return a;
}

#define known ((uintptr_t)known_function)

Test(symbol, functions_have_their_names)
{
	char program[4096] = {0};

	cr_assert(gt_symbol_refresh());
	cr_assert_str_eq(find(known, 0).func, "known_function");
	cr_assert_str_eq(find(known, 9).func, "known_function");
	cr_assert_str_eq(find(known, 9).func, "known_function"); /* cached */
	cr_assert_neq(find(known, 9).offset, 0);
	cr_assert_neq(find(known, 9).offset, find(known, 8).offset);
	cr_assert_gt(readlink("/proc/self/exe", program, sizeof(program) - 1), 0);
	cr_assert_str_eq(find(known, 0).module, program);
}

Test(symbol, of_several_names_the_plainest)
{
	gt_symbol_refresh();
	/* Each of these has names with underscores at the same address. */
	cr_assert_str_eq(find_named("read", 1).func, "read");
	cr_assert_str_eq(find_named("__poll", 1).func, "poll");
	cr_assert_str_eq(find_named("pthread_mutex_lock", 5).func, "pthread_mutex_lock");
	cr_assert(strstr(find_named("read", 1).module, "libc.so") != NULL);
}

Test(symbol, what_is_no_code_of_a_file_has_none)
{
	struct gt_symbol s;

	gt_symbol_refresh();
	cr_assert_not(gt_symbol_find(0, &s, buf, sizeof(buf)));
	cr_assert_str_eq(s.func, "?");
	cr_assert_str_eq(s.module, "?");
	cr_assert_not(gt_symbol_find((uint64_t)buf, &s, buf, sizeof(buf)));
	cr_assert_not(gt_symbol_find(UINT64_MAX, &s, buf, sizeof(buf)));
	cr_assert_str_eq(s.func, "?");
}

Test(symbol, an_entry_can_be_named)
{
	gt_symbol_name_entry(known, "the_name");
	gt_symbol_refresh();
	cr_assert_str_eq(find(known, 0).func, "the_name");
	cr_assert_str_eq(find(known, 9).func, "the_name");
	/* Also where nothing else is known of the place. */
	gt_symbol_name_entry((uintptr_t)buf, "in data");
	cr_assert_str_eq(find((uintptr_t)buf, 0).func, "in data");
	cr_assert_str_eq(find((uintptr_t)buf, 1).func, "?");
}

/* As eu-readelf or file would say it: from the notes that the linker left in memory. */
static size_t own_build_id(uint8_t *to)
{
	extern const char __ehdr_start[];
	const Elf64_Ehdr *eh = (const void *)__ehdr_start;
	const Elf64_Phdr *ph = (const void *)(__ehdr_start + eh->e_phoff);

	for (unsigned i = 0; i < eh->e_phnum; i++) {
		const Elf64_Nhdr *n = (const void *)(__ehdr_start + ph[i].p_offset);

		if (ph[i].p_type == PT_NOTE && n->n_type == NT_GNU_BUILD_ID) {
			memcpy(to, (const char *)(n + 1) + 4, n->n_descsz);
			return n->n_descsz;
		}
	}
	return 0;
}

Test(symbol, a_mapping_is_told_once_it_is_noted)
{
	struct gt_symbol s;
	struct gt_mapping m;
	uint8_t id[256];
	size_t bytes = own_build_id(id);
	size_t range = 0;

	gt_symbol_refresh();
	cr_assert_not(gt_module_take_noted(&range, &m));
	s = find(known, 3);
	gt_module_note(s.mapping - 1);
	gt_module_note(s.mapping - 1);
	range = 0;
	cr_assert(gt_module_take_noted(&range, &m));
	cr_assert_leq(m.start, known);
	cr_assert_gt(m.start + m.bytes, known);
	cr_assert_str_eq(m.path, s.module);
	cr_assert_eq(m.build_id_bytes, bytes);
	cr_assert_arr_eq(m.build_id, id, bytes);
	cr_assert_not(gt_module_take_noted(&range, &m));
	range = 0;
	cr_assert_not(gt_module_take_noted(&range, &m));
}

/* --- A copy of this program, changed, mapped as a loader would ---------------------------------
 */

struct copy {
	uint8_t *bytes;
	size_t size;
	char path[64];
};

static struct copy copy_of_self(void)
{
	struct copy c = {.path = "/tmp/test_symbol.XXXXXX"};
	int fd = open("/proc/self/exe", O_RDONLY);
	struct stat st;

	fstat(fd, &st);
	c.size = (size_t)st.st_size;
	c.bytes = malloc(c.size);
	cr_assert_eq(pread(fd, c.bytes, c.size, 0), (ssize_t)c.size);
	close(fd);
	return c;
}

static Elf64_Ehdr *header_of(const struct copy *c)
{
	return (Elf64_Ehdr *)c->bytes;
}

static Elf64_Phdr *code_of(const struct copy *c)
{
	Elf64_Phdr *ph = (Elf64_Phdr *)(c->bytes + header_of(c)->e_phoff);

	while (ph->p_type != PT_LOAD || (ph->p_flags & PF_X) == 0) {
		ph++;
	}
	return ph;
}

static Elf64_Shdr *section_of(const struct copy *c, unsigned type)
{
	Elf64_Shdr *sh = (Elf64_Shdr *)(c->bytes + header_of(c)->e_shoff);

	for (unsigned i = 0; i < header_of(c)->e_shnum; i++) {
		if (sh[i].sh_type == type) {
			return &sh[i];
		}
	}
	return NULL;
}

/* Where this copy's known_function is mapped. */
static uint8_t *map_copy(struct copy *c)
{
	int fd = mkstemp(c->path);
	const Elf64_Phdr *ph = code_of(c);
	uint64_t from = ph->p_offset & ~4095ull;
	uint64_t vaddr;
	struct gt_symbol own = find(known, 0);
	uint8_t *p;

	cr_assert_eq(write(fd, c->bytes, c->size), (ssize_t)c->size);
	p = mmap(NULL, ph->p_offset + ph->p_filesz - from, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd,
		 (off_t)from);
	cr_assert_neq(p, MAP_FAILED);
	close(fd);
	vaddr = own.offset;
	return p + (vaddr - ph->p_vaddr + ph->p_offset - from);
}

static bool begins_with(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
}

Test(symbol, a_change_of_the_mappings_is_seen)
{
	struct copy c = copy_of_self();
	void *p;

	cr_assert(gt_symbol_refresh());
	cr_assert_not(gt_symbol_refresh());
	/* Memory that is not code is no change, nor is code made at run time. */
	p = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	mprotect(p, 4096, PROT_READ | PROT_EXEC);
	cr_assert_not(gt_symbol_refresh());
	map_copy(&c);
	cr_assert(gt_symbol_refresh());
	cr_assert_not(gt_symbol_refresh());
	unlink(c.path);
}

Test(symbol, a_stripped_function_is_named_by_its_start)
{
	struct copy c = copy_of_self();
	char expected[128];
	uint8_t *f;
	uint64_t offset;

	gt_symbol_refresh();
	offset = find(known, 0).offset;
	header_of(&c)->e_shoff = 0;
	f = map_copy(&c);
	cr_assert(gt_symbol_refresh());
	snprintf(expected, sizeof(expected), "%s+0x%lx", base_name(c.path), offset);
	cr_assert_str_eq(find((uintptr_t)f, 0).func, expected);
	cr_assert_str_eq(find((uintptr_t)f, 11).func, expected);
	cr_assert_eq(find((uintptr_t)f, 11).offset, offset + 11);
	cr_assert_str_eq(find((uintptr_t)f, 0).module, c.path);
	gt_symbol_name_entry((uintptr_t)f, "main");
	cr_assert_str_eq(find((uintptr_t)f, 12).func, "main");
	unlink(c.path);
}

Test(symbol, a_file_that_is_gone_still_has_places)
{
	struct copy c = copy_of_self();
	uint8_t *f;

	gt_symbol_refresh();
	f = map_copy(&c);
	gt_symbol_refresh();
	cr_assert_str_eq(find((uintptr_t)f, 0).func, "known_function");
	unlink(c.path);
	cr_assert(gt_symbol_refresh());
	cr_assert(begins_with(find((uintptr_t)f, 0).func, base_name(c.path)));
	cr_assert(strstr(find((uintptr_t)f, 0).func, "+0x") != NULL);
	cr_assert(strstr(find((uintptr_t)f, 0).func, "deleted") == NULL);
}

Test(symbol, a_file_cut_short_while_it_is_mapped)
{
	struct copy c = copy_of_self();
	uint8_t *f;

	gt_symbol_refresh();
	f = map_copy(&c);
	gt_symbol_refresh();
	cr_assert_eq(truncate(c.path, 4096), 0);
	cr_assert(begins_with(find((uintptr_t)f, 0).func, base_name(c.path)));
	unlink(c.path);
}

Test(symbol, a_huge_symbol_table_is_left_alone_and_said)
{
	struct copy c = copy_of_self();
	const char *path;
	uint8_t *f;

	gt_symbol_refresh();
	cr_assert_eq(gt_symbol_capped(&path), 0);
	section_of(&c, SHT_SYMTAB)->sh_size = 200u << 20;
	f = map_copy(&c);
	gt_symbol_refresh();
	cr_assert(begins_with(find((uintptr_t)f, 0).func, base_name(c.path))); /* not in .dynsym */
	cr_assert_eq(gt_symbol_capped(&path), 1);
	cr_assert_str_eq(path, c.path);
	unlink(c.path);
}

Test(symbol, a_long_name_is_cut)
{
	struct copy c = copy_of_self();
	Elf64_Shdr *table = section_of(&c, SHT_SYMTAB);
	Elf64_Shdr *sections = (Elf64_Shdr *)(c.bytes + header_of(&c)->e_shoff);
	Elf64_Shdr *strings = &sections[table->sh_link];
	uint8_t *f;

	/* All names run into each other. */
	gt_symbol_refresh();
	for (size_t i = 1; i < strings->sh_size; i++) {
		uint8_t *s = c.bytes + strings->sh_offset + i;

		*s = *s != 0 ? *s : '.';
	}
	f = map_copy(&c);
	gt_symbol_refresh();
	cr_assert_eq(strlen(find((uintptr_t)f, 0).func), GT_WIRE_STRING_MAX);
	cr_assert(begins_with(find((uintptr_t)f, 0).func, "known_function"));
	unlink(c.path);
}

/* Everything that is read may be anything: AddressSanitizer watches. */
static void use_image(const uint8_t *bytes, size_t size, uint64_t address)
{
	struct gt_image_file file = {.fd = -1, .mem = bytes, .bytes = size};
	struct gt_image image;
	char name[300];
	uint64_t start;

	gt_image_read(&image, &file);
	for (unsigned i = 0; i < 4; i++) {
		if (gt_image_name(&image, &file, address + i * 997, &start, name, sizeof(name))) {
			cr_assert_gt(strlen(name), 0);
			cr_assert_lt(strlen(name), sizeof(name));
		}
		gt_image_start(&image, &file, address + i * 997, &start);
		gt_image_address(&image, address + i, &start);
	}
	gt_image_free(&image);
}

Test(symbol, damaged_files_give_fewer_names_but_no_bad_access)
{
	struct copy c = copy_of_self();
	struct gt_symbol own;
	unsigned random = 3;
	size_t table = header_of(&c)->e_shoff;
	size_t table_bytes = header_of(&c)->e_shnum * sizeof(Elf64_Shdr);
	size_t symbols = section_of(&c, SHT_SYMTAB)->sh_offset;

	gt_symbol_refresh();
	own = find(known, 0);
	for (unsigned i = 0; i < 3000; i++) {
		/* The file header, the program headers, the sections, the symbols. */
		size_t at[4];
		uint8_t was[4];
		size_t size = c.size;

		random = random * 1103515245 + 12345;
		at[0] = (random >> 8) % (64 + 13 * 56);
		at[1] = table + (random >> 6) % table_bytes;
		at[2] = table + (random >> 12) % table_bytes;
		at[3] = symbols + (random >> 9) % 8192;
		for (unsigned k = 0; k < 4; k++) {
			was[k] = c.bytes[at[k]];
			if ((random >> (16 + k) & 1) != 0) {
				c.bytes[at[k]] = (uint8_t)(random >> (8 + k));
			}
		}
		if (i % 16 == 0) {
			size = (random >> 4) % c.size;
		}
		use_image(c.bytes, size, own.offset);
		for (unsigned k = 4; k-- > 0;) {
			c.bytes[at[k]] = was[k];
		}
	}
	free(c.bytes);
}

/* --- A thread that has nothing of libc, as the advancer ----------------------------------------
 */

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED
#endif

/* A sanitizer needs libc's state in every thread. */
#if defined(__x86_64__) && !defined(SANITIZED)

static struct gt_symbol bare_symbol;
static int bare_ended;

static int bare_thread(void *unused)
{
	(void)unused;
	gt_symbol_refresh();
	gt_symbol_find(known + 9, &bare_symbol, buf, sizeof(buf));
	__atomic_store_n(&bare_ended, 1, __ATOMIC_RELEASE);
	gt_sys_futex_wake(&bare_ended, 1);
	gt_sys_exit_thread(0);
}

Test(symbol, a_thread_without_libc_can_ask, .timeout = 20)
{
	uint8_t *stack =
		mmap(NULL, 1 << 17, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint8_t *block =
		mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	/* A program's library is bound at its start; here the first calls bind, so they are made.
	 */
	gt_symbol_refresh();
	find(known, 0);
	cr_assert_gt(clone(bare_thread, stack + (1 << 17),
			   CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD |
				   CLONE_SYSVSEM | CLONE_SETTLS,
			   NULL, NULL, block + 4096, NULL),
		     0);
	while (__atomic_load_n(&bare_ended, __ATOMIC_ACQUIRE) == 0) {
		gt_sys_futex_wait(&bare_ended, 0, 1000000);
	}
	cr_assert_str_eq(bare_symbol.func, "known_function");
}

#endif
