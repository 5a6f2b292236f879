/*
 * Any bytes as a trace that is exported: every format and every kind of profile.
 *
 * A libFuzzer target; see reader.c. The first byte chooses, the rest is the trace.
 */
#include "fuzz.h"

#include <string.h>

#include "export.h"
#include "pprof.h"

const struct gt_fuzz_form gt_fuzz_form = {.before = 1};

enum { SQLITE = 63 };

static void export(gt_export_run *run, const struct gt_export *x)
{
	struct gt_error e = {0};

	if (run(x, &e) < 0) {
		gt_fuzz_said(&e);
	}
}

static void pprof(const struct gt_export *x)
{
	struct gt_error e = {0};
	struct gt_profile p;

	if (gt_profile_read(&p, x->path, x->weight, &x->window, &e) == 0 ||
	    e.kind == GT_ERROR_TRUNCATED) {
		struct gt_pprof out = {.profile = &p, .system = x->system, .path = x->path};

		gt_pprof_write(&out, x->out);
	} else {
		gt_fuzz_said(&e);
	}
	gt_profile_fini(&p);
}

#ifdef GT_SQLITE
/* SQLite takes no path that is a link, as those in /proc are. */
static void export_sqlite(struct gt_export x)
{
	static char name[] = "/tmp/fuzz-sqlite.XXXXXX";
	const int fd = mkstemp(name);

	if (fd < 0) {
		abort();
	}
	x.name = name;
	x.events = true;
	export(gt_export_sqlite, &x);
	close(fd);
	unlink(name);
	memcpy(strchr(name, '.'), ".XXXXXX", 7);
}
#else
static void export_sqlite(struct gt_export x)
{
	(void)x;
}
#endif

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct gt_export x = {.window = GT_WINDOW_ALL, .out = gt_fuzz_nowhere()};
	struct gt_fuzz_file trace;
	unsigned how;

	if (size < 1) {
		return 0;
	}
	trace = gt_fuzz_open(data + 1, size - 1);
	x.path = trace.path;
	how = data[0] & 63;
	x.system = data[0] & 64;
	if (data[0] & 128) {
		x.window = (struct gt_window){.from = 3, .to = 20, .thread = "#1"};
	}
	if (how < 3) {
		static gt_export_run *const runs[] = {gt_export_chrome, gt_export_csv,
						      gt_export_perfetto};

		export(runs[how], &x);
	} else if (how == SQLITE) {
		export_sqlite(x);
	} else {
		x.weight = &gt_profile_types[how / 2 % gt_profile_types_count];
		if (how % 2 == 0) {
			export(gt_export_collapsed, &x);
		} else {
			pprof(&x);
		}
	}
	close(trace.fd);
	return 0;
}
