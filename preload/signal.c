/*
 * Waits for signals.
 */
#include "plain.h"

/* clang-format off */
GT_PLAIN_AS(int, sigwait, SIGWAIT, GT_NO_ARG, (const sigset_t *restrict set, int *restrict signal), (set, signal), -(int64_t)r)
GT_PLAIN(int, sigwaitinfo, SIGWAITINFO, GT_NO_ARG, (const sigset_t *restrict set, siginfo_t *restrict info), (set, info))
GT_PLAIN(int, sigtimedwait, SIGTIMEDWAIT, GT_NO_ARG, (const sigset_t *restrict set, siginfo_t *restrict info, const struct timespec *restrict within), (set, info, within))
GT_PLAIN(int, sigsuspend, SIGSUSPEND, GT_NO_ARG, (const sigset_t *mask), (mask))
GT_PLAIN(int, sigpause, SIGPAUSE, GT_NO_ARG, (int mask), (mask))
GT_PLAIN(int, __xpg_sigpause, SIGPAUSE, GT_NO_ARG, (int signal), (signal))
GT_PLAIN(int, __sigpause, SIGPAUSE, GT_NO_ARG, (int signal_or_mask, int is_signal), (signal_or_mask, is_signal))
GT_PLAIN(int, pause, PAUSE, GT_NO_ARG, (void), ())
/* clang-format on */

#define GT_EXPORT_signal(...) GT_EXPORT_NODE(__VA_ARGS__)
#include "export.h"
