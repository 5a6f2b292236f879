/*
 * Facts in words.
 */
#include "facts.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

/* --- Calls ------------------------------------------------------------------------------------ */

const char *gt_call_name(uint64_t call, struct gt_call_name *room)
{
	if (call < GT_CALL_END && gt_calls[call].name != NULL) {
		return gt_calls[call].name;
	}
	snprintf(room->s, sizeof(room->s), "call#%" PRIu64, call);
	return room->s;
}

/*
 * A table, because strerrorname_np is younger than the oldest glibc that gtrace is built for.
 * Numbers of x86-64 and arm64, which are those of the kernel's generic list.
 */
const char *gt_errno_name(uint64_t error)
{
#define E(name) [name] = #name
	static const char *const names[] = {
		E(EPERM),
		E(ENOENT),
		E(ESRCH),
		E(EINTR),
		E(EIO),
		E(ENXIO),
		E(E2BIG),
		E(ENOEXEC),
		E(EBADF),
		E(ECHILD),
		E(EAGAIN),
		E(ENOMEM),
		E(EACCES),
		E(EFAULT),
		E(ENOTBLK),
		E(EBUSY),
		E(EEXIST),
		E(EXDEV),
		E(ENODEV),
		E(ENOTDIR),
		E(EISDIR),
		E(EINVAL),
		E(ENFILE),
		E(EMFILE),
		E(ENOTTY),
		E(ETXTBSY),
		E(EFBIG),
		E(ENOSPC),
		E(ESPIPE),
		E(EROFS),
		E(EMLINK),
		E(EPIPE),
		E(EDOM),
		E(ERANGE),
		E(EDEADLK),
		E(ENAMETOOLONG),
		E(ENOLCK),
		E(ENOSYS),
		E(ENOTEMPTY),
		E(ELOOP),
		E(ENOMSG),
		E(EIDRM),
		E(ECHRNG),
		E(EL2NSYNC),
		E(EL3HLT),
		E(EL3RST),
		E(ELNRNG),
		E(EUNATCH),
		E(ENOCSI),
		E(EL2HLT),
		E(EBADE),
		E(EBADR),
		E(EXFULL),
		E(ENOANO),
		E(EBADRQC),
		E(EBADSLT),
		E(EBFONT),
		E(ENOSTR),
		E(ENODATA),
		E(ETIME),
		E(ENOSR),
		E(ENONET),
		E(ENOPKG),
		E(EREMOTE),
		E(ENOLINK),
		E(EADV),
		E(ESRMNT),
		E(ECOMM),
		E(EPROTO),
		E(EMULTIHOP),
		E(EDOTDOT),
		E(EBADMSG),
		E(EOVERFLOW),
		E(ENOTUNIQ),
		E(EBADFD),
		E(EREMCHG),
		E(ELIBACC),
		E(ELIBBAD),
		E(ELIBSCN),
		E(ELIBMAX),
		E(ELIBEXEC),
		E(EILSEQ),
		E(ERESTART),
		E(ESTRPIPE),
		E(EUSERS),
		E(ENOTSOCK),
		E(EDESTADDRREQ),
		E(EMSGSIZE),
		E(EPROTOTYPE),
		E(ENOPROTOOPT),
		E(EPROTONOSUPPORT),
		E(ESOCKTNOSUPPORT),
		E(EOPNOTSUPP),
		E(EPFNOSUPPORT),
		E(EAFNOSUPPORT),
		E(EADDRINUSE),
		E(EADDRNOTAVAIL),
		E(ENETDOWN),
		E(ENETUNREACH),
		E(ENETRESET),
		E(ECONNABORTED),
		E(ECONNRESET),
		E(ENOBUFS),
		E(EISCONN),
		E(ENOTCONN),
		E(ESHUTDOWN),
		E(ETOOMANYREFS),
		E(ETIMEDOUT),
		E(ECONNREFUSED),
		E(EHOSTDOWN),
		E(EHOSTUNREACH),
		E(EALREADY),
		E(EINPROGRESS),
		E(ESTALE),
		E(EUCLEAN),
		E(ENOTNAM),
		E(ENAVAIL),
		E(EISNAM),
		E(EREMOTEIO),
		E(EDQUOT),
		E(ENOMEDIUM),
		E(EMEDIUMTYPE),
		E(ECANCELED),
		E(ENOKEY),
		E(EKEYEXPIRED),
		E(EKEYREVOKED),
		E(EKEYREJECTED),
		E(EOWNERDEAD),
		E(ENOTRECOVERABLE),
		E(ERFKILL),
		E(EHWPOISON),
	};
#undef E

	return error < GT_LEN(names) ? names[error] : NULL;
}

