/*
 * gtrace assemble: text -> trace. The inverse of gtrace dump.
 */
#include "cmd.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "output.h"
#include "pack.h"
#include "text.h"

/* clang-format off */
static const char help[] =
	"usage: gtrace assemble TEXT -o FILE [--zstd[=LEVEL]]\n"
	"\n"
	"Makes a trace from the text that gtrace dump prints. Nothing is checked but the text, so\n"
	"that invalid traces can be made, for tests. # begins a comment. Beyond Go's form:\n"
	"size=auto in an EventBatch, Bytes data=\"...\" for bytes as they stand, Cut bytes=N to\n"
	"drop the last N.\n"
	"\n"
	"  -o, --output FILE  the trace; - is standard output\n"
	"      --zstd[=LEVEL]\n"
	"                     compress it, 1 to 19 (3 is usual), as FILE.zst does by its name\n"
	"\n"
	"TEXT - is standard input. Exit status: 0 good, 1 the text is wrong, 2 trouble with a\n"
	"file.\n";
/* clang-format on */

int gt_cmd_assemble(int argc, char **argv)
{
	static const struct option options[] = {
		{"output", required_argument, NULL, 'o'},
		GT_PACK_OPTION,
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	const char *path, *output = NULL;
	unsigned zstd = 0;
	struct gt_error e = {0};
	struct gt_output out;
	FILE *in;
	int c, n;

	while ((c = getopt_long(argc, argv, "o:h", options, NULL)) != -1) {
		switch (c) {
		case 'o':
			output = optarg;
			break;
		case GT_PACK_LETTER:
			zstd = gt_pack_level(optarg);
			if (zstd == 0) {
				return gt_cmd_usage("assemble", "--zstd=%s: expected 1 to 19",
						    optarg);
			}
			break;
		case 'h':
			fputs(help, stdout);
			return GT_EXIT_GOOD;
		default:
			return gt_cmd_usage("assemble", NULL);
		}
	}
	if (optind + 1 != argc || output == NULL) {
		return gt_cmd_usage("assemble", "expected one text, and -o FILE");
	}
	path = argv[optind];
	in = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
	if (in == NULL) {
		return gt_cmd_trouble("assemble", path);
	}
	if (gt_output_open_trace(&out, output, zstd) < 0) {
		return gt_cmd_trouble("assemble", output);
	}
	n = gt_text_assemble(in, out.file, &e);
	if (gt_output_close(&out, n == 0) < 0) {
		return gt_cmd_trouble("assemble", output);
	}
	return n == 0 ? GT_EXIT_GOOD : gt_cmd_wrong("assemble", path, &e);
}
