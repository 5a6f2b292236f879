/*
 * Every event with all that Go's reader knows of it, from gtrace's reader: the twin of list.go,
 * which describes the form. equal.py compares the two.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "list_text.h"
#include "merge.h"
#include "order.h"

/* Tasks that are open, since Go tells their parent and name again where they end. */
struct task {
	uint64_t parent;
	char *name;
	size_t length;
};

struct list {
	struct gt_merge *merge;
	struct bytes text; /* not yet written */
	uint64_t events, syncs, sum;
	struct gt_idmap hashes; /* stack id of this generation -> hash */
	struct gt_idmap known;  /* hashes of stacks that are printed */
	struct gt_idmap tasks;  /* id -> struct task * */
};

static const struct gt_text *string(const struct list *l, uint64_t id)
{
	return gt_generation_string(gt_merge_generation(l->merge), id);
}

static void put_string(struct list *l, uint64_t id)
{
	put_text(&l->text, string(l, id));
}

static void flush(struct list *l)
{
	if (fwrite(l->text.data, 1, l->text.size, stdout) != l->text.size) {
		perror("list");
		exit(2);
	}
	l->text.size = 0;
}

/* --- Stacks --------------------------------------------------------------------------------- */

/* The frames of a stack as text. */
static void put_frames(struct bytes *b, const struct gt_generation *g, const struct gt_stack *s)
{
	for (unsigned i = 0; i < s->nframes; i++) {
		const struct gt_frame *f = gt_stack_frame(g, s, i);

		put(b, "\n\t", 2);
		put_text(b, &f->func);
		put_text(b, &f->file);
		put_number(b, f->line);
		put(b, " ", 1);
		put_digits(b, f->pc, 16);
	}
}

/* Puts the frames before the line that is being written. */
static void print_stack(struct list *l, uint64_t hash, const struct bytes *frames)
{
	struct bytes begun = {0};
	size_t from = l->text.size;

	while (from > 0 && l->text.data[from - 1] != '\n') {
		from--;
	}
	put(&begun, l->text.data + from, l->text.size - from);
	l->text.size = from;
	put(&l->text, "stack ", 6);
	put_digits(&l->text, hash, 16);
	put(&l->text, frames->data, frames->size);
	put(&l->text, "\n", 1);
	put(&l->text, begun.data, begun.size);
	free(begun.data);
}

/* Adds a hash of a stack, and prints the stack if it is new. */
static void put_stack(struct list *l, uint64_t id)
{
	const struct gt_generation *g = gt_merge_generation(l->merge);
	const struct gt_stack *s = gt_generation_stack(g, id);
	uint64_t hash;

	if (id == 0 || s == NULL) {
		put_word(&l->text, "-");
		return;
	}
	hash = gt_idmap_get(&l->hashes, id);
	if (hash == 0) {
		struct bytes frames = {0};

		put_frames(&frames, g, s);
		/* Of no frames: 1; a map holds no 0. */
		hash = frames.size > 0 ? hash_of(frames.data, frames.size) : 1;
		gt_idmap_put(&l->hashes, id, hash);
		if (hash != 1 && gt_idmap_get(&l->known, hash) == 0) {
			gt_idmap_put(&l->known, hash, 1);
			print_stack(l, hash, &frames);
		}
		free(frames.data);
	}
	put(&l->text, " ", 1);
	if (hash == 1) {
		put(&l->text, "-", 1);
	} else {
		put_digits(&l->text, hash, 16);
	}
}

/* --- Events --------------------------------------------------------------------------------- */

static const char *const was_names[] = {
	[GT_WAS_UNDETERMINED] = "Undetermined",
	[GT_WAS_NOT_EXIST] = "NotExist",
	[GT_WAS_RUNNABLE] = "Runnable",
	[GT_WAS_RUNNING] = "Running",
	[GT_WAS_SYSCALL] = "Syscall",
	[GT_WAS_WAITING] = "Waiting",
	[GT_WAS_IDLE] = "Idle",
};

static const char *go_state(uint64_t state)
{
	static const char *const names[] = {"Undetermined", "Runnable", "Running", "Syscall",
					    "Waiting"};

	return names[state];
}

/* Go shows three of the five states of a P. */
static const char *proc_state(uint64_t state)
{
	static const char *const names[] = {"Undetermined", "Running", "Idle", "Running", "Idle"};

	return names[state];
}

static void go(struct list *l, uint64_t g, const char *from, const char *to, uint64_t reason,
	       uint64_t stack)
{
	put_word(&l->text, "Go");
	put_id(&l->text, g);
	put_word(&l->text, from);
	put_word(&l->text, to);
	put_string(l, reason);
	put_stack(l, stack);
}