/* What the argument of a call is. By its class, but for the exceptions. */
static enum gt_call_word word_of(uint64_t call)
{
	switch (call) {
	case GT_CALL_IOCTL:
	case GT_CALL_MQ_SEND:
	case GT_CALL_MQ_TIMEDSEND:
	case GT_CALL_MQ_RECEIVE:
	case GT_CALL_MQ_TIMEDRECEIVE:
	case GT_CALL_TCSETATTR:
	case GT_CALL_TCSENDBREAK:
		return GT_CALL_WORD_FD;
	case GT_CALL_PROCESS_VM_READV:
	case GT_CALL_PROCESS_VM_WRITEV:
		return GT_CALL_WORD_CHILD;
	case GT_CALL_SYSCALL:
		return GT_CALL_WORD_NUMBER;
	default:
		break;
	}
	if (call >= GT_CALL_END || gt_calls[call].name == NULL) {
		return GT_CALL_WORD_NUMBER;
	}
	switch (gt_calls[call].class) {
	case GT_CLASS_IO:
	case GT_CLASS_FILE:
	case GT_CLASS_NET:
		return GT_CALL_WORD_FD;
	case GT_CLASS_PROC:
		return GT_CALL_WORD_CHILD;
	case GT_CLASS_IPC:
		return GT_CALL_WORD_ID;
	default:
		return GT_CALL_WORD_NUMBER;
	}
}

/* The result is a number that means nothing in another run. */
static const char *result_word(uint64_t call)
{
	switch (call) {
	case GT_CALL_WAIT:
	case GT_CALL_WAITPID:
	case GT_CALL_WAIT3:
	case GT_CALL_WAIT4:
	case GT_CALL_FORK:
	case GT_CALL_VFORK:
		return "child";
	case GT_CALL_SYSCALL:
		return "positive"; /* gettid is one of them */
	default:
		return NULL;
	}
}

void gt_call_put(FILE *out, const uint64_t *args, bool same)
{
	static const char *const words[] = {
		[GT_CALL_WORD_FD] = "fd ",
		[GT_CALL_WORD_CHILD] = "child ",
		[GT_CALL_WORD_ID] = "id ",
		[GT_CALL_WORD_NUMBER] = "",
	};
	const enum gt_call_word word = word_of(args[0]);
	const int64_t result = gt_unzigzag(args[2]);
	const bool memory = args[0] < GT_CALL_END && gt_calls[args[0]].name != NULL &&
			    gt_calls[args[0]].class == GT_CLASS_MEM;
	struct gt_call_name room;
	const char *name;

	fputs(gt_call_name(args[0], &room), out);
	if (args[1] != 0 && !(same && (word == GT_CALL_WORD_CHILD || word == GT_CALL_WORD_ID))) {
		fprintf(out, " %s%" PRIu64, words[word], args[1] - 1);
	}
	if (gt_call_failed(result)) {
		name = gt_errno_name((uint64_t)-result);
		if (name != NULL) {
			fprintf(out, " = %s", name);
		} else {
			fprintf(out, " = error %" PRId64, -result);
		}
	} else if (same && result > 0 && result_word(args[0]) != NULL) {
		fprintf(out, " = %s", result_word(args[0]));
	} else if (memory && result != 0) {
		if (same) {
			fputs(" = address", out);
		} else {
			fprintf(out, " = 0x%" PRIx64, (uint64_t)result);
		}
	} else {
		fprintf(out, " = %" PRId64, result);
	}
}

