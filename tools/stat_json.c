/*
 * The model as JSON: everything, in one line. The keys are documented in cmd_stat.c.
 */
#include "stat_view.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct json {
	FILE *out;
	bool more; /* a comma is due before the next member */
};

static void begin(struct json *j, char bracket)
{
	if (j->more) {
		fputs(", ", j->out);
	}
	fputc(bracket, j->out);
	j->more = false;
}

static void end(struct json *j, char bracket)
{
	fputc(bracket, j->out);
	j->more = true;
}

size_t gt_utf8_length(const char *s)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	const unsigned char *c = (const unsigned char *)s;
	const size_t n = *c < 0x80       ? 1
			 : *c >> 5 == 6  ? 2
			 : *c >> 4 == 14 ? 3
			 : *c >> 3 == 30 ? 4
					 : 0;
	uint32_t rune = n > 1 ? *c & (0x7f >> n) : *c;

	for (size_t i = 1; i < n; i++) {
		if (c[i] >> 6 != 2) {
			return 0;
		}
		rune = rune << 6 | (c[i] & 0x3f);
	}
	return n > 1 && (rune < least[n] || rune > 0x10ffff || rune >> 11 == 0x1b) ? 0 : n;
}

static void put_string(struct json *j, const char *s)
{
	fputs(j->more ? ", \"" : "\"", j->out);
	while (*s) {
		const size_t n = gt_utf8_length(s);

		if (n == 0) {
			fputs("\\ufffd", j->out); /* not UTF-8 */
		} else if ((unsigned char)*s < 0x20 || *s == 0x7f) {
			fprintf(j->out, "\\u%04x", (unsigned char)*s);
		} else {
			if (*s == '"' || *s == '\\') {
				fputc('\\', j->out);
			}
			fwrite(s, 1, n, j->out);
		}
		s += n ? n : 1;
	}
	fputc('"', j->out);
	j->more = true;
}

static void key(struct json *j, const char *name)
{
	put_string(j, name);
	fputs(": ", j->out);
	j->more = false;
}

static void put_word(struct json *j, const char *word)
{
	fprintf(j->out, "%s%s", j->more ? ", " : "", word);
	j->more = true;
}

static void put_number(struct json *j, uint64_t n)
{
	fprintf(j->out, "%s%" PRIu64, j->more ? ", " : "", n);
	j->more = true;
}

static void number(struct json *j, const char *name, uint64_t n)
{
	key(j, name);
	put_number(j, n);
}

static void word(struct json *j, const char *name, const char *text)
{
	key(j, name);
	put_word(j, text);
}

static void string(struct json *j, const char *name, const char *text)
{
	key(j, name);
	if (text != NULL) {
		put_string(j, text);
	} else {
		put_word(j, "null");
	}
}

static void boolean(struct json *j, const char *name, bool is)
{
	word(j, name, is ? "true" : "false");
}

/* The id of a thread, by its index. */
static void thread(struct json *j, const struct gt_model *model, const char *name, uint32_t index)
{
	if (index == GT_MODEL_NONE) {
		word(j, name, "null");
	} else {
		number(j, name, model->threads[index]->id);
	}
}

static void stack(struct json *j, const struct gt_model *model, uint32_t index)
{
	size_t n;
	const uint32_t *frames = gt_model_stack(model, index, &n);

	key(j, "stack");
	begin(j, '[');
	for (size_t i = 0; i < n; i++) {
		put_string(j, gt_model_name(model, frames[i]));
	}
	end(j, ']');
}

static void share(struct json *j, const struct gt_model_share *share)
{
	number(j, "waits", share->waits);
	number(j, "total_ns", share->total);
	number(j, "max_ns", share->max);
}

static void object(struct json *j, const struct gt_model *model, uint32_t index)
{
	const struct gt_model_object_key *o = gt_set_key(&model->objects, index, NULL);
	const char *kind = gt_object_text(o->kind);
	char address[32];

	snprintf(address, sizeof(address), "0x%" PRIx64, o->address);
	string(j, "address", address);
	number(j, "epoch", o->epoch);
	string(j, "kind", kind ? kind : "unknown");
}

static void ended(struct json *j, const uint64_t how[GT_ENDED_END])
{
	static const char *const keys[] = {
		[GT_MODEL_OPEN] = "open",
#define GT_ENDED(id, NAME, text) [id] = #NAME,
#include "base/events.def"
	};

	key(j, "ended");
	begin(j, '{');
	for (unsigned i = 0; i < GT_ENDED_END; i++) {
		char name[32];
		size_t n = 0;

		for (; keys[i][n] && n < sizeof(name) - 1; n++) {
			name[n] = (char)(keys[i][n] >= 'A' && keys[i][n] <= 'Z' ? keys[i][n] | 0x20
										: keys[i][n]);
		}
		name[n] = '\0';
		number(j, name, how[i]);
	}
	end(j, '}');
}

