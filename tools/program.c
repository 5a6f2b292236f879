/*
 * What exec would make of a file: PATH, "#!", ELF headers, secure execution.
 *
 * The order of the questions is the kernel's (fs/exec.c, fs/binfmt_script.c, fs/binfmt_elf.c), the
 * last ones are the loader's (ld.so(8), "Secure-execution mode").
 */
#include "program.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#define SCRIPT_DEPTH 5   /* the kernel's limit of "#!" within "#!" */
#define SCRIPT_LINE  256 /* BINPRM_BUF_SIZE: it reads no further */
#define HEADERS_MAX  4096

/* The file at the end of the chain of scripts, open. */
struct image {
	const char *path;
	int fd;
	struct stat st;
	Elf64_Ehdr eh;
	char interp[PATH_MAX];
	bool go;
};

GT_PRINTF(3, 4)
static bool refuse(struct gt_program *p, int status, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(p->text, sizeof(p->text), format, args);
	va_end(args);
	p->status = status;
	return false;
}

/* --- PATH ------------------------------------------------------------------------------------ */

/* 0, or why exec would refuse this file. */
static int executable(const char *path)
{
	struct stat st;

	if (stat(path, &st) != 0) {
		return errno;
	}
	if (!S_ISREG(st.st_mode)) {
		return EACCES;
	}
	return access(path, X_OK) == 0 ? 0 : errno;
}

/*
 * As execvp: a name with a slash is taken as it is; an empty element of PATH is the current
 * folder; a file that may not be executed is passed over, but remembered.
 */
static bool look_up(struct gt_program *p, const char *name)
{
	const char *dirs = getenv("PATH");
	const char *end;
	bool denied = false;
	int error;

	if (strchr(name, '/')) {
		if (snprintf(p->path, sizeof(p->path), "%s", name) >= (int)sizeof(p->path)) {
			return refuse(p, 127, "%.64s...: the path is too long", name);
		}
		error = executable(p->path);
		if (error == EACCES) {
			return refuse(p, 126, "%s: not executable (a folder, or no x permission)",
				      name);
		}
		if (error) {
			return refuse(p, error == ENOENT || error == ENOTDIR ? 127 : 126, "%s: %s",
				      name, strerror(error));
		}
		return true;
	}
	if (!dirs) {
		dirs = "/bin:/usr/bin"; /* confstr(_CS_PATH) of glibc */
	}
	for (; *name; dirs = end + 1) {
		int n;

		end = strchrnul(dirs, ':');
		n = (int)(end - dirs);
		if (snprintf(p->path, sizeof(p->path), "%.*s%s%s", n, dirs, n ? "/" : "./", name) <
		    (int)sizeof(p->path)) {
			error = executable(p->path);
			if (!error) {
				return true;
			}
			denied = denied || error == EACCES;
		}
		if (!*end) {
			break;
		}
	}
	if (denied) {
		return refuse(p, 126, "%s: found in PATH, but not executable", name);
	}
	return refuse(p, 127, "%s: not found in PATH%s", name,
		      executable(name) == 0 ? " (there is one here: write ./ before it)" : "");
}

/* --- "#!" ------------------------------------------------------------------------------------ */

/*
 * Splits the first line of a script: the interpreter and the rest, one argument. False where the
 * text is not a "#!" line.
 */
