/*
 * What two threads do by turns, for tests/scale/lines, which runs it under a tool that tells every
 * store: each kind of operation by one thread, then by the other, alone each time, so that a store
 * belongs to who has the turn. It knows nothing of gtrace.
 *
 * The stores to marks say whose turn of which operation begins and ends. All that the program
 * itself shares between the threads lies between first and last of struct shared; where it is, and
 * the operations, are told on standard output.
 */
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { LINE = 64, TIMES = 20, OPERATIONS = 32 };

/* What belongs to one thread. */
struct own {
	_Alignas(4096) pthread_mutex_t mutex;
	pthread_mutex_t recursive;
	pthread_rwlock_t rwlock;
	pthread_cond_t cond;
	pthread_spinlock_t spin;
	pthread_once_t once;
	sem_t sem;
	int zero;
	int null;
	int sockets[2];
	char byte;
	unsigned me;
	_Alignas(4096) char end;
};

static struct shared {
	_Alignas(4096) _Atomic unsigned turn;
	_Alignas(LINE) _Atomic unsigned long marks[OPERATIONS][2][2]; /* thread; begin and end */
	_Alignas(LINE) pthread_mutex_t mutex;
	pthread_rwlock_t rwlock;
	sem_t sem;
	_Alignas(4096) char last;
} shared;

static void check(int good)
{
	if (!good) {
		perror("lines");
		exit(1);
	}
}

static void lock(struct own *o)
{
	pthread_mutex_lock(&o->mutex);
	pthread_mutex_unlock(&o->mutex);
}

static void try_lock(struct own *o)
{
	pthread_mutex_trylock(&o->mutex);
	pthread_mutex_unlock(&o->mutex);
}

static void recursive_lock(struct own *o)
{
	pthread_mutex_lock(&o->recursive);
	pthread_mutex_lock(&o->recursive);
	pthread_mutex_unlock(&o->recursive);
	pthread_mutex_unlock(&o->recursive);
}

static void read_lock(struct own *o)
{
	pthread_rwlock_rdlock(&o->rwlock);
	pthread_rwlock_unlock(&o->rwlock);
}

static void write_lock(struct own *o)
{
	pthread_rwlock_wrlock(&o->rwlock);
	pthread_rwlock_unlock(&o->rwlock);
}

static void semaphore(struct own *o)
{
	sem_post(&o->sem);
	sem_wait(&o->sem);
}

static void signal_nobody(struct own *o)
{
	pthread_cond_signal(&o->cond);
	pthread_cond_broadcast(&o->cond);
}

static void spin(struct own *o)
{
	pthread_spin_lock(&o->spin);
	pthread_spin_unlock(&o->spin);
}

static void nothing(void)
{
}

static void once_more(struct own *o)
{
	pthread_once(&o->once, nothing);
}

static void read_file(struct own *o)
{
	check(read(o->zero, &o->byte, 1) == 1);
}

static void write_file(struct own *o)
{
	check(write(o->null, &o->byte, 1) == 1);
}

static void socket_pair(struct own *o)
{
	check(send(o->sockets[0], &o->byte, 1, 0) == 1);
	check(recv(o->sockets[1], &o->byte, 1, 0) == 1);
}

static void same_lock(struct own *o)
{
	(void)o;
	pthread_mutex_lock(&shared.mutex);
	pthread_mutex_unlock(&shared.mutex);
}

static void same_rwlock(struct own *o)
{
	(void)o;
	pthread_rwlock_rdlock(&shared.rwlock);
	pthread_rwlock_unlock(&shared.rwlock);
}

static void same_semaphore(struct own *o)
{
	(void)o;
	sem_post(&shared.sem);
	sem_wait(&shared.sem);
}

static const struct {
	const char *name;
	void (*run)(struct own *o);
} operations[] = {
	{"mutex", lock},
	{"mutex-try", try_lock},
	{"mutex-recursive", recursive_lock},
	{"rwlock-read", read_lock},
	{"rwlock-write", write_lock},
	{"semaphore", semaphore},
	{"cond-nobody", signal_nobody},
	{"spin", spin},
	{"once", once_more},
	{"read", read_file},
	{"write", write_file},
	{"socket", socket_pair},
	{"mutex-same", same_lock},
	{"rwlock-same", same_rwlock},
	{"semaphore-same", same_semaphore},
};

enum { NOPERATIONS = sizeof(operations) / sizeof(*operations) };
_Static_assert((int)NOPERATIONS <= (int)OPERATIONS, "marks for all");

/* Not the function, which is traced. */
static void yield(void)
{
	long r = SYS_sched_yield;

	__asm__ volatile("syscall" : "+a"(r) : : "rcx", "r11", "memory");
}

static void prepare(struct own *o)
{
	pthread_mutexattr_t attr;

	pthread_mutex_init(&o->mutex, NULL);
	pthread_mutexattr_init(&attr);
	pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_RECURSIVE);
	pthread_mutex_init(&o->recursive, &attr);
	pthread_rwlock_init(&o->rwlock, NULL);
	pthread_cond_init(&o->cond, NULL);
	pthread_spin_init(&o->spin, 0);
	sem_init(&o->sem, 0, 0);
	o->zero = open("/dev/zero", O_RDONLY | O_CLOEXEC);
	o->null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	check(socketpair(AF_UNIX, SOCK_STREAM, 0, o->sockets) == 0);
}

/* Once to begin with: what is only done the first time is not what is looked at. */
static void *take_turns(void *arg)
{
	struct own *o = arg;

	for (unsigned round = 0; round < 2 * NOPERATIONS; round++) {
		unsigned i = round % NOPERATIONS;

		while (atomic_load_explicit(&shared.turn, memory_order_acquire) !=
		       2 * round + o->me) {
			yield();
		}
		if (round >= NOPERATIONS) {
			atomic_store_explicit(&shared.marks[i][o->me][0], 1, memory_order_release);
		}
		for (int k = 0; k < TIMES; k++) {
			operations[i].run(o);
		}
		if (round >= NOPERATIONS) {
			atomic_store_explicit(&shared.marks[i][o->me][1], 1, memory_order_release);
		}
		atomic_store_explicit(&shared.turn, 2 * round + o->me + 1, memory_order_release);
	}
	return NULL;
}

int main(void)
{
	static struct own own[2];
	pthread_t threads[2];

	printf("shared %p %p\nmarks %p\n", (void *)&shared, (void *)&shared.last,
	       (void *)shared.marks);
	for (unsigned i = 0; i < NOPERATIONS; i++) {
		printf("operation %s\n", operations[i].name);
	}
	fflush(stdout);
	pthread_mutex_init(&shared.mutex, NULL);
	pthread_rwlock_init(&shared.rwlock, NULL);
	sem_init(&shared.sem, 0, 0);
	for (unsigned i = 0; i < 2; i++) {
		own[i].me = i;
		own[i].once = PTHREAD_ONCE_INIT;
		prepare(&own[i]);
	}
	for (unsigned i = 0; i < 2; i++) {
		check(pthread_create(&threads[i], NULL, take_turns, &own[i]) == 0);
	}
	for (unsigned i = 0; i < 2; i++) {
		pthread_join(threads[i], NULL);
	}
	return 0;
}
