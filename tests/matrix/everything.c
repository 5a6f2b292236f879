/*
 * Description: every primitive once, with and without waiting, bound by the versions of the release
 * that this is linked on.
 */
#include "../programs/scene.h"

#include <fcntl.h>
#include <poll.h>
#include <semaphore.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <threads.h>

enum { ROUNDS = 50, THREADS = 4 };

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static pthread_spinlock_t spin;
static pthread_barrier_t barrier;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static sem_t sem;
static mtx_t mtx;
static cnd_t cnd;
static once_flag flag = ONCE_FLAG_INIT;
static int turn;
static int sum;
static int c11_sum;
static atomic_int initialised;

static void init(void)
{
	atomic_fetch_add(&initialised, 1);
}

static void *work(void *arg)
{
	int me = (int)(intptr_t)arg;
	int r;

	OK(pthread_once(&once, init));
	call_once(&flag, init);
	r = pthread_barrier_wait(&barrier);
	IS(r == 0 || r == PTHREAD_BARRIER_SERIAL_THREAD, 1);
	for (int i = 0; i < ROUNDS; i++) {
		OK(pthread_mutex_lock(&mutex));
		while (turn % THREADS != me) {
			OK(pthread_cond_wait(&cond, &mutex));
		}
		turn++;
		OK(pthread_cond_broadcast(&cond));
		OK(pthread_mutex_unlock(&mutex));
		OK(pthread_rwlock_rdlock(&rwlock));
		r = sum;
		OK(pthread_rwlock_unlock(&rwlock));
		IS(r >= 0, 1);
		OK(pthread_rwlock_wrlock(&rwlock));
		sum++;
		OK(pthread_rwlock_unlock(&rwlock));
		OK(pthread_spin_lock(&spin));
		sum++;
		OK(pthread_spin_unlock(&spin));
		OK(sem_post(&sem));
		OK(sem_wait(&sem));
	}
	return arg;
}

static int c11_work(void *arg)
{
	(void)arg;
	for (int i = 0; i < ROUNDS; i++) {
		OK(mtx_lock(&mtx));
		c11_sum++;
		OK(cnd_signal(&cnd));
		OK(mtx_unlock(&mtx));
	}
	return 17;
}

static void *sender(void *arg)
{
	struct timespec t = {0, 20000000};
	char c = 'x';

	OK(nanosleep(&t, NULL));
	IS(write(*(int *)arg, &c, 1), 1);
	return NULL;
}

static void threads(void)
{
	pthread_t thread[THREADS];
	void *value;

	OK(sem_init(&sem, 0, 0));
	OK(pthread_spin_init(&spin, PTHREAD_PROCESS_PRIVATE));
	OK(pthread_barrier_init(&barrier, NULL, THREADS));
	for (intptr_t i = 0; i < THREADS; i++) {
		OK(pthread_create(&thread[i], NULL, work, (void *)i));
	}
	for (intptr_t i = 0; i < THREADS; i++) {
		OK(pthread_join(thread[i], &value));
		IS(value == (void *)i, 1);
	}
	OK(pthread_barrier_destroy(&barrier));
	OK(sem_destroy(&sem));
	IS(turn, THREADS * ROUNDS);
	IS(atomic_load(&initialised), 2);
}

static void c11(void)
{
	struct timespec past = {1, 0};
	thrd_t thread;
	int r;

	OK(mtx_init(&mtx, mtx_timed));
	OK(cnd_init(&cnd));
	OK(mtx_lock(&mtx));
	OK(thrd_create(&thread, c11_work, NULL));
	while (c11_sum < ROUNDS) {
		OK(cnd_wait(&cnd, &mtx));
	}
	IS(cnd_timedwait(&cnd, &mtx, &past), thrd_timedout);
	OK(mtx_unlock(&mtx));
	OK(thrd_join(thread, &r));
	IS(r, 17);
	cnd_destroy(&cnd);
	mtx_destroy(&mtx);
}

static void timeouts(void)
{
	struct timespec past = {1, 0};
	pthread_t thread = pthread_self();

	OK(pthread_mutex_lock(&mutex));
	IS(pthread_mutex_timedlock(&mutex, &past), ETIMEDOUT);
	IS(pthread_mutex_clocklock(&mutex, CLOCK_MONOTONIC, &past), ETIMEDOUT);
	IS(pthread_mutex_trylock(&mutex), EBUSY);
	IS(pthread_cond_timedwait(&cond, &mutex, &past), ETIMEDOUT);
	IS(pthread_cond_clockwait(&cond, &mutex, CLOCK_MONOTONIC, &past), ETIMEDOUT);
	OK(pthread_mutex_unlock(&mutex));
	OK(pthread_rwlock_rdlock(&rwlock));
	IS(pthread_rwlock_timedwrlock(&rwlock, &past), ETIMEDOUT);
	OK(pthread_rwlock_unlock(&rwlock));
	OK(sem_init(&sem, 0, 0));
	IS(sem_timedwait(&sem, &past), -1);
	IS(errno, ETIMEDOUT);
	IS(sem_trywait(&sem), -1);
	IS(errno, EAGAIN);
	IS(pthread_join(thread, NULL), EDEADLK);
	OK(pthread_setname_np(thread, "everything"));
}

static void input_and_output(void)
{
	pthread_t thread;
	struct pollfd p;
	int pair[2];
	char c;
	int fd;

	OK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	OK(pthread_create(&thread, NULL, sender, &pair[0]));
	p = (struct pollfd){.fd = pair[1], .events = POLLIN};
	IS(poll(&p, 1, -1), 1);
	IS(recv(pair[1], &c, 1, 0), 1);
	OK(pthread_join(thread, NULL));
	OK(close(pair[0]));
	IS(read(pair[1], &c, 1), 0);
	OK(close(pair[1]));
	IS(read(pair[1], &c, 1), -1);
	IS(errno, EBADF);
	fd = open("/dev/zero", O_RDONLY);
	IS(read(fd, &c, 1), 1);
	OK(close(fd));
}

static void children(void)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		OK(pthread_mutex_lock(&mutex));
		OK(pthread_mutex_unlock(&mutex));
		_exit(5);
	}
	IS(waitpid(pid, &status, 0), pid);
	IS(WEXITSTATUS(status), 5);
}

int main(void)
{
	threads();
	c11();
	timeouts();
	input_and_output();
	children();
	printf("%d %d\n", turn, c11_sum);
	return 3;
}
