/*
 * Quoted strings.
 *
 * What is printable above ASCII is asked of the C library. It differs from Go's tables only for
 * code points newer than either, which a reader of the text form takes in both ways.
 */
#include "quote.h"

#include <locale.h>
#include <string.h>
#include <wctype.h>

/* Decodes one UTF-8 sequence: its length, or 0 if there is none. */
static unsigned decode(const uint8_t *p, size_t n, uint32_t *rune)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	unsigned length = p[0] < 0x80 ? 1 : p[0] < 0xc0 ? 0 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
	uint32_t r;

	if (length <= 1) {
		*rune = p[0];
		return length;
	}
	if (length > n || p[0] > 0xf4) {
		return 0;
	}
	r = p[0] & (0x7fu >> length);
	for (unsigned i = 1; i < length; i++) {
		if ((p[i] & 0xc0) != 0x80) {
			return 0;
		}
		r = r << 6 | (p[i] & 0x3f);
	}
	if (r < least[length] || r > 0x10ffff || (r >= 0xd800 && r < 0xe000)) {
		return 0;
	}
	*rune = r;
	return length;
}

static unsigned encode(uint8_t *p, uint32_t r)
{
	if (r < 0x80) {
		p[0] = (uint8_t)r;
		return 1;
	}
	if (r < 0x800) {
		p[0] = (uint8_t)(0xc0 | r >> 6);
		p[1] = (uint8_t)(0x80 | (r & 0x3f));
		return 2;
	}
	if (r < 0x10000) {
		p[0] = (uint8_t)(0xe0 | r >> 12);
		p[1] = (uint8_t)(0x80 | (r >> 6 & 0x3f));
		p[2] = (uint8_t)(0x80 | (r & 0x3f));
		return 3;
	}
	p[0] = (uint8_t)(0xf0 | r >> 18);
	p[1] = (uint8_t)(0x80 | (r >> 12 & 0x3f));
	p[2] = (uint8_t)(0x80 | (r >> 6 & 0x3f));
	p[3] = (uint8_t)(0x80 | (r & 0x3f));
	return 4;
}

/* As Go's strconv.IsPrint: letters, marks, numbers, punctuation, symbols and the ASCII space. */
static bool printable(uint32_t rune)
{
	static locale_t utf8;

	if (rune < 0x7f) {
		return rune >= 0x20;
	}
	if (rune < 0xa1 || rune == 0xad) {
		return false;
	}
	if (utf8 == (locale_t)0) {
		utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
	}
	return utf8 != (locale_t)0 && iswgraph_l((wint_t)rune, utf8);
}

void gt_quote(FILE *out, const void *data, size_t length)
{
	static const char short_escapes[] = "a\ab\bf\fn\nr\rt\tv\v";
	const uint8_t *p = data, *end = p + length;

	fputc('"', out);
	while (p < end) {
		uint32_t rune;
		unsigned n = decode(p, (size_t)(end - p), &rune);
		const char *escape = NULL;

		for (size_t i = 0; n == 1 && i + 1 < sizeof(short_escapes); i += 2) {
			if ((uint8_t)short_escapes[i + 1] == rune) {
				escape = &short_escapes[i];
			}
		}
		if (n == 0) {
			fprintf(out, "\\x%02x", *p);
			n = 1;
		} else if (rune == '"' || rune == '\\') {
			fprintf(out, "\\%c", (int)rune);
		} else if (printable(rune)) {
			fwrite(p, 1, n, out);
		} else if (escape != NULL) {
			fprintf(out, "\\%c", *escape);
		} else if (rune < 0x80) {
			fprintf(out, "\\x%02x", (unsigned)rune);
		} else {
			fprintf(out, rune < 0x10000 ? "\\u%04x" : "\\U%08x", (unsigned)rune);
		}
		p += n;
	}
	fputc('"', out);
}

/* Reads exactly n digits of a base. */
static const char *digits(const char *p, unsigned n, unsigned base, uint32_t *value)
{
	*value = 0;
	for (; n > 0; n--, p++) {
		unsigned d = *p >= '0' && *p <= '9'   ? (unsigned)(*p - '0')
			     : *p >= 'a' && *p <= 'f' ? (unsigned)(*p - 'a') + 10
			     : *p >= 'A' && *p <= 'F' ? (unsigned)(*p - 'A') + 10
						      : 16;

		if (d >= base) {
			return NULL;
		}
		*value = *value * base + d;
	}
	return p;
}

const char *gt_unquote(const char *p, void *out, size_t *length)
{
	uint8_t *to = out;

	if (*p == '`') {
		const char *end = strchr(p + 1, '`');

		if (end != NULL) {
			*length = (size_t)(end - p - 1);
			memcpy(out, p + 1, *length);
		}
		return end ? end + 1 : NULL;
	}
	if (*p++ != '"') {
		return NULL;
	}
	while (*p != '"') {
		static const char from[] = "abfnrtv\\\"", into[] = "\a\b\f\n\r\t\v\\\"";
		const char *at;
		uint32_t v;

		if (*p == '\0' || *p == '\n') {
			return NULL;
		}
		if (*p != '\\') {
			*to++ = (uint8_t)*p++;
			continue;
		}
		p++;
		at = *p != '\0' ? strchr(from, *p) : NULL;
		if (at != NULL) {
			*to++ = (uint8_t)into[at - from];
			p++;
		} else if (*p == 'x') {
			p = digits(p + 1, 2, 16, &v);
			*to++ = (uint8_t)v;
		} else if (*p >= '0' && *p <= '3') {
			p = digits(p, 3, 8, &v);
			*to++ = (uint8_t)v;
		} else if (*p == 'u' || *p == 'U') {
			p = digits(p + 1, *p == 'u' ? 4 : 8, 16, &v);
			if (p != NULL && (v > 0x10ffff || (v >= 0xd800 && v < 0xe000))) {
				return NULL;
			}
			to += encode(to, v);
		} else {
			return NULL;
		}
		if (p == NULL) {
			return NULL;
		}
	}
	*length = (size_t)(to - (uint8_t *)out);
	return p + 1;
}
