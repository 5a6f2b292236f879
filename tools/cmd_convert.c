/*
 * gtrace convert: a trace in another version of the format.
 */
#include "cmd.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "convert.h"
#include "pack.h"
#include "remake.h"

/* clang-format off */
static const char help[] =
	"usage: gtrace convert --to 1.22|1.23|1.25|1.26 FILE -o OUT [--zstd[=LEVEL]]\n"
	"\n"
	"Writes a trace in another version of Go's format, for tools that know only that one. What\n"
	"the version has no place for is left out, and said: clocks before 1.25; gtrace's facts,\n"
	"experiments and stacks of statuses in 1.22.\n"
	"\n"
	"  --to VERSION      the Go version\n"
	"  -o, --output OUT  the trace; - is standard output\n"
	"      --zstd[=LEVEL]\n"
	"                    compress it, 1 to 19 (3 is usual), as FILE.zst does by its name\n"
	"\n"
	"FILE - is standard input. Exit status: 0 good, 1 FILE is not valid, 2 trouble with a file,\n"
	"3 FILE is truncated, and OUT has its whole generations.\n";
/* clang-format on */

static void report(const char *path, const struct gt_convert_lost *lost)
{
	const struct {
		uint64_t count;
		const char *what;
	} rows[] = {
		{lost->snapshots, "left out: clock snapshots"},
		{lost->facts, "left out: facts"},
		{lost->batches, "left out: experimental batches"},
		{lost->events, "left out: events of an experiment"},
		{lost->stacks, "left out: stacks of statuses"},
		{lost->switches, "written as three events: GoSwitch, GoSwitchDestroy"},
		{lost->blocked, "written as created and runnable: goroutines created blocked"},
		{lost->made, "made up from the trace clock: clock snapshots"},
	};

	for (size_t i = 0; i < GT_LEN(rows); i++) {
		if (rows[i].count != 0) {
			fprintf(stderr, "%s: %s: %" PRIu64 "\n", path, rows[i].what, rows[i].count);
		}
	}
}

struct conversion {
	unsigned version;
	struct gt_convert_lost lost;
};

static int make(void *arg, const struct gt_again *file, FILE *out, struct gt_error *e)
{
	struct conversion *c = arg;

	return gt_convert(file, c->version, out, &c->lost, e);
}

static int convert(const char *path, const char *output, unsigned zstd, unsigned version)
{
	struct conversion c = {.version = version};
	const int status = gt_remake(&(struct gt_remake){"convert", path, output, zstd, make, &c});

	if (status == GT_EXIT_GOOD || status == GT_EXIT_TRUNCATED) {
		report(output, &c.lost);
	}
	return status;
}

int gt_cmd_convert(int argc, char **argv)
{
	static const struct option options[] = {
		{"to", required_argument, NULL, 't'},
		{"output", required_argument, NULL, 'o'},
		GT_PACK_OPTION,
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	static const char *const versions[] = {"1.22", "1.23", "1.25", "1.26"};
	static const unsigned numbers[] = {22, 23, 25, 26};
	const char *output = NULL;
	unsigned version = 0, zstd = 0;
	int c;

	while ((c = getopt_long(argc, argv, "o:h", options, NULL)) != -1) {
		switch (c) {
		case 't':
			for (size_t i = 0; i < GT_LEN(versions); i++) {
				version = strcmp(optarg, versions[i]) == 0 ? numbers[i] : version;
			}
			if (version == 0) {
				return gt_cmd_usage("convert",
						    "\"%s\" is not 1.22, 1.23, 1.25 or 1.26",
						    optarg);
			}
			break;
		case 'o':
			output = optarg;
			break;
		case GT_PACK_LETTER:
			zstd = gt_pack_level(optarg);
			if (zstd == 0) {
				return gt_cmd_usage("convert", "--zstd=%s: expected 1 to 19",
						    optarg);
			}
			break;
		case 'h':
			fputs(help, stdout);
			return GT_EXIT_GOOD;
		default:
			return gt_cmd_usage("convert", NULL);
		}
	}
	if (optind + 1 != argc || output == NULL || version == 0) {
		return gt_cmd_usage("convert", "expected --to VERSION, one trace, and -o OUT");
	}
	return convert(argv[optind], output, zstd, version);
}
