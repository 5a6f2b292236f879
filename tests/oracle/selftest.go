package main

// --selftest: a judge that accepts everything would let every test pass. Here it meets a good
// file, files that are bad in known ways, and the files of Go's own tests of the reader. What
// can be seen from outside is tested from outside: this program runs itself.

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math/rand"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"internal/trace"
	"internal/trace/raw"
	"internal/trace/testtrace"
	"internal/trace/tracev2"
)

type selftest struct {
	dir    string
	failed int
}

func runSelftest() int {
	dir, err := os.MkdirTemp("", "oracle-selftest-")
	if err != nil {
		errorf("%v", err)
		return exitUsage
	}
	defer os.RemoveAll(dir)
	t := &selftest{dir: dir}
	good, err := sample()
	if err != nil {
		errorf("no sample: %v", err)
		return exitUsage
	}
	c, err := cut(good)
	if err != nil || len(c.pieces) < 3 {
		errorf("the sample is no use: %v, %d generations", err, len(c.pieces))
		return exitRejected
	}
	t.good(good, c)
	t.truth(good)
	t.truncated(good, c)
	t.bad(good, c)
	t.badPages()
	t.unlisted(good, c)
	t.flips(good)
	t.golden()
	if t.failed > 0 {
		fmt.Printf("%d of the checks failed\n", t.failed)
		return exitRejected
	}
	return exitOK
}

func (t *selftest) check(ok bool, name, format string, args ...any) {
	if ok {
		fmt.Printf("ok - %s\n", name)
		return
	}
	t.failed++
	fmt.Printf("FAIL - %s: %s\n", name, fmt.Sprintf(format, args...))
}

// run judges a file from outside: status and a piece of the output must be as expected.
func (t *selftest) run(name string, file []byte, code int, want string, flags ...string) []byte {
	path := filepath.Join(t.dir, "file.trace")
	self, err := os.Executable()
	if err == nil {
		err = os.WriteFile(path, file, 0o666)
	}
	if err != nil {
		t.check(false, name, "%v", err)
		return nil
	}
	cmd := exec.Command(self, append(flags, path)...)
	out, err := cmd.CombinedOutput()
	if _, exited := err.(*exec.ExitError); err != nil && !exited {
		t.check(false, name, "%v", err)
		return nil
	}
	got := cmd.ProcessState.ExitCode()
	t.check(got == code && bytes.Contains(out, []byte(want)), name,
		"status %d, expected %d with %q; output: %.2000s", got, code, want, out)
	return out
}

func (t *selftest) good(file []byte, c *cutting) {
	t.run("good file", file, exitOK, fmt.Sprintf(" %d generations", len(c.pieces)))
	t.run("good file, each generation, live goroutines", file, exitOK,
		"live goroutines listed, each generation alone", "--each", "--live")
	text := t.run("text", file, exitOK, "Running->Waiting reason=\"sync\" stack=[", "--text")
	counts, _ := read(file)
	lines := bytes.Count(text, []byte("\n"))
	t.check(lines == counts.events+counts.syncs, "text has a line for each event",
		"%d lines, %d events, %d syncs", lines, counts.events, counts.syncs)
	again := t.run("text again", file, exitOK, "", "--text")
	t.check(bytes.Equal(text, again), "text is stable", "two runs differ")
	t.run("pages", file, exitOK, "main.sampleWaiter", "--pages")
}

// truth compares --stats with what sample() does.
func (t *selftest) truth(file []byte) {
	var stats statsFile
	out := t.run("stats", file, exitOK, "main.sampleHolder", "--stats")
	if err := json.Unmarshal(out, &stats); err != nil {
		t.check(false, "stats are JSON", "%v", err)
		return
	}
	named := make(map[string]*statsG)
	for _, g := range stats.Goroutines {
		named[g.Name] = g
	}
	holder, waiter, silent := named["main.sampleHolder"], named["main.sampleWaiter"],
		named["main.sampleSilent"]
	if holder == nil || waiter == nil || silent == nil {
		t.check(false, "stats name the goroutines", "missing one")
		return
	}
	t.check(silent.Waiting["chan receive"] > 2e9 && silent.Blocks == 1,
		"stats: the silent goroutine waits", "%+v", *silent)
	t.check(holder.Ended != nil && holder.Creator != nil && waiter.Total > 0,
		"stats: creation and end", "%+v", *holder)
	// It may be late once or twice on a busy machine, but never wait too little in sum.
	least := int64(sampleRounds * sampleHold * 8 / 10)
	block := slices.IndexFunc(stats.Blocks, func(b *statsBlock) bool {
		return b.Goroutine == waiter.ID && b.Reason == "sync" &&
			slices.Contains(b.Stack, "main.sampleWaiter")
	})
	t.check(block >= 0 && stats.Blocks[block].Total > least, "stats: time blocked on the mutex",
		"block %d, expected more than %d ns", block, least)
	t.check(waiter.Waiting["sync"] > least, "stats: Go's own sum of it", "%+v", *waiter)
	wake := slices.IndexFunc(stats.Wakes, func(w *statsWake) bool {
		return w.Waker != nil && *w.Waker == holder.ID && w.Wakee == waiter.ID && w.Reason == "sync"
	})
	t.check(wake >= 0 && stats.Wakes[wake].Count > sampleRounds/2 &&
		slices.Contains(stats.Wakes[wake].Stacks[0].Stack, "main.sampleHolder"),
		"stats: the holder wakes the waiter", "wake %d", wake)
}

