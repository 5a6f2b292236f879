/*
 * The model as JSON: everything, in one line. The keys are documented in docs/stat.md.
 */
#include "facts.h"
#include "stat_format.h"
#include "stat_json.h"
#include "stat_view.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* The id of a thread, by its index. */
void gt_stat_json_thread(struct gt_json *j, const struct gt_model *model, const char *name,
			 uint32_t index)
{
	if (index == GT_MODEL_NONE) {
		gt_json_word(j, name, "null");
	} else {
		gt_json_number(j, name, model->threads[index].is->id);
	}
}

void gt_stat_json_stack(struct gt_json *j, const struct gt_model *model, uint32_t index)
{
	uint32_t frames[GT_LISTS_MAX];
	const size_t n = gt_model_stack(model, index, frames);

	gt_json_key(j, "stack");
	gt_json_begin(j, '[');
	for (size_t i = 0; i < n; i++) {
		gt_json_put_string(j, gt_model_name(model, frames[i]));
	}
	gt_json_end(j, ']');
}

void gt_stat_json_share(struct gt_json *j, const struct gt_model_share *share)
{
	gt_json_number(j, "waits", share->waits);
	gt_json_number(j, "total_ns", share->total);
	gt_json_number(j, "max_ns", share->max);
}

void gt_stat_json_object(struct gt_json *j, const struct gt_span_object *o)
{
	const char *kind = gt_object_text(o->kind);
	char address[32];

	snprintf(address, sizeof(address), "0x%" PRIx64, o->address);
	gt_json_string(j, "address", address);
	gt_json_number(j, "epoch", o->epoch);
	gt_json_string(j, "kind", kind ? kind : "unknown");
}

static void object(struct gt_json *j, const struct gt_model *model, uint32_t index)
{
	gt_stat_json_object(j, gt_model_object(model, index));
}

void gt_stat_json_ended(struct gt_json *j, const uint64_t how[GT_SPAN_HOWS])
{
	static const char *const keys[] = {
		[GT_SPAN_OPEN] = "open",
		[GT_SPAN_RETURNED] = "returned",
#define GT_ENDED(id, NAME, text) [id] = #NAME,
#include "base/events.def"
	};

	gt_json_key(j, "ended");
	gt_json_begin(j, '{');
	for (unsigned i = 0; i < GT_SPAN_HOWS; i++) {
		char name[32];
		size_t n = 0;

		for (; keys[i][n] && n < sizeof(name) - 1; n++) {
			name[n] = (char)(keys[i][n] >= 'A' && keys[i][n] <= 'Z' ? keys[i][n] | 0x20
										: keys[i][n]);
		}
		name[n] = '\0';
		gt_json_number(j, name, how[i]);
	}
	gt_json_end(j, '}');
}

/* Pairs of a as a list of objects; `put` writes what b is. */
void gt_stat_json_pairs(struct gt_json *j, const struct gt_model *model, const char *name,
			const struct gt_model_pairs *set, uint32_t a,
			void (*put)(struct gt_json *, const struct gt_model *, uint32_t))
{
	size_t n;
	const uint32_t *order = gt_model_pairs_of(set, a, &n);

	gt_json_key(j, name);
	gt_json_begin(j, '[');
	for (size_t i = 0; i < n; i++) {
		gt_json_begin(j, '{');
		put(j, model, gt_model_pair(set, order[i])->b);
		gt_stat_json_share(j, gt_model_share(set, order[i]));
		gt_json_end(j, '}');
	}
	gt_json_end(j, ']');
}

void gt_stat_json_pair_thread(struct gt_json *j, const struct gt_model *model, uint32_t index)
{
	gt_stat_json_thread(j, model, "thread", index);
}

static void pair_stack(struct gt_json *j, const struct gt_model *model, uint32_t index)
{
	gt_stat_json_stack(j, model, index);
}

static void pair_error(struct gt_json *j, const struct gt_model *model, uint32_t error)
{
	(void)model;
	gt_json_string(j, "error", gt_errno_name(error));
	gt_json_number(j, "number", error);
}

