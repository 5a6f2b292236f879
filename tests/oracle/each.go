package main

// --each: a generation is a trace of its own. That is what a flight recorder and a recovery after
// a death stand on, and what the reader alone does not demand of a whole file.

import (
	"fmt"
	"math/rand"
	"slices"
)

const maxSuffixes = 8

// eachCheck reads every generation alone, and some suffixes. Alone, a generation must give as
// many events as it gave in the whole file.
func eachCheck(c *cutting, whole *counts) (complaints []string, suffixes int) {
	for i, p := range c.pieces {
		alone, err := read(c.join(c.pieces[i : i+1]))
		if err != nil {
			complaints = append(complaints, fmt.Sprintf("%s alone: event %d of it: %v",
				c.where(i), alone.sinceSync, err))
		} else if alone.events != whole.generations[i] {
			complaints = append(complaints, fmt.Sprintf(
				"generation %d alone: %d events, in the whole file %d",
				p.number, alone.events, whole.generations[i]))
		}
	}
	starts := someStarts(len(c.pieces))
	for _, i := range starts {
		at, err := read(c.join(c.pieces[i:]))
		if err != nil {
			at.syncs += i
			complaints = append(complaints, fmt.Sprintf(
				"file without its first %d generations: %s: %v", i, at.at(c), err))
		}
	}
	return complaints, len(starts)
}

// someStarts picks where suffixes begin, the same ones for the same number of generations.
func someStarts(generations int) []int {
	if generations < 2 {
		return nil
	}
	starts := rand.New(rand.NewSource(int64(generations))).Perm(generations - 1)
	starts = starts[:min(len(starts), maxSuffixes)]
	for i := range starts {
		starts[i]++ // without the whole file
	}
	slices.Sort(starts)
	return starts
}
