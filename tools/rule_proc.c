/*
 * Rules of processors: who has which P.
 */
#include "rules.h"

/* The M that has P; NULL if none. Slow, for the rare case of a P that is about to be stolen. */
static struct gt_m *holder(const struct gt_order *o, uint64_t p)
{
	const struct gt_idmap_slot *s;

	for (size_t i = 0; (s = gt_idmap_each(&o->ms, &i)) != NULL;) {
		struct gt_m *m = (struct gt_m *)s->word;

		if (m->p == p) {
			return m;
		}
	}
	return NULL;
}

GT_RULE(proc_status)
{
	const uint64_t id = ev->args[0];
	const uint64_t state = ev->args[1];
	struct gt_p *p = gt_order_p(o, id);

	if (state > GT_PROC_SYSCALL_ABANDONED) {
		return BROKEN("invalid status for proc %" PRIu64 ": %" PRIu64
			      "; expected 1 (Running) to 4 (SyscallAbandoned)",
			      id, state);
	}
	if (p == NULL) {
		p = gt_rule_add_p(o, id, (unsigned)state);
		p->entry = (struct gt_entry){GT_ENTRY_LISTED, (unsigned)state, ev->m};
		ev->was = in_first_generation(o) ? GT_WAS_UNDETERMINED : GT_WAS_NOT_EXIST;
	} else if (state == GT_PROC_SYSCALL_ABANDONED && p->state == GT_PROC_SYSCALL) {
		/*
		 * "Abandoned" means that information may be lost. Here it is not: the P is known to
		 * be in the system call, so the status is the plain one, of the M that has the P.
		 */
		struct gt_m *on = holder(o, id);

		if (on == NULL) {
			return BROKEN("P %" PRIu64 " is about to be stolen, but no M has it", id);
		}
		ev->args[1] = GT_PROC_SYSCALL;
		ev->was = GT_WAS_RUNNING;
		ev->m = on->id;
		ev->p = id;
		ev->g = on->g;
	} else if (p->state != state) {
		return BROKEN("inconsistent status for proc %" PRIu64 ": old %s vs. new %s", id,
			      gt_proc_state_text(p->state), gt_proc_state_text((unsigned)state));
	} else {
		ev->was = state == GT_PROC_IDLE || state == GT_PROC_SYSCALL_ABANDONED
				  ? GT_WAS_IDLE
				  : GT_WAS_RUNNING;
	}
	p->seq = seq_at(o, 0);
	if (m != NULL && (state == GT_PROC_RUNNING || state == GT_PROC_SYSCALL)) {
		m->p = id;
	}
	changed(o, GT_KEY_P, id);
	return happened(o, ev);
}

GT_RULE(proc_start)
{
	const uint64_t id = ev->args[0];
	const struct gt_seq seq = seq_at(o, ev->args[1]);
	struct gt_p *p = gt_order_p(o, id);

	if (ev->p != GT_NO_P) {
		return wait_for(o, GT_KEY_P, ev->p); /* until it is stolen from this M */
	}
	if (p == NULL || p->state != GT_PROC_IDLE || !seq_follows(seq, p->seq)) {
		return wait_for_seq(o, GT_KEY_P, id, seq);
	}
	/* A G may be there: one that returns from a system call. */
	if (!NEEDS(ONE, NONE, ANY)) {
		return GT_BROKEN;
	}
	p->state = GT_PROC_RUNNING;
	p->seq = seq;
	m->p = id;
	changed(o, GT_KEY_P, id);
	return happened(o, ev);
}

GT_RULE(proc_stop)
{
	struct gt_p *p;

	if (!NEEDS(ONE, ONE, ANY) || (p = gt_rule_current_p(o, ev)) == NULL) {
		return GT_BROKEN;
	}
	if (p->state != GT_PROC_RUNNING && p->state != GT_PROC_SYSCALL) {
		return BROKEN("P %" PRIu64 " is %s; expected Running or Syscall", p->id,
			      gt_proc_state_text(p->state));
	}
	p->state = GT_PROC_IDLE;
	m->p = GT_NO_P;
	changed(o, GT_KEY_P, p->id);
	return happened(o, ev);
}

/*
 * A P that was listed as abandoned is stolen. Who knew the generation before knows the M that had
 * it, and would have taken it from that M now: for border.c, which cannot tell what that M's events
 * meant if there were any before.
 */
static void note_steal(struct gt_order *o, struct gt_p *p, uint64_t victim)
{
	const struct gt_m *v;

	if (o->granted != NULL && p->stolen == GT_KEPT && p->entry.how == GT_ENTRY_LISTED &&
	    p->entry.state == GT_PROC_SYSCALL_ABANDONED) {
		v = gt_order_m(o, victim);
		p->stolen = v == NULL || !v->used ? GT_STOLEN : GT_STOLEN_LATE;
		p->stolen_from = victim;
	}
}

GT_RULE(proc_steal)
{
	const uint64_t id = ev->args[0];
	const uint64_t victim = ev->args[2];
	const struct gt_seq seq = seq_at(o, ev->args[1]);
	struct gt_p *p = gt_order_p(o, id);
	struct gt_m *v;

	if (p == NULL || (p->state != GT_PROC_SYSCALL && p->state != GT_PROC_SYSCALL_ABANDONED) ||
	    !seq_follows(seq, p->seq)) {
		return wait_for_seq(o, GT_KEY_P, id, seq);
	}
	if (!NEEDS(ONE, ANY, ANY)) {
		return GT_BROKEN;
	}
	ev->was = p->state;
	if (p->state == GT_PROC_SYSCALL) {
		v = victim == m->id ? m : gt_order_m(o, victim);
		if (v == NULL) {
			return BROKEN("stole P %" PRIu64 " from M %" PRIu64
				      ", of which nothing is known",
				      id, victim);
		}
		if (v->p != id) {
			return BROKEN("tried to steal P %" PRIu64 " from M %" PRIu64 ", which has "
				      "P %" PRId64 " (-1: none)",
				      id, victim, (int64_t)v->p);
		}
		v->p = GT_NO_P;
	} else {
		/* Abandoned: which M it was is lost, and that one may have moved on. */
		note_steal(o, p, victim);
	}
	p->state = GT_PROC_IDLE;
	p->seq = seq;
	changed(o, GT_KEY_P, id);
	return happened(o, ev);
}
