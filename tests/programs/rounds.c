/*
 * Description: one thread that makes the same three calls in turn, and passes one of them over each
 * hundredth time, until it is killed. For lost_facts, which knows what the call of each number is.
 */
#include "scene.h"

enum { FIRST = 100, PLACES = 3, EVERY = 100 };

int main(void)
{
	static char room[PLACES];
	const int null = open("/dev/null", O_WRONLY), zero = open("/dev/zero", O_RDONLY);

	IS(dup2(null, FIRST), FIRST);
	IS(dup2(null, FIRST + 1), FIRST + 1);
	IS(dup2(zero, FIRST + 2), FIRST + 2);
	for (uint64_t i = 0;; i++) {
		switch ((i + i / EVERY) % PLACES) {
		case 0:
			IS((int)write(FIRST, room, 1), 1);
			break;
		case 1:
			IS((int)write(FIRST + 1, room, 2), 2);
			break;
		default:
			IS((int)read(FIRST + 2, room, 3), 3);
			break;
		}
	}
}
