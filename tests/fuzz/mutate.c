/*
 * Changes of an input that leave it readable as a trace: of events, arguments and batches instead
 * of bytes, with the sizes of batches kept right. libFuzzer's own changes, which mostly end at the
 * first length that is wrong, are made now and then.
 *
 * libFuzzer calls this; it is linked to every target whose input has a trace in it (fuzz.h).
 */
#include "fuzz.h"

#include <string.h>

#include "base/spec.h"

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed);
size_t LLVMFuzzerCustomCrossOver(const uint8_t *a, size_t na, const uint8_t *b, size_t nb,
				 uint8_t *out, size_t max, unsigned seed);

enum { BATCHES = 512, EVENTS = 2048, ARGS = 2 + 4 * 128, HEAD = 1 + ARGS * GT_VARINT_MAX };

/* A trace in the making. */
struct trace {
	uint8_t *data;
	size_t size, max;
};

/* All places are in the trace. */
struct batch {
	size_t begin, head; /* head: the four varints, the last of which is the payload's size */
	size_t payload, end;
	bool facts;
};

struct event {
	size_t begin, end;
	uint64_t args[ARGS]; /* the time first, where it has one */
	unsigned nargs;
	size_t tail; /* the bytes of a string */
};

static uint64_t state;

static uint64_t draw(uint64_t below)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return below != 0 ? state % below : 0;
}

/* --- Reading ------------------------------------------------------------------------------ */

static size_t get(const struct trace *t, size_t at, size_t end, uint64_t *v)
{
	const int n = at < end ? gt_varint_get(t->data + at, t->data + end, v) : 0;

	return n > 0 ? at + (size_t)n : 0;
}

/* The batch at a place, or the end of a generation, which has no payload. */
static bool read_batch(const struct trace *t, size_t at, struct batch *b)
{
	uint64_t v = 0;

	*b = (struct batch){.begin = at, .head = at + 1, .payload = at + 1, .end = at + 1};
	if (at >= t->size || t->data[at] == GT_EV_END_OF_GENERATION) {
		return at < t->size;
	}
	if (t->data[at] == GT_EV_EXPERIMENTAL_BATCH) {
		b->head++;
	} else if (t->data[at] != GT_EV_EVENT_BATCH) {
		return false;
	}
	b->payload = b->head;
	for (unsigned i = 0; i < 4; i++) {
		b->payload = get(t, b->payload, t->size, &v);
		if (b->payload == 0) {
			return false;
		}
	}
	if (v > t->size - b->payload) {
		return false;
	}
	b->end = b->payload + v;
	b->facts = b->head == at + 2 && v >= 2 && t->data[b->payload] == GT_FACT_MAGIC;
	return true;
}

static size_t read_batches(const struct trace *t, struct batch *batches)
{
	size_t n = 0;

	for (size_t at = GT_WIRE_HEADER_SIZE; n < BATCHES && read_batch(t, at, &batches[n]); n++) {
		at = batches[n].end;
	}
	return n;
}

static bool read_args(const struct trace *t, struct event *ev, size_t end, uint64_t n)
{
	for (uint64_t i = 0; i < n; i++) {
		if (ev->nargs == ARGS) {
			return false;
		}
		ev->end = get(t, ev->end, end, &ev->args[ev->nargs++]);
		if (ev->end == 0) {
			return false;
		}
	}
	return true;
}

static bool read_event(const struct trace *t, const struct batch *b, size_t at, struct event *ev)
{
	const struct gt_spec *spec;
	bool good;

	ev->begin = at;
	ev->end = at + 1;
	ev->nargs = 0;
	ev->tail = 0;
	if (at >= b->end) {
		return false;
	}
	spec = b->facts ? gt_spec_fact(t->data[at]) : gt_spec_event(t->data[at]);
	if (spec == NULL) {
		return false;
	}
	good = read_args(t, ev, b->end, spec->nargs + (spec->kind != GT_STRUCT));
	if (good && spec->number == GT_EV_STACK && !b->facts) {
		good = ev->args[1] <= 128 && read_args(t, ev, b->end, 4 * ev->args[1]);
	} else if (good && spec->number == GT_EV_STRING && !b->facts) {
		good = read_args(t, ev, b->end, 1) && ev->args[1] <= b->end - ev->end;
		ev->tail = good ? ev->args[1] : 0;
		ev->end += ev->tail;
	}
	return good;
}

