/*
 * Description: destructors of thread_local objects lock, wait and notify when their thread is over.
 * Schedule: free
 * Expect: 1 create
 * Expect: 1 destroy
 */
#include <condition_variable>
#include <cstdio>
#include <mutex>

#include "scene.h"

static std::mutex mutex;
static std::condition_variable cond;
static atomic_int tid;
static int count;

struct Farewell {
	int value = 0;
	~Farewell()
	{
		tell_tid(&tid);
		std::lock_guard<std::mutex> guard(mutex);
		cond.notify_all();
		count += value;
	}
};

static thread_local Farewell farewell;

static void *worker(void *arg)
{
	farewell.value = 5;
	return arg;
}

int main()
{
	pthread_t thread;

	mutex.lock();
	OK(pthread_create(&thread, nullptr, worker, nullptr));
	await_asleep(&tid, &mutex, sizeof mutex);
	mutex.unlock();
	OK(pthread_join(thread, nullptr));
	std::printf("%d\n", count);
	return 0;
}
