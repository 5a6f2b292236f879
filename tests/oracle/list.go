package main

// --list: every event with all that Go's reader knows of it, for comparison with gtrace's reader:
// tests/oracle/list.c prints the same lines from that one, and equal.py compares the two.
//
//	TIME M P G KIND FIELDS
//	end N events N syncs sum HASH
//
// A stack is printed whole where it is met for the first time, and as a hash of its frames later.
// "-" stands for no M, P, G, task or stack. The sum is one of the hashes of all events without
// their times, in whatever order; --sum prints the last line alone.
//
// Which of several simultaneous events comes first is an accident of this reader's heap, and of its
// sort, which is not stable: one that could not happen yet may even change places with one that
// could, which is then passed over. build.sh --ties makes a reader of which the order is certain:
// of simultaneous events, the one whose M came first in the file is tried first. Nothing else
// differs, as the sums show.

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"

	"internal/trace"
)

// list is the output, and what was seen before.
type list struct {
	out    *os.File
	only   bool   // the sum
	text   []byte // not yet written
	events int
	syncs  int
	sum    uint64
	hashes map[trace.Stack]uint64 // of this generation
	known  map[uint64]bool        // stacks that are printed
	err    error                  // of writing
}

func runList(name string, only bool) int {
	f, err := os.Open(name)
	if err != nil {
		errorf("%v", err)
		return exitUsage
	}
	defer f.Close()
	l := &list{out: os.Stdout, only: only, known: make(map[uint64]bool)}
	err = l.read(f)
	if err == nil {
		l.text = fmt.Appendf(l.text, "end %d events %d syncs sum %x\n", l.events, l.syncs, l.sum)
	}
	l.write()
	if l.err != nil {
		errorf("%v", l.err)
		return exitUsage
	}
	if err != nil {
		errorf("%s: rejected: %s", name, shorten(err.Error(), options{}))
		return exitRejected
	}
	return exitOK
}

func (l *list) read(in io.Reader) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("Go's reader panics: %v%s", p, panicPlace())
		}
	}()
	r, err := trace.NewReader(in)
	if err != nil {
		return err
	}
	for {
		ev, err := r.ReadEvent()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		l.event(&ev)
	}
}

func (l *list) write() {
	if _, err := l.out.Write(l.text); err != nil && l.err == nil {
		l.err = err
	}
	l.text = l.text[:0]
}

func (l *list) word(s string) {
	l.text = append(append(l.text, ' '), s...)
}

func (l *list) number(n uint64) {
	l.text = strconv.AppendUint(append(l.text, ' '), n, 10)
}

// id is a number of which the last one means none.
func (l *list) id(n int64) {
	if n == -1 {
		l.text = append(l.text, " -"...)
	} else {
		l.text = strconv.AppendInt(append(l.text, ' '), n, 10)
	}
}

// quoted keeps bytes apart from the text around them, in the simplest way.
func quoted(to []byte, s string) []byte {
	to = append(to, ' ', '"')
	for i := range len(s) {
		if c := s[i]; c > ' ' && c < 0x7f && c != '"' && c != '\\' {
			to = append(to, c)
		} else {
			to = append(to, '\\', 'x', "0123456789abcdef"[c>>4], "0123456789abcdef"[c&15])
		}
	}
	return append(to, '"')
}

func (l *list) quoted(s string) {
	l.text = quoted(l.text, s)
}

func hash(text []byte) uint64 {
	h := uint64(14695981039346656037) // FNV-1a
	for _, c := range text {
		h = (h ^ uint64(c)) * 1099511628211
	}
	return h
}

