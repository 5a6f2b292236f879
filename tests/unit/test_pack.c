/*
 * Writing and reading compressed traces, in pieces of any size.
 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/spec.h"
#include "base/wire.h"
#include "input.h"
#include "pack.h"

enum { GENERATIONS = 5, SIZE = 1 << 20 };

struct bytes {
	uint8_t *data;
	size_t size;
};

static void add(struct bytes *b, const void *from, size_t size)
{
	cr_assert_leq(b->size + size, (size_t)SIZE);
	memcpy(b->data + b->size, from, size);
	b->size += size;
}

/* A trace by its framing alone: batches of anything, with payloads that look like what ends one. */
static struct bytes make_trace(size_t ends[GENERATIONS])
{
	static uint8_t payload[GT_WIRE_BATCH_MAX + GT_WIRE_BATCH_HEADER_MAX];
	uint8_t *const from = payload + GT_WIRE_BATCH_HEADER_MAX;
	struct bytes b = {malloc(SIZE), 0};

	srand(13);
	add(&b, GT_WIRE_HEADER, GT_WIRE_HEADER_SIZE);
	for (uint64_t gen = 1; gen <= GENERATIONS; gen++) {
		for (int i = 0; i < 20; i++) {
			const size_t n = i == 7 ? 0 : (size_t)(rand() % 9000);
			uint8_t *head;

			for (size_t k = 0; k < n; k++) {
				from[k] = rand() % 4 ? GT_EV_END_OF_GENERATION : (uint8_t)rand();
			}
			head = gt_wire_batch_head(from, i % 3 == 1, gen, (uint64_t)rand(), 1, n);
			add(&b, head, (size_t)(from + n - head));
		}
		add(&b, &(uint8_t){GT_EV_END_OF_GENERATION}, 1);
		ends[gen - 1] = b.size;
	}
	return b;
}

static struct bytes pack(const struct bytes *plain, size_t piece)
{
	struct bytes b = {0};
	FILE *below = open_memstream((char **)&b.data, &b.size);
	FILE *file = gt_pack_open(below, GT_PACK_USUAL);

	cr_assert_not_null(file);
	setvbuf(file, NULL, _IONBF, 0);
	for (size_t at = 0; at < plain->size; at += piece) {
		const size_t n = GT_MIN(piece, plain->size - at);

		cr_assert_eq(fwrite(plain->data + at, 1, n, file), n);
	}
	cr_assert_eq(gt_pack_close(file), 0);
	cr_assert_eq(fclose(below), 0);
	return b;
}

/* What can be read: the kind of error at its end. */
static enum gt_error_kind unpack(struct gt_input *in, size_t piece, struct bytes *b)
{
	struct gt_error e = {0};
	ssize_t n;

	b->data = malloc(SIZE);
	b->size = 0;
	while ((n = gt_input_read(in, b->data + b->size, GT_MIN(piece, SIZE - b->size), &e)) > 0) {
		b->size += (size_t)n;
	}
	gt_input_close(in);
	return n < 0 ? e.kind : GT_ERROR_NONE;
}

