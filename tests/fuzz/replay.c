/*
 * A fuzz target as a program: runs every input of a corpus, and names the one at which it ends.
 *
 *	fuzz_TARGET CORPUS    a file of lines: the name of an input, a blank, its bytes as hex
 *digits
 */
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "error.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *name;

static void say_name(int signal)
{
	static const char at[] = "ended at input ";

	(void)!write(STDERR_FILENO, at, sizeof(at) - 1);
	(void)!write(STDERR_FILENO, name, strlen(name));
	(void)!write(STDERR_FILENO, "\n", 1);
	raise(signal); /* its handler is the default one by now */
}

static unsigned digit(char c)
{
	return c <= '9' ? (unsigned)(c - '0') : (unsigned)(c - 'a' + 10);
}

int main(int argc, char **argv)
{
	static const int ends[] = {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGALRM};
	FILE *in = argc == 2 ? fopen(argv[1], "r") : NULL;
	char *line = NULL;
	size_t cap = 0, inputs = 0;
	ssize_t n;

	if (in == NULL) {
		fprintf(stderr, "usage: %s CORPUS\n", argv[0]);
		return 2;
	}
	for (size_t i = 0; i < GT_LEN(ends); i++) {
		sigaction(
			ends[i],
			&(struct sigaction){.sa_handler = say_name, .sa_flags = (int)SA_RESETHAND},
			NULL);
	}
	while ((n = getline(&line, &cap, in)) > 0) {
		char *hex = memchr(line, ' ', (size_t)n);
		size_t size;
		uint8_t *data;

		if (hex == NULL) {
			fprintf(stderr, "%s: line %zu has no blank\n", argv[1], inputs + 1);
			return 2;
		}
		*hex++ = '\0';
		name = line;
		size = strspn(hex, "0123456789abcdef") / 2;
		/* Exactly as long as the input, so that a sanitizer sees what is read beyond. */
		data = gt_alloc(size);
		for (size_t i = 0; i < size; i++) {
			data[i] = (uint8_t)(digit(hex[2 * i]) << 4 | digit(hex[2 * i + 1]));
		}
		alarm(60); /* an input that never ends, also on a busy machine */
		LLVMFuzzerTestOneInput(data, size);
		free(data);
		inputs++;
	}
	printf("%zu inputs\n", inputs);
	free(line);
	fclose(in);
	return inputs > 0 ? 0 : 1;
}
