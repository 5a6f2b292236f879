/*
 * A C++ library that throws through frames of its own, for dlopen_throw.c.
 */
#include <mutex>
#include <stdexcept>

static std::mutex mutex;
static int unwound;

struct Frame {
	~Frame()
	{
		unwound++;
	}
};

static int deeper(int n)
{
	Frame frame;

	if (n == 0) {
		std::lock_guard<std::mutex> guard(mutex);

		throw std::runtime_error("deep enough");
	}
	return deeper(n - 1) + 1;
}

extern "C" int throws_and_catches(int n)
{
	try {
		return deeper(n);
	} catch (const std::runtime_error &) {
		return unwound;
	}
}
