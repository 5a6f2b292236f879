package main

// --live: every goroutine that lives across a boundary is listed by a status in the generation
// behind it, before anything else happens to it. The reader takes a file that leaves a silent
// goroutine out; the generation then is not self-contained.
//
// That a status agrees with the state at the boundary is the reader's own rule ("inconsistent
// status"); that it comes before the first transition is checked here, so the state that it
// names is the one at the boundary.

import (
	"fmt"
	"maps"
	"slices"

	"internal/trace"
)

// liveG is a goroutine that is alive at this point of the whole file.
type liveG struct {
	name  string // entry function, once a stack told it
	state trace.GoState
}

type liveCheck struct {
	cutting *cutting
	alive   map[trace.GoID]*liveG
	// Of the generation being read: alive at its beginning and not listed yet, with the state
	// that they then had.
	pending    map[trace.GoID]trace.GoState
	generation int // counted from 0
	found      []string
}

func newLiveCheck(c *cutting) *liveCheck {
	return &liveCheck{
		cutting:    c,
		alive:      make(map[trace.GoID]*liveG),
		pending:    make(map[trace.GoID]trace.GoState),
		generation: -1,
	}
}

func (l *liveCheck) visit(ev *trace.Event) error {
	switch ev.Kind() {
	case trace.EventSync:
		l.boundary()
	case trace.EventStateTransition:
		if st := ev.StateTransition(); st.Resource.Kind == trace.ResourceGoroutine {
			l.transition(&st)
		}
	}
	return nil
}

func (l *liveCheck) boundary() {
	for _, id := range slices.Sorted(maps.Keys(l.pending)) {
		l.complain(id, "%s, not listed", l.pending[id])
	}
	clear(l.pending)
	for id, g := range l.alive {
		l.pending[id] = g.state
	}
	l.generation++
}

func (l *liveCheck) transition(st *trace.StateTransition) {
	id := st.Resource.Goroutine()
	from, to := st.Goroutine()
	if before, ok := l.pending[id]; ok {
		if from != to {
			l.complain(id, "%s->%s before it is listed", from, to)
		} else if before != to {
			l.complain(id, "listed as %s, but it was %s", to, before)
		}
		delete(l.pending, id)
	}
	if to == trace.GoNotExist {
		delete(l.alive, id)
		return
	}
	g := l.alive[id]
	if g == nil {
		g = &liveG{}
		l.alive[id] = g
	}
	g.state = to
	if g.name == "" {
		g.name = outermost(st.Stack)
	}
}

func (l *liveCheck) complain(id trace.GoID, format string, args ...any) {
	name := ""
	if g := l.alive[id]; g != nil && g.name != "" {
		name = " (" + g.name + ")"
	}
	l.found = append(l.found, fmt.Sprintf("%s: goroutine %d%s: %s",
		l.cutting.where(l.generation), id, name, fmt.Sprintf(format, args...)))
}

func (l *liveCheck) complaints() []string {
	return l.found
}