/* Any event of any batch. */
static bool draw_event(const struct trace *t, struct batch *b, struct event *ev)
{
	static struct batch batches[BATCHES];
	static size_t places[EVENTS];
	const size_t nbatches = read_batches(t, batches);
	size_t n = 0;

	for (unsigned tries = 0; nbatches > 0 && tries < 8; tries++) {
		*b = batches[draw(nbatches)];
		n = 0;
		for (size_t at = b->payload + (b->facts ? 2 : 0);
		     n < EVENTS && read_event(t, b, at, ev); at = ev->end) {
			places[n++] = at;
		}
		if (n > 0) {
			return read_event(t, b, places[draw(n)], ev);
		}
	}
	return false;
}

/* --- Writing ------------------------------------------------------------------------------ */

static bool splice(struct trace *t, size_t at, size_t gone, const void *bytes, size_t n)
{
	if (t->size - gone + n > t->max) {
		return false;
	}
	memmove(t->data + at + n, t->data + at + gone, t->size - at - gone);
	memcpy(t->data + at, bytes, n);
	t->size = t->size - gone + n;
	return true;
}

/* The same in a batch, whose size is then right. */
static void put(struct trace *t, const struct batch *b, size_t at, size_t gone, const void *bytes,
		size_t n)
{
	uint8_t head[4 * GT_VARINT_MAX], *p = head;
	uint64_t v[4];
	size_t from = b->head;

	for (unsigned i = 0; i < 4; i++) {
		from = get(t, from, b->payload, &v[i]);
		p = gt_varint_put(p, i < 3 ? v[i] : b->end - b->payload - gone + n);
	}
	if (splice(t, at, gone, bytes, n) && b->head < b->payload &&
	    !splice(t, b->head, b->payload - b->head, head, (size_t)(p - head))) {
		t->size = b->begin; /* no room: the trace is cut off here */
	}
}

static size_t encode(const struct trace *t, const struct event *ev, uint8_t type, uint8_t *to,
		     size_t room)
{
	uint8_t *p = to;

	*p++ = type;
	for (unsigned i = 0; i < ev->nargs; i++) {
		p = gt_varint_put(p, ev->args[i]);
	}
	if ((size_t)(p - to) + ev->tail > room) {
		return 0;
	}
	memcpy(p, t->data + ev->end - ev->tail, ev->tail);
	return (size_t)(p - to) + ev->tail;
}

static uint64_t other_number(const struct trace *t, uint64_t old)
{
	static const uint64_t odd[] = {0,
				       0,
				       1,
				       127,
				       128,
				       255,
				       1 << 16,
				       1 << 22,
				       1 << 30,
				       UINT32_MAX,
				       INT64_MAX,
				       (uint64_t)INT64_MAX + 1,
				       UINT64_MAX - 1,
				       UINT64_MAX};
	struct event ev;
	struct batch b;

	switch (draw(6)) {
	case 0:
		return old + 1;
	case 1:
		return old - 1;
	case 2:
		return odd[draw(GT_LEN(odd))];
	case 3:
		return old ^ UINT64_C(1) << draw(64);
	case 4:
		return draw(16);
	default: /* a number that means something elsewhere */
		return draw_event(t, &b, &ev) && ev.nargs > 0 ? ev.args[draw(ev.nargs)] : 2;
	}
}

/* --- Changes ------------------------------------------------------------------------------ */

