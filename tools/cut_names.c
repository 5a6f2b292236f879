/*
 * Names that go along with a part of a trace.
 */
#include "cut_names.h"

#include <stdlib.h>
#include <string.h>

struct name {
	size_t length;
	char text[];
};

static void forget(struct gt_names *n, uint64_t g)
{
	free(gt_idmap_pointer(&n->gs, g));
	gt_idmap_remove(&n->gs, g);
}

static void note(struct gt_names *n, uint64_t g, const struct gt_text *text)
{
	struct name *name;

	forget(n, g);
	if (text == NULL || text->length == 0) {
		return;
	}
	name = gt_alloc(sizeof(*name) + text->length);
	name->length = text->length;
	memcpy(name->text, text->data, text->length);
	gt_idmap_put(&n->gs, g, (uintptr_t)name);
}

void gt_names_note(struct gt_names *n, const struct gt_generation *g, const struct gt_replayed *ev)
{
	if (ev->spec->number == GT_EV_GO_LABEL && ev->event.g != GT_NO_G) {
		note(n, ev->event.g, gt_generation_string(g, ev->args[0]));
	} else if (ev->spec->number == GT_EV_GO_DESTROY ||
		   ev->spec->number == GT_EV_GO_DESTROY_SYSCALL ||
		   ev->spec->number == GT_EV_GO_SWITCH_DESTROY) {
		forget(n, ev->event.g);
	}
}

static void say(struct gt_names *n, struct gt_compose *to, uint64_t g, uint64_t m, uint64_t ticks)
{
	const struct name *name = gt_idmap_pointer(&n->gs, g);

	if (name != NULL) {
		const uint64_t args[] = {gt_compose_string(to, name->text, name->length)};

		gt_compose_event(to, m, ticks, gt_spec_event(GT_EV_GO_LABEL), args);
		forget(n, g);
	}
}

void gt_names_of_running(struct gt_names *n, const struct gt_keep *keep, struct gt_replay *r,
			 struct gt_compose *to, uint64_t ticks)
{
	struct gt_order *o = gt_replay_order(r);
	const struct gt_idmap_slot *slot;

	for (size_t i = 0; (slot = gt_idmap_each(&o->ms, &i)) != NULL;) {
		const struct gt_m *m = gt_order_m(o, slot->id);
		const struct gt_g *g = m->g != GT_NO_G ? gt_order_g(o, m->g) : NULL;

		if (g != NULL && g->is.state == GT_GO_RUNNING && m->p != GT_NO_P &&
		    gt_keep_g(keep, g->id)) {
			say(n, to, g->id, m->id, ticks);
		}
	}
}

void gt_names_put(struct gt_names *n, const struct gt_keep *keep, struct gt_compose *to,
		  const struct gt_replayed *ev)
{
	switch (ev->spec->number) {
	case GT_EV_GO_START:
	case GT_EV_GO_SWITCH:
	case GT_EV_GO_SWITCH_DESTROY:
		if (gt_keep_g(keep, ev->args[0])) {
			say(n, to, ev->args[0], ev->m, ev->ticks);
		}
		break;
	case GT_EV_GO_SYSCALL_END:
		say(n, to, ev->event.g, ev->m, ev->ticks);
		break;
	case GT_EV_GO_STATUS:
	case GT_EV_GO_STATUS_STACK:
		if (ev->args[2] == GT_GO_RUNNING && ev->args[1] == ev->m &&
		    ev->event.p != GT_NO_P) {
			say(n, to, ev->args[0], ev->m, ev->ticks);
		}
		break;
	case GT_EV_GO_LABEL: /* another one */
		forget(n, ev->event.g);
		break;
	default:
		break;
	}
}

void gt_names_fini(struct gt_names *n)
{
	const struct gt_idmap_slot *slot;

	for (size_t i = 0; (slot = gt_idmap_each(&n->gs, &i)) != NULL;) {
		free((void *)slot->word); /* NOLINT: words are pointers here */
	}
	gt_idmap_fini(&n->gs);
}
