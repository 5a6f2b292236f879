/*
 * Description: C++ exceptions: within a thread, from a thread to main, and past a condition wait.
 * Schedule: free
 * Expect: 3 create
 * Expect: 1 wait in=take reason=cond by=main
 */
#include <condition_variable>
#include <cstdio>
#include <exception>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>

#include "scene.h"

static std::mutex mutex;
static std::condition_variable cond;
static atomic_int tid;
static bool closed;

/* C, for its name in the trace. */
extern "C" int take()
{
	std::unique_lock<std::mutex> lock(mutex);

	tell_tid(&tid);
	while (!closed) {
		cond.wait(lock);
	}
	throw std::runtime_error("closed");
}

static void caught_inside()
{
	try {
		throw std::logic_error("inside");
	} catch (const std::exception &e) {
		std::puts(e.what());
	}
}

int main()
{
	std::exception_ptr carried;

	std::thread(caught_inside).join();
	std::thread([&] {
		try {
			throw std::out_of_range("carried");
		} catch (...) {
			carried = std::current_exception();
		}
	}).join();
	try {
		std::rethrow_exception(carried);
	} catch (const std::exception &e) {
		std::puts(e.what());
	}

	std::string message;
	std::thread taker([&] {
		try {
			take();
		} catch (const std::exception &e) {
			message = e.what();
		}
	});
	await_asleep(&tid, &cond, sizeof cond);
	{
		std::lock_guard<std::mutex> guard(mutex);
		closed = true;
		cond.notify_one();
	}
	taker.join();
	std::puts(message.c_str());
	/* It was unlocked on the way. */
	std::printf("%d\n", mutex.try_lock());
	mutex.unlock();
	return 0;
}
