/*
 * The files whose code is mapped into the process, by /proc/self/maps, for core/symbol.c.
 *
 * Owns the list of executable mappings and what was read of each file. Only the advancer calls it;
 * see core/image.h for what that asks of the code.
 */
#pragma once

#include "base/util.h"

#include "image.h"

/* A mapped file. Its tables stay for as long as it is mapped. */
struct gt_module {
	uint64_t id;      /* hash of device, inode and path; 0: free */
	size_t path;      /* see gt_module_path */
	bool seen;        /* in the mappings as they were read last */
	bool read;        /* image is filled, because a pc in it was asked for */
	uintptr_t memory; /* the vDSO: where it is, and its size; 0: a file */
	size_t bytes;
	struct gt_image image;
};

/* Looks at the mappings. True where they are other than the last time; all pointers are then void.
 */
bool gt_module_refresh(void);

/*
 * The module that pc lies in, and the place in its file; NULL: none, or code made at run time.
 * *range is the number of the mapping, for gt_module_note.
 */
struct gt_module *gt_module_of(uint64_t pc, uint64_t *offset, size_t *range);

/* An executable mapping of a file. */
struct gt_mapping {
	uint64_t start;
	uint64_t bytes;
	uint64_t offset; /* in the file */
	const char *path;
	const uint8_t *build_id;
	size_t build_id_bytes; /* 0: none, or nobody has opened the module */
};

/* Of this mapping is to be spoken. */
void gt_module_note(size_t range);
/* The next of those from *range on, which is then spoken of; false: no more. */
bool gt_module_take_noted(size_t *range, struct gt_mapping *out);

/* As the kernel writes it: a newline is \012, and a file that is gone ends in " (deleted)". */
const char *gt_module_path(const struct gt_module *m);
/* Length of a path without that remark. */
size_t gt_module_path_length(const char *path);

/*
 * Opens the module's file, and reads its tables if that has not been done. True where file can be
 * used with image; it is to be closed by gt_module_close in any case.
 */
bool gt_module_open(struct gt_module *m, struct gt_image_file *file);
void gt_module_close(struct gt_image_file *file);

/* How many files had a symbol table too large to be read, and the path of the last one, cut to fit.
 */
unsigned gt_module_capped(const char **path);
