package wire

import (
	"encoding/binary"
	"fmt"
)

// The message types of 9P2000.L that the benchmarks use. The reply to a
// request has the next number.
const (
	rlerror   = 7
	Tlopen    = 12
	Tlcreate  = 14
	Tgetattr  = 24
	Treaddir  = 40
	Tmkdir    = 72
	Tversion  = 100
	Tattach   = 104
	Twalk     = 110
	Tread     = 116
	Twrite    = 118
	Tclunk    = 120
	noFid     = ^uint32(0)
	noTag     = ^uint16(0)
	headerLen = 7
)

// An Errno is the number of an Rlerror.
type Errno uint32

// The numbers that the benchmarks tell apart.
const (
	NotExist Errno = 2
	Exist    Errno = 17
)

// Error tells the number.
func (e Errno) Error() string { return fmt.Sprintf("server answers error number %d", uint32(e)) }

// A frame builds one message at the end of a buffer.
type frame struct {
	b     []byte
	start int
}

func begin(b []byte, typ uint8, tag uint16) frame {
	f := frame{b, len(b)}
	f.u32(0) // the size, set by end
	f.b = append(f.b, typ)
	f.u16(tag)
	return f
}

func (f *frame) u16(v uint16) { f.b = binary.LittleEndian.AppendUint16(f.b, v) }
func (f *frame) u32(v uint32) { f.b = binary.LittleEndian.AppendUint32(f.b, v) }
func (f *frame) u64(v uint64) { f.b = binary.LittleEndian.AppendUint64(f.b, v) }

func (f *frame) str(s string) {
	f.u16(uint16(len(s)))
	f.b = append(f.b, s...)
}

func (f *frame) end() []byte {
	binary.LittleEndian.PutUint32(f.b[f.start:], uint32(len(f.b)-f.start))
	return f.b
}
