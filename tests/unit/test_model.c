/*
 * The model: known answers from assembled traces, the set of keys, the histogram. That its sums are
 * those of Go's own summary on real traces is tested in tests/stat.
 */
#include <criterion/criterion.h>

#include <stdlib.h>

#include "model.h"
#include "trace_text.h"

#define TABLES                                                                               \
	"EventBatch gen=1 m=18446744073709551615 time=100 size=auto\nStrings\n"              \
	"String id=1\n\tdata=\"sync\"\nString id=2\n\tdata=\"main\"\n"                       \
	"String id=3\n\tdata=\"worker\"\nString id=4\n\tdata=\"take\"\n"                     \
	"String id=5\n\tdata=\"give\"\nString id=6\n\tdata=\"x.c\"\n"                        \
	"String id=7\n\tdata=\"my name\"\n"                                                  \
	"EventBatch gen=1 m=18446744073709551615 time=100 size=auto\nStacks\n"               \
	"Stack id=1 nframes=1\n\tpc=10 func=2 file=6 line=1\n"                               \
	"Stack id=2 nframes=1\n\tpc=20 func=3 file=6 line=1\n"                               \
	"Stack id=3 nframes=2\n\tpc=30 func=4 file=6 line=1\n\tpc=20 func=3 file=6 line=1\n" \
	"Stack id=4 nframes=2\n\tpc=40 func=5 file=6 line=1\n\tpc=10 func=2 file=6 line=1\n"

/* G 1, main, on M 10, runs; G 2, a worker, on M 11, waits 130 to 180, 190 to 280 and from 290. */
#define MAIN                                              \
	"EventBatch gen=1 m=10 time=100 size=auto\n"      \
	"ProcStatus dt=1 p=0 pstatus=1\n"                 \
	"GoStatusStack dt=1 g=1 m=10 gstatus=2 stack=1\n" \
	"GoCreate dt=8 new_g=2 new_stack=2 stack=1\n"     \
	"GoUnblock dt=70 g=2 g_seq=2 stack=4\n"
#define WORKER                                       \
	"EventBatch gen=1 m=11 time=115 size=auto\n" \
	"ProcStatus dt=0 p=1 pstatus=2\n"            \
	"ProcStart dt=1 p=1 p_seq=1\n"               \
	"GoStart dt=4 g=2 g_seq=1\n"                 \
	"GoLabel dt=1 label_string=7\n"              \
	"GoBlock dt=9 reason_string=1 stack=3\n"     \
	"GoStart dt=55 g=2 g_seq=3\n"                \
	"GoBlock dt=5 reason_string=1 stack=3\n"     \
	"GoUnblock dt=90 g=2 g_seq=4 stack=0\n"      \
	"GoStart dt=4 g=2 g_seq=5\n"                 \
	"GoBlock dt=6 reason_string=1 stack=3\n"     \
	"ProcStop dt=10\n"
/* Blocks at 130 and 190, both on the mutex 0x1000 that M 10 has; ends at 185, by G 1, and at 284,
 * timed out. */
#define FACTS                                                             \
	"ExperimentalBatch exp=1 gen=1 m=11 time=100\n\tdata=\"G\\x01"    \
	"\\x01\\x1e\\x02\\x80\\x20\\x00\\x01\\x0a"                        \
	"\\x02\\x37\\x02\\x01\\x00\\x01"                                  \
	"\\x01\\x05\\x02\\x80\\x20\\x00\\x01\\x0a"                        \
	"\\x02\\x5e\\x02\\x03\\x6e\\x00\"\n"                              \
	"ExperimentalBatch exp=1 gen=1 m=18446744073709551615 time=100\n" \
	"\tdata=\"G\\x01\\x03\\x00\\x04\\x07\\x03\\x01\\x04\\x09\"\n"
#define HEAD "Trace Go1.26\n" CLOCK(1, 100)
#define END  "EndOfGeneration\n"

static struct gt_model *model_of(const char *text)
{
	struct bytes b = assemble(text);
	struct gt_error e = {0};
	struct gt_merge *t = gt_merge_open_memory(b.data, b.size, 0, &e);
	struct gt_model *model = gt_model_create();

	cr_assert_not_null(t, "%s", e.message);
	cr_assert_eq(gt_model_read(model, t, &e), 0, "%s", e.message);
	gt_merge_close(t);
	free(b.data);
	return model;
}

