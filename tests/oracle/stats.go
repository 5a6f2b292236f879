package main

// --stats: what a trace says, as JSON, for tests that know the answer.
//
// Times by state are those of Go's own Summarizer, so they are what go tool trace shows, its
// quirks included: a syscall that is open at the end counts as "runnable" too. Blocks and wakes
// are counted here from the transitions. All times are nanoseconds, points in time since the
// first event.

import (
	"cmp"
	"encoding/json"
	"maps"
	"os"
	"slices"
	"strings"

	"internal/trace"
)

type statsFile struct {
	File        string         `json:"file"`
	Truncated   bool           `json:"truncated"`
	Events      int            `json:"events"`
	Generations int            `json:"generations"`
	Duration    int64          `json:"duration_ns"`
	Goroutines  []*statsG      `json:"goroutines"`
	Blocks      []*statsBlock  `json:"blocks"`
	Wakes       []*statsWake   `json:"wakes"`
	Kinds       map[string]int `json:"kinds"`
}

type statsG struct {
	ID             trace.GoID       `json:"id"`
	Name           string           `json:"name"`    // outermost function of its first stack
	Creator        *trace.GoID      `json:"creator"` // null: created by nobody, or before the trace
	Created        int64            `json:"created_ns"`
	Ended          *int64           `json:"ended_ns"` // null: lives at the end
	State          string           `json:"state"`    // the last one
	Total          int64            `json:"total_ns"`
	Running        int64            `json:"running_ns"`
	Runnable       int64            `json:"runnable_ns"`
	Waiting        map[string]int64 `json:"waiting_ns"` // by reason
	Syscall        int64            `json:"syscall_ns"`
	SyscallBlocked int64            `json:"syscall_blocked_ns"` // in a syscall, its P handed off
	Blocks         int              `json:"blocks"`             // Running->Waiting
	Syscalls       int              `json:"syscalls"`           // Running->Syscall
	Labels         []string         `json:"labels"`             // distinct, in order of appearance
	Threads        []trace.ThreadID `json:"threads"`            // it ran on these Ms

	waitSince  trace.Time
	waitReason string
	waitStack  []string
}

// statsBlock sums the waits of one goroutine from one stack for one reason.
type statsBlock struct {
	Goroutine trace.GoID `json:"goroutine"`
	Reason    string     `json:"reason"`
	Stack     []string   `json:"stack"` // innermost first
	Count     int        `json:"count"`
	Total     int64      `json:"total_ns"` // the last wait up to the end of the file, if it is open
	Max       int64      `json:"max_ns"`
}

// statsWake sums the unblocks of one goroutine by another.
type statsWake struct {
	Waker  *trace.GoID  `json:"waker"` // null: by no goroutine, a timeout for example
	Wakee  trace.GoID   `json:"wakee"`
	Reason string       `json:"reason"` // for which the wakee waited
	Count  int          `json:"count"`
	Waited int64        `json:"waited_ns"` // by the wakee, in sum
	Stacks []*stackSeen `json:"stacks"`    // of the waker, the most frequent first
}

type stackSeen struct {
	Top   string   `json:"top"` // the innermost function
	Stack []string `json:"stack"`
	Count int      `json:"count"`
}

type blockKey struct {
	id            trace.GoID
	reason, stack string
}

type wakeKey struct {
	waker, wakee trace.GoID
	reason       string
}

type collector struct {
	summary *trace.Summarizer
	gs      map[trace.GoID]*statsG
	blocks  map[blockKey]*statsBlock
	wakes   map[wakeKey]*statsWake
	kinds   map[string]int
	start   trace.Time
	last    trace.Time
}

func runStats(name string, opt options) int {
	s := &collector{
		summary: trace.NewSummarizer(),
		gs:      make(map[trace.GoID]*statsG),
		blocks:  make(map[blockKey]*statsBlock),
		wakes:   make(map[wakeKey]*statsWake),
		kinds:   make(map[string]int),
	}
	counts, c, code := readForOutput(name, opt, s.visit)
	if code == exitRejected {
		return code
	}
	out := json.NewEncoder(os.Stdout)
	out.SetEscapeHTML(false)
	out.SetIndent("", " ")
	file := s.finish()
	file.File, file.Truncated = name, c.torn != ""
	file.Events, file.Generations = counts.events, counts.syncs-1
	if err := out.Encode(file); err != nil {
		errorf("%v", err)
		return exitUsage
	}
	return code
}

func (s *collector) visit(ev *trace.Event) error {
	if s.start == 0 {
		s.start = ev.Time()
	}
	s.last = ev.Time()
	kept := *ev // the summarizer keeps pointers to some events
	s.summary.Event(&kept)
	switch ev.Kind() {
	case trace.EventSync:
		return nil
	case trace.EventLabel:
		if l := ev.Label(); l.Resource.Kind == trace.ResourceGoroutine {
			g := s.g(l.Resource.Goroutine())
			if !slices.Contains(g.Labels, l.Label) {
				g.Labels = append(g.Labels, l.Label)
			}
		}
	case trace.EventStateTransition:
		if st := ev.StateTransition(); st.Resource.Kind == trace.ResourceGoroutine {
			s.transition(ev, &st)
		}
	}
	s.kinds[ev.Kind().String()]++
	return nil
}

