/*
 * Description: the resolver of an IFUNC makes calls, before thread-local storage is filled.
 */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

static int with_files(void)
{
	return 1;
}

static int without_files(void)
{
	return 2;
}

__attribute__((used)) static int (*resolve(void))(void)
{
	char byte = 0;
	int fd = open("/dev/zero", O_RDONLY);

	if (read(fd, &byte, 1) != 1 || close(fd) != 0) {
		return without_files;
	}
	return with_files;
}

int way(void) __attribute__((ifunc("resolve")));

int main(void)
{
	printf("%d\n", way());
	return 0;
}
