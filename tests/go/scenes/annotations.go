package main

// What programs write into their trace, and samples of them.

import (
	"context"
	"fmt"
	"io"
	"runtime/pprof"
	"runtime/trace"
	"sync"
	"time"
)

func init() {
	scenes["annotations"] = annotations
	selfTraced["profile"] = profile
	selfTraced["starts"] = starts
	selfTraced["open"] = open
}

func annotations(n int) {
	ctx, task := trace.NewTask(context.Background(), "")
	var wg sync.WaitGroup
	for i := range 10 * n {
		wg.Add(1)
		go func() {
			defer wg.Done()
			ctx, task := trace.NewTask(ctx, fmt.Sprint("task ", i%7))
			defer task.End()
			trace.WithRegion(ctx, "outer", func() {
				trace.Log(ctx, "key", "value \"with\" \\ and \x00\xff bytes")
				trace.Logf(ctx, "", "%d", i)
				trace.WithRegion(context.Background(), "inner \u00e9", func() { time.Sleep(1) })
			})
			pprof.Do(ctx, pprof.Labels("name", fmt.Sprint(i)), func(ctx context.Context) {
				defer trace.StartRegion(ctx, "labelled").End()
			})
			trace.StartRegion(ctx, "never ends")
			task.End() // twice
		}()
	}
	wg.Wait()
	task.End()
}

// profile: CPU samples stand in the trace as well.
func profile(n int, file func() io.WriteCloser) {
	out := file()
	check(pprof.StartCPUProfile(io.Discard))
	check(trace.Start(out))
	end := time.Now().Add(time.Duration(n) * 100 * time.Millisecond)
	var wg sync.WaitGroup
	for range 3 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for time.Now().Before(end) {
				sink = make([]byte, 10000)
			}
		}()
	}
	wg.Wait()
	pprof.StopCPUProfile()
	trace.Stop()
	check(out.Close())
}

// starts: tracing is started and stopped while others are in the midst of things.
func starts(n int, file func() io.WriteCloser) {
	quit := make(chan struct{})
	var wg sync.WaitGroup
	for i := range 6 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			c := make(chan int, 1)
			for {
				select {
				case <-quit:
					return
				case c <- i:
					<-c
					if i == 0 {
						time.Sleep(10 * time.Microsecond)
					}
					calls(0)
				}
			}
		}()
	}
	for range 4 + n {
		out := file()
		check(trace.Start(out))
		channels(0)
		time.Sleep(2 * time.Millisecond)
		trace.Stop()
		check(out.Close())
	}
	close(quit)
	wg.Wait()
}

// open: what began before the trace ends in it, and what begins in it ends after.
func open(n int, file func() io.WriteCloser) {
	ctx, before := trace.NewTask(context.Background(), "before")
	region := trace.StartRegion(ctx, "before")
	blocked := make(chan int)
	done := make(chan struct{})
	go func() {
		<-blocked
		close(done)
	}()
	time.Sleep(time.Millisecond)
	for range n {
		out := file()
		check(trace.Start(out))
		region.End()
		before.End()
		ctx, before = trace.NewTask(context.Background(), "in")
		region = trace.StartRegion(ctx, "in")
		time.Sleep(time.Millisecond)
		trace.Stop()
		check(out.Close())
	}
	region.End()
	before.End()
	blocked <- 1
	<-done
}
