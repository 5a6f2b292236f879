package main

// The collector and the allocator: marking with assists, sweeping, finalizers, limits.

import (
	"runtime"
	"runtime/debug"
	"sync"
)

func init() {
	scenes["gc"] = gc
	scenes["finalizers"] = finalizers
	scenes["stw"] = stw
}

type node struct {
	left, right *node
	data        [100]byte
}

func tree(depth int) *node {
	if depth == 0 {
		return &node{}
	}
	return &node{left: tree(depth - 1), right: tree(depth - 1)}
}

// gc allocates with several goroutines while a large heap is marked: they have to assist.
func gc(n int) {
	defer debug.SetGCPercent(debug.SetGCPercent(5))
	keep := tree(12)
	var wg sync.WaitGroup
	for range 4 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			var list [][]byte
			for i := range 400 * n {
				list = append(list, make([]byte, 1<<(6+i%8)))
				if len(list) > 50 {
					list = nil
				}
				if i%100 == 0 {
					_ = tree(6)
				}
			}
		}()
	}
	wg.Wait()
	runtime.GC()
	runtime.KeepAlive(keep)
}

func finalizers(n int) {
	for range 20 * n {
		for range 10 {
			object := &node{}
			runtime.SetFinalizer(object, func(*node) { runtime.Gosched() })
		}
		runtime.GC()
	}
}

// stw stops the world in each of the ways that a program can.
func stw(n int) {
	procs := runtime.GOMAXPROCS(0)
	var wg sync.WaitGroup
	quit := make(chan struct{})
	for range 3 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for {
				select {
				case <-quit:
					return
				default:
					sink = make([]byte, 1000)
					runtime.Gosched()
				}
			}
		}()
	}
	var stats runtime.MemStats
	stack := make([]byte, 1<<16)
	profile := make([]runtime.StackRecord, 100)
	for i := range 5 * n {
		runtime.GOMAXPROCS(1 + i%4)
		runtime.ReadMemStats(&stats)
		runtime.Stack(stack, true)
		runtime.GoroutineProfile(profile)
		debug.FreeOSMemory()
	}
	close(quit)
	wg.Wait()
	runtime.GOMAXPROCS(procs)
}
