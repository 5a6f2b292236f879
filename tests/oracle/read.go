package main

// One pass of Go's reader and validator over a file, and the verdict on it.

import (
	"bytes"
	"fmt"
	"io"
	"runtime"
	"strings"

	"internal/trace"
	"internal/trace/testtrace"
	"internal/trace/version"
)

// counts is what a pass saw.
type counts struct {
	events      int // without the Sync events, which the reader makes itself
	syncs       int // one before each generation and one at the end
	sinceSync   int
	lastTime    trace.Time
	firstTime   trace.Time
	goroutines  map[trace.GoID]struct{}
	generations []int // events of each generation
}

// visitor is called for every event, after the validator.
type visitor func(ev *trace.Event) error

// read passes data through reader, validator and visitors. The reader panics on some bad files;
// that is an error as any other.
func read(data []byte, visitors ...visitor) (c counts, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("Go's reader panics: %v%s", p, panicPlace())
		}
	}()
	c.goroutines = make(map[trace.GoID]struct{})
	// The header again, since the reader keeps the version to itself.
	v, err := version.ReadHeader(bytes.NewReader(data))
	if err != nil {
		return c, err
	}
	r, err := trace.NewReader(bytes.NewReader(data))
	if err != nil {
		return c, err
	}
	validator := testtrace.NewValidator()
	validator.GoVersion = v
	for {
		ev, err := r.ReadEvent()
		if err == io.EOF {
			return c, nil
		}
		if err != nil {
			return c, err
		}
		c.count(&ev)
		if err := validator.Event(ev); err != nil {
			if ev.Kind() == trace.EventSync {
				// A generation that cannot be read gives a Sync event without a clock
				// first, which the validator refuses, and the reason only then.
				if _, reason := r.ReadEvent(); reason != nil && reason != io.EOF {
					return c, reason
				}
			}
			return c, fmt.Errorf("validator: %w", err)
		}
		touch(&ev)
		for _, visit := range visitors {
			if err := visit(&ev); err != nil {
				return c, err
			}
		}
	}
}

func (c *counts) count(ev *trace.Event) {
	if c.syncs == 0 {
		c.firstTime = ev.Time()
	}
	c.lastTime = ev.Time()
	if ev.Kind() == trace.EventSync {
		if c.syncs > 0 {
			c.generations = append(c.generations, c.sinceSync)
		}
		c.syncs++
		c.sinceSync = 0
		return
	}
	c.events++
	c.sinceSync++
	if ev.Kind() == trace.EventStateTransition {
		if st := ev.StateTransition(); st.Resource.Kind == trace.ResourceGoroutine {
			c.goroutines[st.Resource.Goroutine()] = struct{}{}
		}
	}
}

// touch calls the getters that the validator leaves out: on bad files they panic, and so would
// go tool trace.
func touch(ev *trace.Event) {
	switch ev.Kind() {
	case trace.EventStackSample:
		for range ev.Stack().Frames() {
		}
	case trace.EventRangeEnd:
		ev.RangeAttributes()
	case trace.EventRegionBegin, trace.EventRegionEnd:
		ev.Region()
	case trace.EventExperimental:
		e := ev.Experimental()
		for i := range e.Args {
			e.ArgValue(i)
		}
	}
}

// readWhole reads the whole generations of a file; of an unfinished file, what is before the
// unfinished one. If that is nothing, there is nothing to ask the reader.
func readWhole(c *cutting, visitors ...visitor) (counts, error) {
	if c.torn == "" {
		return read(c.data, visitors...)
	}
	if len(c.pieces) == 0 {
		return counts{syncs: 1}, nil
	}
	return read(c.prefix(), visitors...)
}

// at says how far a pass came.
func (c *counts) at(cut *cutting) string {
	place := cut.where(c.syncs - 1)
	if c.sinceSync > 0 {
		place += fmt.Sprintf(", event %d of it", c.sinceSync)
	}
	return place
}

// panicPlace names the innermost function of the reader that panicked.
func panicPlace() string {
	pcs := make([]uintptr, 64)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(3, pcs)])
	for {
		f, more := frames.Next()
		if strings.HasPrefix(f.Function, "internal/trace") {
			return fmt.Sprintf(" (in %s, %s:%d)", f.Function, f.File, f.Line)
		}
		if !more {
			return ""
		}
	}
}

