/*
 * The environment variables: what their texts mean, and what is reported.
 */
#include <criterion/criterion.h>

#include <stdio.h>
#include <string.h>

#include "base/env.h"

struct sample {
	const char *text;
	uint64_t value;
};

Test(env, times)
{
	static const struct sample good[] = {
		{"0", 0},
		{"1", 1000000000},
		{"1s", 1000000000},
		{"250us", 250000},
		{"10ms", 10000000},
		{"7ns", 7},
		{"2m", UINT64_C(120000000000)},
		{"1h", UINT64_C(3600000000000)},
		{"1.5s", 1500000000},
		{".25ms", 250000},
		{"3.", UINT64_C(3000000000)},
		{"0.009h", UINT64_C(32400000000)},
		{"0.1234567891234s", 123456789},
		{"0.9ns", 0},
		{"18446744072s", UINT64_C(18446744072000000000)},
	};
	static const char *const bad[] = {
		"",     ".",        "s",    "ms",  "-1s",  "+1s",
		" 1s",  "1s ",      "1 s",  "1S",  "1e3s", "1d",
		"1sec", "1.2.3",    "0x10", "inf", "1s1",  "18446744073709551616ns",
		"1,5s", "6000000h",
	};
	uint64_t ns;

	for (size_t i = 0; i < GT_LEN(good); i++) {
		ns = ~good[i].value;
		cr_expect(gt_env_time(good[i].text, &ns), "\"%s\" is a time", good[i].text);
		cr_expect_eq(ns, good[i].value, "\"%s\" is %llu ns", good[i].text,
			     (unsigned long long)ns);
	}
	for (size_t i = 0; i < GT_LEN(bad); i++) {
		ns = 42;
		cr_expect_not(gt_env_time(bad[i], &ns), "\"%s\" is no time", bad[i]);
		cr_expect_eq(ns, 42u, "\"%s\" leaves the value alone", bad[i]);
	}
}

Test(env, sizes)
{
	static const struct sample good[] = {
		{"0", 0},          {"4096", 4096},      {"10B", 10},
		{"64K", 64 << 10}, {"256M", 256 << 20}, {"2G", UINT64_C(2) << 30},
		{"3KB", 3 << 10},  {"3MB", 3 << 20},    {"1GB", 1 << 30},
		{"5KiB", 5 << 10}, {"5MiB", 5 << 20},   {"1GiB", 1 << 30},
		{"1.5K", 1536},    {"0.5G", 512 << 20},
	};
	static const char *const bad[] = {
		"", "M", "64m", "64k", "1T", "-1", "1 M", "64MM", "17179869184G",
	};
	uint64_t bytes;

	for (size_t i = 0; i < GT_LEN(good); i++) {
		bytes = ~good[i].value;
		cr_expect(gt_env_size(good[i].text, &bytes), "\"%s\" is a size", good[i].text);
		cr_expect_eq(bytes, good[i].value, "\"%s\" is %llu bytes", good[i].text,
			     (unsigned long long)bytes);
	}
	for (size_t i = 0; i < GT_LEN(bad); i++) {
		cr_expect_not(gt_env_size(bad[i], &bytes), "\"%s\" is no size", bad[i]);
	}
}

/* What one entry gives: the settings, and what is reported. */
static struct gt_env read_entry(const char *entry, const char **bad, const char **unknown)
{
	char *environ_[] = {(char *)(uintptr_t)entry, NULL};
	struct gt_env e;

	memset(&e, 0xff, sizeof(e));
	gt_env_read(&e, environ_, bad, unknown);
	return e;
}

static struct gt_env read_good(const char *entry)
{
	const char *bad;
	const char *unknown;
	struct gt_env e = read_entry(entry, &bad, &unknown);

	cr_expect_null(bad, "%s", entry);
	cr_expect_null(unknown, "%s", entry);
	return e;
}

Test(env, nothing_set)
{
	const char *bad = "";
	const char *unknown = "";
	struct gt_env e;

	memset(&e, 0xff, sizeof(e));
	gt_env_read(&e, NULL, &bad, &unknown);
	cr_expect_null(bad);
	cr_expect_null(unknown);
	cr_expect_str_empty(e.out);
	cr_expect_str_empty(e.log);
	cr_expect_eq(e.period, 1000000000u);
	cr_expect_eq(e.buffers, 1u << 30);
	cr_expect_eq(e.depth, 64u);
	cr_expect_eq(e.stacks, 1u);
}

