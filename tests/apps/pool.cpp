/*
 * A pool of std::threads with a queue, futures, exceptions that cross it, and a timed wait; its
 * output does not depend on the scheduler. Started by run.
 */
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <future>
#include <iostream>
#include <mutex>
#include <shared_mutex>
#include <stdexcept>
#include <thread>
#include <vector>

class Pool
{
      public:
	explicit Pool(int n)
	{
		for (int i = 0; i < n; i++) {
			threads.emplace_back([this] { work(); });
		}
	}

	~Pool()
	{
		{
			std::lock_guard<std::mutex> guard(mutex);
			closed = true;
		}
		filled.notify_all();
		for (auto &t : threads) {
			t.join();
		}
	}

	template <class F> auto submit(F f) -> std::future<decltype(f())>
	{
		auto task = std::make_shared<std::packaged_task<decltype(f())()>>(std::move(f));
		auto result = task->get_future();
		{
			std::lock_guard<std::mutex> guard(mutex);
			queue.push_back([task] { (*task)(); });
		}
		filled.notify_one();
		return result;
	}

      private:
	void work()
	{
		for (;;) {
			std::unique_lock<std::mutex> lock(mutex);
			filled.wait(lock, [this] { return closed || !queue.empty(); });
			if (queue.empty()) {
				return;
			}
			auto job = std::move(queue.front());
			queue.pop_front();
			lock.unlock();
			job();
		}
	}

	std::mutex mutex;
	std::condition_variable filled;
	std::deque<std::function<void()>> queue;
	std::vector<std::thread> threads;
	bool closed = false;
};

static long fibonacci(int n)
{
	return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2);
}

static int caught_among_many()
{
	Pool pool(4);
	std::vector<std::future<long>> results;
	int caught = 0;
	long sum = 0;

	for (int i = 0; i < 200; i++) {
		results.push_back(pool.submit([i] {
			if (i % 10 == 3) {
				throw std::out_of_range("three");
			}
			return fibonacci(i % 20);
		}));
	}
	for (auto &r : results) {
		try {
			sum += r.get();
		} catch (const std::out_of_range &) {
			caught++;
		}
	}
	std::cout << sum << '\n';
	return caught;
}

static bool timed_out()
{
	std::mutex mutex;
	std::condition_variable never;
	std::unique_lock<std::mutex> lock(mutex);

	return never.wait_for(lock, std::chrono::milliseconds(20)) == std::cv_status::timeout;
}

static int readers_and_writers()
{
	std::shared_mutex mutex;
	std::vector<std::thread> threads;
	std::once_flag once;
	std::atomic<int> calls{0};
	int value = 0;

	for (int i = 0; i < 4; i++) {
		threads.emplace_back([&] {
			std::call_once(once, [&] { calls++; });
			for (int j = 0; j < 200; j++) {
				{
					std::unique_lock<std::shared_mutex> lock(mutex);
					value++;
				}
				std::shared_lock<std::shared_mutex> lock(mutex);
			}
		});
	}
	for (auto &t : threads) {
		t.join();
	}
	return value + calls;
}

int main()
{
	std::cout << caught_among_many() << '\n';
	std::cout << timed_out() << '\n';
	std::cout << readers_and_writers() << '\n';
	std::cout << std::async(std::launch::async, fibonacci, 20).get() << std::endl;
	return 22;
}