/* --- The rest --------------------------------------------------------------------------------- */

const char *gt_class_words(uint64_t classes, struct gt_about_words *room)
{
	const uint64_t unknown = classes >> GT_CLASS_END;
	size_t n = 0;

	room->s[0] = '\0';
	for (unsigned i = 0; i < GT_CLASS_END; i++) {
		if (classes >> i & 1) {
			n += (size_t)snprintf(room->s + n, sizeof(room->s) - n, "%s%s",
					      n ? "," : "", gt_class_name(i));
		}
	}
	if (unknown != 0) {
		snprintf(room->s + n, sizeof(room->s) - n, "%sothers", n ? "," : "");
	}
	return classes != 0 ? room->s : "none";
}

const char *gt_about_words(uint64_t what, uint64_t value, struct gt_about_words *room)
{
	switch (what) {
	case GT_ABOUT_CLASSES:
		return gt_class_words(value, room);
	case GT_ABOUT_TSC:
	case GT_ABOUT_OWN_DESCRIPTORS:
	case GT_ABOUT_FIND_OBJECT:
	case GT_ABOUT_THREAD:
	case GT_ABOUT_SECCOMP:
	case GT_ABOUT_FREE_MUTEXES:
	case GT_ABOUT_FREE_READERS:
	case GT_ABOUT_AGAIN:
	case GT_ABOUT_FREE_WRITERS:
		return value != 0 ? "yes" : "no";
	case GT_ABOUT_BUDGET:
		snprintf(room->s, sizeof(room->s), "%g %%", (double)value / 1e4);
		return room->s;
	case GT_ABOUT_GLIBC:
		snprintf(room->s, sizeof(room->s), "%" PRIu64 ".%" PRIu64, value / 1000,
			 value % 1000);
		return room->s;
	default:
		snprintf(room->s, sizeof(room->s), "%" PRIu64, value);
		return room->s;
	}
}

void gt_broken_note(struct gt_broken_offs *all, const struct gt_event *ev)
{
	all->array = gt_grow(all->array, all->count, &all->cap, sizeof(*all->array));
	all->array[all->count++] = (struct gt_broken_off){ev->time, ev->args[0], ev->args[1],
							  ev->args[2], ev->args[3]};
}

const char *gt_broken_words(const struct gt_broken_off *b, struct gt_broken_words *room)
{
	const char *why = gt_broken_text(b->why);
	const char *error = b->error != 0 ? gt_errno_name(b->error) : NULL;

	why = why != NULL ? why : "for a reason that this gtrace has no word for";
	if (error != NULL) {
		snprintf(room->s, sizeof(room->s), "%s (%s)", why, error);
	} else if (b->error != 0) {
		snprintf(room->s, sizeof(room->s), "%s (error %" PRIu64 ")", why, b->error);
	} else {
		snprintf(room->s, sizeof(room->s), "%s", why);
	}
	return room->s;
}

void gt_fact_put_words(FILE *out, unsigned fact, const uint64_t *args)
{
	const char *word = fact == GT_FACT_BLOCK      ? gt_object_text(args[3])
			   : fact == GT_FACT_WAIT_END ? gt_ended_text(args[1])
			   : fact == GT_FACT_LOSS     ? gt_loss_text(args[0])
			   : fact == GT_FACT_LEFT_OUT ? gt_loss_text(args[0])
			   : fact == GT_FACT_ABOUT    ? gt_about_text(args[0])
			   : fact == GT_FACT_BROKEN   ? gt_broken_text(args[1])
						      : NULL;
	struct gt_about_words room;

	if (fact == GT_FACT_CALL) {
		fputs(" (", out);
		gt_call_put(out, args, false);
		fputc(')', out);
	} else if (word != NULL) {
		fprintf(out, " (%s", word);
		if (fact == GT_FACT_ABOUT) {
			fprintf(out, ": %s", gt_about_words(args[0], args[1], &room));
		}
		fputc(')', out);
	}
}
