package main

import (
	"fmt"
	"time"

	"github.com/datakit/datakit/bench/wire"
)

// largeFile measures how fast one large file is read in order, with one
// request after the other.
func largeFile(e *env) ([]row, error) {
	s, err := newReadSet(e, map[string][]byte{
		"random": random(1, e.size.stream),
		"text":   text(1, e.size.stream),
	})
	if err != nil {
		return nil, err
	}
	defer s.stop()
	var rows []row
	for _, name := range []string{"random", "text"} {
		for _, msize := range []uint32{64 << 10, 1 << 20} {
			r := row{
				name: fmt.Sprintf("%d MiB of %s, msize %d KiB", e.size.stream>>20, name, msize>>10),
				unit: "MiB/s", goal: times(1),
			}
			first := 0.0 // of ours, which is the first that is measured
			r, err := s.compare(e, r, func(srv *server) (float64, error) {
				rate, err := e.streamRate(srv, name, msize)
				if first == 0 {
					first = rate
				}
				return rate, err
			})
			if err != nil {
				return rows, err
			}
			r.note += fmt.Sprintf(", our first read %s", number(first))
			rows = append(rows, r)
		}
	}
	return rows, nil
}

// streamRate reads the file once and returns MiB a second.
func (e *env) streamRate(srv *server, name string, msize uint32) (float64, error) {
	c, err := srv.open(msize)
	if err != nil {
		return 0, err
	}
	defer c.Close()
	start := time.Now()
	n, err := readAll(c, name)
	if err == nil && n != e.size.stream {
		err = fmt.Errorf("read %d bytes of %d", n, e.size.stream)
	}
	if err != nil {
		return 0, fmt.Errorf("%s: %w", srv.name, err)
	}
	return float64(n) / (1 << 20) / time.Since(start).Seconds(), nil
}

// readAll reads a file to its end and returns its length.
func readAll(c *wire.Conn, name string) (int64, error) {
	if err := c.Walk(filesFid, freeFid, name); err != nil {
		return 0, err
	}
	if err := c.Open(freeFid, 0); err != nil {
		return 0, err
	}
	var off int64
	for {
		p, err := c.Read(freeFid, uint64(off), c.Msize()-24)
		if err != nil {
			return off, err
		}
		if len(p) == 0 {
			return off, c.Clunk(freeFid)
		}
		off += int64(len(p))
	}
}
