/*
 * The functions of one ELF file (an image, when it is mapped), for core/symbol.c.
 *
 * Owns the sorted table of a module. Only the advancer calls it, a thread without libc's state: raw
 * system calls, mapped memory, no lock, no allocation of libc. The file is never mapped but read,
 * so that one which is cut short meanwhile gives an error and no SIGBUS. Nothing in it is believed:
 * a damaged file gives fewer names.
 */
#pragma once

#include "base/util.h"

/* Where the bytes come from: a descriptor, or memory (the vDSO). */
struct gt_image_file {
	int fd; /* -1: mem */
	const uint8_t *mem;
	uint64_t bytes; /* of mem */
};

/*
 * A larger symbol table (2 million symbols, 32 MiB of ours) is left alone, in favour of .dynsym and
 * of the unwind tables' function starts: reading it would take the advancer's time for seconds.
 */
#define GT_IMAGE_SYMTAB_MAX (48u << 20)

/* The linker's number of a file: 20 bytes mostly; a longer one than this is none. */
#define GT_IMAGE_BUILD_ID_MAX 64u

struct gt_image_function {
	uint32_t at; /* from base */
	uint32_t size;
	uint32_t name; /* in the string table */
	uint32_t weight;
};

struct gt_image {
	struct {
		uint64_t offset;
		uint64_t bytes;
		uint64_t address;
	} code[4]; /* segments with execute permission */
	unsigned ncode;
	uint64_t base; /* lowest address of these */
	struct gt_image_function *functions;
	size_t nfunctions;
	size_t mapped;  /* bytes of functions */
	uint64_t names; /* the string table: offset in the file, and bytes */
	uint64_t names_bytes;
	uint64_t frames; /* .eh_frame_hdr: offset in the file, and address */
	uint64_t frames_address;
	bool capped;            /* its symbol table was too large */
	uint8_t build_id_bytes; /* 0: it has none */
	uint8_t build_id[GT_IMAGE_BUILD_ID_MAX];
};

/* Reads the tables. 0 or -errno (-ENOEXEC: not for us); what was found can be used in either case.
 */
int gt_image_read(struct gt_image *image, const struct gt_image_file *file);
void gt_image_free(struct gt_image *image);

/* The address that the bytes at this offset of the file are linked for. */
bool gt_image_address(const struct gt_image *image, uint64_t offset, uint64_t *address);

/*
 * The function around an address: its start and its name, cut to fit. Of several names at one place
 * the plainest: fewest leading underscores, then global before local, then the shortest.
 */
bool gt_image_name(const struct gt_image *image, const struct gt_image_file *file, uint64_t address,
		   uint64_t *start, char *name, size_t bytes);
/* Only the start, of code without symbols, from its unwind table. */
bool gt_image_start(const struct gt_image *image, const struct gt_image_file *file,
		    uint64_t address, uint64_t *start);
