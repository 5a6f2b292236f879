//go:build cgo

package main

// C that calls Go: on the thread of a goroutine, and on threads that Go never saw.

/*
#cgo LDFLAGS: -pthread
#include <pthread.h>
#include <unistd.h>

void called(int);

static void call_back(int n)
{
	for (int i = 0; i < n; i++) {
		called(i);
	}
}

static void *thread(void *n)
{
	call_back((int)(long)n);
	usleep(100);
	call_back(1);
	return NULL;
}

static void call_back_from_threads(int threads, int n)
{
	pthread_t t[16];

	for (int i = 0; i < threads; i++) {
		pthread_create(&t[i], NULL, thread, (void *)(long)n);
	}
	for (int i = 0; i < threads; i++) {
		pthread_join(t[i], NULL);
	}
}

static void wait_in_c(void)
{
	usleep(500);
}
*/
import "C"

import (
	"runtime"
	"sync"
	"time"
)

func init() {
	scenes["callbacks"] = callbacks
}

//export called
func called(i C.int) {
	if i%3 == 0 {
		time.Sleep(20 * time.Microsecond)
	}
	runtime.Gosched()
}

func callbacks(n int) {
	var wg sync.WaitGroup
	for range 2 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for range 3 * n {
				C.call_back_from_threads(5, 4)
				C.call_back(10)
				C.wait_in_c()
			}
		}()
	}
	wg.Wait()
}
