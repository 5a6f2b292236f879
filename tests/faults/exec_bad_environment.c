/*
 * Description: exec with an environment, or an entry of it, at a bad address fails with EFAULT.
 *
 * The trace was about to be given to the new program, with a line of its environment changed.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

static void start(char **envp)
{
	char *argv[] = {"true", NULL};
	int r = execve("/bin/true", argv, envp);

	printf("%d %d\n", r, errno);
}

int main(void)
{
	char *bad = (char *)(uintptr_t)8;
	char *entry[] = {"A=1", bad, NULL};

	start((char **)(void *)bad);
	start(entry);
	return 0;
}
