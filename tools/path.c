/*
 * The critical path.
 */
#include "path.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* A span, as far as the walk needs it. */
struct record {
	uint64_t begin, end;
	uint64_t what; /* as in struct gt_path_part; of a wait with a waker its object */
	uint32_t thread, waker;
	uint32_t stack, waker_stack;
	uint32_t reason;
	uint32_t kind;
};

_Static_assert(sizeof(struct record) == 48, "the file is as large as path.h says");

struct task {
	uint64_t id, begin;
	struct task *next;
};

struct gt_path {
	const char *end;
	const char *thread; /* of "thread=" */
	bool longest_wait;
	FILE *file;
	uint64_t records;
	int error;
	struct task *tasks; /* that are open and have the name */
	/* The end, as far as it is known. */
	bool any;
	uint32_t of_thread;
	uint64_t from, to;
	struct record wait;

	struct gt_path_step *steps;
	size_t nsteps, kept, steps_cap;
	struct gt_set parts;
};

struct gt_path *gt_path_create(const char *end)
{
	struct gt_path *path;
	FILE *file = tmpfile();

	if (file == NULL) {
		return NULL;
	}
	path = gt_alloc(sizeof(*path));
	*path = (struct gt_path){
		.end = end,
		.thread = strncmp(end, "thread=", 7) == 0 ? end + 7 : NULL,
		.longest_wait = strcmp(end, "longest-wait") == 0,
		.file = file,
		.parts = gt_set_of(sizeof(struct gt_model_share)),
	};
	return path;
}

void gt_path_destroy(struct gt_path *path)
{
	struct task *next;

	if (path == NULL) {
		return;
	}
	for (struct task *task = path->tasks; task != NULL; task = next) {
		next = task->next;
		free(task);
	}
	fclose(path->file);
	free(path->steps);
	gt_set_fini(&path->parts);
	free(path);
}

/* --- Collecting ------------------------------------------------------------------------------- */

static void end_is(struct gt_path *path, uint32_t thread, uint64_t from, uint64_t to)
{
	if (!path->any || to - from > path->to - path->from) {
		path->any = true;
		path->of_thread = thread;
		path->from = from;
		path->to = to;
	}
}

static void event(struct gt_path *path, const struct gt_model *model, const struct gt_event *ev)
{
	const struct gt_text *name;
	struct task *task;

	if (path->longest_wait || path->thread != NULL || ev->kind != GT_TIMED) {
		return;
	}
	if (ev->number == GT_EV_USER_TASK_BEGIN) {
		name = gt_generation_string(gt_spans_generation(model->spans), ev->args[2]);
		if (name != NULL && name->length == strlen(path->end) &&
		    memcmp(name->data, path->end, name->length) == 0) {
			task = gt_alloc(sizeof(*task));
			*task = (struct task){ev->args[0], ev->time, path->tasks};
			path->tasks = task;
		}
	} else if (ev->number == GT_EV_USER_TASK_END) {
		for (struct task **at = &path->tasks; *at != NULL; at = &(*at)->next) {
			task = *at;
			if (task->id == ev->args[0] && ev->g != GT_NO_G) {
				end_is(path, gt_spans_by_id(model->spans, ev->g), task->begin,
				       ev->time);
				*at = task->next;
				free(task);
				return;
			}
		}
	}
}

void gt_path_span(struct gt_path *path, struct gt_model *model, const struct gt_span *span)
{
	const bool ended = span->kind == GT_SPAN_WAIT && span->waker != GT_SPAN_NONE &&
			   span->waker != span->thread;
	struct record r;

	if (span->kind == GT_SPAN_EVENT) {
		event(path, model, span->event);
		return;
	}
	if (span->kind == GT_SPAN_CALL || span->kind == GT_SPAN_RUNNING) {
		return;
	}
	r = (struct record){
		.begin = span->begin,
		.end = span->end,
		.what = ended                           ? span->object
			: span->kind == GT_SPAN_WAIT    ? span->reason
			: span->kind == GT_SPAN_SYSCALL ? span->call
							: 0,
		.thread = span->thread,
		.waker = ended ? span->waker : GT_SPAN_NONE,
		.stack = span->stack,
		.waker_stack = span->waker_stack,
		.reason = span->reason,
		.kind = span->kind,
	};
	if (path->longest_wait && ended &&
	    (!path->any || r.end - r.begin > path->to - path->from) &&
	    !gt_spans_thread(model->spans, r.thread)->system) {
		end_is(path, r.thread, r.begin, r.end);
		path->wait = r;
	}
	if (path->error == 0 && fwrite(&r, sizeof(r), 1, path->file) != 1) {
		path->error = errno;
	}
	path->records++;
}

/* --- The walk --------------------------------------------------------------------------------- */

struct walk {
	struct gt_path *path;
	struct gt_model *model;
	uint32_t thread;
	uint64_t now;
	uint32_t stack; /* of the spans: what the thread ran up to */
	struct gt_path_step step;
};