func (s *collector) g(id trace.GoID) *statsG {
	g := s.gs[id]
	if g == nil {
		g = &statsG{ID: id, Waiting: map[string]int64{}, Labels: []string{},
			Threads: []trace.ThreadID{}}
		s.gs[id] = g
	}
	return g
}

func (s *collector) transition(ev *trace.Event, st *trace.StateTransition) {
	g := s.g(st.Resource.Goroutine())
	from, to := st.Goroutine()
	g.State = to.String()
	if to == trace.GoRunning && !slices.Contains(g.Threads, ev.Thread()) {
		g.Threads = append(g.Threads, ev.Thread())
	}
	if from == to {
		return
	}
	switch {
	case from == trace.GoNotExist && ev.Goroutine() != trace.NoGoroutine:
		creator := ev.Goroutine()
		g.Creator = &creator
	case from == trace.GoWaiting:
		waited := s.endWait(g, ev.Time())
		if to == trace.GoRunnable {
			s.wake(ev, g, waited)
		}
	case from == trace.GoRunning && to == trace.GoSyscall:
		g.Syscalls++
	}
	if to == trace.GoWaiting {
		if from == trace.GoRunning {
			g.Blocks++
		}
		g.waitSince, g.waitReason, g.waitStack = ev.Time(), st.Reason, functions(st.Stack)
	}
}

// endWait adds the wait that ends now to its block.
func (s *collector) endWait(g *statsG, now trace.Time) int64 {
	key := blockKey{g.ID, g.waitReason, strings.Join(g.waitStack, "\n")}
	b := s.blocks[key]
	if b == nil {
		b = &statsBlock{Goroutine: g.ID, Reason: g.waitReason, Stack: g.waitStack}
		s.blocks[key] = b
	}
	waited := int64(now.Sub(g.waitSince))
	b.Count++
	b.Total += waited
	b.Max = max(b.Max, waited)
	return waited
}

func (s *collector) wake(ev *trace.Event, g *statsG, waited int64) {
	waker := ev.Goroutine()
	key := wakeKey{waker, g.ID, g.waitReason}
	w := s.wakes[key]
	if w == nil {
		w = &statsWake{Wakee: g.ID, Reason: g.waitReason}
		if waker != trace.NoGoroutine {
			w.Waker = &waker
		}
		s.wakes[key] = w
	}
	w.Count++
	w.Waited += waited
	stack := functions(ev.Stack())
	if len(stack) == 0 {
		return
	}
	i := slices.IndexFunc(w.Stacks, func(s *stackSeen) bool { return slices.Equal(s.Stack, stack) })
	if i < 0 {
		i = len(w.Stacks)
		w.Stacks = append(w.Stacks, &stackSeen{Top: stack[0], Stack: stack})
	}
	w.Stacks[i].Count++
}

func (s *collector) finish() *statsFile {
	for _, g := range s.gs {
		if g.State == trace.GoWaiting.String() {
			s.endWait(g, s.last)
		}
	}
	for id, sum := range s.summary.Finalize().Goroutines {
		g := s.g(id)
		g.Name = sum.Name
		g.Created = int64(sum.CreationTime.Sub(s.start))
		if sum.EndTime != 0 {
			ended := int64(sum.EndTime.Sub(s.start))
			g.Ended = &ended
		}
		g.Total = int64(sum.TotalTime)
		g.Running = int64(sum.ExecTime)
		g.Runnable = int64(sum.SchedWaitTime)
		g.Syscall = int64(sum.SyscallTime)
		g.SyscallBlocked = int64(sum.SyscallBlockTime)
		for reason, d := range sum.BlockTimeByReason {
			g.Waiting[reason] = int64(d)
		}
	}
	file := &statsFile{
		Duration:   int64(s.last.Sub(s.start)),
		Goroutines: slices.SortedFunc(maps.Values(s.gs), byID),
		Blocks:     slices.SortedFunc(maps.Values(s.blocks), byTotal),
		Wakes:      slices.SortedFunc(maps.Values(s.wakes), byCount),
		Kinds:      s.kinds,
	}
	for _, w := range file.Wakes {
		slices.SortStableFunc(w.Stacks, func(a, b *stackSeen) int { return cmp.Compare(b.Count, a.Count) })
	}
	// Empty lists, not null, for readers in other languages.
	if file.Blocks == nil {
		file.Blocks = []*statsBlock{}
	}
	if file.Wakes == nil {
		file.Wakes = []*statsWake{}
	}
	return file
}

func byID(a, b *statsG) int {
	return cmp.Compare(a.ID, b.ID)
}

func byTotal(a, b *statsBlock) int {
	return cmp.Or(cmp.Compare(b.Total, a.Total), cmp.Compare(a.Goroutine, b.Goroutine),
		cmp.Compare(a.Reason, b.Reason), slices.Compare(a.Stack, b.Stack))
}

func byCount(a, b *statsWake) int {
	return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Wakee, b.Wakee),
		cmp.Compare(wakerID(a), wakerID(b)), cmp.Compare(a.Reason, b.Reason))
}

func wakerID(w *statsWake) trace.GoID {
	if w.Waker == nil {
		return trace.NoGoroutine
	}
	return *w.Waker
}
