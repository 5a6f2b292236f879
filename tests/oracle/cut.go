package main

// Where the generations of a file begin and end, from batch headers alone: a second opinion that
// shares nothing with Go's reader but the numbers of three event types. It decides whether a bad
// file is only unfinished, and cuts generations out.

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"internal/trace/tracev2"
	"internal/trace/version"
)

// piece is one whole generation: the bytes [from, to), its end mark included.
type piece struct {
	number   uint64 // as in its batch headers
	from, to int
}

// cutting is a file cut into generations.
type cutting struct {
	data    []byte
	version version.Version
	header  int     // bytes of the file header
	pieces  []piece // whole generations
	rest    int     // offset behind the last whole generation
	torn    string  // how the rest ends too early; "" if there is no rest, or it is bad otherwise
}

// prefix is the file up to and including its last whole generation.
func (c *cutting) prefix() []byte {
	return c.data[:c.rest]
}

// join is a file of its own that holds some of the pieces.
func (c *cutting) join(pieces []piece) []byte {
	file := bytes.Clone(c.data[:c.header])
	for _, p := range pieces {
		file = append(file, c.data[p.from:p.to]...)
	}
	return file
}

// where describes the place of the i-th generation, counted from 0, for messages.
func (c *cutting) where(i int) string {
	switch {
	case i < 0:
		return "file header"
	case i < len(c.pieces):
		return fmt.Sprintf("generation %d (at offset %d)", c.pieces[i].number, c.pieces[i].from)
	default:
		return fmt.Sprintf("rest of the file (at offset %d, after %d whole generations)",
			c.rest, len(c.pieces))
	}
}

// cut finds the generations. It fails only on a header that Go does not know.
func cut(data []byte) (*cutting, error) {
	r := bytes.NewReader(data)
	v, err := version.ReadHeader(r)
	if err != nil {
		return nil, err
	}
	c := &cutting{data: data, version: v, header: len(data) - r.Len()}
	c.rest = c.header
	if v < version.Go122 {
		// Another format, which has no generations: one piece, judged by the reader.
		c.pieces = []piece{{number: 1, from: c.header, to: len(data)}}
		c.rest = len(data)
		return c, nil
	}
	number := uint64(0) // of the generation that is being read
	for at := c.header; at < len(data); {
		b, err := readHeader(data, at)
		if v < version.Go126 && number != 0 && b.generation != 0 && b.generation != number {
			// No end mark before 1.26: a generation ends where another number begins.
			c.pieces = append(c.pieces, piece{number, c.rest, at})
			c.rest = at
		}
		if err != nil {
			if err == errTorn {
				c.torn = fmt.Sprintf("the batch at offset %d is cut", at)
			}
			return c, nil
		}
		if b.ends {
			c.pieces = append(c.pieces, piece{number, c.rest, b.next})
			c.rest = b.next
			number = 0
		} else {
			number = b.generation
		}
		at = b.next
	}
	if c.rest < len(data) && v < version.Go126 {
		c.pieces = append(c.pieces, piece{number, c.rest, len(data)})
		c.rest = len(data)
	} else if c.rest < len(data) {
		c.torn = fmt.Sprintf("generation %d has no end mark", number)
	} else if len(c.pieces) == 0 {
		c.torn = "nothing follows the file header"
	}
	return c, nil
}

var errTorn = fmt.Errorf("the data ends inside a batch")

// batch is what a batch header says.
type batch struct {
	ends       bool // an end-of-generation mark, which has no header
	generation uint64
	next       int // offset of what follows
}

// readHeader reads the batch header at an offset. errTorn: the batch reaches beyond the data;
// its generation is set if that much is there.
func readHeader(data []byte, at int) (batch, error) {
	kind := tracev2.EventType(data[at])
	at++
	switch kind {
	case tracev2.EvEndOfGeneration:
		return batch{ends: true, next: at}, nil
	case tracev2.EvEventBatch:
	case tracev2.EvExperimentalBatch:
		at++ // the experiment, one raw byte
	default:
		return batch{}, fmt.Errorf("byte %d is no batch", kind)
	}
	var fields [4]uint64 // generation, M, time, size
	for i := range fields {
		value, n := binary.Uvarint(data[min(at, len(data)):])
		if n == 0 {
			return batch{generation: fields[0]}, errTorn
		}
		if n < 0 {
			return batch{}, fmt.Errorf("varint too long")
		}
		fields[i] = value
		at += n
	}
	if fields[3] > tracev2.MaxBatchSize {
		return batch{}, fmt.Errorf("batch of %d bytes", fields[3])
	}
	if int(fields[3]) > len(data)-at {
		return batch{generation: fields[0]}, errTorn
	}
	return batch{generation: fields[0], next: at + int(fields[3])}, nil
}
