/*
 * Any bytes as a trace of which a part is cut out. The beginning of a valid trace is a valid trace.
 * (So are other parts of traces that somebody has written; but among arbitrary ones there are those
 * of which only the times say that an event may stand where it does, and where a part begins, these
 * are not exact.)
 *
 * A libFuzzer target; see reader.c. The first four bytes say which part, the rest is the trace.
 */
#include "fuzz.h"

#include "cut.h"

const struct gt_fuzz_form gt_fuzz_form = {.before = 4};

/*
 * Whether a trace is valid, and not by chance: where the world is stopped when a generation ends,
 * the number that names why must mean the same in the next one.
 */
static bool plain(const void *data, size_t size)
{
	struct gt_error ignored = {0};
	struct gt_merge *t = gt_merge_open_memory(data, size, GT_MERGE_STRICT, &ignored);
	struct gt_event ev;
	int stops = 0, n = -1;

	while (t != NULL && (n = gt_merge_next(t, &ev, &ignored)) > 0) {
		if (ev.kind == GT_STRUCT && ev.number == GT_EV_SYNC && stops != 0) {
			break;
		}
		stops += ev.kind == GT_TIMED && ev.number == GT_EV_STW_BEGIN;
		stops -= ev.kind == GT_TIMED && ev.number == GT_EV_STW_END;
	}
	gt_merge_close(t);
	return n == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const threads[] = {NULL,   NULL, "#1",    "10",
					      "main", "*",  "#1,#2", "?[a-z]*"};
	const struct gt_again trace = {
		.memory = {.data = (uint8_t *)(uintptr_t)data + 4, .size = size - 4}};
	struct gt_error e = {0};
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
	good = plain(data + 4, size - 4);
	file = open_memstream(&out, &out_size);
	if (gt_cut(&trace, &cut, file, &done, &e) < 0) {
		gt_fuzz_said(&e);
	}
	fclose(file);
	if (good && cut.from == 0 && e.kind == GT_ERROR_NONE && !gt_fuzz_valid(out, out_size, &e)) {
		gt_fuzz_wrong("cut out of a valid trace", &e);
	}
	free(out);
	return 0;
}
