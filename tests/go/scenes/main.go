// Programs whose execution traces gtrace's reader must read as Go's own does: each scene makes the
// runtime write events of one kind. tests/go/run.py builds this with every Go that is asked for,
// and compares what the two readers say.
//
//	scenes -list
//	scenes [-n SIZE] -o PREFIX SCENE...
//
// A scene writes PREFIX.SCENE.trace; those that start tracing more than once, PREFIX.SCENE.0.trace
// and so on. SIZE multiplies what a scene does: 1 is a fraction of a second and at most some 10,000
// events.
package main

import (
	"bufio"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime/trace"
	"sort"
	"strings"
)

// A scene does its thing n times over while it is traced.
var scenes = map[string]func(n int){}

// These do their tracing themselves: file opens their next trace.
var selfTraced = map[string]func(n int, file func() io.WriteCloser){}

func main() {
	list := flag.Bool("list", false, "print the names of the scenes")
	size := flag.Int("n", 1, "size")
	prefix := flag.String("o", "", "prefix of the traces")
	flag.Parse()
	if *list {
		var names []string
		for name := range scenes {
			names = append(names, name)
		}
		for name := range selfTraced {
			names = append(names, name)
		}
		sort.Strings(names)
		fmt.Println(strings.Join(names, "\n"))
		return
	}
	for _, name := range flag.Args() {
		path := *prefix + "." + name
		if run, ok := scenes[name]; ok {
			out := create(path + ".trace")
			check(trace.Start(out))
			run(*size)
			trace.Stop()
			check(out.Close())
			continue
		}
		run, ok := selfTraced[name]
		if !ok {
			check(fmt.Errorf("no scene %q", name))
		}
		traces := 0
		run(*size, func() io.WriteCloser {
			out := create(fmt.Sprintf("%s.%d.trace", path, traces))
			traces++
			return out
		})
	}
}

// output is a file that is written in large pieces.
type output struct {
	*bufio.Writer
	file *os.File
}

func create(path string) io.WriteCloser {
	file, err := os.Create(path)
	check(err)
	return output{bufio.NewWriterSize(file, 1<<20), file}
}

func (o output) Close() error {
	if err := o.Flush(); err != nil {
		return err
	}
	return o.file.Close()
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "scenes:", err)
		os.Exit(1)
	}
}

// sink keeps what is allocated alive, and no longer than until the next.
var sink []byte
