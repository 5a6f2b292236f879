package main

// --bare: Go's reader and nothing else, for scripts/bench-reader: the file is not held in memory,
// no event is looked at.

import (
	"bufio"
	"fmt"
	"io"
	"os"

	"internal/trace"
)

func runBare(name string) int {
	f, err := os.Open(name)
	if err != nil {
		errorf("%v", err)
		return exitUsage
	}
	defer f.Close()
	r, err := trace.NewReader(bufio.NewReaderSize(f, 1<<20))
	for events := 0; err == nil; events++ {
		if _, err = r.ReadEvent(); err == io.EOF {
			fmt.Printf("%d events\n", events)
			return exitOK
		}
	}
	errorf("%s: %v", name, err)
	return exitRejected
}
