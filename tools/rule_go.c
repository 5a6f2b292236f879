/*
 * Rules of goroutines (here: threads): created, running, blocked, in a system call, gone.
 */
#include "rules.h"

/* Binds the G of a status Syscall to the M that the status names. */
static enum gt_outcome bind_syscall(struct gt_order *o, struct gt_event *ev, struct gt_m *m,
				    uint64_t id, uint64_t mid)
{
	struct gt_m *on;

	if (mid == GT_NO_M) {
		return BROKEN("G %" PRIu64 " is in a system call without a thread", id);
	}
	if (m != NULL && mid == m->id) {
		/* After the first generation the binding must have been seen before. */
		if (!in_first_generation(o) && ev->g != id) {
			return BROKEN("inconsistent thread for syscalling goroutine %" PRIu64
				      ": this M has G %" PRId64 " (-1: none)",
				      id, (int64_t)ev->g);
		}
		m->g = id;
		return GT_ADVANCED;
	}
	on = gt_order_m(o, mid);
	if (on == NULL) {
		/* It sits in this call since before the trace. This event is what binds it. */
		on = gt_rule_add_m(o, mid);
		on->g = id;
	} else if (on->g != id) {
		return BROKEN("inconsistent thread for syscalling goroutine %" PRIu64 ": M %" PRIu64
			      " has G %" PRId64 " (-1: none)",
			      id, mid, (int64_t)on->g);
	} else {
		ev->g = id;
	}
	ev->m = mid;
	return GT_ADVANCED;
}

GT_RULE(go_status)
{
	static const uint8_t was[] = {GT_WAS_UNDETERMINED, GT_WAS_RUNNABLE, GT_WAS_RUNNING,
				      GT_WAS_SYSCALL, GT_WAS_WAITING};
	const uint64_t id = ev->args[0];
	const uint64_t state = ev->args[2];
	struct gt_g *g = gt_order_g(o, id);

	if (state > GT_GO_WAITING) {
		return BROKEN("invalid status for goroutine %" PRIu64 ": %" PRIu64
			      "; expected 1 (Runnable) to 4 (Waiting)",
			      id, state);
	}
	ev->was = was[state];
	if (g != NULL && g->state != state) {
		return BROKEN("inconsistent status for goroutine %" PRIu64 ": old %s vs. new %s",
			      id, gt_go_state_text(g->state), gt_go_state_text((unsigned)state));
	}
	if (g == NULL) {
		if (!in_first_generation(o)) {
			return BROKEN("found goroutine status for new goroutine after the first "
				      "generation: G %" PRIu64 " (%s); expected its creation first",
				      id, gt_go_state_text((unsigned)state));
		}
		if (o->granted != NULL && gt_order_any_g(o, id) != NULL) {
			o->granted->again = true;
		}
		g = gt_rule_add_g(o, id, (unsigned)state);
		g->entry = (struct gt_entry){GT_ENTRY_LISTED, (unsigned)state,
					     state == GT_GO_SYSCALL ? ev->args[1] : ev->m};
		ev->was = GT_WAS_UNDETERMINED;
	}
	g->seq = seq_at(o, 0);
	g->listed = o->generation->index;
	if (state == GT_GO_RUNNING && m != NULL) {
		m->g = id;
	}
	if (state == GT_GO_SYSCALL && bind_syscall(o, ev, m, id, ev->args[1]) != GT_ADVANCED) {
		return GT_BROKEN;
	}
	changed(o, GT_KEY_G, id);
	return happened(o, ev);
}

GT_RULE(go_create)
{
	const uint64_t id = ev->args[0];
	const struct gt_g *creator;

	(void)m;
	/* Created on a P, but not necessarily by a G. */
	if (!NEEDS(ONE, ONE, ANY)) {
		return GT_BROKEN;
	}
	creator = gt_order_g(o, ev->g);
	if (creator != NULL && creator->state != GT_GO_RUNNING) {
		return BROKEN("the G of this M, %" PRIu64 ", is %s; expected Running", ev->g,
			      gt_go_state_text(creator->state));
	}
	if (gt_order_g(o, id) != NULL) {
		return BROKEN("tried to create goroutine %" PRIu64 " that already exists", id);
	}
	gt_rule_add_g(o, id,
		      ev->number == GT_EV_GO_CREATE_BLOCKED ? GT_GO_WAITING : GT_GO_RUNNABLE);
	changed(o, GT_KEY_G, id);
	return happened(o, ev);
}

