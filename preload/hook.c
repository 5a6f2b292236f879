/*
 * Hooks: the real functions, and the slow half of "traced or straight through".
 */
#include "hook.h"

#include <dlfcn.h>
#include <string.h>

#include "root.h"

/* What the hot pointers hold until they are resolved: functions that resolve them. */
static int first_trylock(pthread_mutex_t *m)
{
	gt_hook_resolve();
	return gt_real.pthread_mutex_trylock(m);
}

static int first_unlock(pthread_mutex_t *m)
{
	gt_hook_resolve();
	return gt_real.pthread_mutex_unlock(m);
}

struct gt_real gt_real = {
	.pthread_mutex_trylock = first_trylock,
	.pthread_mutex_unlock = first_unlock,
};

/* Each id with the versions to ask for, as in hooks.def. */
static const struct {
	const char *name;
	const char *version;
	size_t offset;
	bool alone; /* no other id has this name */
} nodes[] = {
#define GT_NODE(name, id, family, at, version) \
	{#name, GT_V_##version, offsetof(struct gt_real, id), sizeof(#name) == sizeof(#id)},
#include "hooks.def"
};

bool gt_hook_lookup(const char *name, void *function)
{
	void *p = dlsym(RTLD_NEXT, name);

	/* A pointer to data and one to code are the same bytes here (POSIX, dlsym). */
	memcpy(function, &p, sizeof(p));
	return p != NULL;
}

/*
 * The next function of that name and version behind us. Another library that interposes it (a
 * sanitizer's runtime, another preload) mostly defines it without a version, and dlvsym then goes
 * past it to libc's: what a plain dlsym finds in another object than libc's stands first.
 */
static void *next(const char *name, const char *version, bool alone)
{
	void *versioned = dlvsym(RTLD_NEXT, name, version);
	void *plain = alone ? dlsym(RTLD_NEXT, name) : NULL;
	Dl_info a;
	Dl_info b;

	if (versioned && plain && versioned != plain && dladdr(versioned, &a) &&
	    dladdr(plain, &b) && a.dli_fbase != b.dli_fbase) {
		return plain;
	}
	return versioned;
}

static bool unresolved(const void *p)
{
	return !p || p == (const void *)(uintptr_t)first_trylock ||
	       p == (const void *)(uintptr_t)first_unlock;
}

/*
 * By version first: a plain dlsym gave the oldest version before glibc 2.36 (bug 14932). Plain for
 * libcs without that version, but never where two ids share a name, since it could be the other.
 */
void gt_hook_resolve(void)
{
	for (size_t i = 0; i < GT_LEN(nodes); i++) {
		void **to = (void **)(void *)((char *)&gt_real + nodes[i].offset);
		void *p = next(nodes[i].name, nodes[i].version, nodes[i].alone);

		/* Nodes of one function stand newest first, and have one address in glibc. */
		if (p) {
			*to = p;
		}
	}
#define GT_HOOK(name, id, family, need, doc)                                              \
	if (unresolved((const void *)(uintptr_t)gt_real.id) && strcmp(#name, #id) == 0) { \
		void *p = dlsym(RTLD_NEXT, #name);                                        \
		memcpy(&gt_real.id, &p, sizeof(p));                                       \
	}
#include "hooks.def"
}

struct gt_thread *gt_self_slow(void *frame)
{
	struct gt_tls *tls = &gt_tls;
	struct gt_thread *t;

	if (gt_load_relaxed(&gt_gate->epoch) == GT_EPOCH_OFF) {
		return NULL;
	}
	if (tls->busy == GT_BUSY_CALL) {
		/* A handler that runs during a call; or one has left it, and we are above. */
		if (tls->epoch != gt_load_relaxed(&gt_gate->epoch) ||
		    !gt_frame_left(tls->thread, tls->frame, (uintptr_t)frame)) {
			gt_loss_add(GT_LOSS_HOOK_UNTRACED);
			return NULL;
		}
		gt_call_left(tls->thread);
		return gt_self(frame);
	}
	if (tls->busy) {
		/*
		 * A handler that interrupted the tracer runs below the hook that is inside; one
		 * that jumped out of it (siglongjmp) has left that frame, and all that it held: we
		 * are above it, or in its place.
		 */
		if (tls->epoch != gt_load_relaxed(&gt_gate->epoch) ||
		    (uintptr_t)frame < tls->frame || (uintptr_t)frame >= tls->thread->root.hi) {
			gt_loss_add(GT_LOSS_HOOK_UNTRACED);
			return NULL;
		}
		gt_call_recover(tls->thread);
		return gt_self(frame);
	}
	if (tls->epoch == GT_EPOCH_ENDED) {
		gt_loss_add(GT_LOSS_AFTER_END);
		return NULL;
	}
	if (tls->epoch == gt_load_relaxed(&gt_gate->epoch)) {
		/* Blocked: a handler that runs during a wait, or a wait that was left by longjmp.
		 */
		t = tls->thread;
		if (gt_wait_left(t, (uintptr_t)frame)) {
			return t;
		}
		gt_loss_add(GT_LOSS_HOOK_UNTRACED);
		return NULL;
	}
	tls->busy++;
	t = gt_thread_attach((uintptr_t)gt_self_slow);
	if (t) {
		gt_thread_set_pthread(t, gt_thread_id(t), (uintptr_t)pthread_self());
		gt_root_watch_end(t);
	}
	tls->busy--;
	return t;
}