/* Reasons of a thread or a group, as two objects by reason. */
static void reasons(struct gt_json *j, const struct gt_model *model,
		    const struct gt_model_pairs *set, uint32_t a)
{
	size_t n;
	const uint32_t *order = gt_model_pairs_of(set, a, &n);

	gt_json_key(j, "waiting_ns");
	gt_json_begin(j, '{');
	for (size_t i = 0; i < n; i++) {
		gt_json_number(j, gt_model_name(model, gt_model_pair(set, order[i])->b),
			       gt_model_share(set, order[i])->total);
	}
	gt_json_end(j, '}');
	gt_json_key(j, "waits");
	gt_json_begin(j, '{');
	for (size_t i = 0; i < n; i++) {
		gt_json_number(j, gt_model_name(model, gt_model_pair(set, order[i])->b),
			       gt_model_share(set, order[i])->waits);
	}
	gt_json_end(j, '}');
}

static const char *state_text(unsigned state)
{
	static const char *const texts[] = {"ended", "runnable", "running", "syscall", "waiting"};

	return texts[state];
}

static void threads(struct gt_json *j, const struct gt_model *model)
{
	gt_json_key(j, "threads");
	gt_json_begin(j, '[');
	for (size_t i = 0; i < model->nthreads; i++) {
		const struct gt_model_thread *t = &model->threads[i];

		if (!t->is->seen) {
			continue;
		}
		gt_json_begin(j, '{');
		gt_json_number(j, "id", t->is->id);
		if (t->is->tid == GT_NO_M) {
			gt_json_word(j, "tid", "null");
		} else {
			gt_json_number(j, "tid", t->is->tid);
		}
		gt_json_string(j, "routine", gt_model_name(model, t->is->routine));
		gt_json_string(j, "entry", gt_model_plain(model, t->entry));
		gt_json_key(j, "labels");
		gt_json_begin(j, '[');
		for (size_t k = 0; k < t->is->nlabels; k++) {
			gt_json_put_string(j, gt_model_name(model, t->is->labels[k]));
		}
		gt_json_end(j, ']');
		gt_json_boolean(j, "system", t->system);
		gt_stat_json_thread(j, model, "creator", t->is->creator);
		gt_json_number(j, "created_ns", t->is->created - model->begin);
		if (t->is->ended) {
			gt_json_number(j, "ended_ns", t->is->ended - model->begin);
		} else {
			gt_json_word(j, "ended_ns", "null");
		}
		gt_json_string(j, "state", state_text(t->is->state));
		gt_json_number(j, "running_ns", t->running);
		gt_json_number(j, "runnable_ns", t->runnable);
		gt_json_number(j, "syscall_ns", t->syscall);
		gt_json_number(j, "syscall_blocked_ns", t->syscall_blocked);
		gt_json_number(j, "blocked_ns", t->waiting);
		gt_json_number(j, "blocks", t->blocks);
		gt_json_number(j, "syscalls", t->syscalls);
		gt_json_number(j, "yields", t->yields);
		gt_json_number(j, "yields_long", t->yields_long);
		gt_json_number(j, "yields_ns", t->yields_ns);
		if (t->counted.waits) {
			gt_json_key(j, "waits_with_cpu");
			gt_json_begin(j, '{');
			gt_json_number(j, "waits", t->counted.waits);
			gt_json_number(j, "until_running_ns", t->counted.total);
			gt_json_number(j, "on_cpu_ns", t->on_cpu);
			gt_json_end(j, '}');
		}
		reasons(j, model, &model->thread_reason, (uint32_t)i);
		gt_stat_json_ended(j, t->how);
		gt_json_end(j, '}');
	}
	gt_json_end(j, ']');
}

static void groups(struct gt_json *j, const struct gt_model *model)
{
	gt_json_key(j, "routines");
	gt_json_begin(j, '[');
	for (size_t i = 0; i < model->groups.count; i++) {
		const struct gt_model_group *g = gt_set_value(&model->groups, i);
		const uint32_t *routine = gt_set_key(&model->groups, i, NULL);

		gt_json_begin(j, '{');
		gt_json_string(j, "routine", gt_model_name(model, *routine));
		gt_json_number(j, "threads", g->threads);
		gt_json_boolean(j, "system", g->system);
		gt_json_number(j, "running_ns", g->running);
		gt_json_number(j, "runnable_ns", g->runnable);
		gt_json_number(j, "syscall_ns", g->syscall);
		gt_json_number(j, "syscall_blocked_ns", g->syscall_blocked);
		gt_json_number(j, "blocked_ns", g->waiting);
		gt_json_number(j, "blocks", g->blocks);
		gt_json_number(j, "syscalls", g->syscalls);
		gt_json_number(j, "yields", g->yields);
		gt_json_number(j, "yields_ns", g->yields_ns);
		reasons(j, model, &model->group_reason, (uint32_t)i);
		gt_json_end(j, '}');
	}
	gt_json_end(j, ']');
}

