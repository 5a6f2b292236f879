/*
 * Names of functions, for the stack table of a generation.
 *
 * Owns what is known of the process's executable mappings and their symbol tables. Only the
 * advancer calls it (one thread, or its stand-in, never two at once), which has no state of libc:
 * raw system calls and mapped memory only. gt_symbol_name_entry alone may be called by anybody.
 *
 * Names come from .symtab, else .dynsym, of the files that /proc/self/maps names, and are raw
 * (mangled). Lines, inlined functions and separate debug files are the offline tools' work.
 */
#pragma once

#include "base/util.h"

struct gt_symbol {
	const char *func;   /* at most GT_WIRE_STRING_MAX bytes, never empty */
	const char *module; /* the file's path, "[vdso]", or "?" */
	uint64_t offset;    /* of the pc in the file's own address space; 0 with module "?" */
	size_t mapping;     /* for gt_module_note, plus one; 0 with module "?" */
};

/*
 * Once per generation, before the first gt_symbol_find: looks at the mappings. True where the
 * executable ones are other than the last time: then gt_stack_forget is due. Results of earlier
 * calls of gt_symbol_find are void after it.
 */
bool gt_symbol_refresh(void);

/*
 * The function around pc, which is an address inside a call (return address - 1) or exact. A
 * function without a symbol is "<file>+0x<start of the function>", so that all its pcs share a name
 * and threads of a stripped program still group by their start routine; without unwind tables
 * either, the pc's own address stands there; where there is no file, "?" and false. Names may stand
 * in buf (GT_WIRE_STRING_MAX + 1 bytes or more), to be used before the next call.
 */
bool gt_symbol_find(uint64_t pc, struct gt_symbol *out, char *buf, size_t bytes);

/*
 * The same of an object that was mapped from this file and is gone: address is the pc in the file's
 * own address space. Where the file cannot be read, the name is of that place.
 */
void gt_symbol_find_gone(const char *path, uint64_t address, char *buf, size_t bytes);

/* The name of the function with this first instruction, whatever its symbol is. A literal. */
void gt_symbol_name_entry(uintptr_t address, const char *name);

/* How many files had a symbol table that is too large to be read here, and the path of one. */
unsigned gt_symbol_capped(const char **path);
