/*
 * Converting.
 *
 * Which version has what: Go's src/internal/trace/version. Before 1.26 generations have no end
 * byte, and each number must follow the one before; before 1.25 the clock batch is nothing but the
 * frequency; before 1.23 events 45 and more do not exist.
 */
#include "convert.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "rewrite.h"

struct converter {
	unsigned version;
	struct gt_compose *compose;
	struct gt_rewrite rewrite;
	struct gt_convert_lost *lost;
	struct gt_idmap pending; /* Gs that were created blocked, and are shown as runnable */
	uint64_t number;         /* of the last generation; 0: none */
	uint64_t start;          /* of the last one whose clock is made, ns */
	bool open;
};

static int cannot_write(struct gt_error *e)
{
	return gt_error_set(e, GT_ERROR_READ, GT_NOWHERE, GT_NOWHERE, GT_NOWHERE,
			    "cannot write: %s", strerror(errno));
}

static void begin_generation(struct converter *c, const struct gt_generation *g)
{
	struct gt_compose_head head = gt_compose_head_of(g);

	if (c->version < 26 && c->number != 0) {
		head.number = c->number + 1;
	}
	c->number = head.number;
	c->lost->snapshots += g->has_snapshot && c->version < 25;
	c->lost->made += !g->has_snapshot && c->version >= 25;
	gt_compose_begin(c->compose, &head);
}

/*
 * Whether each generation begins after the one before, which is asked of clock snapshots only, and
 * so of traces before 1.25 by nobody.
 */
static bool goes_on(struct converter *c, const struct gt_generation *g, struct gt_error *e)
{
	if (c->version < 25 || g->has_snapshot) {
		return true;
	}
	if (c->number != 0 && g->start <= c->start) {
		gt_error_set(e, GT_ERROR_INVALID, GT_NOWHERE, g->number, GT_NOWHERE,
			     "it begins at %" PRIu64 " ns, and the one before at %" PRIu64
			     " ns: Go 1.%u cannot say that",
			     g->start, c->start, c->version);
		return false;
	}
	c->start = g->start;
	return true;
}

/* --- 1.23 and later ----------------------------------------------------------------------- */

static int copy(struct converter *c, const struct gt_again *file, struct gt_error *e)
{
	struct gt_reader *r = gt_again_read(file, e);
	struct gt_generation *g;
	int n = -1;

	while (r != NULL && (n = gt_reader_next(r, &g, e)) > 0) {
		if (g->cut) {
			continue; /* the reader's next answer says so */
		}
		if (!goes_on(c, g, e)) {
			n = -1;
			break;
		}
		begin_generation(c, g);
		gt_compose_tables(c->compose, g);
		gt_compose_batches(c->compose, g);
		if (gt_compose_end(c->compose) < 0) {
			n = cannot_write(e);
			break;
		}
	}
	gt_reader_close(r);
	return n;
}

/* --- 1.22 --------------------------------------------------------------------------------- */

static void put(struct converter *c, struct gt_replay *r, const struct gt_replayed *like,
		enum gt_ev number, uint64_t arg0, uint64_t arg1, uint64_t arg2)
{
	struct gt_replayed ev = *like;

	ev.spec = gt_spec_event(number);
	ev.args[0] = arg0;
	ev.args[1] = arg1;
	ev.args[2] = arg2;
	gt_rewrite_put(&c->rewrite, gt_replay_generation(r), &ev);
}

/* The G is unblocked; one that was shown as runnable is so already. */
static void unblock(struct converter *c, struct gt_replay *r, const struct gt_replayed *ev,
		    uint64_t stack)
{
	if (gt_idmap_get(&c->pending, ev->args[0]) != 0) {
		gt_idmap_remove(&c->pending, ev->args[0]);
	} else {
		put(c, r, ev, GT_EV_GO_UNBLOCK, ev->args[0], 0, stack);
	}
}

static void put_status(struct converter *c, struct gt_replay *r, const struct gt_replayed *ev)
{
	uint64_t state = ev->args[2];

	if (state == GT_GO_WAITING && gt_idmap_get(&c->pending, ev->args[0]) != 0) {
		state = GT_GO_RUNNABLE;
	}
	put(c, r, ev, GT_EV_GO_STATUS, ev->args[0], ev->args[1], state);
}

