// A C++ library that throws and catches, for unwinder.c.
#include <stdexcept>

static int unwound;

namespace
{
struct Frame {
	~Frame()
	{
		unwound++;
	}
};
} // namespace

__attribute__((noinline)) static void descend(int n)
{
	if (n == 0) {
		throw std::runtime_error("at the bottom");
	}
	Frame frame;
	descend(n - 1);
}

extern "C" int catch_depth(int n)
{
	unwound = 0;
	try {
		descend(n);
	} catch (const std::runtime_error &) {
		return unwound;
	}
	return -1;
}
