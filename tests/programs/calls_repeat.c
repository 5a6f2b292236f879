/*
 * Description: calls that come again and again as they came before, and in turn one that does not.
 * Events: io
 * Expect: 20+ call name=write
 */
#include "says.h"

static char room[64];

int main(void)
{
	const int zero = open("/dev/zero", O_RDONLY), null = open("/dev/null", O_WRONLY);
	int ends[2];

	if (zero < 0 || null < 0 || pipe(ends) != 0) {
		return 1;
	}
	for (int i = 0; i < 6; i++) {
		SAY(read(zero, room, 1));
	}
	for (int i = 0; i < 20; i++) {
		/* The result differs in one of five, the descriptor in one of seven. */
		SAY(read(zero, room, i % 5 == 4 ? 2 : 1));
		SAY(write(i % 7 == 6 ? ends[1] : null, room, 3));
		if (i % 8 == 7) {
			SAY(read(-1, room, 1));
			SAY(read(ends[0], room, 3));
		}
	}
	for (int i = 0; i < 4; i++) {
		for (int fd = -1; fd > -20; fd--) {
			SAY(write(fd, room, 1));
		}
	}
	return 0;
}
