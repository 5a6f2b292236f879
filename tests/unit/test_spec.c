/*
 * The event table: what code and documents rely on without looking.
 */
#include <criterion/criterion.h>

#include <string.h>

#include "base/spec.h"

Test(spec, every_row_is_found_by_number_and_name)
{
	for (size_t i = 0; i < gt_specs_count; i++) {
		const struct gt_spec *s = &gt_specs[i];

		cr_expect_eq(s->kind == GT_FACT ? gt_spec_fact(s->number)
						: gt_spec_event(s->number),
			     s, "%s by its number", s->name);
		if (s->kind != GT_FACT) {
			cr_expect_eq(gt_spec_by_name(s->name, strlen(s->name)), s, "%s by its name",
				     s->name);
		}
	}
	cr_expect_null(gt_spec_event(0));
	cr_expect_null(gt_spec_event(127));
	cr_expect_null(gt_spec_event(1000));
	cr_expect_null(gt_spec_by_name("GoBloc", 6));
	cr_expect_null(gt_spec_by_name("Block", 5), "facts are no events");
}

Test(spec, rows_are_complete)
{
	for (size_t i = 0; i < gt_specs_count; i++) {
		const struct gt_spec *s = &gt_specs[i];

		cr_expect(strlen(s->doc) >= 10, "%s has a sentence", s->name);
		cr_expect_null(strpbrk(s->doc, "|\n"), "%s fits into a table", s->name);
		for (unsigned k = 0; k < s->nargs; k++) {
			cr_expect_neq(s->args[k].type, GT_ARG_none);
			cr_expect(strlen(s->args[k].name) > 0);
		}
		cr_expect_eq(s->args[s->nargs].type, GT_ARG_none, "%s ends", s->name);
	}
}

/* Go's text form tells the type of an argument by the end of its name (tracev2/spec.go). */
Test(spec, argument_names_carry_their_types)
{
	static const struct {
		const char *end;
		enum gt_arg_type type;
	} rules[] = {
		{"_seq", GT_ARG_seq},     {"_string", GT_ARG_str},  {"_g", GT_ARG_g},
		{"_stack", GT_ARG_stack}, {"_value", GT_ARG_value},
	};

	for (size_t i = 0; i < gt_specs_count; i++) {
		for (unsigned k = 0; k < gt_specs[i].nargs; k++) {
			const struct gt_arg_spec *a = &gt_specs[i].args[k];
			const char *end = strrchr(a->name, '_');

			for (size_t r = 0; end != NULL && r < GT_LEN(rules); r++) {
				if (strcmp(end, rules[r].end) == 0 &&
				    strcmp(a->name, "value_string") != 0) {
					cr_expect_eq(a->type, rules[r].type, "%s of %s", a->name,
						     gt_specs[i].name);
				}
			}
		}
	}
}

Test(spec, words)
{
	cr_expect_str_eq(gt_reason_text(GT_REASON_COND), "sync.(*Cond).Wait");
	cr_expect_str_eq(gt_reason_text(GT_REASON_NETWORK), "network");
	cr_expect_null(gt_reason_text(0));
	cr_expect_null(gt_reason_text(GT_REASON_END));
	cr_expect_null(gt_object_text(GT_OBJECT_END));
	cr_expect_null(gt_ended_text(GT_ENDED_END));
	cr_expect_null(gt_loss_text(GT_LOSS_END));
}