static void part(struct walk *w, unsigned kind, uint64_t what, uint32_t stack, uint64_t begin)
{
	const struct gt_path_part key = {w->thread, kind, what, gt_model_stack_of(w->model, stack),
					 0};
	const uint64_t from = GT_MAX(begin, w->path->from);

	if (w->now > from) {
		gt_model_share_add(gt_set_get(&w->path->parts, &key, sizeof(key)), w->now - from);
		w->now = from;
	}
}

/* The stay on this thread is over. */
static void leave(struct walk *w)
{
	struct gt_path *path = w->path;

	w->step.thread = w->thread;
	w->step.begin = w->now;
	path->nsteps++;
	if (path->kept < GT_PATH_STEPS) {
		path->steps =
			gt_grow(path->steps, path->kept, &path->steps_cap, sizeof(*path->steps));
		path->steps[path->kept++] = w->step;
	}
}

static void go_over(struct walk *w, uint32_t thread, uint32_t stack)
{
	leave(w);
	w->thread = thread;
	w->stack = stack;
	w->step = (struct gt_path_step){
		.end = w->now, .reason = GT_SPAN_NONE, .object = GT_SPAN_NONE, .stack = stack};
}

/* From its beginning to its creator. */
static void to_creator(struct walk *w)
{
	const struct gt_span_thread *t = gt_spans_thread(w->model->spans, w->thread);

	if (w->now == t->created && t->creator != GT_SPAN_NONE) {
		go_over(w, t->creator, t->creator_stack);
		w->step.created = true;
	}
}

/* The next one before: of the thread that the path is on, it is a part of it. */
static void record(struct walk *w, const struct record *r)
{
	if (r->thread != w->thread || r->begin >= w->now) {
		return;
	}
	if (r->end < w->now) {
		part(w, GT_SPAN_RUNNING, 0, w->stack, r->end);
	}
	if (r->waker != GT_SPAN_NONE && r->end == w->now) {
		go_over(w, r->waker, r->waker_stack);
		w->step.reason = r->reason;
		w->step.object = (uint32_t)r->what;
		return;
	}
	part(w, r->kind, r->waker != GT_SPAN_NONE ? r->reason : r->what, r->stack, r->begin);
	w->stack = r->stack;
	to_creator(w);
}

static void walk(struct gt_path *path, struct gt_model *model, const struct record *records)
{
	struct walk w = {
		.path = path,
		.model = model,
		.thread = path->of_thread,
		.now = path->to,
		.step = {.end = path->to, .reason = GT_SPAN_NONE, .object = GT_SPAN_NONE},
	};

	if (path->longest_wait) {
		go_over(&w, path->wait.waker, path->wait.waker_stack);
		path->nsteps = path->kept = 0; /* the wait itself is no step of it */
		w.step.reason = path->wait.reason;
		w.step.object = (uint32_t)path->wait.what;
	}
	for (uint64_t i = path->records; i-- > 0 && w.now > path->from;) {
		record(&w, &records[i]);
	}
	part(&w, GT_SPAN_RUNNING, 0, w.stack,
	     GT_MAX(path->from, gt_spans_thread(model->spans, w.thread)->created));
	leave(&w);
}

/* The thread of "thread=", if there is one: its end is the path's. */
static void find_thread(struct gt_path *path, const struct gt_model *model)
{
	const struct gt_window window = {.to = UINT64_MAX, .thread = path->thread};
	const uint64_t begin = gt_spans_begin(model->spans), end = gt_spans_end(model->spans);

	for (uint32_t i = 0; i < gt_spans_threads(model->spans); i++) {
		const struct gt_span_thread *t = gt_spans_thread(model->spans, i);

		if (t->seen && gt_window_thread(&window, model->spans, i)) {
			/* Of several the one that ends last. */
			end_is(path, i, begin, t->ended ? t->ended : end);
		}
	}
}

struct gt_path_found gt_path_find(struct gt_path *path, struct gt_model *model)
{
	const size_t bytes = path->records * sizeof(struct record);
	struct gt_path_found found = {.thread = GT_SPAN_NONE};
	void *records = NULL;

	if (path->thread != NULL) {
		find_thread(path, model);
	}
	if (path->error == 0 && fflush(path->file) != 0) {
		path->error = errno;
	}
	if (path->any && path->error == 0 && bytes != 0) {
		records = mmap(NULL, bytes, PROT_READ, MAP_PRIVATE, fileno(path->file), 0);
		path->error = records == MAP_FAILED ? errno : 0;
	}
	found.error = path->error;
	if (!path->any || path->error != 0) {
		return found;
	}
	walk(path, model, records);
	if (records != NULL) {
		munmap(records, bytes);
	}
	found.any = true;
	found.thread = path->of_thread;
	found.begin = path->from;
	found.end = path->to;
	found.reason = path->longest_wait ? path->wait.reason : GT_SPAN_NONE;
	found.object = path->longest_wait ? (uint32_t)path->wait.what : GT_SPAN_NONE;
	found.stack = path->longest_wait ? gt_model_stack_of(model, path->wait.stack) : 0;
	found.nsteps = path->nsteps;
	found.steps = path->steps;
	found.kept = path->kept;
	found.parts = &path->parts;
	return found;
}
