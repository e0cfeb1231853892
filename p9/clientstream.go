package p9

import (
	"context"
	"errors"
	"io"
)

// A Stream reads an open file that delivers lines as they come about, such as
// the live files of DataKit. Calls of Next do not overlap; Close may be called
// at any time.
type Stream struct {
	f   *Fid
	pos uint64 // of the next read
	buf []byte // what has been read of a line that is not complete

	given   chan struct{} // closed when a read that was given up has ended; else nil
	pending []byte        // what it has read nevertheless
}

// maxLine is the longest line that a Stream takes.
const maxLine = 1 << 20

// OpenStream opens the stream at path, which does not count towards
// Options.MaxFids.
func (c *Client) OpenStream(ctx context.Context, path string) (*Stream, error) {
	f, err := c.Open(ctx, path, ReadOnly)
	if err != nil {
		return nil, err
	}
	return NewStream(f), nil
}

// NewStream returns a Stream of an open fid, which it owns from then on.
func NewStream(f *Fid) *Stream {
	f.Keep()
	return &Stream{f: f}
}

// Next waits for the next line and returns it without its LF. If ctx ends the
// wait nothing is lost: the next call returns what this one would have. The
// error is io.EOF when the file has ended, which a live one never does.
func (s *Stream) Next(ctx context.Context) (string, error) {
	for empty := 0; ; {
		p, err := s.read(ctx)
		if err != nil {
			return "", err
		}
		if len(p) == 0 {
			if empty++; empty == 2 { // the first follows each answer
				return "", io.EOF
			}
			continue
		}
		empty = 0
		s.buf = append(s.buf, p...)
		if n := len(s.buf); s.buf[n-1] == '\n' {
			line := string(s.buf[:n-1])
			s.buf = s.buf[:0]
			return line, nil
		}
		if len(s.buf) > maxLine {
			return "", errors.New("line too long")
		}
	}
}

// read returns the next piece of the file.
func (s *Stream) read(ctx context.Context) ([]byte, error) {
	if err := s.settle(ctx); err != nil {
		return nil, err
	}
	if p := s.pending; len(p) > 0 {
		s.pending = nil
		s.pos += uint64(len(p))
		return p, nil
	}
	p := make([]byte, 256)
	given := make(chan struct{})
	s.given = given
	n, err := s.f.readOnce(ctx, p, s.pos, func(q *call) {
		if q.abandoned && q.err == nil && q.rtyp == tread+1 {
			d := decoder{b: q.body}
			s.pending = d.data()
		}
		close(given)
	})
	if err != nil {
		return nil, err
	}
	s.pos += uint64(n)
	return p[:n], nil
}

// settle waits until it is known what became of a read that was given up.
func (s *Stream) settle(ctx context.Context) error {
	if s.given == nil {
		return nil
	}
	select {
	case <-s.given:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Close closes the file, which ends a waiting Next.
func (s *Stream) Close() error { return s.f.Close() }
