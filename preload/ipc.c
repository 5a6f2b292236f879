/*
 * Message queues, semaphore sets, and waits for asynchronous I/O.
 */
#include "plain.h"

/* clang-format off */
GT_PLAIN(int, msgsnd, MSGSND, id, (int id, const void *from, size_t n, int flags), (id, from, n, flags))
GT_PLAIN(ssize_t, msgrcv, MSGRCV, id, (int id, void *to, size_t n, long type, int flags), (id, to, n, type, flags))
GT_PLAIN(int, mq_send, MQ_SEND, q, (mqd_t q, const char *from, size_t n, unsigned priority), (q, from, n, priority))
GT_PLAIN(int, mq_timedsend, MQ_TIMEDSEND, q, (mqd_t q, const char *from, size_t n, unsigned priority, const struct timespec *until), (q, from, n, priority, until))
GT_PLAIN(ssize_t, mq_receive, MQ_RECEIVE, q, (mqd_t q, char *to, size_t n, unsigned *priority), (q, to, n, priority))
GT_PLAIN(ssize_t, mq_timedreceive, MQ_TIMEDRECEIVE, q, (mqd_t q, char *restrict to, size_t n, unsigned *restrict priority, const struct timespec *restrict until), (q, to, n, priority, until))
GT_PLAIN(int, semop, SEMOP, id, (int id, struct sembuf *ops, size_t n), (id, ops, n))
GT_PLAIN(int, semtimedop, SEMTIMEDOP, id, (int id, struct sembuf *ops, size_t n, const struct timespec *within), (id, ops, n, within))
GT_PLAIN(int, aio_suspend, AIO_SUSPEND, GT_NO_ARG, (const struct aiocb *const list[], int n, const struct timespec *restrict within), (list, n, within))
GT_PLAIN(int, aio_suspend64, AIO_SUSPEND, GT_NO_ARG, (const struct aiocb64 *const list[], int n, const struct timespec *restrict within), (list, n, within))
/* Before 2.4 it sent other signals: another function in glibc. */
GT_PLAIN(int, lio_listio, LIO_LISTIO, GT_NO_ARG, (int mode, struct aiocb *const list[restrict], int n, struct sigevent *restrict event), (mode, list, n, event))
GT_PLAIN(int, lio_listio64, LIO_LISTIO, GT_NO_ARG, (int mode, struct aiocb64 *const list[restrict], int n, struct sigevent *restrict event), (mode, list, n, event))
GT_PLAIN(int, old_lio_listio, LIO_LISTIO, GT_NO_ARG, (int mode, struct aiocb *const list[restrict], int n, struct sigevent *restrict event), (mode, list, n, event))
GT_PLAIN(int, old_lio_listio64, LIO_LISTIO, GT_NO_ARG, (int mode, struct aiocb64 *const list[restrict], int n, struct sigevent *restrict event), (mode, list, n, event))
/* clang-format on */

#define GT_EXPORT_ipc(...) GT_EXPORT_NODE(__VA_ARGS__)
#include "export.h"
