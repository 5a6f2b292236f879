/*
 * What a program did, without what differs from run to run: the golden text of a test program.
 *
 * Left out: times, thread ids, addresses, files and lines, Ps, generations and their statuses,
 * yields, spinning, the threads of gtrace itself, and how the events of different threads
 * interleave.
 * Kept: for each thread by itself, in its own order, what it did and what was done to it.
 *
 * - A thread is named by who created it: 1 is the first of the trace, 1.2 the second that 1
 *   created. Threads that nobody was seen to create are x1, x2, ... in the order in which they
 * came.
 * - A wake-up stands with the thread that was woken, which makes its place certain: after the
 * block, before what the thread does next. The waker is that of the fact about the end of the wait,
 * or where there is none, of the unblock.
 * - An object (a mutex, ...) is named by its kind and a number, given in the order of this text.
 * - A call that a fact names is one line, where it ended, "call read fd 5 = 10 in main", whether it
 *   was a system call or a block: that depends on how long it took. A process id or another number
 *   that differs from run to run is left out or "child", "address", "positive"; an error has its
 *   name, "= EAGAIN". A system call that no fact names, because it did not end or Go's runtime
 *   wrote it, is "syscall in main".
 */
#include "views.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "facts.h"
#include "normal_text.h"
#include "quote.h"

enum { FRAMES = 4 }; /* that are shown of a stack */

struct thread {
	char *name;
	char *text; /* its lines, for gt_normal_put */
	size_t text_size;
	FILE *out; /* writes text */
	unsigned children;
	bool ours;    /* of gtrace itself: not shown */
	bool blocked; /* the fact below belongs to the block that comes next */
	struct gt_normal_object object;
	uint64_t owner;
	/* The system call or block that has begun: its line, and the stack in it; NULL: none. */
	char *open, *where;
	bool called; /* a fact has named it */
	/* Of the wait that ends with the next start. */
	bool unblocked, ended;
	uint64_t by;                 /* G, GT_NO_G: nobody */
	char *stack;                 /* where the unblock was done, or NULL */
	uint64_t how, result, waker; /* from the fact */
};

struct view {
	struct gt_merge *t;
	struct gt_idmap gs; /* G -> struct thread * */
	struct gt_idmap ms; /* M -> G + 1: the last that ran there */
	struct thread **threads;
	size_t n, cap;
	bool any; /* thread 1 is there */
	unsigned unseen;
};

/* A stream that writes *text; free it after fclose. */
static FILE *in_memory(char **text, size_t *size)
{
	FILE *out = open_memstream(text, size);

	if (out == NULL) {
		abort();
	}
	return out;
}

static struct thread *find(struct view *v, uint64_t g)
{
	return gt_idmap_pointer(&v->gs, g);
}

static void keep(struct view *v, uint64_t g, struct thread *th)
{
	v->threads = gt_grow(v->threads, v->n, &v->cap, sizeof(struct thread *));
	v->threads[v->n++] = th;
	gt_idmap_remove(&v->gs, g); /* an id that was used before */
	gt_idmap_put(&v->gs, g, (uintptr_t)th);
}

static struct thread *add(struct view *v, uint64_t g, struct thread *creator)
{
	struct thread *th = gt_alloc(sizeof(*th));
	char name[400];

	if (creator != NULL) {
		snprintf(name, sizeof(name), "%.300s.%u", creator->name, ++creator->children);
	} else if (!v->any) {
		v->any = true;
		snprintf(name, sizeof(name), "1");
	} else {
		snprintf(name, sizeof(name), "x%u", ++v->unseen);
	}
	th->name = strdup(name);
	th->out = in_memory(&th->text, &th->text_size);
	if (th->name == NULL) {
		abort();
	}
	keep(v, g, th);
	return th;
}

static void add_ours(struct view *v, uint64_t g)
{
	struct thread *th = gt_alloc(sizeof(*th));

	th->ours = true;
	keep(v, g, th);
}

static const char *name_of(struct view *v, uint64_t g)
{
	const struct thread *th = g == GT_NO_G ? NULL : find(v, g);

	return th == NULL ? "nobody" : th->ours ? "gtrace" : th->name;
}

