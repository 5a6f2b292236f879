/*
 * The same in C++: locks of std::mutex, held by guards and in threads of the standard library. Here
 * the slow function computes.
 */
#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

namespace
{

using clock = std::chrono::steady_clock;

constexpr int readers = 3, rounds = 4, takes = 200;

/* All come before any goes on. */
class Gate
{
	std::mutex mutex;
	std::condition_variable open;
	int there = 0, round = 0;

      public:
	void pass()
	{
		std::unique_lock<std::mutex> lock(mutex);
		const int mine = round;

		if (++there == readers + 1) {
			there = 0;
			round++;
			open.notify_all();
		}
		open.wait(lock, [&] { return mine != round; });
	}
};

class Cache
{
	std::array<std::mutex, 4> hot;
	std::mutex table;
	std::atomic<int> taken{0};

      public:
	Gate gate;

	[[gnu::noinline]] void quick(int i)
	{
		std::lock_guard<std::mutex> guard(hot[i % hot.size()]);
		taken++;
	}
	[[gnu::noinline]] void lookup()
	{
		std::unique_lock<std::mutex> guard(table);
		taken++;
	}
	[[gnu::noinline]] void rebuild_index()
	{
		std::lock_guard<std::mutex> guard(table);

		gate.pass();
		for (auto end = clock::now() + std::chrono::milliseconds(60); clock::now() < end;) {
			taken++;
		}
	}
};

Cache cache;

void reader()
{
	for (int i = 0; i < rounds; i++) {
		for (int k = 0; k < takes; k++) {
			cache.quick(k);
		}
		cache.gate.pass();
		cache.lookup();
		cache.gate.pass();
	}
}

void janitor()
{
	for (int i = 0; i < rounds; i++) {
		cache.rebuild_index();
		cache.gate.pass();
	}
}

} // namespace

int main()
{
	std::vector<std::thread> threads;

	for (int i = 0; i < readers; i++) {
		threads.emplace_back(reader);
	}
	threads.emplace_back(janitor);
	for (auto &thread : threads) {
		thread.join();
	}
}
