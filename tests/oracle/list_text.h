/*
 * Text as list.go prints it, put together in memory. For list.c.
 */
#pragma once

#include "reader.h"

struct bytes {
	char *data;
	size_t size, cap;
};

void put(struct bytes *b, const void *data, size_t size);
void put_digits(struct bytes *b, uint64_t n, unsigned base);
void put_signed(struct bytes *b, uint64_t n);
/* Each of these with a blank before it. */
void put_word(struct bytes *b, const char *word);
void put_number(struct bytes *b, uint64_t n);
/* A number of which the last one means none. */
void put_id(struct bytes *b, uint64_t n);
void put_quoted(struct bytes *b, const char *text, size_t length);
/* NULL is the empty one. */
void put_text(struct bytes *b, const struct gt_text *text);

uint64_t hash_of(const char *text, size_t size);
