package main

// Threads, calls into the kernel, and the network.

import (
	"io"
	"net"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"syscall"
	"time"
)

func init() {
	scenes["threads"] = threads
	scenes["calls"] = calls
	scenes["network"] = network
	scenes["processes"] = processes
}

// threads: goroutines that have a thread of their own, some of which end with it.
func threads(n int) {
	var wg sync.WaitGroup
	c := make(chan int)
	for i := range 8 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			runtime.LockOSThread()
			if i%2 == 0 {
				defer runtime.UnlockOSThread()
			}
			for range 20 * n {
				select {
				case c <- i:
				case <-c:
				case <-time.After(100 * time.Microsecond):
				}
			}
		}()
	}
	wg.Wait()
	for range 5 * n {
		done := make(chan struct{})
		go func() {
			defer close(done)
			runtime.LockOSThread() // and never unlocks: the thread ends
		}()
		<-done
	}
}

// calls: short ones that keep their P, and long ones that lose it.
func calls(n int) {
	var pipe [2]int
	check(syscall.Pipe(pipe[:]))
	var wg sync.WaitGroup
	wg.Add(2)
	go func() {
		defer wg.Done()
		var b [1]byte
		for range 30 * n {
			_, err := syscall.Read(pipe[0], b[:])
			check(err)
		}
	}()
	go func() {
		defer wg.Done()
		for range 30 * n {
			time.Sleep(200 * time.Microsecond)
			_, err := syscall.Write(pipe[1], []byte{1})
			check(err)
		}
	}()
	for range 200 * n {
		var stat syscall.Stat_t
		check(syscall.Stat("/", &stat))
		runtime.Gosched()
	}
	wg.Wait()
	check(syscall.Close(pipe[0]))
	check(syscall.Close(pipe[1]))
	r, w, err := os.Pipe() // this one is polled
	check(err)
	go func() {
		for range 20 * n {
			_, err := w.Write([]byte("x"))
			check(err)
			runtime.Gosched()
		}
		check(w.Close())
	}()
	_, err = io.Copy(io.Discard, r)
	check(err)
	check(r.Close())
}

func network(n int) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	check(err)
	var wg sync.WaitGroup
	for range 3 {
		wg.Add(2)
		go func() {
			defer wg.Done()
			c, err := l.Accept()
			check(err)
			defer c.Close()
			_, err = io.Copy(c, c)
			check(err)
		}()
		go func() {
			defer wg.Done()
			c, err := net.Dial("tcp", l.Addr().String())
			check(err)
			defer c.Close()
			b := make([]byte, 100)
			for range 30 * n {
				_, err = c.Write(b)
				check(err)
				_, err = io.ReadFull(c, b)
				check(err)
			}
			check(c.SetReadDeadline(time.Now().Add(time.Millisecond)))
			if _, err = c.Read(b); err == nil {
				panic("a read without data returned")
			}
		}()
	}
	wg.Wait()
	check(l.Close())
}

func processes(n int) {
	for range 2 * n {
		check(exec.Command("/bin/true").Run())
	}
}
