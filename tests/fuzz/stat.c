/*
 * Any bytes as a trace that is summed up: parts of it, one thread or object of it, critical paths.
 *
 * A libFuzzer target; see reader.c. The first six bytes say what is asked for, the rest is the
 * trace.
 */
#include "fuzz.h"

#include "stat_view.h"

const struct gt_fuzz_form gt_fuzz_form = {.before = 6};

static void watch(void *path, struct gt_model *model, const struct gt_span *span)
{
	gt_path_span(path, model, span);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const ends[] = {NULL, "longest-wait", "thread=#1", "thread=10",
					   "a task"};
	static const char *const threads[] = {NULL, NULL, "#1", "10", "main", "*"};
	static const char *const objects[] = {NULL, NULL, "#1", "0x1000", "a global"};
	struct gt_error e = {0};
	struct gt_stat st = {.path = "fuzz"};
	struct gt_model_cut cut = {.window = GT_WINDOW_ALL};
	struct gt_path_found found;
	struct gt_path *path = NULL;
	struct gt_merge *t;

	if (size < 6) {
		return 0;
	}
	t = gt_merge_open_memory(data + 6, size - 6, 0, &e);
	if (t == NULL) {
		return 0;
	}
	if (data[1] != 0) {
		cut.window.from = (uint64_t)(data[1] - 1) << (data[2] & 31);
		cut.window.to = cut.window.from + ((uint64_t)data[3] << (data[2] >> 3));
	}
	cut.window.thread = threads[data[4] % GT_LEN(threads)];
	cut.object = objects[data[5] % GT_LEN(objects)];
	st.full = data[0] & 1;
	st.system = data[0] & 2;
	st.colour = data[0] & 4;
	st.utf8 = data[0] & 8;
	st.top = data[0] >> 6;
	st.path_end = ends[(data[0] >> 4) % GT_LEN(ends)];
	st.model = gt_model_create();
	gt_model_set_cut(st.model, &cut);
	if (st.path_end != NULL) {
		path = gt_path_create(st.path_end);
		gt_model_set_watch(st.model, watch, path);
	}
	if (gt_model_read(st.model, t, &e) < 0) {
		gt_fuzz_said(&e);
		st.problem = e.message;
		st.truncated = e.kind == GT_ERROR_TRUNCATED;
	}
	if (path != NULL) {
		found = gt_path_find(path, st.model);
		st.path_found = &found;
	}
	gt_stat_json(&st, gt_fuzz_nowhere());
	gt_stat_text(&st, gt_fuzz_nowhere());
	gt_path_destroy(path);
	gt_model_destroy(st.model);
	gt_merge_close(t);
	return 0;
}