func (t *selftest) truncated(file []byte, c *cutting) {
	first := c.pieces[0]
	t.run("cut between generations", file[:first.to], exitOK, " 1 generations")
	for _, at := range []struct {
		name  string
		size  int
		whole int
	}{
		{"behind the header", c.header, 0},
		{"inside the first generation", (first.from + first.to) / 2, 0},
		{"inside a batch header", first.to + 2, 1},
		{"inside a batch", first.to + 20, 1},
		{"before the last end mark", len(file) - 1, len(c.pieces) - 1},
	} {
		want := fmt.Sprintf("truncated after %d generations", at.whole)
		t.run("cut "+at.name, file[:at.size], exitTruncated, want)
		t.run("cut "+at.name+", allowed", file[:at.size], exitOK, want,
			"--allow-truncated", "--each", "--live")
	}
	t.run("empty file", nil, exitRejected, "rejected")
	t.run("cut header", file[:c.header-1], exitRejected, "rejected")
}

func (t *selftest) bad(file []byte, c *cutting) {
	p := c.pieces
	t.run("not a trace", []byte("#!/bin/sh\nexit 0\n# and so on"), exitRejected, "rejected")
	t.run("unknown version", append([]byte("go 1.99 trace\x00\x00\x00"), file[c.header:]...),
		exitRejected, "rejected")
	t.run("garbage behind the end", append(bytes.Clone(file), "garbage"...), exitRejected,
		"rest of the file")
	t.run("swapped generations", c.join([]piece{p[1], p[0], p[2]}), exitRejected, "rejected")
	t.run("the same generation twice", c.join([]piece{p[0], p[0], p[1]}), exitRejected, "rejected")
	noMark := slices.Delete(bytes.Clone(file), p[0].to-1, p[0].to)
	t.run("no end mark in the middle", noMark, exitRejected, "missing end-of-generation")
	// gtrace keeps its own facts in batches of experiment 1. Any other number breaks readers.
	for experiment, code := range map[byte]int{1: exitOK, 2: exitRejected} {
		batch := binary.AppendUvarint([]byte{byte(tracev2.EvExperimentalBatch), experiment},
			p[0].number)
		batch = append(batch, 0, 1, 3, 'a', 'b', 'c') // M, time, size, content
		behind := p[0].to - 1
		name := fmt.Sprintf("batch of experiment %d", experiment)
		t.run(name, slices.Insert(bytes.Clone(file), behind, batch...), code, "")
	}
}

// noProcsChange is a trace that the reader accepts and a page of go tool trace panics on.
const noProcsChange = `Trace Go1.26
EventBatch gen=1 m=18446744073709551615 time=10 size=12
Sync
Frequency freq=1000000000
ClockSnapshot dt=1 mono=100 sec=1 nsec=5
EventBatch gen=1 m=5 time=20 size=9
ProcStatus dt=1 p=1 pstatus=1
GoStatus dt=1 g=1 m=5 gstatus=2
EndOfGeneration
`

func (t *selftest) badPages() {
	var file bytes.Buffer
	in, err := raw.NewTextReader(strings.NewReader(noProcsChange))
	if err != nil {
		t.check(false, "a page that panics", "%v", err)
		return
	}
	w, err := raw.NewWriter(&file, in.Version())
	for err == nil {
		var e raw.Event
		if e, err = in.ReadEvent(); err == nil {
			err = w.WriteEvent(e)
		}
	}
	t.check(err == io.EOF, "a file without ProcsChange is written", "%v", err)
	t.run("a file without ProcsChange", file.Bytes(), exitOK, " 2 events, 1 generations")
	t.run("a page that panics", file.Bytes(), exitRejected, "/mmu?mode=plot", "--pages")
	t.run("a page that panics, the server's words", file.Bytes(), exitRejected, "http: panic serving",
		"--pages")
}

