/*
 * A writer of JSON on one line: it sets the commas and escapes what has to be.
 */
#pragma once

#include <stdio.h>

#include "base/util.h"

struct gt_json {
	FILE *out;
	bool more; /* a comma is due before the next member */
};

/* '{' or '[', and the one that ends it. */
void gt_json_begin(struct gt_json *j, char bracket);
void gt_json_end(struct gt_json *j, char bracket);
void gt_json_key(struct gt_json *j, const char *name);

/* Elements of a list. A word is written as it is: true, null. */
void gt_json_put_string(struct gt_json *j, const char *s);
/* Any bytes, zeros too; a zero byte that is not part of them must follow. */
void gt_json_put_text(struct gt_json *j, const char *text, size_t size);
void gt_json_put_number(struct gt_json *j, uint64_t n);
void gt_json_put_word(struct gt_json *j, const char *word);

/* Members of an object. NULL is null. */
void gt_json_string(struct gt_json *j, const char *name, const char *text);
void gt_json_number(struct gt_json *j, const char *name, uint64_t n);
void gt_json_word(struct gt_json *j, const char *name, const char *text);
void gt_json_boolean(struct gt_json *j, const char *name, bool is);

/* Bytes of the UTF-8 character at s; 0 if it is none. */
size_t gt_utf8_length(const char *s);