static void change_event(struct trace *t)
{
	static struct event ev, other;
	static uint8_t bytes[HEAD + GT_WIRE_BATCH_MAX];
	const struct gt_spec *spec;
	struct batch b, to;
	size_t n;
	uint8_t type;

	if (!draw_event(t, &b, &ev)) {
		return;
	}
	type = t->data[ev.begin];
	switch (draw(8)) {
	case 0: /* gone */
		put(t, &b, ev.begin, ev.end - ev.begin, "", 0);
		return;
	case 1: /* swapped with the next one */
		if (read_event(t, &b, ev.end, &other)) {
			n = GT_MIN(other.end - other.begin, sizeof(bytes));
			memcpy(bytes, t->data + other.begin, n);
			memmove(t->data + ev.begin + n, t->data + ev.begin, ev.end - ev.begin);
			memcpy(t->data + ev.begin, bytes, n);
		}
		return;
	case 2: /* once more, here or elsewhere */
		n = GT_MIN(ev.end - ev.begin, sizeof(bytes));
		memcpy(bytes, t->data + ev.begin, n);
		if (draw(2) == 0) {
			put(t, &b, ev.begin, 0, bytes, n);
		} else if (draw_event(t, &to, &other)) {
			put(t, &to, other.begin, 0, bytes, n);
		}
		return;
	case 3: /* of another type */
		type = (uint8_t)(draw(16) != 0 ? 1 + draw(52) : draw(256));
		spec = b.facts ? gt_spec_fact(type) : gt_spec_event(type);
		while (spec != NULL && ev.nargs > spec->nargs + (spec->kind != GT_STRUCT)) {
			ev.nargs--;
		}
		while (spec != NULL && ev.nargs < spec->nargs + (spec->kind != GT_STRUCT)) {
			ev.args[ev.nargs++] = other_number(t, 1);
		}
		ev.tail = 0;
		break;
	default:
		if (ev.nargs > 0) {
			n = draw(ev.nargs);
			ev.args[n] = other_number(t, ev.args[n]);
		}
		break;
	}
	n = encode(t, &ev, type, bytes, sizeof(bytes));
	if (n != 0) {
		put(t, &b, ev.begin, ev.end - ev.begin, bytes, n);
	}
}

static void change_batch(struct trace *t)
{
	static struct batch batches[BATCHES];
	static uint8_t bytes[1 << 17];
	const size_t nbatches = read_batches(t, batches);
	const struct batch *b = &batches[draw(nbatches)], *to = &batches[draw(nbatches)];
	uint8_t *p = bytes;
	uint64_t v = 0;
	size_t at, end, n;
	unsigned which;

	if (nbatches == 0 || b->end - b->begin > sizeof(bytes)) {
		return;
	}
	n = b->end - b->begin;
	switch (draw(5)) {
	case 0:
		splice(t, b->begin, n, "", 0);
		break;
	case 1: /* once more */
		memcpy(bytes, t->data + b->begin, n);
		splice(t, to->begin, 0, bytes, n);
		break;
	case 2: /* moved */
		memcpy(bytes, t->data + b->begin, n);
		splice(t, b->begin, n, "", 0);
		splice(t, to->begin > b->begin ? to->end - n : to->begin, 0, bytes, n);
		break;
	case 3: /* another generation, M or time */
		which = (unsigned)draw(3);
		at = b->head;
		for (unsigned i = 0; at != 0 && i < which; i++) {
			at = get(t, at, b->payload, &v);
		}
		end = at != 0 ? get(t, at, b->payload, &v) : 0;
		if (end != 0) {
			p = gt_varint_put(p, other_number(t, v));
			splice(t, at, end - at, bytes, (size_t)(p - bytes));
		}
		break;
	default: /* an end of the generation */
		bytes[0] = GT_EV_END_OF_GENERATION;
		splice(t, to->begin, 0, bytes, 1);
		break;
	}
}

/* Bytes of a payload, by libFuzzer. */
static void change_bytes(struct trace *t)
{
	static uint8_t bytes[1 << 17];
	struct event ev;
	struct batch b;
	size_t n;

	if (draw_event(t, &b, &ev) && 2 * (b.end - b.payload) + 64 <= sizeof(bytes)) {
		n = b.end - b.payload;
		memcpy(bytes, t->data + b.payload, n);
		n = LLVMFuzzerMutate(bytes, n, n + 64);
		put(t, &b, b.payload, b.end - b.payload, bytes, n);
	}
}

static void change_version(struct trace *t)
{
	static const char *const versions[] = {"22", "23", "25", "26"};

	if (t->size >= GT_WIRE_HEADER_SIZE) {
		memcpy(t->data + 5, versions[draw(GT_LEN(versions))], 2);
	}
}

static void change(struct trace *t)
{
	for (uint64_t i = 0, times = 1 + draw(4); i < times; i++) {
		switch (draw(16)) {
		case 0:
		case 1:
			change_batch(t);
			break;
		case 2:
		case 3:
			change_bytes(t);
			break;
		case 4:
			if (draw(4) == 0) {
				change_version(t);
				break;
			}
			/* fall through */
		default:
			change_event(t);
			break;
		}
	}
}

