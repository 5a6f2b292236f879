/*
 * Description: one thread that makes the same three calls in turn, two with one of seven
 * descriptors and one whose result changes, and passes one of them over each hundredth time, until
 * it is killed. For lost_facts, which knows what the call of each number is.
 */
#include "scene.h"

enum { FIRST = 100, PLACES = 7, EVERY = 100, CALLS = 3 };

int main(void)
{
	static char room[8];
	const int null = open("/dev/null", O_WRONLY), zero = open("/dev/zero", O_RDONLY);

	for (int i = 0; i < PLACES; i++) {
		IS(dup2(null, FIRST + i), FIRST + i);
	}
	IS(dup2(zero, FIRST + PLACES), FIRST + PLACES);
	for (uint64_t i = 0;; i++) {
		const uint64_t n = i + i / EVERY, round = n / CALLS;
		const int fd = FIRST + (int)(round % PLACES), length = 3 + (int)(round / 50 % 5);

		switch (n % CALLS) {
		case 0:
			IS((int)write(fd, room, 1), 1);
			break;
		case 1:
			IS((int)write(fd, room, 2), 2);
			break;
		default:
			IS((int)read(FIRST + PLACES, room, (size_t)length), length);
			break;
		}
	}
}
