/*
 * OpenMP in its common shapes, with an output that does not depend on the scheduler. Started by
 * waits, once on GNU's library and once on LLVM's.
 */
#include <omp.h>
#include <stdio.h>

enum { N = 2000, THREADS = 4 };

static double values[N];

static double loops(void)
{
	double sum = 0;

	for (int round = 0; round < 200; round++) {
#pragma omp parallel for schedule(static)
		for (int i = 0; i < N; i++) {
			values[i] = i % 7 + round;
		}
#pragma omp parallel for schedule(dynamic, 50) reduction(+ : sum)
		for (int i = 0; i < N; i++) {
			sum += values[i];
		}
	}
	return sum;
}

static long locks(void)
{
	omp_lock_t lock;
	long total = 0;
	long inside = 0;
	long atomic = 0;

	omp_init_lock(&lock);
#pragma omp parallel
	for (int i = 0; i < 500; i++) {
		omp_set_lock(&lock);
		total++;
		omp_unset_lock(&lock);
#pragma omp critical
		inside++;
#pragma omp atomic
		atomic++;
	}
	omp_destroy_lock(&lock);
	return total + inside + atomic;
}

static int barriers(void)
{
	int singles = 0;
	int wrong = 0;
	int seen[THREADS] = {0};

#pragma omp parallel
	for (int i = 0; i < 100; i++) {
		seen[omp_get_thread_num()] = i;
#pragma omp barrier
		for (int t = 0; t < THREADS; t++) {
			if (seen[t] != i) {
#pragma omp atomic
				wrong++;
			}
		}
#pragma omp barrier
#pragma omp single
		singles++;
	}
	return singles + wrong;
}

static long fibonacci(int n)
{
	long a;
	long b;

	if (n < 2) {
		return n;
	}
#pragma omp task shared(a) if (n > 10)
	a = fibonacci(n - 1);
	b = fibonacci(n - 2);
#pragma omp taskwait
	return a + b;
}

static long tasks(void)
{
	long result = 0;

#pragma omp parallel
#pragma omp single
	result = fibonacci(20);
	return result;
}

static int ordered(void)
{
	int last = -1;
	int wrong = 0;

#pragma omp parallel for ordered schedule(dynamic)
	for (int i = 0; i < 200; i++) {
#pragma omp ordered
		{
			wrong += last != i - 1;
			last = i;
		}
	}
	return wrong;
}

int main(void)
{
	omp_set_dynamic(0);
	omp_set_num_threads(THREADS);
	printf("loops %.0f\n", loops());
	printf("locks %ld\n", locks());
	printf("barriers %d\n", barriers());
	printf("tasks %ld\n", tasks());
	printf("ordered %d\n", ordered());
	return 25;
}
