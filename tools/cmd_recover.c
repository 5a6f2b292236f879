/*
 * gtrace recover: a whole trace from what a killed process has left.
 */
#include "cmd.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/spool.h"
#include "mapped.h"
#include "output.h"
#include "pack.h"
#include "recover.h"
#include "symbolize_apart.h"

/* clang-format off */
static const char help[] =
	"usage: gtrace recover [--no-symbolize] [--zstd[=LEVEL]] FILE [-o OUT]\n"
	"\n"
	"Makes a whole trace out of one that was cut short. Its whole generations are kept. Where\n"
	"FILE.spool lies beside it, as after a kill -9 or a crash of the program, what happened since\n"
	"is taken from there, up to the last event that was written wholly. What had to be left out\n"
	"is said.\n"
	"\n"
	"  -o, --output OUT  write there (- is standard output), and leave FILE and its spool as they\n"
	"                    are; otherwise FILE is replaced and the spool removed\n"
	"      --zstd[=LEVEL]\n"
	"                    compress it, 1 to 19 (3 is usual), as FILE.zst does by its name; what\n"
	"                    replaces a compressed FILE is compressed\n"
	"      --no-symbolize\n"
	"                    leave the stacks as they are. Without it gtrace symbolize is done at the\n"
	"                    end, with debug information that is on this machine, if OUT is a file\n"
	"\n"
	"Functions that no whole generation has named are called ?, but for those that gtrace\n"
	"symbolize can name: it must be known what was mapped. Exit status: 0 good, 1 there is nothing\n"
	"to be recovered, 2 trouble with a file, or the process still runs.\n";
/* clang-format on */

static const char *s(uint64_t n)
{
	return n == 1 ? "" : "s";
}

static void report(const char *path, const struct gt_recovered *did, uint64_t size, bool spool)
{
	fprintf(stderr, "%s: %" PRIu64 " generation%s kept", path, did->whole, s(did->whole));
	if (did->finished > 0) {
		fprintf(stderr, ", %" PRIu64 " finished from the spool with %" PRIu64 " event%s",
			did->finished, did->events, s(did->events));
	} else if (!spool && size > did->whole_size) {
		fprintf(stderr,
			", %" PRIu64 " bytes of an unfinished one left out: there is no spool",
			size - did->whole_size);
	} else if (size > did->whole_size) {
		fprintf(stderr, ", %" PRIu64 " bytes behind them left out", size - did->whole_size);
	}
	if (did->cut > 0) {
		fprintf(stderr,
			"; left out what is not consistent: %" PRIu64 " bytes in %" PRIu64
			" stream%s",
			did->cut_bytes, did->cut, s(did->cut));
	}
	fprintf(stderr, "%s%s\n", did->why[0] != '\0' ? ": " : "", did->why);
}

/* Writes what can be had. */
static int write_out(const char *path, const char *output, const struct gt_mapped *file,
		     const struct gt_mapped *spool, unsigned zstd)
{
	struct gt_recovered did;
	struct gt_output out;
	struct gt_error e = {0};
	int n;

	if (gt_output_open_trace(&out, output, zstd) < 0) {
		return gt_cmd_trouble("recover", output);
	}
	n = gt_recover(file->data, file->size, spool->data, spool->size, out.file, &did, &e);
	if (gt_output_close(&out, n == 0) < 0) {
		return gt_cmd_trouble("recover", output);
	}
	if (n < 0) {
		/* Truncated: there was nothing before the cut. */
		n = gt_cmd_wrong("recover", path, &e);
		return n == GT_EXIT_TRUNCATED ? GT_EXIT_NO : GT_EXIT_TROUBLE;
	}
	if (file->torn.kind == GT_ERROR_INVALID) {
		gt_cmd_wrong("recover", path, &file->torn);
	}
	report(path, &did, file->size, spool->data != NULL);
	return GT_EXIT_GOOD;
}

/* The process that writes it still runs, as far as that can be seen. */
static bool alive(const struct gt_mapped *spool)
{
	const struct gt_spool_head *head = spool->data;

	return spool->size >= sizeof(*head) && head->pid != 0 &&
	       (kill((pid_t)head->pid, 0) == 0 || errno == EPERM);
}

/* output: NULL, in place of the trace; then the spool has done its service. */
static int recover_from(const char *path, const char *spool_path, const struct gt_mapped *file,
			const struct gt_mapped *spool, const char *output, unsigned zstd)
{
	int status;

	if (output == NULL && alive(spool)) {
		fprintf(stderr,
			"gtrace recover: %s: process %u still writes it; with -o what is there now "
			"goes to another file\n",
			path, ((const struct gt_spool_head *)spool->data)->pid);
		return GT_EXIT_TROUBLE;
	}
	status = write_out(path, output != NULL ? output : path, file, spool, zstd);
	if (status == GT_EXIT_GOOD && output == NULL && spool->data != NULL &&
	    unlink(spool_path) != 0) {
		return gt_cmd_trouble("recover", spool_path);
	}
	return status;
}

static int recover(const char *path, const char *output, unsigned zstd)
{
	struct gt_mapped file = {0}, spool;
	char *spool_path;
	int status;

	if (asprintf(&spool_path, "%s" GT_SPOOL_SUFFIX, path) < 0) {
		return gt_cmd_trouble("recover", path);
	}
	if (gt_mapped_open(&spool, spool_path) < 0 && errno != ENOENT) {
		status = gt_cmd_unmapped("recover", spool_path, &spool);
	} else if (gt_mapped_open(&file, path) < 0 && !(errno == ENOENT && spool.data != NULL)) {
		status = gt_cmd_unmapped("recover", path, &file);
	} else { /* without a file it was killed early: all there is may be in the spool */
		status = recover_from(path, spool_path, &file, &spool, output, zstd);
	}
	gt_mapped_close(&file);
	gt_mapped_close(&spool);
	free(spool_path);
	return status;
}

int gt_cmd_recover(int argc, char **argv)
{
	static const struct option options[] = {
		{"output", required_argument, NULL, 'o'},
		{"no-symbolize", no_argument, NULL, 's'},
		GT_PACK_OPTION,
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	char *output = NULL, *made;
	unsigned zstd = 0;
	bool raw = false;
	int c, status;

	while ((c = getopt_long(argc, argv, "o:h", options, NULL)) != -1) {
		switch (c) {
		case 'o':
			output = optarg;
			break;
		case 's':
			raw = true;
			break;
		case GT_PACK_LETTER:
			zstd = gt_pack_level(optarg);
			if (zstd == 0) {
				return gt_cmd_usage("recover", "--zstd=%s: expected 1 to 19",
						    optarg);
			}
			break;
		case 'h':
			fputs(help, stdout);
			return GT_EXIT_GOOD;
		default:
			return gt_cmd_usage("recover", NULL);
		}
	}
	if (optind + 1 != argc) {
		return gt_cmd_usage("recover", "expected one trace");
	}
	made = output != NULL ? output : argv[optind];
	status = recover(argv[optind], output, zstd);
	if (status == GT_EXIT_GOOD && !raw && strcmp(made, "-") != 0) {
		gt_symbolize_apart("recover", &made, 1, zstd);
	}
	return status;
}
