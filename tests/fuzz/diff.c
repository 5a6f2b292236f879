/*
 * Any bytes as two traces that are compared, and put together. (What they are together need not be
 * valid: gtrace merge knows what gtrace writes, and not all that a valid trace may have.)
 *
 * A libFuzzer target; see reader.c. The first two bytes are the size of the first trace.
 */
#include "fuzz.h"

#include "combine.h"
#include "diff.h"

const struct gt_fuzz_form gt_fuzz_form = {.before = 2, .sized = true};

static void diff(const uint8_t *a, size_t na, const uint8_t *b, size_t nb)
{
	const struct gt_fuzz_file before = gt_fuzz_open(a, na), after = gt_fuzz_open(b, nb);
	struct gt_error e[2] = {0};
	struct gt_diff d = {0};

	if (gt_diff_add(&d, 0, before.path, &e[0]) < 0) {
		gt_fuzz_said(&e[0]);
	}
	if (gt_diff_add(&d, 1, after.path, &e[1]) < 0) {
		gt_fuzz_said(&e[1]);
	}
	gt_diff_finish(&d);
	gt_diff_fini(&d);
	close(before.fd);
	close(after.fd);
}

static void combine(const uint8_t *a, size_t na, const uint8_t *b, size_t nb)
{
	const struct gt_combine_input inputs[] = {{"a", a, na}, {"b", b, nb}};
	struct gt_combine_done done;
	struct gt_error e = {0};
	size_t which;

	if (gt_combine(inputs, GT_LEN(inputs), gt_fuzz_nowhere(), &done, &which, &e) < 0) {
		gt_fuzz_said(&e);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *a = data + 2, *b;
	size_t na, nb;

	if (size < 2) {
		return 0;
	}
	na = gt_fuzz_trace_size(data, size);
	b = a + na;
	nb = size - 2 - na;
	diff(a, na, b, nb);
	if (na > 0 && nb > 0) {
		combine(a, na, b, nb);
	}
	return 0;
}