static bool parse_script(char *line, char **interp, char **argument)
{
	char *end;

	if (strncmp(line, "#!", 2) != 0) {
		return false;
	}
	*strchrnul(line, '\n') = '\0';
	*interp = line + 2 + strspn(line + 2, " \t");
	end = *interp + strcspn(*interp, " \t");
	*argument = end + strspn(end, " \t");
	*end = '\0';
	for (end = *argument + strlen(*argument);
	     end > *argument && (end[-1] == ' ' || end[-1] == '\t'); end--) {
		end[-1] = '\0';
	}
	return **interp != '\0';
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* "env NAME" and nothing else: no option, no NAME=VALUE, no second word. */
static bool is_env(const char *interp, const char *argument)
{
	return strcmp(base_name(interp), "env") == 0 && *argument && *argument != '-' &&
	       !strpbrk(argument, " \t=/");
}

/*
 * Follows path through its interpreters to a file that is no script; that is opened into im. The
 * storage of the interpreters' names is chain.
 */
static bool follow_scripts(struct gt_program *p, struct image *im,
			   char chain[SCRIPT_DEPTH][SCRIPT_LINE])
{
	im->path = p->path;
	for (int depth = 0;; depth++) {
		char line[SCRIPT_LINE] = "";
		char *interp;
		char *argument;
		ssize_t n;
		int error;

		im->fd = open(im->path, O_RDONLY | O_CLOEXEC);
		if (im->fd < 0) {
			/* Executable but not readable runs all the same; we cannot tell what. */
			return refuse(p, 2,
				      "%s: cannot look into it to see if it can be traced: %s",
				      im->path, strerror(errno));
		}
		n = pread(im->fd, line, sizeof(line) - 1, 0);
		if (n < 0 || fstat(im->fd, &im->st) != 0) {
			return refuse(p, 2, "%s: %s", im->path, strerror(errno));
		}
		if (!parse_script(line, &interp, &argument)) {
			return true;
		}
		if (depth == 0 && is_env(interp, argument)) {
			snprintf(p->env_script, sizeof(p->env_script), "%s", p->path);
			snprintf(p->env_name, sizeof(p->env_name), "%s", argument);
			if (!look_up(p, p->env_name)) {
				return false;
			}
			close(im->fd);
			im->path = p->path;
			continue;
		}
		error = executable(interp);
		if (error) {
			return refuse(p, 126, "%s: its interpreter %s: %s", im->path, interp,
				      strerror(error));
		}
		if (depth == SCRIPT_DEPTH) {
			return refuse(p, 126, "%s: too many interpreters of interpreters", p->path);
		}
		close(im->fd);
		snprintf(chain[depth], SCRIPT_LINE, "%s", interp);
		im->path = chain[depth];
	}
}

/* --- ELF ------------------------------------------------------------------------------------- */

static const char *machine_name(unsigned machine)
{
	switch (machine) {
	case EM_386:
		return "i386";
	case EM_X86_64:
		return "x86-64";
	case EM_ARM:
		return "arm";
	case EM_AARCH64:
		return "aarch64";
	case EM_RISCV:
		return "riscv";
	case EM_PPC64:
		return "ppc64";
	case EM_S390:
		return "s390";
	case EM_MIPS:
		return "mips";
	default:
		return "another machine";
	}
}

static bool read_at(const struct image *im, void *to, size_t n, uint64_t offset)
{
	return offset <= (uint64_t)im->st.st_size && n <= (uint64_t)im->st.st_size - offset &&
	       pread(im->fd, to, n, (off_t)offset) == (ssize_t)n;
}

static bool read_interp(struct image *im)
{
	Elf64_Phdr ph;

	for (unsigned i = 0; i < im->eh.e_phnum; i++) {
		if (!read_at(im, &ph, sizeof(ph), im->eh.e_phoff + i * sizeof(ph))) {
			return false;
		}
		if (ph.p_type == PT_INTERP && ph.p_filesz > 0 && ph.p_filesz < sizeof(im->interp)) {
			return read_at(im, im->interp, ph.p_filesz, ph.p_offset);
		}
	}
	return true;
}

/* Go's linker always writes a section .go.buildinfo, which strip leaves. */
static void read_go(struct image *im)
{
	Elf64_Shdr names;
	Elf64_Shdr sh;
	char name[16] = "";

	if (im->eh.e_shnum > HEADERS_MAX || im->eh.e_shentsize != sizeof(sh) ||
	    !read_at(im, &names, sizeof(names),
		     im->eh.e_shoff + im->eh.e_shstrndx * sizeof(names))) {
		return;
	}
	for (unsigned i = 0; i < im->eh.e_shnum && !im->go; i++) {
		im->go = read_at(im, &sh, sizeof(sh), im->eh.e_shoff + i * sizeof(sh)) &&
			 read_at(im, name, sizeof(".go.buildinfo"), names.sh_offset + sh.sh_name) &&
			 strcmp(name, ".go.buildinfo") == 0;
	}
}

static unsigned own_machine(void)
{
	Elf64_Ehdr eh = {.e_machine = EM_NONE};
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

	if (fd >= 0) {
		if (pread(fd, &eh, sizeof(eh), 0) != (ssize_t)sizeof(eh)) {
			eh.e_machine = EM_NONE;
		}
		close(fd);
	}
	return eh.e_machine;
}

static bool check_elf(struct gt_program *p, struct image *im)
{
	unsigned char *ident = im->eh.e_ident;
	unsigned machine = own_machine();

	if (!read_at(im, ident, EI_NIDENT, 0) || memcmp(ident, ELFMAG, SELFMAG) != 0) {
		/* Neither ELF nor "#!": execvp, like a shell, hands it to sh; so does cmd_run.c. */
		return true;
	}
	if (ident[EI_CLASS] == ELFCLASS32) {
		return refuse(p, 2, "%s is a 32-bit program; this gtrace traces 64-bit %s programs",
			      im->path, machine_name(machine));
	}
	if (!read_at(im, &im->eh, sizeof(im->eh), 0) || im->eh.e_phentsize != sizeof(Elf64_Phdr) ||
	    !read_interp(im)) {
		return refuse(p, 126, "%s: its ELF headers are broken or cut off", im->path);
	}
	if (machine != EM_NONE && im->eh.e_machine != machine) {
		return refuse(p, 2, "%s is a program for %s; this gtrace traces %s programs",
			      im->path, machine_name(im->eh.e_machine), machine_name(machine));
	}
	read_go(im);
	return true;
}

/* --- What the loader would do ---------------------------------------------------------------- */

/*
 * AT_SECURE: set-id bits that change an id, or file capabilities, unless the mount or the process
 * has switched them off. glibc's loader then ignores a LD_PRELOAD that names a path.
 */
static const char *secure(const struct image *im)
{
	struct statvfs vfs;

	if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 ||
	    (fstatvfs(im->fd, &vfs) == 0 && (vfs.f_flag & ST_NOSUID))) {
		return NULL;
	}
	if ((im->st.st_mode & S_ISUID) && im->st.st_uid != getuid()) {
		return "setuid";
	}
	if ((im->st.st_mode & S_ISGID) && (im->st.st_mode & S_IXGRP) && im->st.st_gid != getgid()) {
		return "setgid";
	}
	if (getuid() != 0 && fgetxattr(im->fd, "security.capability", NULL, 0) > 0) {
		return "given file capabilities";
	}
	return NULL;
}

