/*
 * The event specification as data and as types: everything here is generated from events.def.
 */
#pragma once

#include "base/util.h"
#include "base/wire.h"

/* Wire numbers: GT_EV_GO_BLOCK and so on; GT_FACT_BLOCK and so on for gtrace's own facts. */
enum gt_ev {
#define GT_KIND_STRUCT(number, NAME) GT_EV_##NAME = (number),
#define GT_KIND_TIMED(number, NAME)  GT_EV_##NAME = (number),
#define GT_KIND_ALLOC(number, NAME)  GT_EV_##NAME = (number),
#define GT_KIND_FACT(number, NAME)
#define GT_EV(number, NAME, GoName, kind, rule, args, doc) GT_KIND_##kind(number, NAME)
#include "base/events.def"
#undef GT_KIND_STRUCT
#undef GT_KIND_TIMED
#undef GT_KIND_ALLOC
#undef GT_KIND_FACT
};

enum gt_fact {
#define GT_KIND_STRUCT(number, NAME)
#define GT_KIND_TIMED(number, NAME)
#define GT_KIND_ALLOC(number, NAME)
#define GT_KIND_FACT(number, NAME)                         GT_##NAME = (number),
#define GT_EV(number, NAME, GoName, kind, rule, args, doc) GT_KIND_##kind(number, NAME)
#include "base/events.def"
#undef GT_KIND_STRUCT
#undef GT_KIND_TIMED
#undef GT_KIND_ALLOC
#undef GT_KIND_FACT
};

enum gt_reason {
	GT_REASON_NONE,
#define GT_REASON(id, NAME, text) GT_REASON_##NAME = (id),
#include "base/events.def"
	GT_REASON_END, /* the first string id that a string table may hand out */
};

enum gt_object {
	GT_OBJECT_NONE,
#define GT_OBJECT(id, NAME, text) GT_OBJECT_##NAME = (id),
#include "base/events.def"
	GT_OBJECT_END,
};

enum gt_ended {
	GT_ENDED_BAD,
#define GT_ENDED(id, NAME, text) GT_ENDED_##NAME = (id),
#include "base/events.def"
	GT_ENDED_END,
};

enum gt_loss {
	GT_LOSS_NONE,
#define GT_LOSS(id, NAME, text) GT_LOSS_##NAME = (id),
#include "base/events.def"
	GT_LOSS_END,
};

enum gt_about {
	GT_ABOUT_NONE,
#define GT_ABOUT(id, NAME, text) GT_ABOUT_##NAME = (id),
#include "base/events.def"
	GT_ABOUT_END,
};

enum gt_broken {
	GT_BROKEN_NOT,
#define GT_BROKEN(id, NAME, text) GT_BROKEN_##NAME = (id),
#include "base/events.def"
	GT_BROKEN_END,
};

/* Classes of calls, and the calls (calls.def). */
enum gt_class {
#define GT_CLASS(id, NAME, name, on, doc) GT_CLASS_##NAME = (id),
#include "base/calls.def"
	GT_CLASS_END,
};

enum gt_call {
	GT_CALL_NONE,
#define GT_CALL(number, NAME, name, class, as) GT_CALL_##NAME = (number),
#include "base/calls.def"
	GT_CALL_END,
};

/* What a hook knows of its call when it is compiled: class, and reason or 0. */
enum {
#define GT_REASON_SYSCALL GT_REASON_NONE
#define GT_CALL(number, NAME, name, class, as) \
	GT_CLASS_OF_GT_CALL_##NAME = GT_CLASS_##class, GT_AS_OF_GT_CALL_##NAME = GT_REASON_##as,
#include "base/calls.def"
};

struct gt_call_spec {
	const char *name;
	uint8_t class; /* enum gt_class */
	uint8_t as;    /* enum gt_reason; NONE: a system call */
};

/* By number; name is NULL where there is none. GT_CALL_END of them. */
extern GT_HIDDEN const struct gt_call_spec gt_calls[];
/* The name of a class, by id below GT_CLASS_END. */
const char *gt_class_name(unsigned id);

/* A signed number as an argument of a fact: small either way is short. */
GT_INLINE uint64_t gt_zigzag(int64_t v)
{
	return (uint64_t)v << 1 ^ (uint64_t)(v >> 63);
}

GT_INLINE int64_t gt_unzigzag(uint64_t v)
{
	return (int64_t)(v >> 1) ^ -(int64_t)(v & 1);
}

/* The texts of the six tables above, by id; NULL for an id that is not in its table. */
const char *gt_reason_text(uint64_t id);
const char *gt_object_text(uint64_t id);
const char *gt_ended_text(uint64_t id);
const char *gt_loss_text(uint64_t id);
const char *gt_about_text(uint64_t id);
const char *gt_broken_text(uint64_t id);

enum gt_kind { GT_STRUCT = 1, GT_TIMED, GT_ALLOC, GT_FACT };

enum gt_arg_type {
	GT_ARG_none,
	GT_ARG_g,       /* a G id */
	GT_ARG_m,       /* an M id: the kernel's tid */
	GT_ARG_p,       /* a P id */
	GT_ARG_seq,     /* a sequence number */
	GT_ARG_str,     /* a string id of this generation */
	GT_ARG_stack,   /* a stack id of this generation */
	GT_ARG_value,   /* a number */
	GT_ARG_pstatus, /* enum gt_proc_state */
	GT_ARG_gstatus, /* enum gt_go_state */
	GT_ARG_addr,    /* an address in the traced process */
};

struct gt_arg_spec {
	enum gt_arg_type type;
	const char *name;
};

/* A row of events.def. The time of a TIMED, ALLOC or FACT row is not among its arguments. */
struct gt_spec {
	uint8_t number;
	enum gt_kind kind;
	const char *name;  /* GoBlock */
	const char *macro; /* GO_BLOCK */
	const char *doc;
	unsigned nargs;
	struct gt_arg_spec args[6]; /* ends with GT_ARG_none */
};

/* The row of a wire number (Go's events) or of a fact's number; NULL where there is none. */
const struct gt_spec *gt_spec_event(unsigned number);
const struct gt_spec *gt_spec_fact(unsigned number);
/* The row of a Go event by its name as in Go's text form; NULL where there is none. */
const struct gt_spec *gt_spec_by_name(const char *name, size_t length);
/* All rows in the order of the table, for documents and tests. */
extern GT_HIDDEN const struct gt_spec gt_specs[];
extern GT_HIDDEN const size_t gt_specs_count;