/* Every row of env.def: its default is of its type, and its own name sets it. */
Test(env, rows)
{
	for (size_t i = 0; i < gt_env_specs_count; i++) {
		const struct gt_env_spec *s = &gt_env_specs[i];
		char entry[128];

		cr_expect(strncmp(s->name, "GTRACE_", 7) == 0, "%s", s->name);
		cr_expect(strlen(s->doc) > 10, "%s has a sentence", s->name);
		snprintf(entry, sizeof(entry), "%s=%s", s->name, s->value);
		read_good(entry);
	}
}

Test(env, values)
{
	cr_expect_str_eq(read_good("GTRACE_OUT=a %p=b").out, "a %p=b");
	cr_expect_eq(read_good("GTRACE_PERIOD=10ms").period, 10000000u);
	cr_expect_eq(read_good("GTRACE_BUFFERS=1G").buffers, 1u << 30);
	cr_expect_eq(read_good("GTRACE_DEPTH=12").depth, 12u);
	cr_expect_eq(read_good("GTRACE_STACKS=0").stacks, 0u);
	/* Names of others. */
	read_good("PATH=/bin");
	read_good("XGTRACE_PERIOD=nonsense");
}

Test(env, the_first_of_two_entries_counts)
{
	char *environ_[] = {"GTRACE_DEPTH=1", "GTRACE_DEPTH=2", NULL};
	const char *bad;
	const char *unknown;
	struct gt_env e;

	gt_env_read(&e, environ_, &bad, &unknown);
	cr_expect_eq(e.depth, 1u);
}

Test(env, bad_values_are_named_and_leave_the_default)
{
	static const struct sample bad_entries[] = {
		{"GTRACE_PERIOD=", 0},      {"GTRACE_PERIOD=soon", 0}, {"GTRACE_BUFFERS=64m", 0},
		{"GTRACE_DEPTH=1.5", 0},    {"GTRACE_DEPTH=-1", 0},    {"GTRACE_DEPTH=10K", 0},
		{"GTRACE_STACKS=2", 0},     {"GTRACE_STACKS=", 0},     {"GTRACE_STACKS=01", 0},
		{"GTRACE_STACKS=false", 0},
	};

	for (size_t i = 0; i < GT_LEN(bad_entries); i++) {
		const char *entry = bad_entries[i].text;
		const char *bad;
		const char *unknown;
		struct gt_env e = read_entry(entry, &bad, &unknown);

		cr_assert_not_null(bad, "%s", entry);
		cr_expect_eq(strlen(bad), strcspn(entry, "="), "%s", entry);
		cr_expect_eq(strncmp(bad, entry, strlen(bad)), 0, "%s", entry);
		cr_expect_null(unknown, "%s", entry);
		cr_expect_eq(e.period, 1000000000u, "%s", entry);
		cr_expect_eq(e.buffers, 1u << 30, "%s", entry);
		cr_expect_eq(e.depth, 64u, "%s", entry);
		cr_expect_eq(e.stacks, 1u, "%s", entry);
	}
}

Test(env, unknown_names)
{
	static const char *const entries[] = {"GTRACE_PERIODS=1s", "GTRACE_PERIO=1s",
					      "GTRACE_=", "GTRACE_period=1s", "GTRACE_OUT"};

	for (size_t i = 0; i < GT_LEN(entries); i++) {
		const char *bad;
		const char *unknown;

		read_entry(entries[i], &bad, &unknown);
		cr_expect_eq(unknown, entries[i], "%s", entries[i]);
		cr_expect_null(bad);
	}
}

Test(env, shares)
{
	static const struct sample good[] = {
		{"1%", 10000}, {"0.5%", 5000}, {"3%", 30000}, {"100%", 1000000}, {".01%", 100},
	};
	static const char *const bad[] = {"",    "1",   "%",   "0%",   "100.1%",  "-1%",
					  "1%%", "1 %", "1%s", "half", "0.00001%"};
	uint64_t share;

	for (size_t i = 0; i < GT_LEN(good); i++) {
		share = 0;
		cr_expect(gt_env_share(good[i].text, &share), "\"%s\" is a share", good[i].text);
		cr_expect_eq(share, good[i].value, "\"%s\"", good[i].text);
	}
	for (size_t i = 0; i < GT_LEN(bad); i++) {
		share = 42;
		cr_expect_not(gt_env_share(bad[i], &share), "\"%s\" is no share", bad[i]);
		cr_expect_eq(share, 42u, "\"%s\" leaves the value alone", bad[i]);
	}
}