static bool check_loader(struct gt_program *p, struct image *im)
{
	const char *loader = base_name(im->interp);
	const char *why;

	if (memcmp(im->eh.e_ident, ELFMAG, SELFMAG) != 0) {
		return true;
	}
	if (!*im->interp && strncmp(base_name(im->path), "ld-linux", 8) == 0) {
		return true; /* the loader itself, called as a program, does preload */
	}
	if (!*im->interp && im->go) {
		return refuse(p, 2,
			      "%s is a Go program, statically linked: nothing can be preloaded "
			      "into it. Go has a tracer of its own: import runtime/trace or "
			      "net/http/pprof, or run go test -trace",
			      im->path);
	}
	if (!*im->interp) {
		return refuse(p, 2,
			      "%s is statically linked: the loader that would preload gtrace's "
			      "library never runs. Link it dynamically to trace it",
			      im->path);
	}
	if (access(im->interp, X_OK) != 0) {
		return refuse(p, 127, "%s needs the loader %s: %s", im->path, im->interp,
			      strerror(errno));
	}
	if (strncmp(loader, "ld-musl", 7) == 0) {
		return refuse(p, 2,
			      "%s is built for musl (its loader is %s); gtrace's library is built "
			      "for glibc and cannot be loaded there",
			      im->path, im->interp);
	}
	if (strncmp(loader, "ld-linux", 8) != 0) {
		return refuse(p, 2, "%s has the loader %s, which is not glibc's", im->path,
			      im->interp);
	}
	why = secure(im);
	if (why) {
		return refuse(p, 2,
			      "%s is %s: it runs in secure mode, where the loader ignores "
			      "LD_PRELOAD. Run gtrace itself as the user that it becomes (as root: "
			      "sudo gtrace run ...)",
			      im->path, why);
	}
	if (im->go) {
		snprintf(p->text, sizeof(p->text),
			 "%s is a Go program: only the C threads and locks in it will be seen. For "
			 "its goroutines use Go's own tracer, runtime/trace",
			 im->path);
	}
	return true;
}

bool gt_program_find(struct gt_program *p, const char *name)
{
	char chain[SCRIPT_DEPTH][SCRIPT_LINE];
	struct image im = {.fd = -1};
	bool ok;

	*p = (struct gt_program){.status = 0};
	ok = look_up(p, name) && follow_scripts(p, &im, chain) && check_elf(p, &im) &&
	     check_loader(p, &im);
	if (im.fd >= 0) {
		close(im.fd);
	}
	return ok;
}
