/*
 * The GTRACE_* variables: parsing.
 */
#include "base/env.h"

#include <string.h>

#include "base/spec.h"

const struct gt_env_spec gt_env_specs[] = {
#define GT_ENV(field, name, type, value, doc) {name, #type, value, doc},
#include "base/env.def"
};
const size_t gt_env_specs_count = GT_LEN(gt_env_specs);

struct unit {
	const char *name;
	uint64_t factor;
};

/* digits, optionally a point and digits, then exactly one of the units (the first is the default).
 */
static bool parse(const char *s, const struct unit *units, size_t nunits, uint64_t *out)
{
	uint64_t whole = 0;
	uint64_t part = 0;
	uint64_t scale = 1;
	uint64_t factor = units[0].factor;
	bool digits = false;

	for (; *s >= '0' && *s <= '9'; s++, digits = true) {
		if (whole > (UINT64_MAX - 9) / 10) {
			return false;
		}
		whole = whole * 10 + (uint64_t)(*s - '0');
	}
	if (*s == '.') {
		for (s++; *s >= '0' && *s <= '9'; s++, digits = true) {
			if (scale < 1000000000u) {
				part = part * 10 + (uint64_t)(*s - '0');
				scale *= 10;
			}
		}
	}
	if (!digits) {
		return false;
	}
	if (*s) {
		size_t i = 0;

		while (i < nunits && strcmp(s, units[i].name) != 0) {
			i++;
		}
		if (i == nunits) {
			return false;
		}
		factor = units[i].factor;
	}
	if (whole > UINT64_MAX / factor - 1) {
		return false;
	}
	*out = whole * factor + (uint64_t)((gt_u128)part * factor / scale);
	return true;
}

bool gt_env_time(const char *text, uint64_t *ns)
{
	static const struct unit units[] = {
		{"s", 1000000000u}, {"ns", 1},           {"us", 1000},
		{"ms", 1000000u},   {"m", 60000000000u}, {"h", 3600000000000u},
	};

	return parse(text, units, GT_LEN(units), ns);
}

bool gt_env_size(const char *text, uint64_t *bytes)
{
	static const struct unit units[] = {
		{"B", 1},          {"K", 1u << 10},   {"M", 1u << 20},  {"G", 1u << 30},
		{"KB", 1u << 10},  {"MB", 1u << 20},  {"GB", 1u << 30}, {"KiB", 1u << 10},
		{"MiB", 1u << 20}, {"GiB", 1u << 30},
	};

	return parse(text, units, GT_LEN(units), bytes);
}

bool gt_env_share(const char *text, uint64_t *millionths)
{
	static const struct unit units[] = {{"%", 10000}};
	uint64_t value;

	if (!strchr(text, '%') || !parse(text, units, GT_LEN(units), &value) || value == 0 ||
	    value > 1000000) {
		return false;
	}
	*millionths = value;
	return true;
}

static bool take_STRING(const char *text, const char **to)
{
	*to = text;
	return true;
}

static bool take_TIME(const char *text, uint64_t *to)
{
	return gt_env_time(text, to);
}

static bool take_SIZE(const char *text, uint64_t *to)
{
	return gt_env_size(text, to);
}

static bool take_COUNT(const char *text, uint64_t *to)
{
	static const struct unit one = {"", 1};

	return !strchr(text, '.') && parse(text, &one, 1, to);
}

static bool take_FLAG(const char *text, uint64_t *to)
{
	if ((text[0] != '0' && text[0] != '1') || text[1]) {
		return false;
	}
	*to = (uint64_t)(text[0] - '0');
	return true;
}

/* None where it is empty, as by default. */
static bool take_SHARE(const char *text, uint64_t *to)
{
	if (!*text) {
		*to = 0;
		return true;
	}
	return gt_env_share(text, to);
}

static uint64_t class_named(const char *name, size_t n)
{
	if (n == 3 && strncmp(name, "all", n) == 0) {
		return (UINT64_C(1) << GT_CLASS_END) - 1;
	}
	for (unsigned i = 0; i < GT_CLASS_END; i++) {
		if (strlen(gt_class_name(i)) == n && strncmp(name, gt_class_name(i), n) == 0) {
			return UINT64_C(1) << i;
		}
	}
	return 0;
}

bool gt_env_classes(const char *text, uint64_t *classes)
{
	uint64_t set = *text == '-' ? *classes : 0;

	for (;;) {
		const char *name = text + (*text == '-');
		size_t n = strcspn(name, ",");
		uint64_t bits = class_named(name, n);

		if (!bits) {
			return false;
		}
		set = *text == '-' ? set & ~bits : set | bits;
		if (!name[n]) {
			*classes = set;
			return true;
		}
		text = name + n + 1;
	}
}

static bool take_CLASSES(const char *text, uint64_t *to)
{
	return gt_env_classes(text, to);
}

static const char *value_of(char *const *environ_, const char *name)
{
	size_t n = strlen(name);

	for (; environ_ && *environ_; environ_++) {
		if (strncmp(*environ_, name, n) == 0 && (*environ_)[n] == '=') {
			return *environ_ + n + 1;
		}
	}
	return NULL;
}

static bool known(const char *entry)
{
	for (size_t i = 0; i < gt_env_specs_count; i++) {
		size_t n = strlen(gt_env_specs[i].name);

		if (strncmp(entry, gt_env_specs[i].name, n) == 0 && entry[n] == '=') {
			return true;
		}
	}
	return false;
}

void gt_env_read(struct gt_env *e, char *const *environ_, const char **bad, const char **unknown)
{
	*bad = NULL;
	*unknown = NULL;
#define GT_ENV(field, name, type, value, doc)                         \
	{                                                             \
		const char *text = value_of(environ_, name);          \
		take_##type(value, &e->field);                        \
		if (text && !take_##type(text, &e->field) && !*bad) { \
			*bad = name;                                  \
		}                                                     \
	}
#include "base/env.def"
	for (; environ_ && *environ_; environ_++) {
		if (strncmp(*environ_, "GTRACE_", 7) == 0 && !known(*environ_) && !*unknown) {
			*unknown = *environ_;
		}
	}
}