/* Pairs of a as a list of objects; `put` writes what b is. */
static void pairs(struct json *j, const struct gt_model *model, const char *name,
		  const struct gt_model_pairs *set, uint32_t a,
		  void (*put)(struct json *, const struct gt_model *, uint32_t))
{
	size_t n;
	const uint32_t *order = gt_model_pairs_of(set, a, &n);

	key(j, name);
	begin(j, '[');
	for (size_t i = 0; i < n; i++) {
		begin(j, '{');
		put(j, model, gt_model_pair(set, order[i])->b);
		share(j, gt_model_share(set, order[i]));
		end(j, '}');
	}
	end(j, ']');
}

static void pair_thread(struct json *j, const struct gt_model *model, uint32_t index)
{
	thread(j, model, "thread", index);
}

/* Reasons of a thread or a group, as two objects by reason. */
static void reasons(struct json *j, const struct gt_model *model, const struct gt_model_pairs *set,
		    uint32_t a)
{
	size_t n;
	const uint32_t *order = gt_model_pairs_of(set, a, &n);

	key(j, "waiting_ns");
	begin(j, '{');
	for (size_t i = 0; i < n; i++) {
		number(j, gt_model_name(model, gt_model_pair(set, order[i])->b),
		       gt_model_share(set, order[i])->total);
	}
	end(j, '}');
	key(j, "waits");
	begin(j, '{');
	for (size_t i = 0; i < n; i++) {
		number(j, gt_model_name(model, gt_model_pair(set, order[i])->b),
		       gt_model_share(set, order[i])->waits);
	}
	end(j, '}');
}

static const char *state_text(unsigned state)
{
	static const char *const texts[] = {"ended", "runnable", "running", "syscall", "waiting"};

	return texts[state];
}

static void threads(struct json *j, const struct gt_model *model)
{
	key(j, "threads");
	begin(j, '[');
	for (size_t i = 0; i < model->nthreads; i++) {
		const struct gt_model_thread *t = model->threads[i];

		if (!t->seen) {
			continue;
		}
		begin(j, '{');
		number(j, "id", t->id);
		if (t->tid == GT_NO_M) {
			word(j, "tid", "null");
		} else {
			number(j, "tid", t->tid);
		}
		string(j, "routine", gt_model_name(model, t->routine));
		key(j, "labels");
		begin(j, '[');
		for (size_t k = 0; k < t->nlabels; k++) {
			put_string(j, gt_model_name(model, t->labels[k]));
		}
		end(j, ']');
		boolean(j, "system", t->system);
		thread(j, model, "creator", t->creator);
		number(j, "created_ns", t->created - model->begin);
		if (t->ended) {
			number(j, "ended_ns", t->ended - model->begin);
		} else {
			word(j, "ended_ns", "null");
		}
		string(j, "state", state_text(t->state));
		number(j, "running_ns", t->running);
		number(j, "runnable_ns", t->runnable);
		number(j, "syscall_ns", t->syscall);
		number(j, "syscall_blocked_ns", t->syscall_blocked);
		number(j, "blocked_ns", t->waiting);
		number(j, "blocks", t->blocks);
		number(j, "syscalls", t->syscalls);
		reasons(j, model, &model->thread_reason, (uint32_t)i);
		ended(j, t->how);
		end(j, '}');
	}
	end(j, ']');
}

static void groups(struct json *j, const struct gt_model *model)
{
	key(j, "routines");
	begin(j, '[');
	for (size_t i = 0; i < model->groups.count; i++) {
		const struct gt_model_group *g = gt_set_value(&model->groups, i);
		const uint32_t *routine = gt_set_key(&model->groups, i, NULL);

		begin(j, '{');
		string(j, "routine", gt_model_name(model, *routine));
		number(j, "threads", g->threads);
		boolean(j, "system", g->system);
		number(j, "running_ns", g->running);
		number(j, "runnable_ns", g->runnable);
		number(j, "syscall_ns", g->syscall);
		number(j, "syscall_blocked_ns", g->syscall_blocked);
		number(j, "blocked_ns", g->waiting);
		number(j, "blocks", g->blocks);
		number(j, "syscalls", g->syscalls);
		reasons(j, model, &model->group_reason, (uint32_t)i);
		end(j, '}');
	}
	end(j, ']');
}

