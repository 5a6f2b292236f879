/*
 * Frames of every kind, for tests of stack walks: functions in assembly that call on.
 */
#pragma once

/* Each calls next(arg); name_call is the address behind its call. */
typedef void next_fn(void *arg);
#define FRAME(name, body)                                                                       \
	void name(next_fn *next, void *arg);                                                    \
	extern const char name##_call[];                                                        \
	__asm__(".pushsection .text\n.globl " #name "\n.type " #name ",@function\n" #name ":\n" \
		"xchg %rdi, %rsi\n" body "\n.size " #name ", . - " #name "\n.popsection\n")

FRAME(frame_pointer,
      ".cfi_startproc\n push %rbp\n .cfi_def_cfa_offset 16\n .cfi_offset 6, -16\n"
      "mov %rsp, %rbp\n .cfi_def_cfa_register 6\n call *%rsi\n frame_pointer_call: pop %rbp\n"
      ".cfi_def_cfa 7, 8\n ret\n .cfi_endproc");
FRAME(no_frame_pointer,
      ".cfi_startproc\n sub $40, %rsp\n .cfi_adjust_cfa_offset 40\n call *%rsi\n"
      "no_frame_pointer_call: add $40, %rsp\n .cfi_adjust_cfa_offset -40\n ret\n .cfi_endproc");
/* rbp holds a number, then an address of the stack that is no frame. */
FRAME(wild_rbp, ".cfi_startproc\n push %rbp\n .cfi_def_cfa_offset 16\n .cfi_offset 6, -16\n"
		"mov $24, %ebp\n call *%rsi\n wild_rbp_call: pop %rbp\n .cfi_restore 6\n"
		".cfi_def_cfa_offset 8\n ret\n .cfi_endproc");
FRAME(stack_rbp, ".cfi_startproc\n push %rbp\n .cfi_def_cfa_offset 16\n .cfi_offset 6, -16\n"
		 "lea 64(%rsp), %rbp\n call *%rsi\n stack_rbp_call: pop %rbp\n .cfi_restore 6\n"
		 ".cfi_def_cfa_offset 8\n ret\n .cfi_endproc");
/* What gcc writes for a function with 32-byte aligned locals. */
FRAME(aligned, ".cfi_startproc\n lea 8(%rsp), %r10\n .cfi_def_cfa 10, 0\n and $-32, %rsp\n"
	       "pushq -8(%r10)\n push %rbp\n mov %rsp, %rbp\n .cfi_escape 0x10,0x6,0x2,0x76,0x0\n"
	       "push %r10\n .cfi_escape 0xf,0x3,0x76,0x78,0x6\n sub $8, %rsp\n call *%rsi\n"
	       "aligned_call: add $8, %rsp\n pop %r10\n .cfi_def_cfa 10, 0\n pop %rbp\n"
	       "lea -8(%r10), %rsp\n .cfi_def_cfa 7, 8\n ret\n .cfi_endproc");
/* As code made at run time: no table. One keeps frame pointers, one does not. */
FRAME(no_table, "push %rbp\n mov %rsp, %rbp\n call *%rsi\n no_table_call: pop %rbp\n ret");
FRAME(no_table_wild, "push %rbp\n mov $24, %ebp\n call *%rsi\n no_table_wild_call: pop %rbp\n ret");

struct kind {
	void (*call)(next_fn *next, void *arg);
	const char *behind;
};

static const struct kind kinds[] = {
	{frame_pointer, frame_pointer_call},
	{no_frame_pointer, no_frame_pointer_call},
	{wild_rbp, wild_rbp_call},
	{stack_rbp, stack_rbp_call},
	{aligned, aligned_call},
};
static const struct kind without_table = {no_table, no_table_call};
static const struct kind without_anything = {no_table_wild, no_table_wild_call};
