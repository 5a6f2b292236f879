/*
 * The ordered events as lines for people.
 */
#include "views.h"

#include <inttypes.h>
#include <string.h>

#include "facts.h"
#include "order.h"
#include "quote.h"

static void put_id(FILE *out, const char *name, uint64_t id)
{
	if (id == UINT64_MAX) {
		fprintf(out, " %s=-", name);
	} else {
		fprintf(out, " %s=%" PRIu64, name, id);
	}
}

void gt_view_name(FILE *out, const struct gt_text *name)
{
	if (name->length == 0) {
		fputc('?', out);
	}
	for (size_t i = 0; i < name->length; i++) {
		const unsigned char c = (unsigned char)name->data[i];

		fputc(c < 0x20 || c == 0x7f ? '?' : c, out);
	}
}

/* The innermost function stands for the stack. */
static void put_stack(FILE *out, const struct gt_generation *g, uint64_t id)
{
	const struct gt_stack *s = gt_generation_stack(g, id);

	if (s == NULL || s->nframes == 0) {
		fputc('-', out);
		return;
	}
	gt_view_name(out, &gt_stack_frame(g, s, 0)->func);
	if (s->nframes > 1) {
		fprintf(out, "+%u", s->nframes - 1);
	}
}

static void put_frames(FILE *out, const struct gt_generation *g, const char *name, uint64_t id)
{
	const struct gt_stack *s = gt_generation_stack(g, id);

	for (unsigned i = 0; s != NULL && i < s->nframes; i++) {
		const struct gt_frame *f = gt_stack_frame(g, s, i);

		fprintf(out, "\t%s ", i == 0 ? name : "  <");
		gt_view_name(out, &f->func);
		fputc(' ', out);
		gt_view_name(out, &f->file);
		fprintf(out, ":%" PRIu64 " 0x%" PRIx64 "\n", f->line, f->pc);
	}
}

static void put_argument(FILE *out, const struct gt_generation *g, const struct gt_arg_spec *arg,
			 uint64_t v)
{
	const struct gt_text *text;

	switch (arg->type) {
	case GT_ARG_str:
		text = gt_generation_string(g, v);
		fprintf(out, " %s=", arg->name);
		gt_quote(out, text ? text->data : "", text ? text->length : 0);
		break;
	case GT_ARG_stack:
		fprintf(out, " %s=", arg->name);
		put_stack(out, g, v);
		break;
	case GT_ARG_gstatus:
		fprintf(out, " %s=%s", arg->name, gt_go_state_text((unsigned)v));
		break;
	case GT_ARG_pstatus:
		fprintf(out, " %s=%s", arg->name, gt_proc_state_text((unsigned)v));
		break;
	case GT_ARG_addr:
		fprintf(out, " %s=0x%" PRIx64, arg->name, v);
		break;
	default:
		put_id(out, arg->name, v);
		break;
	}
}

static void put_event(FILE *out, const struct gt_generation *g, const struct gt_event *ev,
		      uint64_t start, bool stacks)
{
	const struct gt_spec *spec = gt_event_spec(ev);
	uint64_t ns = ev->time - start;
	const bool late = (int64_t)ns >= 0;

	ns = late ? ns : -ns;
	fprintf(out, "%s%" PRIu64 ".%09" PRIu64, late ? "" : "-", ns / 1000000000, ns % 1000000000);
	if (ev->kind == GT_STRUCT && ev->number == GT_EV_SYNC) {
		fprintf(out,
			" generation %" PRIu64 ": offset=%" PRIu64 " bytes=%" PRIu64
			" freq=%" PRIu64 " strings=%zu stacks=%zu samples=%zu\n",
			g->number, g->offset, g->size, g->frequency, g->nstrings, g->nstacks,
			g->nsamples);
		return;
	}
	put_id(out, "M", ev->m);
	put_id(out, "P", ev->p);
	put_id(out, "G", ev->g);
	fprintf(out, " %s%s",
		ev->kind == GT_FACT ? "fact "
		: ev->implied       ? "implied "
				    : "",
		spec->name);
	if (ev->kind == GT_STRUCT) {
		fputs(" stack=", out);
		put_stack(out, g, ev->args[0]);
	} else {
		for (unsigned i = 0; i < spec->nargs; i++) {
			put_argument(out, g, &spec->args[i], ev->args[i]);
		}
	}
	if (ev->kind == GT_FACT) {
		gt_fact_put_words(out, ev->number, ev->args);
	}
	fputc('\n', out);
	if (!stacks) {
		return;
	}
	if (ev->kind == GT_STRUCT) {
		put_frames(out, g, "stack", ev->args[0]);
		return;
	}
	for (unsigned i = 0; i < spec->nargs; i++) {
		if (spec->args[i].type == GT_ARG_stack) {
			put_frames(out, g, spec->args[i].name, ev->args[i]);
		}
	}
}

int gt_view_events(struct gt_merge *t, FILE *out, bool stacks, struct gt_error *e)
{
	struct gt_event ev;
	uint64_t start = 0;
	int n;

	while ((n = gt_merge_next(t, &ev, e)) > 0) {
		if (start == 0) {
			start = ev.time;
		}
		put_event(out, gt_merge_generation(t), &ev, start, stacks);
	}
	return n;
}
