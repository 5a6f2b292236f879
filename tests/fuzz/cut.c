/*
 * Any bytes as a trace of which a part is cut out. The beginning of a valid trace is a valid trace.
 * (So are other parts of traces that somebody has written; but among arbitrary ones there are those
 * of which only the times say that an event may stand where it does, and where a part begins, these
 * are not exact. And only in what gtrace writes does each thread stand for itself.)
 *
 * A libFuzzer target; see reader.c. The first four bytes say which part, the rest is the trace.
 */
#include "fuzz.h"

#include "cut.h"

const struct gt_fuzz_form gt_fuzz_form = {.before = 4};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const threads[] = {NULL,   NULL, "#1",    "10",
					      "main", "*",  "#1,#2", "?[a-z]*"};
	struct gt_error e = {0}, ignored = {0};
	struct gt_cut_done done;
	struct gt_cut cut;
	char *out = NULL;
	size_t out_size = 0;
	FILE *file;
	bool good;

	if (size < 4) {
		return 0;
	}
	cut.from = (uint64_t)data[0] << (data[2] & 15);
	cut.to = data[1] == 255 ? UINT64_MAX : cut.from + ((uint64_t)data[1] << (data[2] & 15));
	cut.threads = threads[data[3] % GT_LEN(threads)];
	good = gt_fuzz_valid(data + 4, size - 4, &ignored);
	file = open_memstream(&out, &out_size);
	if (gt_cut(data + 4, size - 4, &cut, file, &done, &e) < 0) {
		gt_fuzz_said(&e);
	}
	fclose(file);
	if (good && cut.from == 0 && cut.threads == NULL && e.kind == GT_ERROR_NONE &&
	    !gt_fuzz_valid(out, out_size, &e)) {
		gt_fuzz_wrong("cut out of a valid trace", &e);
	}
	free(out);
	return 0;
}