GT_RULE(go_create_syscall)
{
	const uint64_t id = ev->args[0];

	if (!NEEDS(ONE, ANY, NONE)) {
		return GT_BROKEN;
	}
	if (gt_order_g(o, id) != NULL) {
		return BROKEN("tried to create goroutine %" PRIu64
			      " in a system call that already exists",
			      id);
	}
	gt_rule_add_g(o, id, GT_GO_SYSCALL);
	m->g = id;
	changed(o, GT_KEY_G, id);
	return happened(o, ev);
}

GT_RULE(go_start)
{
	const uint64_t id = ev->args[0];
	const struct gt_seq seq = seq_at(o, ev->args[1]);
	struct gt_g *g = gt_order_g(o, id);

	if (g == NULL || g->state != GT_GO_RUNNABLE || !seq_follows(seq, g->seq)) {
		return wait_for_seq(o, GT_KEY_G, id, seq);
	}
	if (!NEEDS(ONE, ONE, NONE)) {
		return GT_BROKEN;
	}
	g->state = GT_GO_RUNNING;
	g->seq = seq;
	m->g = id;
	changed(o, GT_KEY_G, id);
	return happened(o, ev);
}

GT_RULE(go_destroy)
{
	struct gt_g *g;

	if (!NEEDS_USER() || (g = gt_rule_current_g_in(o, ev, GT_GO_RUNNING)) == NULL) {
		return GT_BROKEN;
	}
	if (!gt_rule_end_g(o, ev, g)) {
		return GT_BROKEN;
	}
	m->g = GT_NO_G;
	changed(o, GT_KEY_G, g->id);
	return happened(o, ev);
}

/* GoStop and GoBlock */
GT_RULE(go_stop)
{
	struct gt_g *g;

	if (!NEEDS_USER() || (g = gt_rule_current_g_in(o, ev, GT_GO_RUNNING)) == NULL) {
		return GT_BROKEN;
	}
	g->state = ev->number == GT_EV_GO_STOP ? GT_GO_RUNNABLE : GT_GO_WAITING;
	m->g = GT_NO_G;
	changed(o, GT_KEY_G, g->id);
	return happened(o, ev);
}

/* Anything can unblock a G, also something that is no G: there is no context to check. */
GT_RULE(go_unblock)
{
	const uint64_t id = ev->args[0];
	const struct gt_seq seq = seq_at(o, ev->args[1]);
	struct gt_g *g = gt_order_g(o, id);

	(void)m;
	if (g == NULL || g->state != GT_GO_WAITING || !seq_follows(seq, g->seq)) {
		return wait_for_seq(o, GT_KEY_G, id, seq);
	}
	g->state = GT_GO_RUNNABLE;
	g->seq = seq;
	changed(o, GT_KEY_G, id);
	return happened(o, ev);
}

/*
 * GoSwitch and GoSwitchDestroy: three things at once. The next G is unblocked (the event itself is
 * delivered as that), the current one blocks or ends, the next one starts.
 */
GT_RULE(go_switch)
{
	const uint64_t id = ev->args[0];
	const struct gt_seq seq = seq_at(o, ev->args[1]);
	struct gt_g *g, *next;

	if (!NEEDS_USER() || (g = gt_rule_current_g_in(o, ev, GT_GO_RUNNING)) == NULL) {
		return GT_BROKEN;
	}
	next = gt_order_g(o, id);
	if (next == NULL || next->state != GT_GO_WAITING || !seq_follows(seq, next->seq)) {
		return wait_for_seq(o, GT_KEY_G, id, seq);
	}
	happened(o, ev);
	if (ev->number == GT_EV_GO_SWITCH) {
		g->state = GT_GO_WAITING;
		implied(o, ev, GT_EV_GO_BLOCK, g->id, 0, 0);
	} else {
		implied(o, ev, GT_EV_GO_DESTROY, g->id, 0, 0);
		if (!gt_rule_end_g(o, ev, g)) {
			return GT_BROKEN;
		}
	}
	next->state = GT_GO_RUNNING;
	next->seq = seq;
	m->g = id;
	implied(o, ev, GT_EV_GO_START, GT_NO_G, id, seq.value);
	changed(o, GT_KEY_G, g->id);
	changed(o, GT_KEY_G, id);
	return GT_ADVANCED;
}

