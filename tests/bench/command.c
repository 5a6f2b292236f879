/*
 * See command.h.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "command.h"

const char *bench_command(int argc, char **argv, const char *usage, void (*list)(void), int most,
			  double *seconds)
{
	static const struct option options[] = {
		{"seconds", required_argument, NULL, 's'},
		{"list", no_argument, NULL, 'l'},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	char *end;
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (c) {
		case 's':
			*seconds = strtod(optarg, &end);
			if (*end != '\0' || !(*seconds > 0 && *seconds <= most)) {
				fprintf(stderr, "%s: --seconds %s: not in (0, %d]\n", argv[0],
					optarg, most);
				exit(2);
			}
			break;
		case 'l':
			list();
			exit(0);
		case 'h':
			fputs(usage, stdout);
			exit(0);
		default:
			fputs(usage, stderr);
			exit(2);
		}
	}
	if (optind + 1 != argc) {
		fputs(usage, stderr);
		exit(2);
	}
	return argv[optind];
}
