/*
 * The text form: quoting as Go does it, and messages that name the line.
 */
#include <criterion/criterion.h>

#include "quote.h"
#include "trace_text.h"

static void check_quote(const char *bytes, size_t n, const char *expected)
{
	char *text;
	size_t size, back_size = 0;
	FILE *out = open_memstream(&text, &size);
	char back[64];
	const char *end;

	gt_quote(out, bytes, n);
	fclose(out);
	cr_expect_str_eq(text, expected);
	end = gt_unquote(text, back, &back_size);
	cr_assert_not_null(end, "%s", text);
	cr_expect_eq(*end, '\0');
	cr_expect_eq(back_size, n);
	cr_expect_eq(memcmp(back, bytes, n), 0, "%s", text);
	free(text);
}

#define QUOTE(bytes, expected) check_quote(bytes, sizeof(bytes) - 1, expected)

/* The expected texts are what strconv.Quote of Go 1.26 gives. */
Test(text, quote)
{
	QUOTE("", "\"\"");
	QUOTE("main.f(int)", "\"main.f(int)\"");
	QUOTE("a\"b\\c", "\"a\\\"b\\\\c\"");
	QUOTE("\a\b\f\n\r\t\v", "\"\\a\\b\\f\\n\\r\\t\\v\"");
	QUOTE("\0\x1f\x7f", "\"\\x00\\x1f\\x7f\"");
	QUOTE("\xff\x80", "\"\\xff\\x80\"");
	QUOTE("\xc3\xa9", "\"\xc3\xa9\"");
	QUOTE("\xc2\xa0", "\"\\u00a0\"");
	QUOTE("\xc2\xad", "\"\\u00ad\"");
	QUOTE("\xc2\x85", "\"\\u0085\"");
	QUOTE("\xed\xa0\x80", "\"\\xed\\xa0\\x80\"");
	QUOTE("\xf0\x9f\x98\x80", "\"\xf0\x9f\x98\x80\"");
	QUOTE("\xf4\x90\x80\x80", "\"\\xf4\\x90\\x80\\x80\"");
	QUOTE("\xe2\x82", "\"\\xe2\\x82\"");
}

Test(text, unquote)
{
	char out[64];
	size_t n;

	cr_assert_not_null(gt_unquote("\"\\101\\x42\\u0043\\U00000044\"", out, &n));
	cr_expect_eq(n, 4u);
	cr_expect_eq(memcmp(out, "ABCD", 4), 0);
	cr_assert_not_null(gt_unquote("`a\\n`", out, &n));
	cr_expect_eq(n, 3u);
	cr_expect_null(gt_unquote("\"open", out, &n));
	cr_expect_null(gt_unquote("\"\\q\"", out, &n));
	cr_expect_null(gt_unquote("\"\\x4\"", out, &n));
	cr_expect_null(gt_unquote("\"\\ud800\"", out, &n));
	cr_expect_null(gt_unquote("bare", out, &n));
}

static void check_wrong(const char *text, const char *part)
{
	struct gt_error e = {0};
	char *data;
	size_t size;
	FILE *in = fmemopen((void *)text, strlen(text), "r");
	FILE *out = open_memstream(&data, &size);

	cr_expect_eq(gt_text_assemble(in, out, &e), -1, "%s", text);
	cr_expect_not_null(strstr(e.message, part), "%s", e.message);
	fclose(in);
	fclose(out);
	free(data);
}

Test(text, messages_name_the_line)
{
	check_wrong("GoBlock dt=1\n", "line 1: expected \"Trace Go1.NN\" first");
	check_wrong("Trace Go1.x\n", "line 1: found \"Go1.x\"");
	check_wrong("# a\n\nTrace Go1.26\nGoBlok dt=1\n", "line 4: \"GoBlok\" is no event");
	check_wrong("Trace Go1.26\nProcStop\n", "line 2: found \"\"; expected dt=");
	check_wrong("Trace Go1.26\nProcStop dt=x\n", "line 2: found \"x\"; expected a number");
	check_wrong("Trace Go1.26\nProcStop dt=-1\n", "line 2: found \"-1\"");
	check_wrong("Trace Go1.26\nProcStop dt=18446744073709551616\n", "at most 64 bits");
	check_wrong("Trace Go1.26\nProcStop dt=1 p=1\n", "line 2: found \"p=1\" after");
	check_wrong("Trace Go1.26\nString id=1\n\tdata=x\n", "line 3: the data is not a quoted");
	check_wrong("Trace Go1.26\nStack id=1 nframes=1\n", "the text ends inside a stack");
	check_wrong("Trace Go1.26\nCut bytes=17\n", "line 2: cuts more than there is");
}

Test(text, sizes_are_filled_in)
{
	struct bytes a =
		assemble("Trace Go1.26\nEventBatch gen=1 m=2 time=3 size=auto\n"
			 "ProcStop dt=1 # why\n\n# more\nProcStop dt=300\nEndOfGeneration\n");
	struct bytes b = assemble("Trace Go1.26\nEventBatch gen=1 m=2 time=3 size=5\n"
				  "ProcStop dt=1\nProcStop dt=300\nEndOfGeneration\n");

	cr_expect_eq(a.size, b.size);
	cr_expect_eq(memcmp(a.data, b.data, a.size), 0);
	free(a.data);
	free(b.data);
}