// verdict on one file.
type verdict struct {
	counts
	cutting  *cutting // nil if the header is bad
	err      error    // why it is rejected
	place    string   // where, if known
	complain []string // of --live and --each; also rejects
	passed   []string // what else was checked
}

// judge reads a file as the options say.
func judge(data []byte, opt options) (v verdict) {
	c, err := cut(data)
	if err != nil {
		v.err = err
		return v
	}
	v.cutting = c
	var visitors []visitor
	var live *liveCheck
	if opt.live {
		live = newLiveCheck(c)
		visitors = append(visitors, live.visit)
	}
	v.counts, v.err = readWhole(c, visitors...)
	if v.err == nil && v.syncs-1 != len(c.pieces) {
		v.err = fmt.Errorf("Go's reader sees %d generations, the batch headers show %d",
			v.syncs-1, len(c.pieces))
	}
	if v.err == nil && c.torn == "" && c.rest < len(data) {
		// A table that is cut off makes the reader return io.EOF, as if the file ended there.
		v.err = fmt.Errorf("Go's reader is content, and has not read the last %d bytes",
			len(data)-c.rest)
	}
	if v.err != nil {
		v.place = v.at(c)
		return v
	}
	if live != nil {
		v.complain = append(v.complain, live.complaints()...)
		v.passed = append(v.passed, "live goroutines listed")
	}
	if opt.each {
		complaints, suffixes := eachCheck(c, &v.counts)
		v.complain = append(v.complain, complaints...)
		v.passed = append(v.passed, fmt.Sprintf("each generation alone, %d suffixes", suffixes))
	}
	return v
}

func (v *verdict) code(opt options) int {
	switch {
	case v.err != nil || len(v.complain) > 0:
		return exitRejected
	case v.cutting.torn != "" && !opt.allowTruncated:
		return exitTruncated
	default:
		return exitOK
	}
}

// line is the verdict in words; more than one line only for a rejection.
func (v *verdict) line(opt options) string {
	if v.err != nil {
		message := shorten(v.err.Error(), opt)
		if v.place != "" {
			return fmt.Sprintf("rejected: %s: %s", v.place, message)
		}
		return "rejected: " + message
	}
	if len(v.complain) > 0 {
		return "rejected: " + shorten(strings.Join(v.complain, "\n  "), opt)
	}
	state := "ok"
	if v.cutting.torn != "" {
		state = fmt.Sprintf("truncated after %d generations (%s, %d bytes unused)",
			len(v.cutting.pieces), v.cutting.torn, len(v.cutting.data)-v.cutting.rest)
	}
	line := fmt.Sprintf("%s: %d events, %d generations, %d goroutines",
		state, v.events, v.syncs-1, len(v.goroutines))
	for _, passed := range v.passed {
		line += ", " + passed
	}
	return line
}

// shorten cuts what the reader says when it cannot go on: the state of every M, G and P.
func shorten(message string, opt options) string {
	const most = 30
	lines := strings.Split(strings.TrimRight(message, "\n"), "\n")
	if opt.full || len(lines) <= most {
		return strings.Join(lines, "\n")
	}
	return fmt.Sprintf("%s\n  (%d lines more with --full)",
		strings.Join(lines[:most], "\n"), len(lines)-most)
}

// readForOutput reads a file for --stats and --text: whole generations only. The status says
// whether there was more.
func readForOutput(name string, opt options, visitors ...visitor) (counts, *cutting, int) {
	v := verdict{}
	c, err := cut(load(name))
	if err == nil {
		if v.counts, err = readWhole(c, visitors...); err != nil {
			v.place = v.at(c)
		}
	}
	v.cutting, v.err = c, err
	return v.counts, c, report(name, &v, opt)
}

// report says what is wrong with a file on stderr, and gives the exit status.
func report(name string, v *verdict, opt options) int {
	code := v.code(opt)
	if code != exitOK {
		errorf("%s: %s", name, v.line(opt))
	}
	return code
}