// stack adds a hash of a stack, and prints the stack before the line if it is new.
func (l *list) stack(s trace.Stack) {
	if s == trace.NoStack {
		l.word("-")
		return
	}
	h, ok := l.hashes[s]
	if !ok {
		var text []byte
		for f := range s.Frames() {
			text = quoted(append(text, "\n\t"...), f.Func)
			text = quoted(text, f.File)
			text = strconv.AppendUint(append(text, ' '), f.Line, 10)
			text = strconv.AppendUint(append(text, ' '), f.PC, 16)
		}
		if len(text) > 0 {
			h = hash(text)
		}
		l.hashes[s] = h
		if h != 0 && !l.known[h] {
			l.known[h] = true
			line := fmt.Appendf(nil, "stack %x%s\n", h, text)
			l.text = slices.Insert(l.text, bytes.LastIndexByte(l.text, '\n')+1, line...)
		}
	}
	if h == 0 {
		l.word("-")
		return
	}
	l.text = strconv.AppendUint(append(l.text, ' '), h, 16)
}

func (l *list) event(ev *trace.Event) {
	from := len(l.text)
	l.text = strconv.AppendInt(l.text, int64(ev.Time()), 10)
	time := len(l.text) - from
	if ev.Kind() == trace.EventSync {
		l.sync(ev)
	} else {
		l.events++
		l.id(int64(ev.Thread()))
		l.id(int64(ev.Proc()))
		l.id(int64(ev.Goroutine()))
		l.fields(ev)
		l.stack(ev.Stack())
		// Stacks may have come before it.
		from = bytes.LastIndexByte(l.text, '\n') + 1
		l.sum += hash(l.text[from+time:])
	}
	l.text = append(l.text, '\n')
	if l.only {
		l.text = l.text[:0]
	}
	if len(l.text) > 1<<16 {
		l.write()
	}
}

func (l *list) sync(ev *trace.Event) {
	s := ev.Sync()
	l.syncs++
	l.hashes = make(map[trace.Stack]uint64)
	l.word("sync")
	l.number(uint64(s.N))
	if c := s.ClockSnapshot; c != nil {
		l.id(int64(c.Trace))
		l.number(c.Mono)
		l.number(uint64(c.Wall.Unix()))
		l.number(uint64(c.Wall.Nanosecond()))
	}
}

func (l *list) fields(ev *trace.Event) {
	kind := ev.Kind()
	if kind != trace.EventStateTransition {
		l.word(kind.String())
	}
	switch kind {
	case trace.EventStateTransition:
		st := ev.StateTransition()
		if st.Resource.Kind == trace.ResourceProc {
			from, to := st.Proc()
			l.word("Proc")
			l.id(int64(st.Resource.Proc()))
			l.word(from.String())
			l.word(to.String())
		} else {
			from, to := st.Goroutine()
			l.word("Go")
			l.id(int64(st.Resource.Goroutine()))
			l.word(from.String())
			l.word(to.String())
		}
		l.quoted(st.Reason)
		l.stack(st.Stack)
	case trace.EventMetric:
		m := ev.Metric()
		l.word(m.Name)
		l.number(m.Value.Uint64())
	case trace.EventLabel:
		label := ev.Label()
		l.id(int64(label.Resource.Goroutine()))
		l.quoted(label.Label)
	case trace.EventRangeBegin, trace.EventRangeActive, trace.EventRangeEnd:
		r := ev.Range()
		l.quoted(r.Name)
		switch r.Scope.Kind {
		case trace.ResourceGoroutine:
			l.word("Go")
			l.id(int64(r.Scope.Goroutine()))
		case trace.ResourceProc:
			l.word("Proc")
			l.id(int64(r.Scope.Proc()))
		}
		if kind == trace.EventRangeEnd {
			for _, a := range ev.RangeAttributes() {
				l.number(a.Value.Uint64())
			}
		}
	case trace.EventTaskBegin, trace.EventTaskEnd:
		t := ev.Task()
		l.id(int64(t.ID))
		l.id(int64(t.Parent))
		l.quoted(t.Type)
	case trace.EventRegionBegin, trace.EventRegionEnd:
		r := ev.Region()
		l.id(int64(r.Task))
		l.quoted(r.Type)
	case trace.EventLog:
		log := ev.Log()
		l.id(int64(log.Task))
		l.quoted(log.Category)
		l.quoted(log.Message)
	case trace.EventExperimental:
		e := ev.Experimental()
		l.word(e.Name)
		for i := range e.Args {
			l.number(e.ArgValue(i).Uint64())
		}
	}
}