static const struct gt_text *outermost(const struct gt_generation *g, uint64_t stack)
{
	const struct gt_stack *s = gt_generation_stack(g, stack);

	return s == NULL || s->nframes == 0 ? NULL : &gt_stack_frame(g, s, s->nframes - 1)->func;
}

/* "runtime." is where Go's tools look for system goroutines; gtrace names its own so. */
static bool is_ours(const struct gt_text *entry)
{
	return entry != NULL && entry->length > 8 && memcmp(entry->data, "runtime.", 8) == 0 &&
	       !(entry->length == 12 && memcmp(entry->data, "runtime.main", 12) == 0);
}

static void put_stack(FILE *out, const struct gt_generation *g, uint64_t id)
{
	const struct gt_stack *s = gt_generation_stack(g, id);

	for (unsigned i = 0; s != NULL && i < s->nframes && i < FRAMES; i++) {
		fputs(i == 0 ? " in " : " < ", out);
		gt_view_name(out, &gt_stack_frame(g, s, i)->func);
	}
}

static void put_string(FILE *out, const struct gt_generation *g, uint64_t id)
{
	const struct gt_text *text = gt_generation_string(g, id);

	fputc(' ', out);
	gt_quote(out, text ? text->data : "", text ? text->length : 0);
}

/* --- What has begun and may turn out to be a call --------------------------------------------- */

/* Where a thread's next line goes: what was open stays as it began. */
static FILE *line(struct thread *th)
{
	if (th->open != NULL) {
		fputs(th->open, th->out);
	}
	free(th->open);
	free(th->where);
	th->open = th->where = NULL;
	return th->out;
}

static void open_line(struct view *v, struct thread *th, uint64_t stack, const char *text)
{
	size_t size;
	FILE *out;

	line(th);
	out = in_memory(&th->where, &size);
	put_stack(out, gt_merge_generation(v->t), stack);
	fclose(out);
	out = in_memory(&th->open, &size);
	fprintf(out, "  %s%s\n", text, th->where);
	fclose(out);
	th->called = false;
}

/* The call of the thread on this M is over. */
static void call(struct view *v, const struct gt_event *ev)
{
	uintptr_t on = gt_idmap_get(&v->ms, ev->m);
	struct thread *th = on != 0 ? find(v, on - 1) : NULL;

	if (th == NULL || th->ours) {
		return;
	}
	fputs("  call ", th->out);
	gt_call_put(th->out, ev->args, true);
	fprintf(th->out, "%s\n", th->where != NULL ? th->where : "");
	free(th->open);
	free(th->where);
	th->open = th->where = NULL;
	th->called = true;
}

/* --- Facts and events ------------------------------------------------------------------------- */

static void fact(struct view *v, const struct gt_event *ev)
{
	struct thread *th;

	if (ev->number == GT_FACT_CALL) {
		call(v, ev);
		return;
	}
	if (ev->number != GT_FACT_BLOCK && ev->number != GT_FACT_WAIT_END) {
		return;
	}
	th = find(v, gt_event_arg(ev, "g"));
	if (th == NULL || th->ours) {
		return;
	}
	if (ev->number == GT_FACT_BLOCK) {
		th->blocked = true;
		th->object = (struct gt_normal_object){gt_event_arg(ev, "kind"),
						       gt_event_arg(ev, "object"),
						       gt_event_arg(ev, "epoch"), 0};
		th->owner = gt_event_arg(ev, "owner");
	} else {
		th->ended = true;
		th->how = gt_event_arg(ev, "how");
		th->result = gt_event_arg(ev, "result");
		th->waker = gt_event_arg(ev, "waker");
	}
}

static void block(struct view *v, struct thread *th, const struct gt_event *ev)
{
	char *text;
	size_t size;
	FILE *out = in_memory(&text, &size);

	fputs("block", out);
	put_string(out, gt_merge_generation(v->t), ev->args[0]);
	if (th->blocked) {
		fputc(' ', out);
		gt_normal_mark(out, &th->object);
		if (th->owner != 0) {
			uintptr_t owner = gt_idmap_get(&v->ms, th->owner);

			fprintf(out, " of %s", owner ? name_of(v, owner - 1) : "nobody");
		}
		th->blocked = false;
	}
	fclose(out);
	open_line(v, th, ev->args[1], text);
	free(text);
}

