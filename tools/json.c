/*
 * The writer of JSON.
 */
#include "json.h"

#include <inttypes.h>
#include <string.h>

void gt_json_begin(struct gt_json *j, char bracket)
{
	if (j->more) {
		fputs(", ", j->out);
	}
	fputc(bracket, j->out);
	j->more = false;
}

void gt_json_end(struct gt_json *j, char bracket)
{
	fputc(bracket, j->out);
	j->more = true;
}

size_t gt_utf8_length(const char *s)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	const unsigned char *c = (const unsigned char *)s;
	const size_t n = *c < 0x80       ? 1
			 : *c >> 5 == 6  ? 2
			 : *c >> 4 == 14 ? 3
			 : *c >> 3 == 30 ? 4
					 : 0;
	uint32_t rune = n > 1 ? *c & (0x7f >> n) : *c;

	for (size_t i = 1; i < n; i++) {
		if (c[i] >> 6 != 2) {
			return 0;
		}
		rune = rune << 6 | (c[i] & 0x3f);
	}
	return n > 1 && (rune < least[n] || rune > 0x10ffff || rune >> 11 == 0x1b) ? 0 : n;
}

void gt_json_put_text(struct gt_json *j, const char *text, size_t size)
{
	fputs(j->more ? ", \"" : "\"", j->out);
	for (size_t i = 0; i < size;) {
		const char *s = text + i;
		const size_t n = gt_utf8_length(s);

		if (n == 0) {
			fputs("\\ufffd", j->out); /* not UTF-8 */
		} else if ((unsigned char)*s < 0x20 || *s == 0x7f) {
			fprintf(j->out, "\\u%04x", (unsigned char)*s);
		} else {
			if (*s == '"' || *s == '\\') {
				fputc('\\', j->out);
			}
			fwrite(s, 1, n, j->out);
		}
		i += n ? n : 1;
	}
	fputc('"', j->out);
	j->more = true;
}

void gt_json_put_string(struct gt_json *j, const char *s)
{
	gt_json_put_text(j, s, strlen(s));
}

void gt_json_key(struct gt_json *j, const char *name)
{
	gt_json_put_string(j, name);
	fputs(": ", j->out);
	j->more = false;
}

void gt_json_put_word(struct gt_json *j, const char *word)
{
	fprintf(j->out, "%s%s", j->more ? ", " : "", word);
	j->more = true;
}

void gt_json_put_number(struct gt_json *j, uint64_t n)
{
	fprintf(j->out, "%s%" PRIu64, j->more ? ", " : "", n);
	j->more = true;
}

void gt_json_number(struct gt_json *j, const char *name, uint64_t n)
{
	gt_json_key(j, name);
	gt_json_put_number(j, n);
}

void gt_json_word(struct gt_json *j, const char *name, const char *text)
{
	gt_json_key(j, name);
	gt_json_put_word(j, text);
}

void gt_json_string(struct gt_json *j, const char *name, const char *text)
{
	gt_json_key(j, name);
	if (text != NULL) {
		gt_json_put_string(j, text);
	} else {
		gt_json_put_word(j, "null");
	}
}

void gt_json_boolean(struct gt_json *j, const char *name, bool is)
{
	gt_json_word(j, name, is ? "true" : "false");
}