// unlisted leaves one silent goroutine out of the second generation. Go's reader accepts the
// file, and the generation alone: only --live, and a suffix that begins there, can tell.
func (t *selftest) unlisted(file []byte, c *cutting) {
	id := trace.NoGoroutine
	_, err := read(file, func(ev *trace.Event) error {
		if ev.Kind() == trace.EventStateTransition {
			st := ev.StateTransition()
			if outermost(st.Stack) == "main.sampleSilent" && id == trace.NoGoroutine {
				id = st.Resource.Goroutine()
			}
		}
		return nil
	})
	var changed []byte
	if err == nil {
		changed, err = dropStatus(file, c.pieces[1].number, id)
	}
	if err != nil {
		t.check(false, "a status is left out", "%v", err)
		return
	}
	t.run("a status is left out", changed, exitOK, "ok")
	t.run("a status is left out, --live", changed, exitRejected,
		fmt.Sprintf("goroutine %d (main.sampleSilent): Waiting, not listed", id), "--live")
	t.run("a status is left out, --each", changed, exitRejected,
		"file without its first 1 generations", "--each")
}

// dropStatus removes the status of a goroutine from a generation.
func dropStatus(file []byte, generation uint64, id trace.GoID) ([]byte, error) {
	in, err := raw.NewReader(bytes.NewReader(file))
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	w, err := raw.NewWriter(&out, in.Version())
	if err != nil {
		return nil, err
	}
	var pending []raw.Event // a batch: header and events
	flush := func() {
		if len(pending) > 0 && pending[0].Ev == tracev2.EvEventBatch {
			size := 0
			for _, e := range pending[1:] {
				size += e.EncodedSize()
			}
			pending[0].Args[3] = uint64(size)
		}
		for _, e := range pending {
			w.WriteEvent(e) // into memory; its only error is another version
		}
		pending = pending[:0]
	}
	dropped, carry := 0, uint64(0)
	for {
		e, err := in.ReadEvent()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
		switch e.Ev {
		case tracev2.EvEventBatch, tracev2.EvEndOfGeneration:
			flush()
			carry = 0
		case tracev2.EvGoStatus, tracev2.EvGoStatusStack:
			if pending[0].Args[0] == generation && trace.GoID(e.Args[1]) == id {
				dropped++
				carry = e.Args[0]
				continue
			}
		}
		if carry != 0 {
			e.Args[0] += carry // times are differences
			carry = 0
		}
		pending = append(pending, e)
	}
	flush()
	if dropped != 1 {
		return nil, fmt.Errorf("%d statuses of goroutine %d in generation %d, expected 1",
			dropped, id, generation)
	}
	return out.Bytes(), nil
}

// flips judges files with a flipped bit: any verdict is right, but there must be one, and a
// judge that takes most of them is blind.
func (t *selftest) flips(file []byte) {
	const rounds = 200
	random := rand.New(rand.NewSource(1))
	rejected := 0
	for range rounds {
		changed := bytes.Clone(file)
		changed[random.Intn(len(changed))] ^= 1 << random.Intn(8)
		if v := judge(changed, options{each: true, live: true}); v.code(options{}) != exitOK {
			rejected++
		}
	}
	// Most bits of a trace of Go are texts, addresses and lines, where any value is as good.
	t.check(rejected > rounds/10, "flipped bits", "%d of %d files rejected", rejected, rounds)
}

// golden runs the files of Go's own test of the reader.
func (t *selftest) golden() {
	pattern := filepath.Join(runtime.GOROOT(), "src/internal/trace/testdata/tests/*.test")
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		fmt.Printf("SKIP - Go's own test files: none at %s\n", pattern)
		return
	}
	for _, path := range files {
		name := "Go's own " + strings.TrimSuffix(filepath.Base(path), ".test")
		file, _, expectation, err := testtrace.ParseFile(path)
		var data []byte
		if err == nil {
			data, err = io.ReadAll(file)
		}
		if err != nil {
			t.check(false, name, "%v", err)
			continue
		}
		v := judge(data, options{})
		err = expectation.Check(v.err)
		t.check(err == nil, name, "%v", err)
	}
}