static void created(struct view *v, const struct gt_event *ev)
{
	const struct gt_generation *g = gt_merge_generation(v->t);
	const uint64_t stack = ev->number == GT_EV_GO_CREATE_SYSCALL ? 0 : ev->args[1];
	const struct gt_text *entry = outermost(g, stack);
	struct thread *creator = ev->g == GT_NO_G ? NULL : find(v, ev->g);
	struct thread *th;

	if (is_ours(entry)) {
		add_ours(v, ev->args[0]);
		return;
	}
	th = add(v, ev->args[0], creator != NULL && !creator->ours ? creator : NULL);
	if (creator != NULL && !creator->ours) {
		FILE *out = line(creator);

		fprintf(out, "  create %s", th->name);
		put_stack(out, g, ev->args[2]);
		fputc('\n', out);
	}
	if (entry != NULL) {
		fputs("  entry ", th->out);
		gt_view_name(th->out, entry);
		fputc('\n', th->out);
	}
}

static void first_status(struct view *v, const struct gt_event *ev)
{
	const struct gt_generation *g = gt_merge_generation(v->t);
	const struct gt_text *entry =
		outermost(g, ev->number == GT_EV_GO_STATUS_STACK ? ev->args[3] : 0);
	struct thread *th;

	if (is_ours(entry)) {
		add_ours(v, ev->args[0]);
		return;
	}
	th = add(v, ev->args[0], NULL);
	if (entry != NULL) {
		fputs("  entry ", th->out);
		gt_view_name(th->out, entry);
		fputc('\n', th->out);
	}
}

static void ran(struct view *v, uint64_t m, uint64_t g)
{
	if (m != GT_NO_M && g != GT_NO_G && gt_idmap_get(&v->ms, m) != g + 1) {
		gt_idmap_remove(&v->ms, m);
		gt_idmap_put(&v->ms, m, (uintptr_t)(g + 1));
	}
}

/*
 * Who unblocked. gtrace writes a wake-up that was posted late in the name of the waker's M, where
 * no G may run by then: it is the last that did. A thread that nobody woke does it itself.
 */
static void unblocked(struct view *v, struct thread *th, const struct gt_event *ev)
{
	uint64_t by = ev->g;

	if (by == GT_NO_G && ev->m != GT_NO_M) {
		by = (uint64_t)gt_idmap_get(&v->ms, ev->m) - 1; /* 0 - 1 is GT_NO_G */
	}
	if (by == ev->args[0]) {
		by = GT_NO_G;
	}
	th->unblocked = true;
	th->by = by;
	free(th->stack);
	th->stack = NULL;
	if (by != GT_NO_G) {
		size_t size;
		FILE *out = in_memory(&th->stack, &size);

		put_stack(out, gt_merge_generation(v->t), ev->args[2]);
		fclose(out);
	}
}

static void started(struct view *v, struct thread *th)
{
	const char *how = gt_ended_text(th->how);
	const uint64_t by = th->ended && th->waker != 0 ? th->waker : th->by;

	if (!th->unblocked) {
		return;
	}
	/* A call whose line says how it ended needs no other. */
	if (!th->called || th->ended || by != GT_NO_G) {
		FILE *out = line(th);

		if (by != GT_NO_G) {
			fprintf(out, "  woken by %s%s", name_of(v, by), th->stack ? th->stack : "");
		} else {
			fprintf(out, "  woken: %s", th->ended && how ? how : "by nobody");
		}
		if (th->ended && th->result != 0) {
			fprintf(out, ", result %" PRIu64, th->result);
		}
		fputc('\n', out);
	}
	free(th->stack);
	th->stack = NULL;
	th->unblocked = th->ended = th->called = false;
}

