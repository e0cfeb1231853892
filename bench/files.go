package main

import (
	"fmt"
	"time"

	"github.com/datakit/datakit/bench/wire"
)

// smallFiles measures how many small files a second one connection reads: a
// walk, an open, a read and a clunk for each.
func smallFiles(e *env) ([]row, error) {
	s, err := newReadSet(e, e.smallContents(""))
	if err != nil {
		return nil, err
	}
	defer s.stop()
	one, err := s.compare(e, row{name: "1 KiB files, one at a time", unit: "1/s", goal: times(1.5)},
		func(srv *server) (float64, error) { return e.fileRate(srv, 1) })
	if err != nil {
		return nil, err
	}
	many, err := s.compare(e, row{name: "1 KiB files, 16 at a time", unit: "1/s", goal: times(2)},
		func(srv *server) (float64, error) { return e.fileRate(srv, 16) })
	return []row{one, many}, err
}

// smallName returns the place of file number i.
func smallName(i int) (dir, name string) {
	return fmt.Sprintf("d%02d", i/smallInDir), fmt.Sprintf("f%04d", i)
}

// smallContents returns the contents of all small files, by their paths below
// prefix.
func (e *env) smallContents(prefix string) map[string][]byte {
	files := make(map[string][]byte, e.size.files)
	for i := range e.size.files {
		dir, name := smallName(i)
		files[prefix+dir+"/"+name] = text(uint64(i), smallSize)
	}
	return files
}

// fileRate returns how many files a second are read for a turn, with n at a
// time in progress.
func (e *env) fileRate(srv *server, n int) (float64, error) {
	c, err := srv.open(64 << 10)
	if err != nil {
		return 0, err
	}
	defer c.Close()
	p := newPass(c, e.size.files)
	start, read := time.Now(), 0
	for time.Since(start) < e.size.turn {
		if err := p.run(n); err != nil {
			return 0, fmt.Errorf("%s: %w", srv.name, err)
		}
		read += e.size.files
	}
	return float64(read) / time.Since(start).Seconds(), nil
}

// A pass reads each file once. Its lanes each have one file in progress, and
// use their number as the tag.
type pass struct {
	c     *wire.Conn
	names [][2]string
	next  int
	steps [16]int // how far each lane is with its file
}

func newPass(c *wire.Conn, files int) *pass {
	p := &pass{c: c}
	for i := range files {
		dir, name := smallName(i)
		p.names = append(p.names, [2]string{dir, name})
	}
	return p
}

// run reads all files over n lanes. What can be sent at the same time is.
func (p *pass) run(n int) error {
	p.next = 0
	busy := min(n, len(p.names))
	for lane := range busy {
		p.begin(lane)
	}
	for busy > 0 {
		if !p.c.Buffered() {
			if err := p.c.Flush(); err != nil {
				return err
			}
		}
		tag, body, err := p.c.Next()
		if err != nil {
			return err
		}
		more, err := p.advance(int(tag), body)
		if err != nil {
			return err
		}
		if !more {
			busy--
		}
	}
	return nil
}

// begin takes the next file.
func (p *pass) begin(lane int) {
	name := &p.names[p.next]
	p.next++
	p.steps[lane] = 0
	p.c.QueueWalk(uint16(lane), filesFid, freeFid+uint32(lane), name[:]...)
}

// advance takes the next step after a reply, and reports whether there is one.
func (p *pass) advance(lane int, body []byte) (more bool, err error) {
	tag, fid := uint16(lane), freeFid+uint32(lane)
	p.steps[lane]++
	switch p.steps[lane] {
	case 1:
		p.c.QueueOpen(tag, fid, 0)
	case 2:
		p.c.QueueRead(tag, fid, 0, 2*smallSize)
	case 3:
		if n := len(wire.Data(body)); n != smallSize {
			return false, fmt.Errorf("read %d bytes of %d", n, smallSize)
		}
		p.c.QueueClunk(tag, fid)
	default:
		if p.next == len(p.names) {
			return false, nil
		}
		p.begin(lane)
	}
	return true, nil
}