static const struct gt_model_thread *thread(const struct gt_model *model, uint64_t id)
{
	for (size_t i = 0; i < model->nthreads; i++) {
		if (model->threads[i].is->id == id) {
			return &model->threads[i];
		}
	}
	cr_assert_fail("no thread %lu", (unsigned long)id);
	return NULL;
}

Test(model, times_by_thread)
{
	struct gt_model *model = model_of(HEAD TABLES MAIN WORKER FACTS END);
	const struct gt_model_thread *t = thread(model, 1);

	cr_expect_eq(model->begin, 100);
	cr_expect_eq(model->end, 300);
	cr_expect_eq(t->running, 200);
	cr_expect_eq(t->is->tid, 10);
	cr_expect_str_eq(gt_model_name(model, t->is->routine), "main");
	t = thread(model, 2);
	cr_expect_eq(t->is->created, 110);
	cr_expect_eq(t->runnable, 10 + 5 + 4);
	cr_expect_eq(t->running, 10 + 5 + 6);
	cr_expect_eq(t->waiting, 50 + 90 + 10);
	cr_expect_eq(t->blocks, 3);
	cr_expect_eq(t->is->tid, 11);
	cr_expect_eq(t->is->creator, thread(model, 1)->is->index);
	cr_expect_str_eq(gt_model_name(model, t->is->routine), "worker");
	cr_assert_eq(t->is->nlabels, 1);
	cr_expect_str_eq(gt_model_name(model, t->is->labels[0]), "my name");
	gt_model_destroy(model);
}

Test(model, waits_with_facts)
{
	struct gt_model *model = model_of(HEAD TABLES MAIN WORKER FACTS END);
	const struct gt_span_object *object;
	const struct gt_model_share *share;
	const struct gt_model_site *site;
	const uint32_t *order;
	size_t n;

	cr_assert_eq(model->sites.count, 1);
	site = gt_set_value(&model->sites, 0);
	cr_expect_eq(site->share.waits, 3);
	cr_expect_eq(site->share.total, 150);
	cr_expect_eq(site->share.max, 90);
	cr_expect_eq(gt_hist_part(&site->hist, 1), 90);
	cr_expect_eq(site->runnable, 9);
	cr_expect_eq(site->how[GT_ENDED_WAKER], 1);
	cr_expect_eq(site->how[GT_ENDED_TIMEOUT], 1);
	cr_expect_eq(site->how[GT_SPAN_OPEN], 1);
	/* The third wait has no fact. */
	cr_assert_eq(model->objects.count, 1);
	object = gt_model_object(model, 0);
	cr_expect_eq(object->address, 0x1000);
	cr_expect_eq(object->kind, GT_OBJECT_MUTEX);
	share = gt_set_value(&model->objects, 0);
	cr_expect_eq(share->waits, 2);
	cr_expect_eq(share->total, 140);
	order = gt_model_pairs_of(&model->site_owner, 0, &n);
	cr_assert_eq(n, 1);
	cr_expect_eq(gt_model_pair(&model->site_owner, order[0])->b, thread(model, 1)->is->index);
	cr_expect_eq(gt_model_share(&model->site_owner, order[0])->total, 140);
	/* By nobody for 90, by main for 50. */
	order = gt_model_pairs_of(&model->site_waker, 0, &n);
	cr_assert_eq(n, 2);
	cr_expect_eq(gt_model_pair(&model->site_waker, order[0])->b, GT_MODEL_NONE);
	cr_expect_eq(gt_model_share(&model->site_waker, order[0])->total, 90);
	cr_expect_eq(gt_model_pair(&model->site_waker, order[1])->b, thread(model, 1)->is->index);
	cr_expect_eq(gt_model_share(&model->site_waker, order[1])->total, 50);
	/* The last of the counters that grow. */
	cr_expect_eq(model->loss[GT_LOSS_STACK_TRUNCATED], 9);
	gt_model_destroy(model);
}

