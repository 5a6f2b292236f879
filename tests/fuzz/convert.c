/*
 * Any bytes as a trace that becomes one of another version, or is put together with itself. In
 * another version, other than that of Go 1.22, which lacks events, a valid trace is a valid trace.
 *
 * A libFuzzer target; see reader.c. The first byte chooses, the rest is the trace.
 */
#include "fuzz.h"

#include "combine.h"
#include "convert.h"

const struct gt_fuzz_form gt_fuzz_form = {.before = 1};

/*
 * Whether a trace has nothing that no writer has a reason to write: times beyond what a clock
 * shows, and a number for several generations, in which sequence numbers then go on.
 */
static bool plain(const void *data, size_t size)
{
	struct gt_error ignored;
	struct gt_reader *r = gt_reader_open_memory(data, size, &ignored);
	struct gt_generation *g;
	uint64_t last = 0;
	bool is = r != NULL;

	while (is && gt_reader_next(r, &g, &ignored) > 0) {
		is = g->start < INT64_MAX / 2 && g->number > last;
		last = g->number;
	}
	gt_reader_close(r);
	return is;
}

static int convert(const void *data, size_t size, unsigned version, FILE *out, struct gt_error *e)
{
	const struct gt_again trace = {.memory = {.data = (void *)(uintptr_t)data, .size = size}};
	struct gt_convert_lost lost;

	return gt_convert(&trace, version, out, &lost, e);
}

static int combine(const void *data, size_t size, FILE *out, struct gt_error *e)
{
	const struct gt_combine_input inputs[] = {{"a", data, size}, {"b", data, size}};
	struct gt_combine_done done;
	size_t which;

	return gt_combine(inputs, GT_LEN(inputs), out, &done, &which, e);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const unsigned versions[] = {23, 25, 26, 22};
	struct gt_error e = {0}, ignored = {0};
	char *out = NULL;
	size_t out_size = 0;
	FILE *file;
	int n;

	if (size < 1) {
		return 0;
	}
	file = open_memstream(&out, &out_size);
	n = data[0] & 4 ? combine(data + 1, size - 1, file, &e)
			: convert(data + 1, size - 1, versions[data[0] & 3], file, &e);
	fclose(file);
	if (n != 0) {
		gt_fuzz_said(&e);
	}
	if (n == 0 && (data[0] & 7) < 3 && gt_fuzz_valid(data + 1, size - 1, &ignored) &&
	    plain(data + 1, size - 1) && !gt_fuzz_valid(out, out_size, &e)) {
		gt_fuzz_wrong("a valid trace has become", &e);
	}
	free(out);
	return 0;
}