static void put_old(struct converter *c, struct gt_replay *r, const struct gt_replayed *ev)
{
	switch (ev->spec->number) {
	case GT_EV_GO_STATUS_STACK:
		c->lost->stacks++;
		put_status(c, r, ev);
		break;
	case GT_EV_GO_STATUS:
		put_status(c, r, ev);
		break;
	case GT_EV_GO_CREATE_BLOCKED:
		c->lost->blocked++;
		gt_idmap_put(&c->pending, ev->args[0], 1);
		put(c, r, ev, GT_EV_GO_CREATE, ev->args[0], ev->args[1], ev->args[2]);
		break;
	case GT_EV_GO_UNBLOCK:
		unblock(c, r, ev, ev->args[2]);
		break;
	case GT_EV_GO_SWITCH:
	case GT_EV_GO_SWITCH_DESTROY:
		c->lost->switches++;
		unblock(c, r, ev, 0);
		put(c, r, ev,
		    ev->spec->number == GT_EV_GO_SWITCH ? GT_EV_GO_BLOCK : GT_EV_GO_DESTROY, 0, 0,
		    0);
		put(c, r, ev, GT_EV_GO_START, ev->args[0], 0, 0);
		break;
	default:
		if (ev->spec->kind == GT_ALLOC) {
			c->lost->events++;
		} else {
			gt_rewrite_put(&c->rewrite, gt_replay_generation(r), ev);
		}
		break;
	}
}

static int end_generation(struct converter *c, struct gt_error *e)
{
	if (c->open && gt_compose_end(c->compose) < 0) {
		return cannot_write(e);
	}
	c->open = false;
	return 0;
}

static int replace(struct converter *c, const struct gt_again *file, struct gt_error *e)
{
	struct gt_replay *r = gt_again_replay(file, e);
	struct gt_replayed ev;
	int n = -1;

	while (r != NULL && (n = gt_replay_next(r, &ev, e)) > 0) {
		const struct gt_generation *g = gt_replay_generation(r);

		if (ev.kind == GT_REPLAY_GENERATION) {
			if (end_generation(c, e) < 0) {
				n = -1;
				break;
			}
			c->open = true;
			begin_generation(c, g);
			gt_compose_streams(c->compose, g);
			gt_rewrite_new_generation(&c->rewrite);
			c->lost->batches += g->experiments;
		} else if (ev.kind == GT_REPLAY_FACT) {
			c->lost->facts++;
		} else if (ev.kind == GT_REPLAY_SAMPLE) {
			gt_rewrite_sample(&c->rewrite, g, &ev.sample);
		} else {
			put_old(c, r, &ev);
		}
	}
	/* One that is wrong in the middle stays open: it ends there, as Go's readers take it. */
	if (n >= 0 || e->kind == GT_ERROR_TRUNCATED) {
		n = end_generation(c, e) < 0 ? -1 : n;
	}
	gt_replay_close(r);
	return n;
}

int gt_convert(const struct gt_again *file, unsigned version, FILE *out,
	       struct gt_convert_lost *lost, struct gt_error *e)
{
	struct converter c = {.version = version, .lost = lost};
	int n;

	*lost = (struct gt_convert_lost){0};
	c.compose = gt_compose_new(out, version);
	c.rewrite.to = c.compose;
	n = version == 22 ? replace(&c, file, e) : copy(&c, file, e);
	gt_compose_free(c.compose);
	gt_rewrite_fini(&c.rewrite);
	gt_idmap_fini(&c.pending);
	if (n == 0 && c.number == 0) {
		n = gt_error_set(e, GT_ERROR_TRUNCATED, GT_NOWHERE, GT_NOWHERE, GT_NOWHERE,
				 "the file ends after its header, without a generation");
	}
	return gt_again_ends(file, n < 0 && e->kind == GT_ERROR_TRUNCATED && c.number != 0 ? 1 : n,
			     e);
}