static void proc(struct list *l, uint64_t p, const char *from, const char *to)
{
	put_word(&l->text, "Proc");
	put_id(&l->text, p);
	put_word(&l->text, from);
	put_word(&l->text, to);
	put_string(l, 0);
	put_stack(l, 0);
}

/*
 * What an event does to a G. Arguments by their place, counted from 1; 0: none, and for the G: the
 * one that runs.
 */
struct change {
	const char *from, *to;
	uint8_t g, reason;
	uint8_t own;   /* stack of the G */
	uint8_t stack; /* of what did it */
};

static const struct change changes[] = {
	[GT_EV_GO_CREATE] = {"NotExist", "Runnable", 1, 0, 2, 3},
	[GT_EV_GO_CREATE_BLOCKED] = {"NotExist", "Waiting", 1, 0, 2, 3},
	[GT_EV_GO_CREATE_SYSCALL] = {"NotExist", "Syscall", 1, 0, 0, 0},
	[GT_EV_GO_START] = {"Runnable", "Running", 1, 0, 0, 0},
	[GT_EV_GO_DESTROY] = {"Running", "NotExist", 0, 0, 0, 0},
	[GT_EV_GO_DESTROY_SYSCALL] = {"Syscall", "NotExist", 0, 0, 0, 0},
	[GT_EV_GO_STOP] = {"Running", "Runnable", 0, 1, 2, 2},
	[GT_EV_GO_BLOCK] = {"Running", "Waiting", 0, 1, 2, 2},
	[GT_EV_GO_UNBLOCK] = {"Waiting", "Runnable", 1, 0, 0, 3},
	/* The rest of these two follows as implied events. */
	[GT_EV_GO_SWITCH] = {"Waiting", "Runnable", 1, 0, 0, 0},
	[GT_EV_GO_SWITCH_DESTROY] = {"Waiting", "Runnable", 1, 0, 0, 0},
	[GT_EV_GO_SYSCALL_BEGIN] = {"Running", "Syscall", 0, 0, 2, 2},
	[GT_EV_GO_SYSCALL_END] = {"Syscall", "Running", 0, 0, 0, 0},
	[GT_EV_GO_SYSCALL_END_BLOCKED] = {"Syscall", "Runnable", 0, 0, 0, 0},
};

static uint64_t argument(const struct gt_event *ev, unsigned place, uint64_t none)
{
	return place > 0 ? ev->args[place - 1] : none;
}

/* What begins, is under way or ends: of the G that runs, of its P, or of all. */
struct phase {
	const char *kind, *name, *scope;
	uint8_t id, stack; /* as above; id 0: the one that runs */
};

static const struct phase phases[] = {
	[GT_EV_GC_BEGIN] = {"RangeBegin", "GC concurrent mark phase", NULL, 0, 2},
	[GT_EV_GC_ACTIVE] = {"RangeActive", "GC concurrent mark phase", NULL, 0, 0},
	[GT_EV_GC_END] = {"RangeEnd", "GC concurrent mark phase", NULL, 0, 0},
	[GT_EV_GC_SWEEP_BEGIN] = {"RangeBegin", "GC incremental sweep", "Proc", 0, 1},
	[GT_EV_GC_SWEEP_ACTIVE] = {"RangeActive", "GC incremental sweep", "Proc", 1, 0},
	[GT_EV_GC_SWEEP_END] = {"RangeEnd", "GC incremental sweep", "Proc", 0, 0},
	[GT_EV_GC_MARK_ASSIST_BEGIN] = {"RangeBegin", "GC mark assist", "Go", 0, 1},
	[GT_EV_GC_MARK_ASSIST_ACTIVE] = {"RangeActive", "GC mark assist", "Go", 1, 0},
	[GT_EV_GC_MARK_ASSIST_END] = {"RangeEnd", "GC mark assist", "Go", 0, 0},
};

static void metric(struct list *l, const char *name, uint64_t value)
{
	put_word(&l->text, "Metric");
	put_word(&l->text, name);
	put_number(&l->text, value);
}

static uint64_t phase(struct list *l, const struct gt_event *ev, const struct phase *p)
{
	put_word(&l->text, p->kind);
	put_quoted(&l->text, p->name, strlen(p->name));
	if (p->scope != NULL) {
		put_word(&l->text, p->scope);
		put_id(&l->text, argument(ev, p->id, p->scope[0] == 'G' ? ev->g : ev->p));
	}
	if (ev->number == GT_EV_GC_SWEEP_END) {
		put_number(&l->text, ev->args[0]);
		put_number(&l->text, ev->args[1]);
	}
	return argument(ev, p->stack, 0);
}

