package main

// Goroutines that wait for each other: channels, select, timers, locks.

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

func init() {
	scenes["channels"] = channels
	scenes["select"] = selects
	scenes["timers"] = timers
	scenes["locks"] = locks
	scenes["many"] = many
	scenes["forever"] = forever
	scenes["yields"] = yields
	scenes["storm"] = storm
}

func channels(n int) {
	for _, size := range []int{0, 1, 16} {
		var wg sync.WaitGroup
		c := make(chan int, size)
		for range 3 {
			wg.Add(1)
			go func() {
				defer wg.Done()
				for range c {
				}
			}()
		}
		for i := range 300 * n {
			c <- i
		}
		close(c)
		wg.Wait()
	}
	// A ring: each hands over to the next.
	first := make(chan int)
	in := first
	for range 10 {
		out := make(chan int)
		go func(in <-chan int, out chan<- int) {
			defer close(out)
			for v := range in {
				out <- v + 1
			}
		}(in, out)
		in = out
	}
	go func() {
		defer close(first)
		for i := range 30 * n {
			first <- i
		}
	}()
	for range in {
	}
}

func selects(n int) {
	a, b, quit := make(chan int), make(chan int, 4), make(chan struct{})
	var wg sync.WaitGroup
	for range 4 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for {
				select {
				case <-a:
				case b <- 1:
				case <-quit:
					return
				}
			}
		}()
	}
	for i := range 500 * n {
		select {
		case a <- i:
		case <-b:
		case <-time.After(time.Second):
		}
		select {
		case <-b:
		default:
		}
	}
	close(quit)
	wg.Wait()
}

func timers(n int) {
	var wg sync.WaitGroup
	for i := range 5 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for range 10 * n {
				time.Sleep(time.Duration(i) * 50 * time.Microsecond)
			}
		}()
	}
	tick := time.NewTicker(200 * time.Microsecond)
	for range 20 * n {
		<-tick.C
	}
	tick.Stop()
	for range 10 * n {
		done := make(chan struct{})
		time.AfterFunc(10*time.Microsecond, func() { close(done) })
		<-done
		ctx, cancel := context.WithTimeout(context.Background(), 50*time.Microsecond)
		<-ctx.Done()
		cancel()
		never := time.AfterFunc(time.Hour, func() {})
		never.Stop()
	}
	wg.Wait()
}

func locks(n int) {
	var mu sync.Mutex
	var rw sync.RWMutex
	var once sync.Once
	cond := sync.NewCond(&mu)
	turn := 0
	var wg sync.WaitGroup
	for id := range 4 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			once.Do(func() { time.Sleep(time.Millisecond) })
			for i := range 100 * n {
				mu.Lock()
				for turn%4 != id {
					cond.Wait()
				}
				turn++
				cond.Broadcast()
				mu.Unlock()
				if i%4 == id {
					rw.Lock()
					runtime.Gosched()
					rw.Unlock()
				} else {
					rw.RLock()
					runtime.Gosched()
					rw.RUnlock()
				}
			}
		}()
	}
	wg.Wait()
}

// many goroutines are there at once, and are woken at once.
func many(n int) {
	const goroutines = 10000
	for range n {
		var ready, done sync.WaitGroup
		gate := make(chan struct{})
		ready.Add(goroutines)
		done.Add(goroutines)
		for range goroutines {
			go func() {
				defer done.Done()
				ready.Done()
				<-gate
			}()
		}
		ready.Wait()
		close(gate)
		done.Wait()
	}
}

// forever: some wait for what never comes, and are still there at the end; some end in odd ways.
func forever(n int) {
	for range 10 * n {
		go func() { select {} }()
		go func() { <-(chan int)(nil) }()
		go func() { (chan int)(nil) <- 1 }()
		done := make(chan struct{})
		go func() {
			defer close(done)
			runtime.Goexit()
		}()
		<-done
		done = make(chan struct{})
		go func() {
			defer close(done)
			defer func() { _ = recover() }()
			panic("as expected")
		}()
		<-done
	}
	time.Sleep(time.Millisecond)
}

// yields: goroutines that are preempted, and those that step aside.
func yields(n int) {
	var wg sync.WaitGroup
	var stop atomic.Bool
	for range runtime.GOMAXPROCS(0) + 1 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for !stop.Load() {
			}
		}()
	}
	for range 100 * n {
		runtime.Gosched()
	}
	time.Sleep(30 * time.Millisecond)
	stop.Store(true)
	wg.Wait()
}

// storm: as many events as can be had in little time, of all the kinds here.
func storm(n int) {
	const workers = 64
	var wg sync.WaitGroup
	var mu sync.Mutex
	links := make([]chan int, workers)
	for i := range links {
		links[i] = make(chan int, i%3)
	}
	for i := range workers {
		wg.Add(2)
		go func() {
			defer wg.Done()
			for k := range 60 * n {
				links[i] <- k
			}
			close(links[i])
		}()
		go func() {
			defer wg.Done()
			for v := range links[i] {
				if v%16 == 0 {
					mu.Lock()
					runtime.Gosched()
					mu.Unlock()
				}
			}
		}()
	}
	wg.Wait()
}
