package main

// A trace with known answers, written by this program itself through runtime/trace: material of
// the self-test.

import (
	"bytes"
	"context"
	"runtime"
	"runtime/trace"
	"sync"
	"time"
)

const (
	sampleRounds = 20
	sampleHold   = 10 * time.Millisecond
)

// sample gives a trace of at least three generations, in which
//   - sampleHolder holds a mutex sampleRounds times for sampleHold, each time while sampleWaiter
//     waits for it, and hands it over;
//   - sampleSilent waits on a channel from the first generation to the last.
func sample() ([]byte, error) {
	var file bytes.Buffer
	if err := trace.Start(&file); err != nil {
		return nil, err
	}
	ctx, task := trace.NewTask(context.Background(), "sample task")
	quiet := make(chan struct{})
	go sampleSilent(quiet)
	trace.WithRegion(ctx, "sample region", func() {
		var m sync.Mutex
		var done sync.WaitGroup
		held, next := make(chan struct{}), make(chan struct{})
		done.Add(2)
		go sampleHolder(&m, held, next, &done)
		go sampleWaiter(&m, held, next, &done)
		done.Wait()
		runtime.GC()
	})
	// Go's tracer begins a generation every second.
	time.Sleep(2300 * time.Millisecond)
	close(quiet)
	task.End()
	trace.Stop()
	return file.Bytes(), nil
}

//go:noinline
func sampleSilent(quiet chan struct{}) {
	<-quiet
}

//go:noinline
func sampleHolder(m *sync.Mutex, held, next chan struct{}, done *sync.WaitGroup) {
	defer done.Done()
	for range sampleRounds {
		m.Lock()
		held <- struct{}{}
		time.Sleep(sampleHold)
		m.Unlock()
		<-next
	}
}

//go:noinline
func sampleWaiter(m *sync.Mutex, held, next chan struct{}, done *sync.WaitGroup) {
	defer done.Done()
	for range sampleRounds {
		<-held
		m.Lock()
		m.Unlock()
		next <- struct{}{}
	}
}
