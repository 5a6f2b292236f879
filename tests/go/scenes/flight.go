//go:build go1.25

package main

// The flight recorder: a window of the past, written while the program runs on.

import (
	"io"
	"runtime/trace"
	"time"
)

func init() {
	selfTraced["flight"] = flight
}

func flight(n int, file func() io.WriteCloser) {
	recorder := trace.NewFlightRecorder(trace.FlightRecorderConfig{MinAge: 10 * time.Millisecond})
	check(recorder.Start())
	for range 2 + n {
		channels(n)
		locks(n)
		out := file()
		_, err := recorder.WriteTo(out)
		check(err)
		check(out.Close())
	}
	recorder.Stop()
}