static uint64_t stw(struct list *l, const struct gt_event *ev, const char *kind)
{
	const struct gt_text *text = string(l, ev->args[0]);
	struct bytes name = {0};

	put(&name, "stop-the-world (", 16);
	put(&name, text != NULL ? text->data : "", text != NULL ? text->length : 0);
	put(&name, ")", 1);
	put_word(&l->text, kind);
	put_quoted(&l->text, name.data, name.size);
	put_word(&l->text, "Go");
	put_id(&l->text, ev->g);
	free(name.data);
	return ev->number == GT_EV_STW_BEGIN ? ev->args[1] : 0;
}

static void task_begin(struct list *l, const struct gt_event *ev)
{
	const struct gt_text *name = string(l, ev->args[2]);
	struct task *task = gt_alloc(sizeof(*task));

	*task = (struct task){.parent = ev->args[1] == 0 ? UINT64_MAX : ev->args[1],
			      .name = gt_alloc(name->length + 1),
			      .length = name->length};
	memcpy(task->name, name->data, name->length);
	gt_idmap_put(&l->tasks, ev->args[0], (uintptr_t)task);
	put_word(&l->text, "TaskBegin");
	put_id(&l->text, ev->args[0]);
	put_id(&l->text, task->parent);
	put_text(&l->text, name);
}

static void task_end(struct list *l, const struct gt_event *ev)
{
	struct task *task = gt_idmap_pointer(&l->tasks, ev->args[0]);

	put_word(&l->text, "TaskEnd");
	put_id(&l->text, ev->args[0]);
	put_id(&l->text, task != NULL ? task->parent : UINT64_MAX);
	put_quoted(&l->text, task != NULL ? task->name : "", task != NULL ? task->length : 0);
	if (task != NULL) {
		gt_idmap_remove(&l->tasks, ev->args[0]);
		free(task->name);
		free(task);
	}
}

/* The fields of an event of a P: false where it is none. */
static bool proc_fields(struct list *l, const struct gt_event *ev)
{
	switch (ev->number) {
	case GT_EV_PROC_START:
		proc(l, ev->args[0], "Idle", "Running");
		return true;
	case GT_EV_PROC_STOP:
		proc(l, ev->p, "Running", "Idle");
		return true;
	case GT_EV_PROC_STEAL:
		proc(l, ev->args[0], ev->was == GT_PROC_SYSCALL_ABANDONED ? "Idle" : "Running",
		     "Idle");
		return true;
	case GT_EV_PROC_STATUS:
		proc(l, ev->args[0], was_names[ev->was], proc_state(ev->args[1]));
		return true;
	default:
		return false;
	}
}

/* The fields of an event, and the stack of what did it, 0: none. */
static uint64_t fields(struct list *l, const struct gt_event *ev)
{
	const uint64_t *const a = ev->args;

	if (ev->number < GT_LEN(changes) && changes[ev->number].from != NULL) {
		const struct change *c = &changes[ev->number];

		go(l, argument(ev, c->g, ev->g), c->from, c->to, argument(ev, c->reason, 0),
		   argument(ev, c->own, 0));
		return argument(ev, c->stack, 0);
	}
	if (ev->number < GT_LEN(phases) && phases[ev->number].kind != NULL) {
		return phase(l, ev, &phases[ev->number]);
	}
	if (proc_fields(l, ev)) {
		return 0;
	}
	switch (ev->number) {
	case GT_EV_PROCS_CHANGE:
		metric(l, "/sched/gomaxprocs:threads", a[0]);
		return a[1];
	case GT_EV_GO_STATUS:
		go(l, a[0], was_names[ev->was], go_state(a[2]), 0, 0);
		return 0;
	case GT_EV_GO_STATUS_STACK:
		go(l, a[0], was_names[ev->was], go_state(a[2]), 0, a[3]);
		return a[3];
	case GT_EV_STW_BEGIN:
		return stw(l, ev, "RangeBegin");
	case GT_EV_STW_END:
		return stw(l, ev, "RangeEnd");
	case GT_EV_HEAP_ALLOC:
		metric(l, "/memory/classes/heap/objects:bytes", a[0]);
		return 0;
	case GT_EV_HEAP_GOAL:
		metric(l, "/gc/heap/goal:bytes", a[0]);
		return 0;
	case GT_EV_GO_LABEL:
		put_word(&l->text, "Label");
		put_id(&l->text, ev->g);
		put_string(l, a[0]);
		return 0;
	case GT_EV_USER_TASK_BEGIN:
		task_begin(l, ev);
		return a[3];
	case GT_EV_USER_TASK_END:
		task_end(l, ev);
		return a[1];
	case GT_EV_USER_REGION_BEGIN:
	case GT_EV_USER_REGION_END:
		put_word(&l->text,
			 ev->number == GT_EV_USER_REGION_BEGIN ? "RegionBegin" : "RegionEnd");
		put_id(&l->text, a[0]);
		put_string(l, a[1]);
		return a[2];
	case GT_EV_USER_LOG:
		put_word(&l->text, "Log");
		put_id(&l->text, a[0]);
		put_string(l, a[1]);
		put_string(l, a[2]);
		return a[3];
	default:
		fprintf(stderr, "list: no line for %s\n", gt_event_spec(ev)->name);
		exit(2);
	}
}

