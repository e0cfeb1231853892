// Package wire is the client of the benchmarks: just enough of 9P2000.L, and
// as little work for each message as can be, so that what is measured is the
// server. It is the same for every server.
//
// Requests are queued and sent together; whoever queues them chooses their
// tags and tells the replies apart. The methods named like a system call do
// one request and wait for its reply.
package wire

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// A Conn is a connection to a server. It is used by one goroutine at a time;
// but one may send while another receives.
type Conn struct {
	rw    io.ReadWriteCloser
	msize uint32
	out   []byte
	in    []byte // what was received and not yet returned is in[r:w]
	r, w  int
}

// New begins a session on rw and attaches fid 0 to aname.
func New(rw io.ReadWriteCloser, msize uint32, aname string) (*Conn, error) {
	c := &Conn{rw: rw, msize: msize, in: make([]byte, msize+64<<10)}
	if err := c.start(aname); err != nil {
		rw.Close()
		return nil, fmt.Errorf("start session: %w", err)
	}
	return c, nil
}

func (c *Conn) start(aname string) error {
	f := begin(c.out, Tversion, noTag)
	f.u32(c.msize)
	f.str("9P2000.L")
	c.out = f.end()
	body, err := c.call()
	if err != nil {
		return err
	}
	if len(body) < 6 || string(body[6:]) != "9P2000.L" {
		return errors.New("server does not speak 9P2000.L")
	}
	c.msize = min(c.msize, binary.LittleEndian.Uint32(body))
	f = begin(c.out, Tattach, 0)
	f.u32(0)
	f.u32(noFid)
	f.str("root")
	f.str(aname)
	f.u32(0) // n_uname
	c.out = f.end()
	_, err = c.call()
	return err
}

// Msize returns the message size that was agreed on.
func (c *Conn) Msize() uint32 { return c.msize }

// Close ends the connection, and the waiting for a reply.
func (c *Conn) Close() error { return c.rw.Close() }

// Flush sends what is queued.
func (c *Conn) Flush() error {
	_, err := c.rw.Write(c.out)
	c.out = c.out[:0]
	return err
}

// Buffered reports whether Next can return a reply without waiting.
func (c *Conn) Buffered() bool {
	return c.w-c.r >= 4 && c.w-c.r >= int(binary.LittleEndian.Uint32(c.in[c.r:]))
}

// Next waits for the next reply and returns its tag and its body, which is
// valid until the next call. The error is an Errno if the server answers one.
func (c *Conn) Next() (tag uint16, body []byte, err error) {
	if err := c.fill(4); err != nil {
		return 0, nil, err
	}
	size := int(binary.LittleEndian.Uint32(c.in[c.r:]))
	if size < headerLen || size > len(c.in) {
		return 0, nil, fmt.Errorf("reply of %d bytes", size)
	}
	if err := c.fill(size); err != nil {
		return 0, nil, err
	}
	m := c.in[c.r : c.r+size]
	c.r += size
	tag, body = binary.LittleEndian.Uint16(m[5:]), m[headerLen:]
	if m[4] == rlerror && len(body) >= 4 {
		return tag, nil, Errno(binary.LittleEndian.Uint32(body))
	}
	return tag, body, nil
}

// fill receives until n bytes are there.
func (c *Conn) fill(n int) error {
	for c.w-c.r < n {
		if c.r == c.w {
			c.r, c.w = 0, 0
		} else if c.r+n > len(c.in) {
			c.w = copy(c.in, c.in[c.r:c.w])
			c.r = 0
		}
		k, err := c.rw.Read(c.in[c.w:])
		if k == 0 && err != nil {
			return err
		}
		c.w += k
	}
	return nil
}

// call sends what is queued, a single request, and waits for its reply.
func (c *Conn) call() ([]byte, error) {
	if err := c.Flush(); err != nil {
		return nil, err
	}
	_, body, err := c.Next()
	return body, err
}
