/*
 * Description: handlers on a small alternate stack start a program, and end it.
 * Exit: 7
 *
 * With one thread, what ends or gives up a trace runs in the handler. Below the stack lies a guard;
 * the environment is larger than the stack.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

enum { PAGE = 4096, ENTRIES = 1500 };

static char *again[] = {"/proc/self/exe", "again", NULL};
static volatile uintptr_t deepest;

/* By pointers, which are there before: the linker's own look-up takes 3 KiB. */
static int (*volatile do_execve)(const char *, char *const *, char *const *) = execve;
static int (*volatile do_nanosleep)(const struct timespec *, struct timespec *) = nanosleep;
static int (*volatile do_open)(const char *, int, ...) = open;
static ssize_t (*volatile do_read)(int, void *, size_t) = read;
static void (*volatile do_exit)(int) = _exit;

static void look(int number)
{
	char here;

	(void)number;
	deepest = (uintptr_t)&here;
}

static void start(int number)
{
	(void)number;
	do_execve(again[0], again, environ);
	do_exit(1);
}

static void end(int number)
{
	const struct timespec time = {.tv_nsec = 5000000};
	char byte;
	int fd = do_open("/dev/zero", O_RDONLY);

	(void)number;
	for (int i = 0; i < 3; i++) {
		do_nanosleep(&time, NULL);
		if (do_read(fd, &byte, 1) != 1) {
			do_exit(2);
		}
	}
	do_exit(7);
}

static void handle(void (*handler)(int), char *from, size_t bytes)
{
	stack_t stack = {.ss_sp = from, .ss_size = bytes};
	struct sigaction action = {.sa_handler = handler, .sa_flags = SA_ONSTACK | SA_NODEFER};

	sigaltstack(&stack, NULL);
	sigaction(SIGUSR1, &action, NULL);
	raise(SIGUSR1);
}

int main(int argc, char **argv)
{
	char *guard =
		mmap(NULL, 17 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *stack = guard + PAGE;

	(void)argv;
	if (guard == MAP_FAILED || mprotect(guard, PAGE, PROT_NONE) != 0) {
		return 3;
	}
	for (int i = 0; argc == 1 && i < ENTRIES; i++) {
		char name[16];

		snprintf(name, sizeof(name), "ENTRY%d", i);
		setenv(name, "value", 1);
	}
	/* How much the kernel's own frame takes; less than a page for what the handler does. */
	handle(look, stack, (size_t)16 * PAGE);
	handle(argc > 1 ? end : start, stack, (uintptr_t)stack + 16 * PAGE - deepest + 3072);
	return 4;
}
