/*
 * The trace clock: calibration and steering.
 */
#include "base/clock.h"

#include <elf.h>
#include <fcntl.h>
#include <string.h>
#include <sys/auxv.h>
#include <time.h>

#include "base/sys.h"
#include "base/wire.h"

typedef int (*clock_fn)(clockid_t, struct timespec *);

GT_OFTEN_READ uint64_t gt_clock_unit;

static clock_fn vdso_clock;

/* __vdso_clock_gettime out of the vDSO's own symbol table; NULL where there is none. */
static clock_fn find_vdso(void)
{
	const char *base = (const char *)getauxval(AT_SYSINFO_EHDR);
	const Elf64_Ehdr *eh = (const void *)base;
	const Elf64_Phdr *ph;
	const Elf64_Dyn *dyn = NULL;
	const Elf64_Sym *sym = NULL;
	const char *str = NULL;
	const uint32_t *hash = NULL;
	uintptr_t bias = 0;

	if (!base) {
		return NULL;
	}
	ph = (const void *)(base + eh->e_phoff);
	for (unsigned i = 0; i < eh->e_phnum; i++) {
		if (ph[i].p_type == PT_LOAD) {
			bias = (uintptr_t)base + ph[i].p_offset - ph[i].p_vaddr;
		} else if (ph[i].p_type == PT_DYNAMIC) {
			dyn = (const void *)(base + ph[i].p_offset);
		}
	}
	for (; dyn && dyn->d_tag != DT_NULL; dyn++) {
		const void *at = (const void *)(bias + dyn->d_un.d_ptr);

		if (dyn->d_tag == DT_SYMTAB) {
			sym = at;
		} else if (dyn->d_tag == DT_STRTAB) {
			str = at;
		} else if (dyn->d_tag == DT_HASH) {
			hash = at;
		}
	}
	if (!sym || !str || !hash) {
		return NULL;
	}
	for (uint32_t i = 0; i < hash[1]; i++) {
		const char *name = str + sym[i].st_name;

		if (sym[i].st_shndx != SHN_UNDEF && (strcmp(name, "__vdso_clock_gettime") == 0 ||
						     strcmp(name, "__kernel_clock_gettime") == 0)) {
			clock_fn f;
			uintptr_t at = bias + sym[i].st_value;

			memcpy(&f, &at, sizeof(f));
			return f;
		}
	}
	return NULL;
}

uint64_t gt_clock_monotonic(void)
{
	struct timespec ts = {0, 0};

	if (!vdso_clock || vdso_clock(CLOCK_MONOTONIC, &ts) != 0) {
		gt_sys_clock(CLOCK_MONOTONIC, &ts);
	}
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

/* True where the kernel's own clock is the counter that we read. */
static bool counter_is_clock(void)
{
#if defined(__x86_64__)
	char name[8] = "";
	int fd = gt_sys_open("/sys/devices/system/clocksource/clocksource0/current_clocksource",
			     O_RDONLY, 0);

	if (fd < 0) {
		return false;
	}
	gt_sys_read(fd, name, sizeof(name) - 1);
	gt_sys_close(fd);
	return memcmp(name, "tsc\n", 4) == 0;
#else
	return false;
#endif
}

/* One reading of both clocks, as close together as eight tries get them. */
static void read_both(struct gt_clock_mark *mark)
{
	uint64_t best = UINT64_MAX;

	for (int i = 0; i < 8; i++) {
		uint64_t a = gt_clock_counter();
		uint64_t t = gt_clock_monotonic();
		uint64_t b = gt_clock_counter();

		if (b - a < best) {
			best = b - a;
			mark->counter = a + (b - a) / 2;
			mark->ns = t;
		}
	}
}

static uint64_t slope(uint64_t ns, uint64_t counts)
{
	return counts ? (uint64_t)(((gt_u128)ns << 32) / counts) : 0;
}

void gt_clock_mark(struct gt_clock_mark *mark)
{
	vdso_clock = find_vdso();
	read_both(mark);
}

/* 4 ns a count, slower than any counter: a line of ticks, steered too, has room for that. */
#define RATE_MAX (UINT64_C(4) << 32)
_Static_assert(GT_TICK_SHIFT == 3, "and room for it is below 8 ns a count");

/* The line of ticks below that of ns. */
static void set_ticks(struct gt_clock *c)
{
	c->base_ticks = c->base_ns >> GT_TICK_SHIFT;
	c->tick_mult = c->mult << (32 - GT_TICK_SHIFT);
}

/* A line that begins now, of moments that are CLOCK_MONOTONIC themselves. */
static void begin_unscaled(struct gt_clock *c)
{
	uint64_t now = gt_clock_monotonic();

	*c = (struct gt_clock){.base_counter = now, .base_ns = now, .mult = UINT64_C(1) << 32};
	set_ticks(c);
}

void gt_clock_init(struct gt_clock *c, const struct gt_clock_mark *since)
{
	struct gt_clock_mark now = *since;

	gt_clock_unit = 0;
	if (!counter_is_clock()) {
		begin_unscaled(c);
		return;
	}
	do {
		read_both(&now);
	} while (now.ns - since->ns < 300000);
	c->base_counter = now.counter;
	c->base_ns = now.ns;
	c->base_mono = now.ns;
	c->rate = slope(now.ns - since->ns, now.counter - since->counter);
	if (c->rate > RATE_MAX) {
		begin_unscaled(c);
		return;
	}
	c->mult = c->rate;
	gt_clock_unit = c->rate;
	set_ticks(c);
}

void gt_clock_next(const struct gt_clock *c, struct gt_clock *next, uint64_t period)
{
	struct gt_clock_mark now = {0};
	uint64_t counts;

	if (!gt_clock_unit) {
		begin_unscaled(next);
		return;
	}
	*next = *c;
	read_both(&now);
	counts = now.counter - c->base_counter;
	if ((int64_t)counts <= 0) {
		/* The counter went back (a suspend, a migration): on from here by CLOCK_MONOTONIC.
		 */
		next->base_counter = now.counter;
		next->base_ns += now.ns > c->base_mono ? now.ns - c->base_mono : 0;
		next->base_mono = now.ns;
		set_ticks(next);
		return;
	}
	next->base_counter = now.counter;
	next->base_mono = now.ns;
	next->base_ns = c->base_ns + (uint64_t)(((gt_u128)counts * c->mult) >> 32);
	/* Short lines measure the slope badly: below 10 ms the old one is kept. */
	if (now.ns - c->base_mono >= 10000000) {
		next->rate = GT_MIN(slope(now.ns - c->base_mono, counts), RATE_MAX);
	}
	/*
	 * The true slope, plus what brings the error to 0 within a period: at most 1/1024, so that
	 * one bad reading (we were descheduled between the two clocks) does no harm.
	 */
	{
		int64_t horizon = (int64_t)GT_MAX(period, UINT64_C(10000000));
		int64_t most = horizon / 1024;
		int64_t error = (int64_t)(now.ns - next->base_ns);

		error = GT_MIN(GT_MAX(error, -most), most);
		next->mult = (uint64_t)((gt_u128)next->rate * (gt_u128)(horizon + error) /
					(gt_u128)horizon);
	}
	set_ticks(next);
}
