//go:build go1.23

package main

// Coroutines: the runtime hands over from one goroutine to another without the scheduler.

import (
	"iter"
	"sync"
)

func init() {
	scenes["coroutines"] = coroutines
}

func numbers(to int) iter.Seq[int] {
	return func(yield func(int) bool) {
		for i := range to {
			if !yield(i) {
				return
			}
		}
	}
}

func coroutines(n int) {
	var wg sync.WaitGroup
	for range 3 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for i := range 50 * n {
				next, stop := iter.Pull(numbers(i % 12))
				for range 6 {
					next()
				}
				stop()
			}
		}()
	}
	wg.Wait()
	// One inside another, never begun, never ended, and one that panics.
	next, stop := iter.Pull(func(yield func(int) bool) {
		inner, stop := iter.Pull(numbers(10))
		defer stop()
		for v, ok := inner(); ok && yield(v); v, ok = inner() {
		}
	})
	for _, ok := next(); ok; _, ok = next() {
	}
	stop()
	_, stop = iter.Pull(numbers(1))
	stop()
	next, _ = iter.Pull(numbers(3))
	next()
	next, _ = iter.Pull(func(func(int) bool) { panic("as expected") })
	func() {
		defer func() { _ = recover() }()
		next()
	}()
}
