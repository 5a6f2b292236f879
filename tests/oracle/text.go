package main

// --text: events as Go's reader orders them, one a line, for comparison with another reader.
//
//	INDEX NANOSECONDS m=M p=P g=G KIND FIELDS
//
// Nanoseconds since the first event; "-" for no M, P or G. The Sync events, which the reader makes
// itself before each generation and at the end, are comments: "# sync N at NANOSECONDS".

import (
	"bufio"
	"fmt"
	"os"
	"strconv"
	"strings"

	"internal/trace"
)

func runText(name string, opt options) int {
	out := bufio.NewWriterSize(os.Stdout, 1<<16)
	index, syncs, start := 0, 0, trace.Time(0)
	_, _, code := readForOutput(name, opt, func(ev *trace.Event) error {
		if ev.Kind() == trace.EventSync {
			if syncs == 0 {
				start = ev.Time()
			}
			syncs++
			fmt.Fprintf(out, "# sync %d at %d\n", syncs, ev.Time().Sub(start))
			return nil
		}
		fmt.Fprintf(out, "%d %d m=%s p=%s g=%s %s\n", index, ev.Time().Sub(start),
			number(int64(ev.Thread())), number(int64(ev.Proc())), number(int64(ev.Goroutine())),
			describe(ev))
		index++
		return nil
	})
	if err := out.Flush(); err != nil {
		errorf("%v", err)
		return exitUsage
	}
	return code
}

// number prints an id, where -1 is Go's "none".
func number(id int64) string {
	if id == -1 {
		return "-"
	}
	return fmt.Sprint(id)
}

// value prints a value without Go's wrapping of it.
func value(v trace.Value) string {
	if v.Kind() == trace.ValueUint64 {
		return fmt.Sprint(v.Uint64())
	}
	return strconv.Quote(v.String())
}

// describe gives the kind of an event and what belongs to that kind.
func describe(ev *trace.Event) string {
	stack := stackText(" stack", ev.Stack())
	switch kind := ev.Kind(); kind {
	case trace.EventStateTransition:
		st := ev.StateTransition()
		text := ""
		if st.Resource.Kind == trace.ResourceProc {
			from, to := st.Proc()
			text = fmt.Sprintf("Proc %d %s->%s", st.Resource.Proc(), from, to)
		} else {
			from, to := st.Goroutine()
			text = fmt.Sprintf("Go %d %s->%s", st.Resource.Goroutine(), from, to)
		}
		if st.Reason != "" {
			text += fmt.Sprintf(" reason=%q", st.Reason)
		}
		if st.Stack != ev.Stack() {
			// Of the goroutine that is created, not of the one that creates it.
			text += stackText(" entry", st.Stack)
		}
		return text + stack
	case trace.EventMetric:
		m := ev.Metric()
		return fmt.Sprintf("%s %s=%s", kind, m.Name, value(m.Value)) + stack
	case trace.EventLabel:
		l := ev.Label()
		return fmt.Sprintf("%s %s %q", kind, l.Resource, l.Label)
	case trace.EventRangeBegin, trace.EventRangeActive:
		r := ev.Range()
		return fmt.Sprintf("%s %s %q", kind, r.Scope, r.Name) + stack
	case trace.EventRangeEnd:
		r := ev.Range()
		text := fmt.Sprintf("%s %s %q", kind, r.Scope, r.Name)
		for _, a := range ev.RangeAttributes() {
			text += fmt.Sprintf(" %q=%s", a.Name, value(a.Value))
		}
		return text
	case trace.EventTaskBegin, trace.EventTaskEnd:
		t := ev.Task()
		return fmt.Sprintf("%s %d parent=%s %q", kind, t.ID, number(int64(t.Parent)), t.Type) + stack
	case trace.EventRegionBegin, trace.EventRegionEnd:
		r := ev.Region()
		return fmt.Sprintf("%s task=%d %q", kind, r.Task, r.Type) + stack
	case trace.EventLog:
		l := ev.Log()
		return fmt.Sprintf("%s task=%d %q %q", kind, l.Task, l.Category, l.Message) + stack
	case trace.EventExperimental:
		e := ev.Experimental()
		text := fmt.Sprintf("%s %s", kind, e.Name)
		for i, arg := range e.Args {
			text += fmt.Sprintf(" %s=%s", arg, value(e.ArgValue(i)))
		}
		return text
	default:
		return kind.String() + stack
	}
}

// stackText is a stack as function names, innermost first; nothing for no stack.
func stackText(prefix string, stack trace.Stack) string {
	names := functions(stack)
	if len(names) == 0 {
		return ""
	}
	return fmt.Sprintf("%s=[%s]", prefix, strings.Join(names, " "))
}

func functions(stack trace.Stack) []string {
	names := []string{}
	for frame := range stack.Frames() {
		names = append(names, frame.Func)
	}
	return names
}

// outermost is the function at the outer end of a stack: what Go's pages name a goroutine after.
func outermost(stack trace.Stack) (name string) {
	for frame := range stack.Frames() {
		name = frame.Func
	}
	return name
}

func errorf(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "oracle: "+format+"\n", args...)
}