static void sites(struct json *j, const struct gt_model *model)
{
	uint32_t *order = gt_model_longest(&model->sites);

	key(j, "sites");
	begin(j, '[');
	for (size_t i = 0; i < model->sites.count; i++) {
		const struct gt_model_site *s = gt_set_value(&model->sites, order[i]);
		const struct gt_model_site_key *k = gt_set_key(&model->sites, order[i], NULL);

		begin(j, '{');
		string(j, "reason", gt_model_name(model, k->reason));
		stack(j, model, k->stack);
		boolean(j, "system", s->system);
		share(j, &s->share);
		number(j, "mean_ns", s->share.waits ? s->share.total / s->share.waits : 0);
		number(j, "p50_ns", gt_hist_part(&s->hist, 0.5));
		number(j, "p99_ns", gt_hist_part(&s->hist, 0.99));
		number(j, "runnable_ns", s->runnable);
		ended(j, s->how);
		pairs(j, model, "threads", &model->site_thread, order[i], pair_thread);
		pairs(j, model, "objects", &model->site_object, order[i], object);
		pairs(j, model, "owners", &model->site_owner, order[i], pair_thread);
		pairs(j, model, "wakers", &model->site_waker, order[i], pair_thread);
		end(j, '}');
	}
	end(j, ']');
	free(order);
}

static void objects(struct json *j, const struct gt_model *model)
{
	uint32_t *order = gt_model_longest(&model->objects);

	key(j, "objects");
	begin(j, '[');
	for (size_t i = 0; i < model->objects.count; i++) {
		begin(j, '{');
		object(j, model, order[i]);
		share(j, gt_set_value(&model->objects, order[i]));
		pairs(j, model, "owners", &model->object_owner, order[i], pair_thread);
		end(j, '}');
	}
	end(j, ']');
	free(order);
	order = gt_model_longest(&model->owners);
	key(j, "owners");
	begin(j, '[');
	for (size_t i = 0; i < model->owners.count; i++) {
		begin(j, '{');
		thread(j, model, "thread",
		       *(const uint32_t *)gt_set_key(&model->owners, order[i], NULL));
		share(j, gt_set_value(&model->owners, order[i]));
		end(j, '}');
	}
	end(j, ']');
	free(order);
}

static void wakes(struct json *j, const struct gt_model *model)
{
	uint32_t *order = gt_model_longest(&model->wakes);

	key(j, "wakes");
	begin(j, '[');
	for (size_t i = 0; i < model->wakes.count; i++) {
		const struct gt_model_wake_key *k = gt_set_key(&model->wakes, order[i], NULL);

		begin(j, '{');
		thread(j, model, "waker", k->waker);
		thread(j, model, "wakee", k->wakee);
		string(j, "reason", gt_model_name(model, k->reason));
		stack(j, model, k->stack);
		share(j, gt_set_value(&model->wakes, order[i]));
		end(j, '}');
	}
	end(j, ']');
	free(order);
}

static void losses(struct json *j, const struct gt_model *model)
{
	static const char *const names[] = {
		[GT_LOSS_NONE] = "UNKNOWN",
#define GT_LOSS(id, NAME, text) [id] = #NAME,
#include "base/events.def"
	};

	key(j, "losses");
	begin(j, '[');
	for (unsigned i = 0; i < GT_LOSS_END; i++) {
		uint64_t count = i == GT_LOSS_NONE ? model->loss_unknown : model->loss[i];

		if (count == 0) {
			continue;
		}
		begin(j, '{');
		string(j, "what", names[i]);
		string(j, "text", gt_loss_text(i));
		number(j, "count", count);
		end(j, '}');
	}
	end(j, ']');
}

void gt_stat_json(const struct gt_stat *stat, FILE *out)
{
	const struct gt_model *model = stat->model;
	struct json j = {.out = out};
	char version[16];

	begin(&j, '{');
	string(&j, "file", stat->path);
	snprintf(version, sizeof(version), "1.%u", model->version);
	string(&j, "format", version);
	string(&j, "writer", model->by_gtrace ? "gtrace" : "go");
	boolean(&j, "truncated", stat->truncated);
	string(&j, "problem", stat->problem);
	number(&j, "duration_ns", model->end - model->begin);
	number(&j, "generations", model->generations);
	number(&j, "events", model->events);
	number(&j, "samples", model->samples);
	if (model->cpus) {
		number(&j, "cpus", model->cpus);
	} else {
		word(&j, "cpus", "null");
	}
	losses(&j, model);
	ended(&j, model->how);
	threads(&j, model);
	groups(&j, model);
	sites(&j, model);
	objects(&j, model);
	wakes(&j, model);
	end(&j, '}');
	fputc('\n', out);
}