static void sites(struct gt_json *j, const struct gt_model *model)
{
	uint32_t *order = gt_model_longest(&model->sites);

	gt_json_key(j, "sites");
	gt_json_begin(j, '[');
	for (size_t i = 0; i < model->sites.count; i++) {
		const struct gt_model_site *s = gt_set_value(&model->sites, order[i]);
		const struct gt_model_site_key *k = gt_set_key(&model->sites, order[i], NULL);

		gt_json_begin(j, '{');
		gt_json_string(j, "reason", gt_model_name(model, k->reason));
		gt_stat_json_stack(j, model, k->stack);
		gt_json_boolean(j, "system", s->system);
		gt_stat_json_share(j, &s->share);
		gt_json_number(j, "mean_ns", s->share.waits ? s->share.total / s->share.waits : 0);
		gt_json_number(j, "p50_ns", gt_hist_part(&s->hist, 0.5));
		gt_json_number(j, "p99_ns", gt_hist_part(&s->hist, 0.99));
		gt_json_number(j, "runnable_ns", s->runnable);
		gt_stat_json_ended(j, s->how);
		gt_stat_json_pairs(j, model, "threads", &model->site_thread, order[i],
				   gt_stat_json_pair_thread);
		gt_stat_json_pairs(j, model, "objects", &model->site_object, order[i], object);
		gt_stat_json_pairs(j, model, "owners", &model->site_owner, order[i],
				   gt_stat_json_pair_thread);
		gt_stat_json_pairs(j, model, "wakers", &model->site_waker, order[i],
				   gt_stat_json_pair_thread);
		gt_json_key(j, "retakes");
		gt_json_begin(j, '{');
		gt_stat_json_share(j, &s->retakes);
		gt_stat_json_pairs(j, model, "owners", &model->site_retake, order[i],
				   gt_stat_json_pair_thread);
		gt_json_end(j, '}');
		gt_json_end(j, '}');
	}
	gt_json_end(j, ']');
	free(order);
}

static void owners(struct gt_json *j, const struct gt_model *model)
{
	uint32_t *order = gt_model_longest(&model->owners);

	gt_json_key(j, "owners");
	gt_json_begin(j, '[');
	for (size_t i = 0; i < model->owners.count; i++) {
		gt_json_begin(j, '{');
		gt_stat_json_thread(j, model, "thread",
				    *(const uint32_t *)gt_set_key(&model->owners, order[i], NULL));
		gt_stat_json_share(j, gt_set_value(&model->owners, order[i]));
		gt_json_end(j, '}');
	}
	gt_json_end(j, ']');
	free(order);
}

static void wakes(struct gt_json *j, const struct gt_model *model)
{
	uint32_t *order = gt_model_longest(&model->wakes);

	gt_json_key(j, "wakes");
	gt_json_begin(j, '[');
	for (size_t i = 0; i < model->wakes.count; i++) {
		const struct gt_model_wake_key *k = gt_set_key(&model->wakes, order[i], NULL);

		gt_json_begin(j, '{');
		gt_stat_json_thread(j, model, "waker", k->waker);
		gt_stat_json_thread(j, model, "wakee", k->wakee);
		gt_json_string(j, "reason", gt_model_name(model, k->reason));
		gt_stat_json_stack(j, model, k->stack);
		gt_stat_json_share(j, gt_set_value(&model->wakes, order[i]));
		gt_json_end(j, '}');
	}
	gt_json_end(j, ']');
	free(order);
}

