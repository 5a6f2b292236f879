/*
 * Description: message queues, semaphore sets, and waits for asynchronous I/O.
 * Events: ipc
 */
#include <aio.h>
#include <mqueue.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>

#include "says.h"

static struct timespec past;
static const struct timespec soon = {.tv_nsec = 2000000};

static void queues(void)
{
	struct {
		long type;
		char text[8];
	} m = {.type = 1};
	int id = msgget(IPC_PRIVATE, 0600);

	SAY(msgsnd(id, &m, sizeof m.text, 0));
	SAY(msgsnd(id, &m, sizeof m.text, -1));
	SAY(msgsnd(-1, &m, sizeof m.text, 0));
	SAY(msgrcv(id, &m, sizeof m.text, 0, 0));
	OK(msgctl(id, IPC_RMID, NULL) < 0 ? errno : 0);
	SAY(msgrcv(id, &m, sizeof m.text, 0, IPC_NOWAIT));
}

static void posix_queues(void)
{
	struct mq_attr a = {.mq_maxmsg = 2, .mq_msgsize = 16};
	char name[64];
	char room[16];
	mqd_t q;

	snprintf(name, sizeof name, "/play.%d", getpid());
	q = mq_open(name, O_RDWR | O_CREAT | O_EXCL, 0600, &a);
	if (q < 0) {
		printf("no POSIX queues here\n");
		return;
	}
	OK(mq_unlink(name));
	SAY(mq_send(q, "one", 4, 0));
	SAY(mq_send(q, "one", 400, 0));
	SAY(mq_timedsend(q, "two", 4, 0, NOTHING));
	SAY(mq_timedsend(q, "three", 6, 0, &past));
	SAY(mq_receive(q, room, sizeof room, NULL));
	SAY(mq_receive(q, room, 1, NULL));
	SAY(mq_timedreceive(q, room, sizeof room, NULL, NOTHING));
	SAY(mq_timedreceive(q, room, sizeof room, NULL, &past));
}

static void sets(void)
{
	int id = semget(IPC_PRIVATE, 1, 0600);
	struct sembuf up = {.sem_op = 1};
	struct sembuf down = {.sem_op = -1};

	SAY(semop(id, &up, 1));
	SAY(semop(id, &down, 1));
	SAY(semop(-1, &up, 1));
	SAY(semop(id, BAD, 1));
	SAY(semtimedop(id, &up, 1, NULL));
	SAY(semtimedop(id, &down, 1, &soon));
	SAY(semtimedop(id, &down, 1, &soon));
	OK(semctl(id, 0, IPC_RMID));
}

static void later(void)
{
	char byte = 0;
	struct aiocb one = {.aio_fildes = open("/dev/zero", O_RDONLY),
			    .aio_buf = &byte,
			    .aio_nbytes = 1,
			    .aio_lio_opcode = LIO_READ};
	struct aiocb64 one64 = {.aio_fildes = one.aio_fildes,
				.aio_buf = &byte,
				.aio_nbytes = 1,
				.aio_lio_opcode = LIO_READ};
	struct aiocb *list[] = {&one};
	struct aiocb64 *list64[] = {&one64};

	SAY(lio_listio(LIO_WAIT, list, 1, NULL));
	SAY(lio_listio(77, list, 1, NULL));
	SAY(lio_listio64(LIO_WAIT, list64, 1, NULL));
	SAY(aio_suspend((const struct aiocb *const *)list, 1, NULL));
	SAY(aio_suspend64((const struct aiocb64 *const *)list64, 1, &soon));
}

int main(void)
{
	queues();
	posix_queues();
	sets();
	later();
	return 0;
}
