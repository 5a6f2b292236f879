/*
 * Description: pthread_exit and cancellation unwind C++ frames, destructors and catch (...) alike.
 * Schedule: free
 * Expect: 2 create
 * Expect: 2 destroy
 * Expect: 1 wait in=wait_forever reason=cond
 */
#include <condition_variable>
#include <cstdio>
#include <mutex>

#include "scene.h"

static std::mutex mutex;
static std::condition_variable cond;
static atomic_int tid;

struct Frame {
	const char *name;
	~Frame()
	{
		std::printf("~%s\n", name);
	}
};

static void leave()
{
	Frame frame = {"leave"};

	try {
		pthread_exit(nullptr);
	} catch (...) {
		std::puts("unwinding");
		throw;
	}
}

static void *leaver(void *arg)
{
	Frame frame = {"leaver"};

	leave();
	return arg;
}

/* C, for its name in the trace. */
extern "C" void wait_forever()
{
	Frame frame = {"wait_forever"};
	std::unique_lock<std::mutex> lock(mutex);

	tell_tid(&tid);
	/* Not cond.wait, which is noexcept where cancellation is not thought of. */
	for (;;) {
		OK(pthread_cond_wait(cond.native_handle(), mutex.native_handle()));
	}
}

static void *waiter(void *arg)
{
	Frame frame = {"waiter"};

	wait_forever();
	return arg;
}

int main()
{
	pthread_t thread;

	OK(pthread_create(&thread, nullptr, leaver, nullptr));
	join_ended(thread);
	OK(pthread_create(&thread, nullptr, waiter, nullptr));
	await_asleep(&tid, &cond, sizeof cond);
	OK(pthread_cancel(thread));
	join_ended(thread);
	std::printf("%d\n", mutex.try_lock());
	mutex.unlock();
	return 0;
}
