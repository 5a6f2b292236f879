//go:build gtcover

package main

// The oracle of tests/traces/sites.py, built by build.sh --cover: which lines of Go's reader and
// validator does each file reach? GOCOVERDIR names a folder; the counters of a file go to a folder
// of its name in it.

import (
	"bytes"
	"os"
	"path/filepath"
	"runtime/coverage"

	"internal/coverage/cfile"
	"internal/trace"
)

func init() {
	dir := os.Getenv("GOCOVERDIR")
	if dir == "" {
		return
	}
	// The go command does this for programs outside its own tree.
	cfile.InitHook(false)
	for _, name := range os.Args[1:] {
		data := load(name)
		to := filepath.Join(dir, filepath.Base(name))
		err := os.Mkdir(to, 0o777)
		if err == nil {
			err = coverage.ClearCounters()
		}
		judge(data, options{})
		readOn(data)
		if err == nil {
			err = coverage.WriteMetaDir(to)
		}
		if err == nil {
			err = coverage.WriteCountersDir(to)
		}
		if err != nil {
			errorf("%s: %v", name, err)
			os.Exit(exitUsage)
		}
	}
	os.Exit(exitOK)
}

// readOn reads what the validator would refuse, and what is left of a file that is cut.
func readOn(data []byte) {
	defer func() { recover() }()
	r, err := trace.NewReader(bytes.NewReader(data))
	for err == nil {
		_, err = r.ReadEvent()
	}
}
