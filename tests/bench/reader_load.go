// A load that gives a large trace of Go's own tracer, for scripts/bench-reader:
//
//	reader_load TRACE SECONDS
//
// Pairs of goroutines pass numbers to and fro, others fight for mutexes and make garbage, sleep,
// write to pipes and read from them.
package main

import (
	"fmt"
	"os"
	"runtime"
	"runtime/trace"
	"strconv"
	"sync"
	"time"
)

const (
	pairs   = 16
	lockers = 32
	callers = 4
)

var (
	all     sync.WaitGroup
	end     time.Time
	locks   [4]sync.Mutex
	garbage [lockers][]byte
)

func pair() {
	there, back := make(chan int), make(chan int)
	all.Go(func() {
		for time.Now().Before(end) {
			for k := range 50 {
				there <- k
				<-back
			}
		}
		close(there)
	})
	all.Go(func() {
		for k := range there {
			back <- k
		}
	})
}

func lock(id int) {
	for time.Now().Before(end) {
		for k := range 50 {
			l := &locks[(id+k)%len(locks)]
			l.Lock()
			if k%10 == 0 {
				runtime.Gosched()
			}
			l.Unlock()
		}
		garbage[id] = make([]byte, 1<<14)
	}
}

func call() {
	r, w, err := os.Pipe()
	if err != nil {
		panic(err)
	}
	bytes := make([]byte, 16)
	for time.Now().Before(end) {
		w.Write(bytes)
		r.Read(bytes)
		time.Sleep(50 * time.Microsecond)
		done := make(chan struct{})
		go close(done)
		select {
		case <-done:
		case <-time.After(time.Second):
		}
	}
}

func main() {
	seconds, err := strconv.ParseFloat(os.Args[2], 64)
	if err != nil {
		panic(err)
	}
	runtime.GOMAXPROCS(8)
	file, err := os.Create(os.Args[1])
	if err != nil {
		panic(err)
	}
	if err := trace.Start(file); err != nil {
		panic(err)
	}
	end = time.Now().Add(time.Duration(seconds * float64(time.Second)))
	for range pairs {
		pair()
	}
	for id := range lockers {
		all.Go(func() { lock(id) })
	}
	for range callers {
		all.Go(call)
	}
	all.Wait()
	trace.Stop()
	if err := file.Close(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
