package p9

import (
	"math/bits"
	"sync"
)

// A buffer is room for messages that is used again.
type buffer struct{ b []byte }

// Buffers have the sizes 4 KiB, 8 KiB and so on, and there is a pool of each.
const (
	minBuffer  = 4 << 10
	bufClasses = 16
)

var buffers [bufClasses]sync.Pool

// newBuffer returns an empty buffer with room for n bytes.
func newBuffer(n int) *buffer {
	class := 0
	if n > minBuffer {
		class = bits.Len(uint(n-1)) - bits.Len(uint(minBuffer-1))
	}
	if class >= bufClasses {
		return &buffer{make([]byte, 0, n)}
	}
	if b, ok := buffers[class].Get().(*buffer); ok {
		b.b = b.b[:0]
		return b
	}
	return &buffer{make([]byte, 0, minBuffer<<class)}
}

// free gives the buffer back. Nothing may use it any more.
func (b *buffer) free() {
	class := bits.Len(uint(cap(b.b)-1)) - bits.Len(uint(minBuffer-1))
	if class < bufClasses && cap(b.b) == minBuffer<<class {
		buffers[class].Put(b)
	}
}
