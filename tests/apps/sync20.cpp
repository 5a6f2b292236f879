/*
 * Everything of C++20 by which threads wait for each other, many times.
 *
 * Standard output does not depend on the scheduler. Standard error has one line, "slept S queued
 * Q": for how long all threads together slept, and stood ready for a processor, by the kernel's
 * account, in nanoseconds. Started by waits.
 */
#include <atomic>
#include <barrier>
#include <chrono>
#include <condition_variable>
#include <fstream>
#include <functional>
#include <future>
#include <iostream>
#include <latch>
#include <mutex>
#include <semaphore>
#include <shared_mutex>
#include <stop_token>
#include <thread>
#include <vector>

#include <time.h>

using namespace std::chrono_literals;

static constexpr int THREADS = 4;
static std::atomic<long long> slept;
static std::atomic<long long> queued;

static long long now(clockid_t clock)
{
	timespec t = {};

	clock_gettime(clock, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

/*
 * While it lives its thread's time is measured: what it neither ran nor stood in the queue for a
 * processor, it slept.
 */
class Measured
{
      public:
	Measured()
	{
		began.take();
	}

	~Measured()
	{
		Times ended;

		ended.take();
		slept += ended.wall - began.wall - (ended.ran - began.ran) -
			 (ended.queued - began.queued);
		queued += ended.queued - began.queued;
	}

      private:
	struct Times {
		long long wall, ran, queued;

		void take()
		{
			std::ifstream stat("/proc/thread-self/schedstat");

			stat >> ran >> queued;
			wall = now(CLOCK_MONOTONIC);
			ran = now(CLOCK_THREAD_CPUTIME_ID); /* that of the file is a tick old */
		}
	};

	Times began;
};

/* Long enough that others come to wait. */
static void work(std::chrono::microseconds us)
{
	auto until = std::chrono::steady_clock::now() + us;

	while (std::chrono::steady_clock::now() < until) {
	}
}

static void in_threads(const std::function<void(int)> &body)
{
	std::vector<std::jthread> threads;

	for (int i = 0; i < THREADS; i++) {
		threads.emplace_back([&body, i] {
			Measured measured;

			body(i);
		});
	}
}

static int atomics()
{
	std::atomic<int> turn{0};
	std::atomic<long long> wide{0}; /* too wide for a futex: waits for a word beside it */

	in_threads([&](int me) {
		for (int round = 0; round < 100; round++) {
			for (int t = turn; t % THREADS != me; t = turn) {
				turn.wait(t);
			}
			work(30us);
			turn++;
			turn.notify_all();
		}
		if (me == 0) {
			work(2ms);
			wide = 1;
			wide.notify_all();
		} else {
			wide.wait(0);
		}
	});
	return turn;
}

static int semaphores()
{
	std::counting_semaphore<8> filled{0};
	std::counting_semaphore<8> room{2};
	std::binary_semaphore never{0};
	std::atomic<int> taken{0};
	int timed_out = 0;

	in_threads([&](int me) {
		for (int i = 0; i < 150; i++) {
			if (me % 2 == 0) {
				room.acquire();
				work(20us);
				filled.release();
			} else {
				filled.acquire();
				work(30us);
				taken++;
				room.release();
			}
		}
	});
	for (int i = 0; i < 10; i++) {
		timed_out += !never.try_acquire_for(1ms);
	}
	return taken * 100 + timed_out;
}

static int latches_and_barriers()
{
	std::atomic<int> phases{0};
	std::barrier barrier(THREADS, [&]() noexcept { phases++; });
	int started = 0;

	in_threads([&](int me) {
		for (int i = 0; i < 100; i++) {
			work(10us * me);
			barrier.arrive_and_wait();
		}
	});
	for (int i = 0; i < 20; i++) {
		std::latch latch(THREADS);

		in_threads([&](int) {
			work(20us);
			latch.arrive_and_wait();
		});
		started += latch.try_wait();
	}
	return phases * 100 + started;
}

static int stops()
{
	std::mutex mutex;
	std::condition_variable_any changed;
	std::atomic<int> stopped{0};

	for (int i = 0; i < 20; i++) {
		std::vector<std::jthread> threads;

		for (int t = 0; t < THREADS; t++) {
			threads.emplace_back([&](std::stop_token stop) {
				Measured measured;
				std::unique_lock lock(mutex);

				stopped += !changed.wait(lock, stop, [] { return false; });
			});
		}
		std::this_thread::sleep_for(500us);
	}
	return stopped;
}

static int mutexes()
{
	std::mutex plain;
	std::timed_mutex timed;
	std::recursive_timed_mutex recursive;
	int n = 0;
	int m = 0;
	int k = 0;

	in_threads([&](int) {
		for (int i = 0; i < 100; i++) {
			{
				std::scoped_lock lock(plain);
				work(20us);
				n++;
			}
			if (timed.try_lock_for(10s)) {
				work(20us);
				m++;
				timed.unlock();
			}
			std::scoped_lock lock(recursive);
			std::scoped_lock again(recursive);
			work(20us);
			k++;
		}
	});
	return n + m + k;
}

static int readers_and_writers()
{
	std::shared_mutex plain;
	std::shared_timed_mutex timed;
	int n = 0;

	in_threads([&](int me) {
		for (int i = 0; i < 100; i++) {
			if ((i + me) % 3 == 0) {
				std::unique_lock lock(plain);
				std::unique_lock other(timed, 10s);
				work(20us);
				n++;
			} else {
				std::shared_lock lock(plain);
				std::shared_lock other(timed, 10s);
				work(10us);
			}
		}
	});
	return n;
}

static int onces()
{
	std::atomic<int> calls{0};

	for (int i = 0; i < 20; i++) {
		std::once_flag once;

		in_threads([&](int) {
			std::call_once(once, [&] {
				work(300us);
				calls++;
			});
		});
	}
	return calls;
}

static int conditions()
{
	std::mutex mutex;
	std::condition_variable changed;
	int turn = 0;
	int timed_out = 0;

	in_threads([&](int me) {
		for (int i = 0; i < 100; i++) {
			std::unique_lock lock(mutex);

			changed.wait(lock, [&] { return turn % THREADS == me; });
			turn++;
			changed.notify_all();
		}
	});
	for (int i = 0; i < 10; i++) {
		std::unique_lock lock(mutex);

		timed_out += changed.wait_for(lock, 1ms) == std::cv_status::timeout;
	}
	return turn * 100 + timed_out;
}

static int futures()
{
	int sum = 0;

	for (int i = 0; i < 20; i++) {
		std::promise<int> promise;
		std::future<int> later = promise.get_future();
		std::future<int> other = std::async(std::launch::async, [&later] {
			Measured measured;
			int n = later.get();

			work(200us);
			return n;
		});

		work(100us);
		promise.set_value(i);
		sum += other.wait_for(10s) == std::future_status::ready ? other.get() : 1000;
	}
	return sum;
}

static void everything()
{
	Measured measured;

	std::cout << "atomics " << atomics() << '\n';
	std::cout << "semaphores " << semaphores() << '\n';
	std::cout << "latches and barriers " << latches_and_barriers() << '\n';
	std::cout << "stops " << stops() << '\n';
	std::cout << "mutexes " << mutexes() << '\n';
	std::cout << "readers and writers " << readers_and_writers() << '\n';
	std::cout << "onces " << onces() << '\n';
	std::cout << "conditions " << conditions() << '\n';
	std::cout << "futures " << futures() << std::endl;
}

int main()
{
	everything();
	std::cerr << "slept " << slept << " queued " << queued << '\n';
	return 24;
}