/* An event of the thread that runs. */
static void own_event(struct view *v, struct thread *th, const struct gt_event *ev)
{
	const struct gt_generation *g = gt_merge_generation(v->t);

	switch (ev->number) {
	case GT_EV_GO_BLOCK:
		block(v, th, ev);
		break;
	case GT_EV_GO_DESTROY:
	case GT_EV_GO_DESTROY_SYSCALL:
		fputs("  end\n", line(th));
		break;
	case GT_EV_GO_SYSCALL_BEGIN:
		open_line(v, th, ev->args[1], "syscall");
		break;
	case GT_EV_GO_LABEL:
		fputs("  label", line(th));
		put_string(th->out, g, ev->args[0]);
		fputc('\n', th->out);
		break;
	case GT_EV_USER_REGION_BEGIN:
	case GT_EV_USER_REGION_END:
		fprintf(line(th), "  region %s",
			ev->number == GT_EV_USER_REGION_BEGIN ? "begin" : "end");
		put_string(th->out, g, ev->args[1]);
		fputc('\n', th->out);
		break;
	case GT_EV_USER_LOG:
		fputs("  log", line(th));
		put_string(th->out, g, ev->args[1]);
		put_string(th->out, g, ev->args[2]);
		fputc('\n', th->out);
		break;
	default:
		break;
	}
}

static void event(struct view *v, const struct gt_event *ev)
{
	struct thread *th;

	switch (ev->number) {
	case GT_EV_GO_CREATE:
	case GT_EV_GO_CREATE_BLOCKED:
	case GT_EV_GO_CREATE_SYSCALL:
		created(v, ev);
		if (ev->number == GT_EV_GO_CREATE_SYSCALL) {
			ran(v, ev->m, ev->args[0]);
		}
		return;
	case GT_EV_GO_STATUS:
	case GT_EV_GO_STATUS_STACK:
		if (find(v, ev->args[0]) == NULL) {
			first_status(v, ev);
		}
		if (ev->args[2] == GT_GO_RUNNING || ev->args[2] == GT_GO_SYSCALL) {
			ran(v, ev->args[2] == GT_GO_RUNNING ? ev->m : ev->args[1], ev->args[0]);
		}
		return;
	case GT_EV_GO_START:
		ran(v, ev->m, ev->args[0]);
		th = find(v, ev->args[0]);
		if (th != NULL && !th->ours) {
			started(v, th);
		}
		return;
	case GT_EV_GO_UNBLOCK:
		th = find(v, ev->args[0]);
		if (th != NULL && !th->ours) {
			unblocked(v, th, ev);
		}
		return;
	default:
		th = ev->g == GT_NO_G ? NULL : find(v, ev->g);
		if (th != NULL && !th->ours) {
			own_event(v, th, ev);
		}
		return;
	}
}

static int by_name(const void *a, const void *b)
{
	return gt_normal_compare((*(struct thread *const *)a)->name,
				 (*(struct thread *const *)b)->name);
}

static void finish(struct view *v, FILE *out)
{
	struct gt_normal_objects objects = {0};
	size_t shown = 0;

	for (size_t i = 0; i < v->n; i++) {
		if (v->threads[i]->ours) {
			free(v->threads[i]);
		} else {
			v->threads[shown++] = v->threads[i];
		}
	}
	if (shown > 0) {
		qsort(v->threads, shown, sizeof(struct thread *), by_name);
	}
	for (size_t i = 0; i < shown; i++) {
		struct thread *th = v->threads[i];

		fclose(line(th));
		fprintf(out, "thread %s\n", th->name);
		gt_normal_put(out, th->text, &objects);
		free(th->text);
		free(th->stack);
		free(th->name);
		free(th);
	}
	free(objects.array);
	gt_idmap_fini(&v->gs);
	gt_idmap_fini(&v->ms);
	free(v->threads);
}

int gt_view_normal(struct gt_merge *t, FILE *out, struct gt_error *e)
{
	struct view v = {.t = t};
	struct gt_event ev;
	int n;

	while ((n = gt_merge_next(t, &ev, e)) > 0) {
		if (ev.kind == GT_FACT) {
			fact(&v, &ev);
		} else if (ev.kind == GT_TIMED) {
			event(&v, &ev);
		}
	}
	finish(&v, out);
	return n;
}
