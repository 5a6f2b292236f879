/*
 * Any bytes as a trace of which a part is cut out. The beginning of a valid trace is a valid trace.
 * (So are other parts of traces that somebody has written; but among arbitrary ones there are those
 * of which only the times say that an event may stand where it does, and where a part begins, these
 * are not exact.)
 *
 * A libFuzzer target; see reader.c. The first four bytes say which part, the rest is the trace.
 */
#include "cut.h"

#include <stdlib.h>

#include "merge.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool valid(const void *data, size_t size, struct gt_error *e)
{
	struct gt_merge *t = gt_merge_open_memory(data, size, GT_MERGE_STRICT, e);
	struct gt_event ev;
	int n = -1;

	while (t != NULL && (n = gt_merge_next(t, &ev, e)) > 0) {
	}
	gt_merge_close(t);
	return n == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const threads[] = {NULL,   NULL, "#1",    "10",
					      "main", "*",  "#1,#2", "?[a-z]*"};
	struct gt_error e = {0}, ignored = {0};
	struct gt_cut_done done;
	struct gt_cut cut;
	char *out = NULL, text[2000];
	size_t out_size = 0;
	FILE *file;
	bool good;

	if (size < 4) {
		return 0;
	}
	cut.from = (uint64_t)data[0] << (data[2] & 15);
	cut.to = data[1] == 255 ? UINT64_MAX : cut.from + ((uint64_t)data[1] << (data[2] & 15));
	cut.threads = threads[data[3] % GT_LEN(threads)];
	good = valid(data + 4, size - 4, &ignored);
	file = open_memstream(&out, &out_size);
	if (gt_cut(data + 4, size - 4, &cut, file, &done, &e) < 0) {
		if (e.message[0] == '\0') {
			abort();
		}
	}
	fclose(file);
	if (good && cut.from == 0 && e.kind == GT_ERROR_NONE && !valid(out, out_size, &e)) {
		gt_error_text(&e, text, sizeof(text));
		fprintf(stderr, "cut out of a valid trace: %s\n", text);
		abort();
	}
	free(out);
	return 0;
}
