/*
 * gtrace spec: the event table, for documents and for other programs.
 */
#include "cmd.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "base/spec.h"

/* clang-format off */
static const char help[] =
	"usage: gtrace spec [--markdown | --json]\n"
	"\n"
	"Prints the table of event types: number, name, arguments, meaning.\n"
	"\n"
	"  --markdown  docs/format.md: how the file is laid out, then the table\n"
	"  --json      one array of objects\n";
/* clang-format on */

static const char *kind_text(enum gt_kind kind)
{
	static const char *const names[] = {[GT_STRUCT] = "structure",
					    [GT_TIMED] = "event",
					    [GT_ALLOC] = "allocation",
					    [GT_FACT] = "fact"};

	return names[kind];
}

static const char *type_text(enum gt_arg_type type)
{
	static const char *const names[] = {[GT_ARG_none] = "",
					    [GT_ARG_g] = "g",
					    [GT_ARG_m] = "m",
					    [GT_ARG_p] = "p",
					    [GT_ARG_seq] = "seq",
					    [GT_ARG_str] = "string",
					    [GT_ARG_stack] = "stack",
					    [GT_ARG_value] = "value",
					    [GT_ARG_pstatus] = "pstatus",
					    [GT_ARG_gstatus] = "gstatus",
					    [GT_ARG_addr] = "addr"};

	return names[type];
}

static void put_plain(void)
{
	for (size_t i = 0; i < gt_specs_count; i++) {
		const struct gt_spec *s = &gt_specs[i];

		printf("%-10s %3u %s", kind_text(s->kind), s->number, s->name);
		for (unsigned k = 0; k < s->nargs; k++) {
			printf(" %s", s->args[k].name);
		}
		printf(": %s\n", s->doc);
	}
}

/* Texts of the table hold neither control characters nor non-ASCII. */
static void put_json_string(const char *s)
{
	putchar('"');
	for (; *s != '\0'; s++) {
		if (*s == '"' || *s == '\\') {
			putchar('\\');
		}
		putchar(*s);
	}
	putchar('"');
}

static void put_json(void)
{
	puts("[");
	for (size_t i = 0; i < gt_specs_count; i++) {
		const struct gt_spec *s = &gt_specs[i];

		printf("  {\"kind\": \"%s\", \"number\": %u, \"name\": \"%s\", \"args\": [",
		       kind_text(s->kind), s->number, s->name);
		for (unsigned k = 0; k < s->nargs; k++) {
			printf("%s{\"name\": \"%s\", \"type\": \"%s\"}", k ? ", " : "",
			       s->args[k].name, type_text(s->args[k].type));
		}
		fputs("], \"doc\": ", stdout);
		put_json_string(s->doc);
		printf("}%s\n", i + 1 < gt_specs_count ? "," : "");
	}
	puts("]");
}

/* clang-format off */
static const char layout[] =
	"# The format of a trace\n"
	"\n"
	"Made by `gtrace spec --markdown` from `core/base/events.def`, the only event table, and\n"
	"`core/base/calls.def`: change those, then run it again.\n"
	"\n"
	"A trace is a Go 1.26 execution trace, with gtrace's own facts in batches that other\n"
	"readers skip. Numbers are LEB128 varints of 64 bits unless a single byte is said.\n"
	"\n"
	"## Layout\n"
	"\n"
	"```\n"
	"file        = header, generation ...\n"
	"header      = \"go 1.26 trace\", three zero bytes\n"
	"generation  = batch ..., one byte 52 (EndOfGeneration)\n"
	"batch       = byte 1, generation, M, time, size, payload of that many bytes\n"
	"            | byte 49, one byte experiment, generation, M, time, size, payload\n"
	"payload     = event ...                         the events of one M, in its order\n"
	"            | byte 4, string ...                string = byte 5, id, length, bytes\n"
	"            | byte 2, stack ...                 stack  = byte 3, id, n, n frames\n"
	"            |                                   frame  = pc, function, file, line\n"
	"            | byte 6, sample ...                sample = byte 7, time, M, P, G, stack\n"
	"            | byte 50, frequency, snapshot      byte 8, ticks a second; byte 51, ...\n"
	"            | byte 71, byte 1, fact ...         experiment 1 only: gtrace's facts\n"
	"event, fact = one byte number, time delta, arguments\n"
	"```\n"
	"\n"
	"- A generation is read as a whole: its tables and its clock may stand anywhere in it.\n"
	"  All its events are before those of the next one. Ids of strings and stacks hold for it\n"
	"  alone; 0 is the empty string and the empty stack. Function and file of a frame are\n"
	"  string ids.\n"
	"- `gtrace symbolize` gives frames of inlined functions pcs of their own, since within a\n"
	"  generation a pc means one frame: the pc of the code, and in bits 56 to 63 how deep the\n"
	"  function is inlined, 1 to 127, into the one that has the code, whose frame comes last.\n"
	"- Batches of one M follow each other in the order of its events. M 2^64-1 is no thread.\n"
	"- A time is the batch's time plus all deltas up to the event, in ticks. gtrace's tick is\n"
	"  8 ns, so that a reader's rounding of each delta to whole ns loses nothing.\n"
	"- Sequence numbers count by one for each G and each P, from 0 at its status or creation,\n"
	"  in each generation anew. They say what came before what where clocks could not.\n"
	"- Limits: 65,536 bytes of payload, 1,024 of a string, 128 frames of a stack.\n"
	"- Older headers that gtrace reads: 1.25 has no end byte and numbers its generations\n"
	"  consecutively; 1.22 and 1.23 moreover have a batch of only byte 8 and the frequency\n"
	"  instead of the clock batch.\n"
	"- M is a kernel thread id, G a thread that counts from 1 and is never used again, P a\n"
	"  slot to run in.\n"
	"\n"
	"States of a G: 1 runnable, 2 running, 3 in a system call, 4 waiting. States of a P: 1\n"
	"running, 2 idle, 3 in a system call, 4 in a system call of which nothing more is known.\n";