/* --- Inputs ------------------------------------------------------------------------------- */

static void set_size(uint8_t *data, size_t n)
{
	if (gt_fuzz_form.sized) {
		data[gt_fuzz_form.before - 2] = (uint8_t)n;
		data[gt_fuzz_form.before - 1] = (uint8_t)(n >> 8);
	}
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed)
{
	const size_t before = gt_fuzz_form.before;
	const size_t flags = before - (gt_fuzz_form.sized ? 2 : 0);
	struct trace t;
	size_t trace, rest;

	state = UINT64_C(0x9e3779b97f4a7c15) * (seed + UINT64_C(1));
	if (size < before + GT_WIRE_HEADER_SIZE || draw(16) == 0) {
		return LLVMFuzzerMutate(data, size, max);
	}
	if (flags > 0 && draw(8) == 0) {
		data[draw(flags)] = (uint8_t)draw(256);
	}
	trace = gt_fuzz_trace_size(data, size);
	rest = size - before - trace;
	if (rest > 0 && draw(2) == 0) {
		/* What follows; a second trace, as in diff.c, is changed as one. */
		t = (struct trace){data + before + trace, rest, max - before - trace};
		if (rest > GT_WIRE_HEADER_SIZE && memcmp(t.data, "go 1.", 5) == 0) {
			change(&t);
		} else {
			t.size = LLVMFuzzerMutate(t.data, rest, t.max);
		}
		return before + trace + t.size;
	}
	/* The trace is moved to where it has room, and what follows it goes behind it again. */
	t.max = max - before - rest;
	if (gt_fuzz_form.sized) {
		t.max = GT_MIN(t.max, (size_t)UINT16_MAX);
	}
	t.data = gt_alloc(t.max + 1);
	t.size = trace;
	memcpy(t.data, data + before, trace);
	change(&t);
	memmove(data + before + t.size, data + before + trace, rest);
	memcpy(data + before, t.data, t.size);
	set_size(data, t.size);
	free(t.data);
	return before + t.size + rest;
}

/* A batch of b comes into a, as one of the generation there. */
size_t LLVMFuzzerCustomCrossOver(const uint8_t *a, size_t na, const uint8_t *b, size_t nb,
				 uint8_t *out, size_t max, unsigned seed)
{
	static struct batch batches[BATCHES];
	const size_t before = gt_fuzz_form.before;
	struct trace from, to;
	struct batch one, place;
	uint8_t number[GT_VARINT_MAX];
	uint64_t generation = 0;
	size_t n, rest, end;

	state = UINT64_C(0x9e3779b97f4a7c15) * (seed + UINT64_C(1));
	if (na < before || nb < before || na > max) {
		return 0;
	}
	memcpy(out, a, na);
	from = (struct trace){(uint8_t *)(uintptr_t)b + before, gt_fuzz_trace_size(b, nb), 0};
	to = (struct trace){out + before, gt_fuzz_trace_size(a, na), 0};
	rest = na - before - to.size;
	to.max = max - before - rest;
	if (gt_fuzz_form.sized) {
		to.max = GT_MIN(to.max, (size_t)UINT16_MAX);
	}
	n = read_batches(&from, batches);
	one = batches[draw(n)];
	if (n == 0 || to.size + one.end - one.begin + GT_VARINT_MAX > to.max) {
		return 0;
	}
	n = read_batches(&to, batches);
	place = batches[draw(n)];
	if (n == 0) {
		return 0;
	}
	get(&to, place.head, place.payload, &generation);
	memmove(out + na - rest + (to.max - to.size), out + na - rest, rest); /* out of the way */
	splice(&to, place.begin, 0, from.data + one.begin, one.end - one.begin);
	if (generation != 0 && one.payload > one.head) {
		n = place.begin + one.head - one.begin;
		end = get(&to, n, to.size, &(uint64_t){0});
		splice(&to, n, end - n, number,
		       (size_t)(gt_varint_put(number, generation) - number));
	}
	memmove(out + before + to.size, out + before + to.max, rest);
	set_size(out, to.size);
	return before + to.size + rest;
}