/* Go's reader passes these on as they stand. */
static void experimental(struct list *l, const struct gt_event *ev)
{
	const struct gt_spec *spec = gt_event_spec(ev);

	put_word(&l->text, "Experimental");
	put_word(&l->text, spec->name);
	for (unsigned i = 0; i < spec->nargs; i++) {
		put_number(&l->text, ev->args[i]);
	}
}

static void sync_fields(struct list *l)
{
	const struct gt_generation *g = gt_merge_generation(l->merge);

	gt_idmap_clear(&l->hashes);
	l->syncs++;
	put_word(&l->text, "sync");
	put_number(&l->text, l->syncs);
	if (g != NULL && g->has_snapshot) {
		put_id(&l->text, g->snapshot_time);
		put_number(&l->text, g->snapshot_mono);
		put_number(&l->text, g->snapshot_sec + g->snapshot_nsec / 1000000000);
		put_number(&l->text, g->snapshot_nsec % 1000000000);
	}
}

static void event(struct list *l, const struct gt_event *ev)
{
	struct bytes *b = &l->text;
	size_t time = b->size, from;
	uint64_t stack = 0;

	put_signed(b, ev->time);
	time = b->size - time;
	if (ev->kind == GT_STRUCT && ev->number == GT_EV_SYNC) {
		sync_fields(l);
	} else {
		l->events++;
		put_id(b, ev->m);
		put_id(b, ev->p);
		put_id(b, ev->g);
		if (ev->kind == GT_TIMED) {
			stack = fields(l, ev);
		} else if (ev->kind == GT_ALLOC) {
			experimental(l, ev);
		} else {
			put_word(b, "StackSample");
			stack = ev->args[0];
		}
		put_stack(l, stack);
		/* Stacks may have come before it. */
		for (from = b->size; from > 0 && b->data[from - 1] != '\n'; from--) {
		}
		l->sum += hash_of(b->data + from + time, b->size - from - time);
	}
	put(b, "\n", 1);
	if (b->size > 1 << 16) {
		flush(l);
	}
}

/* Go's reader ends a trace with a Sync that has no generation. */
static void finish(struct list *l, uint64_t last)
{
	put_signed(&l->text, last + 1);
	l->syncs++;
	put_word(&l->text, "sync");
	put_number(&l->text, l->syncs);
	put(&l->text, "\nend", 4);
	put_number(&l->text, l->events);
	put_word(&l->text, "events");
	put_number(&l->text, l->syncs);
	put_word(&l->text, "syncs sum ");
	put_digits(&l->text, l->sum, 16);
	put(&l->text, "\n", 1);
}

static void fini(struct list *l)
{
	const struct gt_idmap_slot *s;

	for (size_t i = 0; (s = gt_idmap_each(&l->tasks, &i)) != NULL;) {
		struct task *task = (struct task *)s->word;

		free(task->name);
		free(task);
	}
	gt_idmap_fini(&l->tasks);
	gt_idmap_fini(&l->hashes);
	gt_idmap_fini(&l->known);
	free(l->text.data);
	gt_merge_close(l->merge);
}

int main(int argc, char **argv)
{
	struct list l = {0};
	struct gt_error e = {0};
	struct gt_event ev;
	uint64_t last = 0;
	int n = -1;

	if (argc != 2) {
		fprintf(stderr, "usage: list FILE\n");
		return 2;
	}
	l.merge = gt_merge_open(argv[1], 0, &e);
	while (l.merge != NULL && (n = gt_merge_next(l.merge, &ev, &e)) > 0) {
		if (ev.kind != GT_FACT) {
			event(&l, &ev);
			last = ev.time;
		}
	}
	if (n == 0) {
		finish(&l, last);
	}
	flush(&l);
	if (n < 0) {
		char text[2000];

		gt_error_text(&e, text, sizeof(text));
		fprintf(stderr, "list: %s: rejected: %s\n", argv[1], text);
	}
	fini(&l);
	return n < 0 ? 1 : 0;
}
