package p9

import (
	"encoding/binary"
	"errors"
	"io"
)

// errFrame is a message whose size is not allowed: the connection cannot go on.
var errFrame = errors.New("message of impossible size")

const (
	// inputSize is the room for requests that a connection has at first.
	inputSize = 16 << 10

	// calmFrames is the number of messages in succession that must have fitted
	// into that before a larger buffer is given up.
	calmFrames = 1000
)

// An input cuts what is read from a connection into messages. It takes memory
// for what has arrived, never for what a message merely claims.
type input struct {
	r    io.Reader
	buf  *buffer // bytes read and not yet used are buf.b[next:]
	next int
	calm int // how many messages in succession were small
}

func newInput(r io.Reader) input { return input{r: r, buf: newBuffer(inputSize)} }

// frame returns the next message if all of it has been read, and nil if not. It
// is valid until the next call of fill. The size must be at most limit.
func (in *input) frame(limit uint32) ([]byte, error) {
	b := in.buf.b[in.next:]
	if len(b) < 4 {
		return nil, nil
	}
	size := binary.LittleEndian.Uint32(b)
	if size < headerLen || size > limit {
		return nil, errFrame
	}
	if uint32(len(b)) < size {
		return nil, nil
	}
	in.next += int(size)
	in.calm++
	if size > inputSize {
		in.calm = 0
	}
	return b[:size:size], nil
}

// buffered returns how much has been read and not used.
func (in *input) buffered() int { return len(in.buf.b) - in.next }

// fill reads once. Messages that frame has returned are no longer valid.
func (in *input) fill() error {
	in.makeRoom()
	b := in.buf.b
	n, err := in.r.Read(b[len(b):cap(b)])
	in.buf.b = b[:len(b)+n]
	if n > 0 {
		return nil
	}
	if err == nil {
		err = io.ErrNoProgress
	}
	return err
}

// makeRoom moves what is left to the front of the buffer, and takes a larger
// one if it is full and a smaller one if it has not been needed for long.
func (in *input) makeRoom() {
	rest := in.buf.b[in.next:]
	switch {
	case len(rest) == cap(in.buf.b):
		in.replace(2 * cap(in.buf.b))
	case len(rest) < inputSize && cap(in.buf.b) > inputSize && in.calm > calmFrames:
		in.replace(inputSize)
	case in.next > 0:
		n := copy(in.buf.b, rest)
		in.buf.b, in.next = in.buf.b[:n], 0
	}
}

// replace takes a buffer of another size and frees the old one.
func (in *input) replace(size int) { in.detach(size).free() }

// detach goes on with a new buffer and returns the old one, which stays valid.
func (in *input) detach(size int) *buffer {
	old := in.buf
	rest := old.b[in.next:]
	in.buf, in.next = newBuffer(max(size, len(rest)+1)), 0
	in.buf.b = append(in.buf.b, rest...)
	return old
}
