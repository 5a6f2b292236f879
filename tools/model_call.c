/*
 * The model: calls by name, and spinning.
 *
 * A fact about a call stands before the event that ends it, so its thread is still in it: its time
 * is that of the system call or of the wait.
 */
#include "facts.h"
#include "model.h"

static struct gt_model_call *call_of(struct gt_model *model, uint64_t number, uint32_t *index)
{
	*index = gt_set_put(&model->calls, &number, sizeof(number));
	return gt_set_value(&model->calls, *index);
}

/* Errors are counted with the time that they took. */
static void result(struct gt_model *model, struct gt_model_call *call, uint32_t index,
		   uint64_t zigzag, uint64_t ns)
{
	const int64_t r = gt_unzigzag(zigzag);

	if (gt_call_failed(r)) {
		call->failed++;
		gt_model_pair_add(&model->call_error, index, (uint32_t)-r, ns);
	}
}

/* A fact that nothing can be measured by. */
static void untimed(struct gt_model *model, const struct gt_model_open *open)
{
	uint32_t index;
	struct gt_model_call *call = call_of(model, open->call, &index);

	call->untimed++;
	result(model, call, index, open->result, 0);
}

void gt_model_call_named(struct gt_model *model, struct gt_model_thread *t,
			 const struct gt_event *ev)
{
	struct gt_model_open *open = &t->call;

	if (open->named) {
		untimed(model, open);
	}
	open->named = true;
	open->call = ev->args[0];
	open->result = ev->args[2];
	if (t->state != GT_GO_SYSCALL && t->state != GT_GO_WAITING) {
		untimed(model, open);
		open->named = false;
	}
}

void gt_model_call_begin(struct gt_model *model, struct gt_model_thread *t, uint32_t stack)
{
	if (t->call.named) {
		untimed(model, &t->call);
	}
	t->call.named = false;
	t->call.stack = stack;
}

void gt_model_call_end(struct gt_model *model, struct gt_model_thread *t, uint64_t now)
{
	const struct gt_model_open open = t->call;
	const uint64_t ns = now - t->since;
	struct gt_model_call *call;
	uint32_t index;

	t->call.named = false;
	t->call.stack = 0;
	if (t->state != GT_GO_SYSCALL && (t->state != GT_GO_WAITING || !open.named)) {
		return;
	}
	call = call_of(model, open.named ? open.call : GT_CALL_NONE, &index);
	gt_model_share_add(&call->share, ns);
	gt_hist_add(&call->hist, ns);
	if (t->state == GT_GO_WAITING || t->syscall_lost != 0) {
		gt_model_share_add(&call->blocked, ns);
	}
	gt_model_pair_add(&model->call_thread, index, t->index, ns);
	gt_model_pair_add(&model->call_stack, index, open.stack, ns);
	t->wait.call = t->state == GT_GO_WAITING;
	if (open.named) {
		result(model, call, index, open.result, ns);
	}
}

/* Each sample stands for as many as its weight says. */
void gt_model_spin(struct gt_model *model, const struct gt_model_thread *t,
		   const struct gt_event *ev, uint32_t stack)
{
	const struct gt_model_object_key key = {ev->args[0], ev->args[1], GT_OBJECT_SPIN};
	const struct gt_model_share share = {ev->args[3], ev->args[2] * ev->args[3], ev->args[2]};
	const uint32_t spin = gt_set_put(&model->spins, &key, sizeof(key));

	gt_model_share_join(gt_set_value(&model->spins, spin), &share);
	gt_model_pair_join(&model->spin_thread, spin, t->index, &share);
	gt_model_pair_join(&model->spin_stack, spin, stack, &share);
}
