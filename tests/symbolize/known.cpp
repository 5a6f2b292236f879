// A thread that sleeps in a method of a class template, inlined into a function template. See run.py.
#include <pthread.h>
#include <unistd.h>

namespace shop {
namespace {
template <typename T> struct Till {
	T sum{};

	inline __attribute__((always_inline)) void pay(T amount)
	{
		usleep(1); // in pay
		sum += amount;
	}
};

Till<int> till;
} // namespace

template <typename T> __attribute__((noinline)) void buy(T amount)
{
	till.pay(amount); // in buy
	__asm__ volatile("");
}
} // namespace shop

static void *thread(void *)
{
	shop::buy(1L); // in thread
	__asm__ volatile("");
	return nullptr;
}

int main()
{
	pthread_t t;

	pthread_create(&t, nullptr, thread, nullptr);
	pthread_join(t, nullptr);
}
