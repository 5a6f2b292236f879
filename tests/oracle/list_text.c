/*
 * Text as list.go prints it.
 */
#include "list_text.h"

#include <string.h>

void put(struct bytes *b, const void *data, size_t size)
{
	if (b->cap - b->size < size) {
		b->cap = (b->size + size) * 2;
		b->data = gt_realloc(b->data, b->cap);
	}
	if (size > 0) {
		memcpy(b->data + b->size, data, size);
	}
	b->size += size;
}

void put_digits(struct bytes *b, uint64_t n, unsigned base)
{
	char text[20];
	size_t at = sizeof(text);

	do {
		text[--at] = "0123456789abcdef"[n % base];
		n /= base;
	} while (n != 0);
	put(b, text + at, sizeof(text) - at);
}

void put_signed(struct bytes *b, uint64_t n)
{
	if ((int64_t)n < 0) {
		put(b, "-", 1);
		n = -n;
	}
	put_digits(b, n, 10);
}

void put_word(struct bytes *b, const char *word)
{
	put(b, " ", 1);
	put(b, word, strlen(word));
}

void put_number(struct bytes *b, uint64_t n)
{
	put(b, " ", 1);
	put_digits(b, n, 10);
}

void put_id(struct bytes *b, uint64_t n)
{
	put(b, " ", 1);
	if (n == UINT64_MAX) {
		put(b, "-", 1);
	} else {
		put_signed(b, n);
	}
}

void put_quoted(struct bytes *b, const char *text, size_t length)
{
	put(b, " \"", 2);
	for (size_t i = 0; i < length; i++) {
		const unsigned char c = (unsigned char)text[i];

		if (c > ' ' && c < 0x7f && c != '"' && c != '\\') {
			put(b, &c, 1);
		} else {
			put(b, "\\x", 2);
			put_digits(b, c >> 4, 16);
			put_digits(b, c & 15, 16);
		}
	}
	put(b, "\"", 1);
}

void put_text(struct bytes *b, const struct gt_text *text)
{
	put_quoted(b, text != NULL ? text->data : "", text != NULL ? text->length : 0);
}

uint64_t hash_of(const char *text, size_t size)
{
	uint64_t hash = 14695981039346656037u; /* FNV-1a */

	for (size_t i = 0; i < size; i++) {
		hash = (hash ^ (unsigned char)text[i]) * 1099511628211u;
	}
	return hash;
}