static void calls(struct gt_json *j, const struct gt_model *model)
{
	uint32_t *order = gt_model_longest(&model->calls);

	gt_json_key(j, "calls");
	gt_json_begin(j, '[');
	for (size_t i = 0; i < model->calls.count; i++) {
		const struct gt_model_call *c = gt_set_value(&model->calls, order[i]);
		const uint64_t number =
			*(const uint64_t *)gt_set_key(&model->calls, order[i], NULL);
		const bool known = number < GT_CALL_END && gt_calls[number].name != NULL;

		gt_json_begin(j, '{');
		gt_json_string(j, "call", known ? gt_calls[number].name : NULL);
		gt_json_number(j, "number", number);
		gt_json_string(j, "class", known ? gt_class_name(gt_calls[number].class) : NULL);
		gt_stat_json_share(j, &c->share);
		gt_json_number(j, "mean_ns", c->share.waits ? c->share.total / c->share.waits : 0);
		gt_json_number(j, "p50_ns", gt_hist_part(&c->hist, 0.5));
		gt_json_number(j, "p99_ns", gt_hist_part(&c->hist, 0.99));
		gt_json_key(j, "blocked");
		gt_json_begin(j, '{');
		gt_stat_json_share(j, &c->blocked);
		gt_json_end(j, '}');
		gt_json_number(j, "untimed", c->untimed);
		gt_json_number(j, "failed", c->failed);
		gt_stat_json_pairs(j, model, "errors", &model->call_error, order[i], pair_error);
		gt_stat_json_pairs(j, model, "threads", &model->call_thread, order[i],
				   gt_stat_json_pair_thread);
		gt_stat_json_pairs(j, model, "sites", &model->call_stack, order[i], pair_stack);
		gt_json_end(j, '}');
	}
	gt_json_end(j, ']');
	free(order);
}

static void spins(struct gt_json *j, const struct gt_model *model)
{
	uint32_t *order = gt_model_longest(&model->spins);

	gt_json_key(j, "spins");
	gt_json_begin(j, '[');
	for (size_t i = 0; i < model->spins.count; i++) {
		gt_json_begin(j, '{');
		gt_stat_json_object(j, gt_set_key(&model->spins, order[i], NULL));
		gt_stat_json_share(j, gt_set_value(&model->spins, order[i]));
		gt_stat_json_pairs(j, model, "threads", &model->spin_thread, order[i],
				   gt_stat_json_pair_thread);
		gt_stat_json_pairs(j, model, "sites", &model->spin_stack, order[i], pair_stack);
		gt_json_end(j, '}');
	}
	gt_json_end(j, ']');
	free(order);
}

static void about(struct gt_json *j, const struct gt_model *model)
{
	static const char *const names[] = {
		[GT_ABOUT_NONE] = "UNKNOWN",
#define GT_ABOUT(id, NAME, text) [id] = #NAME,
#include "base/events.def"
	};

	gt_json_key(j, "about");
	gt_json_begin(j, '[');
	for (size_t i = 0; i < model->about.count; i++) {
		const uint64_t what = *(const uint64_t *)gt_set_key(&model->about, i, NULL);
		const uint64_t value = *(const uint64_t *)gt_set_value(&model->about, i);
		struct gt_about_words room;

		gt_json_begin(j, '{');
		gt_json_string(j, "what", names[what < GT_ABOUT_END ? what : GT_ABOUT_NONE]);
		gt_json_string(j, "text", gt_about_text(what));
		gt_json_number(j, "value", value);
		gt_json_string(j, "means", gt_about_words(what, value, &room));
		gt_json_end(j, '}');
	}
	gt_json_end(j, ']');
}

/* None where recording ended with the program. */
static void broken(struct gt_json *j, const struct gt_model *model)
{
	static const char *const names[] = {
		[GT_BROKEN_NOT] = "UNKNOWN",
#define GT_BROKEN(id, NAME, text) [id] = #NAME,
#include "base/events.def"
	};

	gt_json_key(j, "ended_early");
	gt_json_begin(j, '[');
	for (size_t i = 0; i < model->broken.count; i++) {
		const struct gt_broken_off *b = &model->broken.array[i];
		struct gt_broken_words room;

		gt_json_begin(j, '{');
		gt_json_number(j, "first", b->first);
		gt_json_string(j, "why", names[b->why < GT_BROKEN_END ? b->why : GT_BROKEN_NOT]);
		gt_json_string(j, "text", gt_broken_words(b, &room));
		gt_json_number(j, "errno", b->error);
		gt_json_number(j, "at_ns", b->time - GT_MIN(b->time, model->begin));
		gt_json_number(j, "given_up_ns", b->ns);
		gt_json_end(j, '}');
	}
	gt_json_end(j, ']');
}