/* clang-format on */

static void put_table(enum gt_kind kind, const char *title, const char *intro)
{
	printf("\n## %s\n\n%s\n\n| number | name | arguments | meaning |\n|---|---|---|---|\n",
	       title, intro);
	for (size_t i = 0; i < gt_specs_count; i++) {
		const struct gt_spec *s = &gt_specs[i];

		if (s->kind != kind) {
			continue;
		}
		printf("| %u | %s | ", s->number, s->name);
		for (unsigned k = 0; k < s->nargs; k++) {
			const char *type = type_text(s->args[k].type);

			printf("%s%s", k ? ", " : "", s->args[k].name);
			if (strcmp(type, s->args[k].name) != 0 && strcmp(type, "value") != 0) {
				printf(" (%s)", type);
			}
		}
		printf(" | %s |\n", s->doc);
	}
}

static void put_words(const char *title, const char *intro, const char *(*text)(uint64_t id),
		      uint64_t end)
{
	printf("\n### %s\n\n%s\n\n| id | text |\n|---|---|\n", title, intro);
	for (uint64_t id = 1; id < end; id++) {
		if (text(id) != NULL) {
			printf("| %u | %s |\n", (unsigned)id, text(id));
		}
	}
}

static void put_calls(void)
{
	fputs("\n### Calls\n\n"
	      "In Call, from `core/base/calls.def`. One that takes longer than 20 us is a block "
	      "for "
	      "the reason,\nwhere there is one, and a system call otherwise. The id of a class is "
	      "its "
	      "bit in About.\n\n| class | name |\n|---|---|\n",
	      stdout);
	for (unsigned i = 0; i < GT_CLASS_END; i++) {
		printf("| %u | %s |\n", i, gt_class_name(i));
	}
	fputs("\n| number | call | class | reason |\n|---|---|---|---|\n", stdout);
	for (unsigned i = 1; i < GT_CALL_END; i++) {
		const struct gt_call_spec *c = &gt_calls[i];

		if (c->name != NULL) {
			printf("| %u | %s | %s | %s |\n", i, c->name, gt_class_name(c->class),
			       c->as ? gt_reason_text(c->as) : "");
		}
	}
}

static void put_markdown(void)
{
	fputs(layout, stdout);
	put_table(GT_STRUCT, "Structure", "Bytes around the events.");
	put_table(GT_TIMED, "Events", "A time delta comes before the arguments.");
	put_words("Reasons of a block",
		  "gtrace's own, by which Go's tools sort waits into profiles. The id is the id of "
		  "the string.",
		  gt_reason_text, GT_REASON_END);
	put_table(GT_ALLOC, "Events of Go's AllocFree experiment",
		  "Read, but not written by gtrace.");
	put_table(GT_FACT, "Facts",
		  "gtrace's own. A time delta comes before the arguments; the numbers are those of "
		  "facts, not of events. Wait, Woken, Retaken, Repeating and Differing are brief: "
		  "they repeat what earlier facts of their batch say, which is therefore read "
		  "from its start.");
	put_words("Kinds of objects", "In Block.", gt_object_text, GT_OBJECT_END);
	put_words("How a wait ended", "In WaitEnd.", gt_ended_text, GT_ENDED_END);
	put_words("What was lost", "In Loss.", gt_loss_text, GT_LOSS_END);
	put_words("Why recording ended early", "In Broken.", gt_broken_text, GT_BROKEN_END);
	put_words("Settings", "In About. Yes and no are 1 and 0.", gt_about_text, GT_ABOUT_END);
	put_calls();
}

int gt_cmd_spec(int argc, char **argv)
{
	static const struct option options[] = {
		{"markdown", no_argument, NULL, 'm'},
		{"json", no_argument, NULL, 'j'},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	void (*put)(void) = put_plain;
	int c;

	while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		switch (c) {
		case 'm':
			put = put_markdown;
			break;
		case 'j':
			put = put_json;
			break;
		case 'h':
			fputs(help, stdout);
			return GT_EXIT_GOOD;
		default:
			return gt_cmd_usage("spec", NULL);
		}
	}
	if (optind != argc) {
		return gt_cmd_usage("spec", "takes no file");
	}
	put();
	return GT_EXIT_GOOD;
}
