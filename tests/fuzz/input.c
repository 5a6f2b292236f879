/*
 * Any bytes as the file of a trace, which may be packed: what can be unpacked, and the verdict, are
 * the same in pieces of any size, from memory and from a file; and what is packed again comes back.
 *
 * An input is a byte, which says how long the pieces are, and the file. A libFuzzer target, as
 * reader.c is.
 */
#include "fuzz.h"

#include <string.h>

#include "input.h"
#include "pack.h"

#ifdef GT_ZSTD
#include <zstd.h>
#endif

enum { MOST = 1 << 18 }; /* a few bytes can become any number of them */

struct unpacked {
	uint8_t *data;
	size_t size;
	enum gt_error_kind end; /* NONE: that of the file */
	uint64_t at;            /* bytes of the file that were used */
};

/* Some bytes, which go on: up to MOST. */
static struct unpacked unpack(struct gt_input *in, size_t piece)
{
	struct unpacked u = {.data = gt_alloc(MOST)};
	struct gt_error e = {0};
	ssize_t n = 1;

	while (n > 0 && u.size < MOST) {
		n = gt_input_read(in, u.data + u.size, GT_MIN(piece, MOST - u.size), &e);
		if (n > (ssize_t)(MOST - u.size)) {
			gt_fuzz_wrong("more than was asked for", &e);
		}
		u.size += n > 0 ? (size_t)n : 0;
		u.at = gt_input_at(in);
	}
	if (n < 0) {
		gt_fuzz_said(&e);
		u.end = e.kind;
		if (gt_input_unpacks(in) && gt_input_read(in, u.data, 1, &e) != 0) {
			gt_fuzz_wrong("it goes on behind its end", &e);
		}
	}
	gt_input_close(in);
	return u;
}

/* Of a damaged frame, whose sum comes behind it, more may be given in small pieces. */
static void expect_same(const char *what, const struct unpacked *a, const struct unpacked *b)
{
	const bool damaged = a->end == GT_ERROR_INVALID;

	if ((!damaged && (a->size != b->size || (a->size < MOST && a->at != b->at))) ||
	    a->end != b->end || memcmp(a->data, b->data, GT_MIN(a->size, b->size)) != 0) {
		fprintf(stderr, "%s: %zu bytes, end %d at %ju; %zu bytes, end %d at %ju\n", what,
			a->size, a->end, (uintmax_t)a->at, b->size, b->end, (uintmax_t)b->at);
		abort();
	}
}

/* Nothing is missing at the end of what is said to be whole, by zstd's own account. */
static void expect_whole(const uint8_t *data, size_t size)
{
#ifdef GT_ZSTD
	while (size > 0) {
		const size_t n = ZSTD_findFrameCompressedSize(data, size);

		if (ZSTD_isError(n)) {
			fprintf(stderr, "%zu bytes are no whole frame: %s\n", size,
				ZSTD_getErrorName(n));
			abort();
		}
		data += n;
		size -= n;
	}
#else
	(void)data;
	(void)size;
#endif
}

/* As a trace, where it became one: not other events than those of the plain file. */
static void read_both(const uint8_t *data, size_t size, const struct unpacked *plain)
{
	struct gt_fuzz_file file = gt_fuzz_open(data, size);
	struct gt_error e[2] = {0};
	uint64_t events[2] = {0};
	int verdict[2];

	for (int i = 0; i < 2; i++) {
		struct gt_merge *t =
			i == 0 ? gt_merge_open(file.path, 0, &e[0])
			       : gt_merge_open_memory(plain->data, plain->size, 0, &e[1]);
		struct gt_event ev;

		verdict[i] = -1;
		while (t != NULL && (verdict[i] = gt_merge_next(t, &ev, &e[i])) > 0) {
			events[i]++;
		}
		gt_merge_close(t);
	}
	close(file.fd);
	if (plain->end == GT_ERROR_NONE &&
	    (verdict[0] != verdict[1] || events[0] != events[1] || e[0].kind != e[1].kind)) {
		fprintf(stderr, "%ju events, %d; plain: %ju events, %d\n", (uintmax_t)events[0],
			e[0].kind, (uintmax_t)events[1], e[1].kind);
		abort();
	}
	if (plain->end != GT_ERROR_NONE && verdict[0] == 0) {
		gt_fuzz_wrong("it is damaged, and that is not said", &e[1]);
	}
}

static void pack_again(const struct unpacked *plain)
{
	struct unpacked back;
	char *packed = NULL;
	size_t size = 0;
	FILE *below = open_memstream(&packed, &size);
	FILE *file = gt_pack_open(below, 1);

	if (file != NULL) {
		fwrite(plain->data, 1, plain->size, file);
		if (gt_pack_close(file) < 0) {
			abort();
		}
		fflush(below);
		back = unpack(gt_input_open(-1, packed, size), MOST);
		if (back.end != GT_ERROR_NONE || back.size != plain->size ||
		    memcmp(back.data, plain->data, back.size) != 0) {
			gt_fuzz_wrong("what was packed does not come back", &(struct gt_error){0});
		}
		free(back.data);
	}
	fclose(below);
	free(packed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const size_t pieces[] = {1, 2, 7, 100, 4096, MOST};
	struct unpacked whole, other;
	struct gt_fuzz_file file;

	if (size < 1) {
		return 0;
	}
	whole = unpack(gt_input_open(-1, data + 1, size - 1), MOST);
	other = unpack(gt_input_open(-1, data + 1, size - 1), pieces[data[0] % GT_LEN(pieces)]);
	expect_same("in pieces", &whole, &other);
	free(other.data);
	file = gt_fuzz_open(data + 1, size - 1);
	lseek(file.fd, 0, SEEK_SET);
	other = unpack(gt_input_open(file.fd, NULL, 0), MOST);
	expect_same("from a file", &whole, &other);
	free(other.data);
	if (whole.size < MOST) {
		if (whole.end == GT_ERROR_NONE && gt_input_is_packed(data + 1, size - 1)) {
			expect_whole(data + 1, size - 1);
		}
		read_both(data + 1, size - 1, &whole);
		pack_again(&whole);
	}
	free(whole.data);
	return 0;
}