static void losses(struct gt_json *j, const struct gt_model *model)
{
	static const char *const names[] = {
		[GT_LOSS_NONE] = "UNKNOWN",
#define GT_LOSS(id, NAME, text) [id] = #NAME,
#include "base/events.def"
	};

	gt_json_key(j, "losses");
	gt_json_begin(j, '[');
	for (unsigned i = 0; i < GT_LOSS_END; i++) {
		uint64_t count = i == GT_LOSS_NONE ? model->loss_unknown : model->loss[i];

		if (count == 0) {
			continue;
		}
		gt_json_begin(j, '{');
		gt_json_string(j, "what", names[i]);
		gt_json_string(j, "text", gt_loss_text(i));
		gt_json_number(j, "count", count);
		gt_json_end(j, '}');
	}
	gt_json_end(j, ']');
}

/* null where there was no overhead governor. */
static void budget(struct gt_json *j, const struct gt_model *model)
{
	const struct gt_model_budget *b = &model->budget;

	if (b->steps == 0) {
		gt_json_word(j, "budget", "null");
		return;
	}
	gt_json_key(j, "budget");
	gt_json_begin(j, '{');
	gt_json_number(j, "cpu_ns", b->cpu);
	gt_json_number(j, "cost_ns", b->cost);
	gt_json_number(j, "held_ns", b->held);
	gt_json_boolean(j, "kept", !gt_stat_over_budget(model));
	gt_json_number(j, "calls_left_out", model->loss[GT_LOSS_BUDGET_CALLS]);
	gt_json_number(j, "calls_ns", b->calls_ns);
	gt_json_number(j, "waits_left_out", model->loss[GT_LOSS_BUDGET_WAITS]);
	gt_json_number(j, "waits_ns", b->waits_ns);
	gt_json_number(j, "depth_min", b->depth_min);
	gt_json_number(j, "steps", b->steps);
	gt_json_end(j, '}');
}

static void cut(struct gt_json *j, const struct gt_model *model)
{
	gt_json_key(j, "cut");
	gt_json_begin(j, '{');
	gt_json_number(j, "from_ns", model->from - model->begin);
	gt_json_number(j, "to_ns", GT_MIN(model->to, model->end) - model->begin);
	gt_json_string(j, "thread", model->cut.window.thread);
	gt_json_string(j, "object", model->cut.object);
	gt_json_end(j, '}');
}

void gt_stat_json(const struct gt_stat *stat, FILE *out)
{
	const struct gt_model *model = stat->model;
	struct gt_json j = {.out = out};
	char version[16];

	gt_json_begin(&j, '{');
	gt_json_string(&j, "file", stat->path);
	snprintf(version, sizeof(version), "1.%u", model->version);
	gt_json_string(&j, "format", version);
	gt_json_string(&j, "writer", model->by_gtrace ? "gtrace" : "go");
	gt_json_boolean(&j, "truncated", stat->truncated);
	gt_json_string(&j, "problem", stat->problem);
	gt_json_number(&j, "duration_ns", model->end - model->begin);
	gt_json_number(&j, "generations", model->generations);
	gt_json_number(&j, "events", model->events);
	gt_json_number(&j, "samples", model->samples);
	if (model->cpus) {
		gt_json_number(&j, "cpus", model->cpus);
	} else {
		gt_json_word(&j, "cpus", "null");
	}
	cut(&j, model);
	broken(&j, model);
	losses(&j, model);
	budget(&j, model);
	gt_json_number(&j, "unread", model->unread);
	about(&j, model);
	gt_stat_json_ended(&j, model->how);
	threads(&j, model);
	groups(&j, model);
	sites(&j, model);
	gt_stat_json_objects(&j, stat->model);
	owners(&j, model);
	gt_stat_json_circles(&j, stat->model);
	gt_stat_json_path(&j, stat->model, stat->path_found);
	wakes(&j, model);
	calls(&j, model);
	spins(&j, model);
	gt_json_end(&j, '}');
	fputc('\n', out);
}