GT_RULE(go_syscall_begin)
{
	const struct gt_seq seq = seq_at(o, ev->args[0]);
	struct gt_g *g;
	struct gt_p *p;

	(void)m;
	if (!NEEDS_USER() || (g = gt_rule_current_g_in(o, ev, GT_GO_RUNNING)) == NULL ||
	    (p = gt_rule_current_p(o, ev)) == NULL) {
		return GT_BROKEN;
	}
	/* The number is the P's: it tells the system calls apart from which a P may be stolen. */
	if (!seq_follows(seq, p->seq)) {
		return BROKEN("failed to advance: the sequence number of P %" PRIu64 " is %" PRIu64
			      " (of generation %" PRIu64 "); expected one less than %" PRIu64
			      " (of generation %" PRIu64 ")",
			      p->id, p->seq.value, p->seq.generation, seq.value, seq.generation);
	}
	g->state = GT_GO_SYSCALL;
	p->state = GT_PROC_SYSCALL;
	p->seq = seq;
	changed(o, GT_KEY_G, g->id);
	changed(o, GT_KEY_P, p->id);
	return happened(o, ev);
}

GT_RULE(go_syscall_end)
{
	struct gt_g *g;
	struct gt_p *p;

	(void)m;
	if (!NEEDS_USER() || (g = gt_rule_current_g_in(o, ev, GT_GO_SYSCALL)) == NULL ||
	    (p = gt_rule_current_p(o, ev)) == NULL) {
		return GT_BROKEN;
	}
	if (p->state != GT_PROC_SYSCALL) {
		return BROKEN("P %" PRIu64 " is %s; expected Syscall", p->id,
			      gt_proc_state_text(p->state));
	}
	g->state = GT_GO_RUNNING;
	p->state = GT_PROC_RUNNING;
	changed(o, GT_KEY_P, p->id);
	return happened(o, ev);
}

/*
 * While this M still has the P with which it entered, the end cannot come: the P will be given
 * back or stolen first. A new P that was started meanwhile is Running and no obstacle.
 */
GT_RULE(go_syscall_end_blocked)
{
	struct gt_g *g;

	if (ev->p != GT_NO_P) {
		const struct gt_p *p = gt_rule_current_p(o, ev);

		if (p == NULL) {
			return GT_BROKEN;
		}
		if (p->state == GT_PROC_SYSCALL) {
			return wait_for(o, GT_KEY_P, p->id);
		}
	}
	if (!NEEDS(ONE, ANY, ONE) || (g = gt_rule_current_g_in(o, ev, GT_GO_SYSCALL)) == NULL) {
		return GT_BROKEN;
	}
	g->state = GT_GO_RUNNABLE;
	m->g = GT_NO_G;
	changed(o, GT_KEY_G, g->id);
	return happened(o, ev);
}

/*
 * The thread of this G ends inside a system call. Its P, if it still has one, is left behind for
 * somebody to steal: the thread's id may be used again by another, which must not own it.
 */
GT_RULE(go_destroy_syscall)
{
	struct gt_g *g;

	if (!NEEDS(ONE, ANY, ONE) || (g = gt_rule_current_g_in(o, ev, GT_GO_SYSCALL)) == NULL) {
		return GT_BROKEN;
	}
	if (ev->p != GT_NO_P) {
		struct gt_p *p = gt_rule_current_p(o, ev);

		if (p == NULL) {
			return GT_BROKEN;
		}
		if (p->state != GT_PROC_SYSCALL) {
			return BROKEN("P %" PRIu64 " is %s; expected Syscall", p->id,
				      gt_proc_state_text(p->state));
		}
		p->state = GT_PROC_SYSCALL_ABANDONED;
		m->p = GT_NO_P;
		implied(o, ev, GT_EV_PROC_STEAL, ev->g, p->id, 0);
		o->implied[0].was = GT_PROC_SYSCALL;
		changed(o, GT_KEY_P, p->id);
	}
	if (!gt_rule_end_g(o, ev, g)) {
		return GT_BROKEN;
	}
	m->g = GT_NO_G;
	changed(o, GT_KEY_G, g->id);
	return happened(o, ev);
}
