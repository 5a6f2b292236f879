/*
 * Any bytes as the text of a trace: the assembler must end with a trace or a message. What it
 * accepts is dumped and assembled again, which must give the same bytes.
 *
 * A libFuzzer target; see reader.c.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int convert(int (*f)(FILE *in, FILE *out, struct gt_error *e), const void *data, size_t size,
		   char **out, size_t *out_size)
{
	struct gt_error e = {0};
	FILE *from = fmemopen((void *)data, size, "r");
	FILE *to = open_memstream(out, out_size);
	int status = f(from, to, &e);

	fclose(from);
	fclose(to);
	if (status < 0 && e.message[0] == '\0') {
		abort();
	}
	return status;
}

static int dump(FILE *in, FILE *out, struct gt_error *e)
{
	return gt_text_dump(in, out, true, e);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *trace = NULL, *text = NULL, *again = NULL;
	size_t n = 0, ntext = 0, nagain = 0;

	if (size > 0 && convert(gt_text_assemble, data, size, &trace, &n) == 0 && n > 0 &&
	    convert(dump, trace, n, &text, &ntext) == 0 &&
	    convert(gt_text_assemble, text, ntext, &again, &nagain) == 0) {
		/* A dump says numbers, not how many bytes they took: the text is what is equal. */
		char *text2 = NULL;
		size_t ntext2 = 0;

		if (convert(dump, again, nagain, &text2, &ntext2) < 0 || ntext2 != ntext ||
		    memcmp(text, text2, ntext) != 0) {
			abort();
		}
		free(text2);
	}
	free(trace);
	free(text);
	free(again);
	return 0;
}
