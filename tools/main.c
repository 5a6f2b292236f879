/*
 * gtrace: the command. Finds the subcommand and hands over.
 */
#include "cmd.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "mapped.h"

/* To add a subcommand: a row here, its declaration in cmd.h, its file in meson.build. */
static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *doc;
} commands[] = {
	{"run", gt_cmd_run, "run a program and trace its threads"},
	{"stat", gt_cmd_stat, "summarise a trace: who ran, who waited for what, who woke whom"},
	{"pprof", gt_cmd_pprof, "make a profile of the waits for pprof"},
	{"export", gt_cmd_export, "write a trace in the form of another tool"},
	{"symbolize", gt_cmd_symbolize, "give the stacks of a trace files, lines and inlines"},
	{"verify", gt_cmd_verify, "check that a trace is valid"},
	{"cut", gt_cmd_cut, "write a part of a trace as a trace of its own"},
	{"diff", gt_cmd_diff, "compare two traces: what got slower"},
	{"convert", gt_cmd_convert, "write a trace in another version of the format"},
	{"merge", gt_cmd_merge, "put the traces of several processes into one"},
	{"recover", gt_cmd_recover, "make a whole trace of one that was cut short by a kill"},
	{"dump", gt_cmd_dump, "print the events of a trace as text"},
	{"assemble", gt_cmd_assemble, "make a trace from the text that dump prints"},
	{"spec", gt_cmd_spec, "print the table of event types"},
};

static void usage(FILE *out)
{
	fputs("usage: gtrace COMMAND [ARGUMENT]...\n\n", out);
	for (size_t i = 0; i < GT_LEN(commands); i++) {
		fprintf(out, "  %-9s %s\n", commands[i].name, commands[i].doc);
	}
	fputs("\ngtrace help COMMAND tells more, as gtrace COMMAND --help; gtrace --version the "
	      "version.\n"
	      "Exit status: 0 good, 1 the answer is no (a trace is not valid), 2 bad usage or\n"
	      "something cannot be read, 3 a trace is truncated and nothing is worse. That of\n"
	      "gtrace run is the program's.\n",
	      out);
}

int gt_cmd_usage(const char *cmd, const char *format, ...)
{
	va_list args;

	if (format != NULL) {
		fprintf(stderr, "gtrace %s: ", cmd);
		va_start(args, format);
		vfprintf(stderr, format, args);
		va_end(args);
		fputc('\n', stderr);
	}
	fprintf(stderr, "Try: gtrace %s --help\n", cmd);
	return GT_EXIT_TROUBLE;
}

int gt_cmd_trouble(const char *cmd, const char *path)
{
	fprintf(stderr, "gtrace %s: %s: %s\n", cmd, path,
		errno == ENOSYS ? "for what is compressed libzstd is needed, and this gtrace was "
				  "built without"
				: strerror(errno));
	return GT_EXIT_TROUBLE;
}

int gt_cmd_unmapped(const char *cmd, const char *path, const struct gt_mapped *m)
{
	return m->torn.kind != GT_ERROR_NONE ? gt_cmd_wrong(cmd, path, &m->torn)
					     : gt_cmd_trouble(cmd, path);
}

int gt_cmd_wrong(const char *cmd, const char *path, const struct gt_error *e)
{
	const bool truncated = e->kind == GT_ERROR_TRUNCATED;
	char text[sizeof(e->message) + 300];

	gt_error_text(e, text, sizeof(text));
	fprintf(stderr, "gtrace %s: %s: %s%s\n", cmd, path, truncated ? "truncated: " : "", text);
	return truncated                  ? GT_EXIT_TRUNCATED
	       : e->kind == GT_ERROR_READ ? GT_EXIT_TROUBLE
					  : GT_EXIT_NO;
}

/* argv[0] is the name of a command; argv is ended by NULL. */
static int run(int argc, char **argv)
{
	int status;

	for (size_t i = 0; i < GT_LEN(commands); i++) {
		if (strcmp(argv[0], commands[i].name) == 0) {
			status = commands[i].run(argc, argv);
			if (fflush(stdout) != 0 && status == GT_EXIT_GOOD) {
				perror("gtrace: cannot write standard output");
				status = GT_EXIT_TROUBLE;
			}
			return status;
		}
	}
	fprintf(stderr, "gtrace: no command \"%s\"\n\n", argv[0]);
	usage(stderr);
	return GT_EXIT_TROUBLE;
}

/* Signal handler: a page of a mapped file is gone. Any other SIGBUS comes again, and ends us. */
static void file_is_gone(int number, siginfo_t *info, void *context)
{
	static char before[] = "gtrace: ";
	static char after[] = ": became shorter while it was read\n";
	char *name = (char *)gt_mapped_at(info->si_addr);

	(void)context;
	if (name == NULL) {
		signal(number, SIG_DFL);
		return;
	}
	struct iovec words[] = {
		{before, sizeof(before) - 1}, {name, strlen(name)}, {after, sizeof(after) - 1}};

	_exit(writev(2, words, GT_LEN(words)) > 0 ? GT_EXIT_TROUBLE : GT_EXIT_NO);
}

int main(int argc, char **argv)
{
	struct sigaction bus = {.sa_sigaction = file_is_gone, .sa_flags = SA_SIGINFO};
	char help[] = "--help";

	sigaction(SIGBUS, &bus, NULL);

	if (argc < 2) {
		usage(stderr);
		return GT_EXIT_TROUBLE;
	}
	if (strcmp(argv[1], "help") == 0 && argc > 2) {
		return run(2, (char *[]){argv[2], help, NULL});
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
	    strcmp(argv[1], "help") == 0) {
		usage(stdout);
		return GT_EXIT_GOOD;
	}
	if (strcmp(argv[1], "--version") == 0) {
		puts("gtrace " GT_VERSION);
		return GT_EXIT_GOOD;
	}
	return run(argc - 1, argv + 1);
}