static uint32_t word(const uint8_t *p)
{
	return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

/* The frames are the header and the generations, whatever the pieces were. */
Test(pack, frames_are_generations)
{
	const size_t pieces[] = {1, 7, 4096, SIZE};
	size_t ends[GENERATIONS];
	struct bytes plain = make_trace(ends);

	for (size_t i = 0; i < GT_LEN(pieces); i++) {
		struct bytes packed = pack(&plain, pieces[i]);
		const uint8_t *foot = packed.data + packed.size - 9;
		const uint32_t n = word(foot);
		const uint8_t *entry = foot - 8 * n;
		size_t at = GT_WIRE_HEADER_SIZE, in_file = 0;

		cr_assert_eq(word(foot + 5), 0x8f92eab1);
		cr_assert_eq(n, GENERATIONS + 1);
		cr_assert(gt_wire_is_trace(packed.data, packed.size));
		cr_assert_eq(word(entry + 4), at);
		for (uint32_t k = 1; k < n; k++) {
			at += word(entry + 8 * k + 4);
			cr_expect_eq(at, ends[k - 1], "frame %u", k);
		}
		for (uint32_t k = 0; k < n; k++) {
			in_file += word(entry + 8 * k);
		}
		cr_expect_eq(in_file + 8 + 8 * n + 9, packed.size);
		free(packed.data);
	}
	free(plain.data);
}

Test(pack, reads_what_was_written)
{
	const size_t pieces[] = {1, 13, 100000};
	size_t ends[GENERATIONS];
	struct bytes plain = make_trace(ends), packed = pack(&plain, 5000), back;

	for (size_t i = 0; i < GT_LEN(pieces); i++) {
		const struct bytes *from[] = {&packed, &plain};

		for (size_t k = 0; k < GT_LEN(from); k++) {
			struct gt_input *in = gt_input_open(-1, from[k]->data, from[k]->size);

			cr_assert_eq(unpack(in, pieces[i], &back), GT_ERROR_NONE);
			cr_assert_eq(back.size, plain.size);
			cr_assert_eq(memcmp(back.data, plain.data, plain.size), 0);
			free(back.data);
		}
	}
	free(packed.data);
	free(plain.data);
}

/* Cut anywhere, what can be had is a beginning of it; and the cut is said, but between frames. */
Test(pack, cut_off)
{
	size_t ends[GENERATIONS];
	struct bytes plain = make_trace(ends), packed = pack(&plain, 5000), back;
	unsigned whole = 0;

	for (size_t n = 4; n < packed.size; n += n < 300 ? 1 : 997) {
		const enum gt_error_kind kind =
			unpack(gt_input_open(-1, packed.data, n), 5000, &back);

		whole += kind == GT_ERROR_NONE;
		cr_assert(kind == GT_ERROR_TRUNCATED || kind == GT_ERROR_NONE);
		cr_assert_leq(back.size, plain.size);
		cr_assert_eq(memcmp(back.data, plain.data, back.size), 0);
		free(back.data);
	}
	cr_expect_leq(whole, GENERATIONS + 1u);
	free(packed.data);
	free(plain.data);
}

/* A pipe gives few bytes at a time, and none can be taken back. */
Test(pack, from_a_pipe)
{
	size_t ends[GENERATIONS];
	struct bytes plain = make_trace(ends), packed = pack(&plain, 5000), back;
	int ends_of_pipe[2];

	packed.size = GT_MIN(packed.size, (size_t)60000); /* what a pipe holds */
	cr_assert_eq(pipe(ends_of_pipe), 0);
	cr_assert_eq(write(ends_of_pipe[1], packed.data, packed.size), (ssize_t)packed.size);
	close(ends_of_pipe[1]);
	cr_assert_eq(unpack(gt_input_open(ends_of_pipe[0], NULL, 0), 5000, &back),
		     GT_ERROR_TRUNCATED);
	cr_assert_gt(back.size, (size_t)GT_WIRE_HEADER_SIZE);
	cr_assert_eq(memcmp(back.data, plain.data, back.size), 0);
	free(back.data);
	free(packed.data);
	free(plain.data);
}

/* A full disk, below: an error, and no frame of it is believed to be there. */
Test(pack, cannot_be_written)
{
	size_t ends[GENERATIONS];
	struct bytes plain = make_trace(ends);
	FILE *below = fopen("/dev/full", "w");
	FILE *file = gt_pack_open(below, GT_PACK_USUAL);

	setvbuf(below, NULL, _IONBF, 0);
	fwrite(plain.data, 1, plain.size, file);
	cr_expect_eq(gt_pack_close(file), -1);
	fclose(below);
	free(plain.data);
}

Test(pack, levels)
{
	cr_expect_eq(gt_pack_level(NULL), GT_PACK_USUAL);
	cr_expect_eq(gt_pack_level("1"), 1);
	cr_expect_eq(gt_pack_level("19"), 19);
	cr_expect_eq(gt_pack_level("0"), 0);
	cr_expect_eq(gt_pack_level("20"), 0);
	cr_expect_eq(gt_pack_level("3x"), 0);
	cr_expect(gt_pack_is_named("a.zst"));
	cr_expect_not(gt_pack_is_named(".zst"));
	cr_expect_not(gt_pack_is_named("a.trace"));
}
