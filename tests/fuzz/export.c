/*
 * Any bytes as a trace that is exported: every format and every kind of profile.
 *
 * A libFuzzer target; see reader.c. The first byte chooses, the rest is the trace.
 */
#include "export.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "pprof.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void export(gt_export_run *run, const struct gt_export *x)
{
	struct gt_error e = {0};

	if (run(x, &e) < 0 && e.message[0] == '\0') {
		abort();
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
	} else if (e.message[0] == '\0') {
		abort();
	}
	gt_profile_fini(&p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static FILE *nowhere;
	struct gt_export x = {.window = GT_WINDOW_ALL};
	char path[40];
	unsigned how;
	int fd;

	if (size < 1) {
		return 0;
	}
	if (nowhere == NULL) {
		nowhere = fopen("/dev/null", "w");
	}
	fd = memfd_create("trace", MFD_CLOEXEC);
	if (fd < 0 || write(fd, data + 1, size - 1) != (ssize_t)(size - 1)) {
		abort();
	}
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	x.path = path;
	x.out = nowhere;
	how = data[0] & 63;
	x.system = data[0] & 64;
	if (data[0] & 128) {
		x.window = (struct gt_window){.from = 3, .to = 20, .thread = "#1"};
	}
	if (how < 3) {
		static gt_export_run *const runs[] = {gt_export_chrome, gt_export_csv,
						      gt_export_perfetto};

		export(runs[how], &x);
	} else {
		x.weight = &gt_profile_types[how / 2 % gt_profile_types_count];
		if (how % 2 == 0) {
			export(gt_export_collapsed, &x);
		} else {
			pprof(&x);
		}
	}
	close(fd);
	return 0;
}
