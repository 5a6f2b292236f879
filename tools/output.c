/*
 * Output files.
 */
#include "output.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "input.h"
#include "pack.h"

/* --- Interrupted ------------------------------------------------------------------------------ */

static const int deadly[] = {SIGINT, SIGTERM, SIGHUP};
/* The name of the file that is being written: the last one that was opened. */
static char *volatile unfinished;

static void on_signal(int signal)
{
	if (unfinished != NULL) {
		unlink(unfinished);
	}
	raise(signal); /* it has its default action again */
}

/* What is ignored stays so, and who has a handler looks after itself. */
static void watch(void)
{
	struct sigaction action = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND}, old;

	for (size_t i = 0; i < GT_LEN(deadly); i++) {
		if (sigaction(deadly[i], NULL, &old) == 0 && old.sa_handler == SIG_DFL) {
			sigaction(deadly[i], &action, NULL);
		}
	}
}

/* mkstemp, but that at no time there is a file which a signal would leave. */
static int make_temporary(char *name)
{
	sigset_t set, old;
	int fd, error;

	sigemptyset(&set);
	for (size_t i = 0; i < GT_LEN(deadly); i++) {
		sigaddset(&set, deadly[i]);
	}
	watch();
	sigprocmask(SIG_BLOCK, &set, &old);
	fd = mkostemp(name, O_CLOEXEC);
	error = errno;
	unfinished = fd < 0 ? NULL : name;
	sigprocmask(SIG_SETMASK, &old, NULL);
	errno = error;
	return fd;
}

/* --- Files ------------------------------------------------------------------------------------ */

static char *joined(const char *a, const char *b)
{
	const size_t n = strlen(a), m = strlen(b) + 1;
	char *text = gt_alloc(n + m);

	memcpy(text, a, n);
	memcpy(text + n, b, m);
	return text;
}

static void names_free(struct gt_output *out)
{
	unfinished = NULL;
	free(out->name);
	free(out->target);
	*out = (struct gt_output){0};
}

/* The mode of the file that is replaced, or what the umask leaves of a new one's. */
static mode_t mode_for(const struct stat *old)
{
	mode_t mask;

	if (old != NULL) {
		return old->st_mode & 0777;
	}
	mask = umask(0);
	umask(mask);
	return 0666 & ~mask;
}

static int open_beside(struct gt_output *out, const char *path, const struct stat *old)
{
	/* Through a link: what it leads to is replaced, not the link. */
	char *real = old != NULL ? realpath(path, NULL) : NULL;
	int fd;

	out->target = real != NULL ? real : joined(path, "");
	out->name = joined(out->target, ".XXXXXX");
	fd = make_temporary(out->name);
	if (fd < 0) {
		return -1;
	}
	/* Where we may, it stays its owner's; where not, it is ours, as a copy would be. */
	if (old != NULL && fchown(fd, old->st_uid, old->st_gid) != 0) {
		errno = 0;
	}
	if (fchmod(fd, mode_for(old)) == 0) {
		out->file = fdopen(fd, "w");
	}
	if (out->file == NULL) {
		const int error = errno;

		close(fd);
		unlink(out->name);
		errno = error;
		return -1;
	}
	return 0;
}

int gt_output_open(struct gt_output *out, const char *path)
{
	struct stat st;
	const bool is = stat(path, &st) == 0;
	int r = 0;

	*out = (struct gt_output){0};
	if (strcmp(path, "-") == 0) {
		out->file = stdout;
		return 0;
	}
	if (is && !S_ISREG(st.st_mode)) {
		out->name = joined(path, "");
		out->file = fopen(path, "w");
		r = out->file == NULL ? -1 : 0;
	} else {
		r = open_beside(out, path, is ? &st : NULL);
	}
	if (r < 0) {
		const int error = errno;

		names_free(out);
		errno = error;
	}
	return r;
}

int gt_output_open_trace(struct gt_output *out, const char *path, unsigned level)
{
	FILE *packed;

	if (level == 0 && strcmp(path, "-") != 0 &&
	    (gt_pack_is_named(path) || gt_input_file_is_packed(path))) {
		level = GT_PACK_USUAL;
	}
	if (gt_output_open(out, path) < 0) {
		return -1;
	}
	if (level != 0) {
		packed = gt_pack_open(out->file, level);
		if (packed == NULL) {
			const int error = errno;

			gt_output_close(out, false);
			errno = error;
			return -1;
		}
		out->below = out->file;
		out->file = packed;
	}
	return 0;
}

int gt_output_close(struct gt_output *out, bool keep)
{
	int error = 0;

	if (out->below != NULL) {
		error = gt_pack_close(out->file) < 0 ? errno : 0;
		out->file = out->below;
	}
	if (error != 0) {
		/* It says more than what comes of it. */
	} else if (fflush(out->file) != 0) {
		error = errno;
	} else if (ferror(out->file)) {
		error = EIO; /* a write failed before; its reason is gone */
	}
	if (out->name != NULL && fclose(out->file) != 0 && error == 0) {
		error = errno;
	}
	if (out->target != NULL) {
		if (keep && error == 0 && rename(out->name, out->target) != 0) {
			error = errno;
		}
		if (!keep || error != 0) {
			unlink(out->name);
		}
	}
	names_free(out);
	errno = error;
	return keep && error != 0 ? -1 : 0;
}
