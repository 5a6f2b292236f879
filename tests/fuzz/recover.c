/*
 * Any bytes as what a killed process has left: a trace file and its spool. What is recovered from
 * them is a valid trace.
 *
 * A libFuzzer target; see reader.c. An input is two bytes, the size of the trace; the trace; and
 * the spool, most of which is zeros: records of an offset, a size (three and two bytes, least
 * significant first) and that many bytes.
 */
#include "fuzz.h"

#include <string.h>

#include "recover.h"

const struct gt_fuzz_form gt_fuzz_form = {.before = 2, .sized = true};

/* The spool of an input; its size is where the last record ends. */
static uint8_t *unpack(const uint8_t *data, size_t size, size_t *spool_size)
{
	uint8_t *spool;

	*spool_size = 0;
	for (size_t at = 0; at + 5 <= size;) {
		const size_t offset = (size_t)(data[at] | data[at + 1] << 8 | data[at + 2] << 16);
		size_t n = (size_t)(data[at + 3] | data[at + 4] << 8);

		n = GT_MIN(n, size - at - 5);
		*spool_size = GT_MAX(*spool_size, offset + n);
		at += 5 + n;
	}
	spool = gt_alloc(*spool_size + 1);
	memset(spool, 0, *spool_size);
	for (size_t at = 0; at + 5 <= size;) {
		const size_t offset = (size_t)(data[at] | data[at + 1] << 8 | data[at + 2] << 16);
		size_t n = (size_t)(data[at + 3] | data[at + 4] << 8);

		n = GT_MIN(n, size - at - 5);
		memcpy(spool + offset, data + at + 5, n);
		at += 5 + n;
	}
	return spool;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct gt_recovered did;
	struct gt_error e = {0}, ignored = {0};
	size_t trace_size, spool_size, out_size = 0;
	uint8_t *spool;
	char *out = NULL;
	FILE *file;

	if (size < 2) {
		return 0;
	}
	trace_size = gt_fuzz_trace_size(data, size);
	spool = unpack(data + 2 + trace_size, size - 2 - trace_size, &spool_size);
	file = open_memstream(&out, &out_size);
	if (gt_recover(data + 2, trace_size, spool_size > 0 ? spool : NULL, spool_size, file, &did,
		       &e) < 0) {
		fclose(file);
		gt_fuzz_said(&e);
	} else {
		fclose(file);
		/* What was whole before is copied, whatever it is. */
		if ((did.whole == 0 || gt_fuzz_valid(data + 2, did.whole_size, &ignored)) &&
		    !gt_fuzz_valid(out, out_size, &e)) {
			gt_fuzz_wrong("recovered", &e);
		}
	}
	free(out);
	free(spool);
	return 0;
}
