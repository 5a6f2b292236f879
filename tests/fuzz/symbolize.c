/*
 * Any bytes as a trace and a map of code made at run time, that give it better frames. A valid
 * trace stays one, and done again stays as it is.
 *
 * A libFuzzer target; see reader.c. The first two bytes are the size of the trace; behind it is the
 * map.
 */
#include "fuzz.h"

#include <string.h>

#include "symbolize.h"

const struct gt_fuzz_form gt_fuzz_form = {.before = 2, .sized = true};

/* What becomes of a trace; to be freed. */
static char *symbolize(const void *data, size_t size, const char *map, size_t *n,
		       struct gt_error *e)
{
	const struct gt_symbolize_options o = {.perf_map = map, .debug_path = "/nowhere"};
	const struct gt_fuzz_file trace = gt_fuzz_open(data, size);
	struct gt_symbolizer *s = gt_symbolizer_new(&o);
	char *out = NULL;
	FILE *file = open_memstream(&out, n);

	if (gt_symbolize(s, trace.path, file, e) < 0) {
		gt_fuzz_said(e);
	}
	fclose(file);
	gt_symbolizer_free(s);
	close(trace.fd);
	return out;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct gt_error e = {0}, ignored = {0};
	struct gt_fuzz_file map;
	size_t trace_size, n[3] = {0};
	char *out[3] = {NULL};

	if (size < 2) {
		return 0;
	}
	trace_size = gt_fuzz_trace_size(data, size);
	map = gt_fuzz_open(data + 2 + trace_size, size - 2 - trace_size);
	out[0] = symbolize(data + 2, trace_size, map.path, &n[0], &e);
	if (e.kind == GT_ERROR_NONE) {
		if (gt_fuzz_valid(data + 2, trace_size, &ignored) &&
		    !gt_fuzz_valid(out[0], n[0], &e)) {
			gt_fuzz_wrong("a valid trace has become", &e);
		}
		out[1] = symbolize(out[0], n[0], map.path, &n[1], &e);
		out[2] = symbolize(out[1], n[1], map.path, &n[2], &e);
		if (e.kind != GT_ERROR_NONE || n[1] != n[2] || memcmp(out[1], out[2], n[1]) != 0) {
			gt_fuzz_wrong("done again it is another one", &e);
		}
	}
	free(out[0]);
	free(out[1]);
	free(out[2]);
	close(map.fd);
	return 0;
}
