/*
 * Description: ioctl with and without an argument, random bytes, terminals.
 * Events: misc
 */
#include <sys/ioctl.h>
#include <sys/random.h>
#include <termios.h>

#include "says.h"

int main(void)
{
	struct termios t = {0};
	char room[16];
	int fds[2];
	int n = -1;

	OK(pipe(fds));
	SAY(ioctl(fds[0], FIONREAD, &n));
	SAY(n);
	SAY(ioctl(fds[0], FIOCLEX));
	SAY(ioctl(fds[0], FIONREAD, BAD));
	SAY(ioctl(fds[0], TIOCGWINSZ, room));
	SAY(ioctl(-1, FIONREAD, &n));
	SAY(getrandom(room, sizeof room, 0));
	SAY(getrandom(room, sizeof room, -1));
	SAY(getrandom(BAD, sizeof room, 0));
	SAY(getentropy(room, sizeof room));
	SAY(getentropy(BAD, 16));
	SAY(tcsetattr(fds[0], TCSANOW, &t));
	SAY(tcsendbreak(-1, 0));
	return 0;
}