Test(model, waits_without_facts)
{
	struct gt_model *model = model_of(HEAD TABLES MAIN WORKER END);
	const struct gt_model_wake_key *key;
	uint32_t frames[GT_LISTS_MAX];

	cr_expect_not(model->by_gtrace);
	cr_expect_eq(model->objects.count, 0);
	cr_assert_eq(model->wakes.count, 2);
	key = gt_set_key(&model->wakes, 0, NULL);
	cr_expect_eq(key->waker, thread(model, 1)->is->index);
	cr_expect_eq(key->wakee, thread(model, 2)->is->index);
	cr_expect_str_eq(gt_model_name(model, key->reason), "sync");
	cr_assert_eq(gt_model_stack(model, key->stack, frames), 2);
	cr_expect_str_eq(gt_model_name(model, frames[0]), "give");
	/* From its own M, which then has no G. */
	key = gt_set_key(&model->wakes, 1, NULL);
	cr_expect_eq(key->waker, GT_MODEL_NONE);
	cr_expect_eq(model->how[GT_ENDED_NOBODY], 1);
	gt_model_destroy(model);
}

Test(model, waker_that_has_blocked_since)
{
	/* In a trace of gtrace M 10 had G 1 before; it is asked where there is no WaitEnd. */
	struct gt_model *model = model_of(
		HEAD TABLES "EventBatch gen=1 m=10 time=100 size=auto\n"
			    "ProcStatus dt=1 p=0 pstatus=1\n"
			    "GoStatusStack dt=1 g=1 m=10 gstatus=2 stack=1\n"
			    "GoStatusStack dt=1 g=2 m=11 gstatus=4 stack=3\n"
			    "GoBlock dt=7 reason_string=1 stack=4\n"
			    "GoUnblock dt=10 g=2 g_seq=1 stack=4\n"
			    "ExperimentalBatch exp=1 gen=1 m=18446744073709551615 time=100\n"
			    "\tdata=\"G\\x01\\x03\\x00\\x04\\x07\"\n" END);
	const struct gt_model_wake_key *key;

	/* The fact comes last: whose trace it is, the model knows at the end only. */
	cr_assert_eq(model->wakes.count, 1);
	key = gt_set_key(&model->wakes, 0, NULL);
	cr_expect_eq(key->wakee, thread(model, 2)->is->index);
	cr_expect_eq(key->waker, thread(model, 1)->is->index);
	/* What was so before the trace counts from its beginning. */
	cr_expect_eq(thread(model, 2)->waiting, 20);
	gt_model_destroy(model);
}

Test(model, set)
{
	struct gt_set set = gt_set_of(sizeof(uint32_t));
	char key[16];
	size_t size;

	for (uint32_t i = 0; i < 10000; i++) {
		size = (size_t)snprintf(key, sizeof(key), "%u", i);
		cr_assert_eq(gt_set_put(&set, key, size), i);
		*(uint32_t *)gt_set_get(&set, key, size) += i;
	}
	cr_expect_eq(set.count, 10000);
	for (uint32_t i = 0; i < 10000; i++) {
		size = (size_t)snprintf(key, sizeof(key), "%u", i);
		cr_assert_eq(gt_set_put(&set, key, size), i);
		cr_assert_eq(*(uint32_t *)gt_set_value(&set, i), i);
		cr_assert_str_eq(gt_set_key(&set, i, &size), key);
	}
	cr_expect_eq(gt_set_put(&set, "1", 2), 10000, "the zero byte is part of this key");
	gt_set_fini(&set);
}

Test(model, histogram)
{
	static const double parts[] = {0.001, 0.5, 0.9, 0.99, 1};
	struct gt_hist *hist = calloc(1, sizeof(*hist));

	cr_expect_eq(gt_hist_part(hist, 0.5), 0);
	for (uint64_t i = 1; i <= 100000; i++) {
		gt_hist_add(hist, i * 1000);
	}
	for (size_t i = 0; i < GT_LEN(parts); i++) {
		const double exact = parts[i] * 1e8;
		const double told = (double)gt_hist_part(hist, parts[i]);

		cr_expect(told >= exact * 31 / 32 && told <= exact * 33 / 32, "%g: %g, not %g",
			  parts[i], told, exact);
	}
	gt_hist_add(hist, UINT64_MAX);
	cr_expect_eq(hist->max, UINT64_MAX);
	cr_expect_lt(gt_hist_part(hist, 0), 1000 * 33 / 32);
	gt_hist_fini(hist);
	free(hist);
}
