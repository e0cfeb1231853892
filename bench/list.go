package main

import (
	"fmt"

	"github.com/datakit/datakit/bench/wire"
)

// listings measures how often a second one directory is opened and listed.
func listings(e *env) ([]row, error) {
	files := make(map[string][]byte, e.size.entries)
	for i := range e.size.entries {
		files[fmt.Sprintf("dir/entry-%06d", i)] = nil
	}
	s, err := newReadSet(e, files)
	if err != nil {
		return nil, err
	}
	defer s.stop()
	r := row{name: fmt.Sprintf("listings of %d entries", e.size.entries), unit: "1/s", goal: times(1)}
	r, err = s.compare(e, r, e.listRate)
	return []row{r}, err
}

func (e *env) listRate(srv *server) (float64, error) {
	c, err := srv.open(64 << 10)
	if err != nil {
		return 0, err
	}
	defer c.Close()
	return rate(e.size.turn, func() error {
		n, err := listOnce(c, "dir")
		if err == nil && n < e.size.entries { // not all servers have "." and ".."
			err = fmt.Errorf("%d entries, want %d", n, e.size.entries)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", srv.name, err)
		}
		return nil
	})
}

// listOnce lists a directory and returns the number of its entries.
func listOnce(c *wire.Conn, name string) (total int, err error) {
	if err := c.Walk(filesFid, freeFid, name); err != nil {
		return 0, err
	}
	if err := c.Open(freeFid, 0); err != nil {
		return 0, err
	}
	for off := uint64(0); ; {
		n, next, err := c.Readdir(freeFid, off, c.Msize()-24)
		if err != nil {
			return total, err
		}
		if n == 0 {
			return total, c.Clunk(freeFid)
		}
		total, off = total+n, next
	}
}
