package packfile

import "errors"

// ErrDelta is returned for a delta that is malformed, or is for another base.
var ErrDelta = errors.New("malformed delta")

// ErrBig is returned for what is longer than the caller wants to hold in memory.
var ErrBig = errors.New("too large to be held in memory")

// An Op is one instruction of a delta: copy size bytes at off of the base,
// or, with insert, take the size bytes that follow in the delta.
type Op struct {
	Insert    bool
	Off, Size int64
}

// DeltaSizes reads the sizes of base and result, which a delta begins with. n
// is the number of bytes they take.
func DeltaSizes(delta []byte) (base, result int64, n int, err error) {
	base, n1 := parseVarint(delta)
	if n1 == 0 {
		return 0, 0, 0, ErrDelta
	}
	result, n2 := parseVarint(delta[n1:])
	if n2 == 0 {
		return 0, 0, 0, ErrDelta
	}
	return base, result, n1 + n2, nil
}

func parseVarint(b []byte) (v int64, n int) {
	for shift := 0; n < len(b) && shift <= 56; shift += 7 {
		c := b[n]
		v |= int64(c&0x7f) << shift
		n++
		if c&0x80 == 0 {
			return v, n
		}
	}
	return 0, 0
}

// ParseOp reads the instruction that b begins with, which takes n bytes; of an
// insertion the bytes inserted follow. n is 0 if b is too short.
func ParseOp(b []byte) (op Op, n int, err error) {
	if len(b) == 0 {
		return op, 0, nil
	}
	c := b[0]
	if c == 0 {
		return op, 0, ErrDelta // reserved
	}
	if c&0x80 == 0 {
		return Op{Insert: true, Size: int64(c)}, 1, nil
	}
	n = 1
	for i := range 7 {
		if c&(1<<i) == 0 {
			continue
		}
		if n == len(b) {
			return op, 0, nil
		}
		if i < 4 {
			op.Off |= int64(b[n]) << (8 * i)
		} else {
			op.Size |= int64(b[n]) << (8 * (i - 4))
		}
		n++
	}
	if op.Size == 0 {
		op.Size = 0x10000
	}
	return op, n, nil
}

// ApplyDelta returns what a delta makes of its base. A result beyond limit is
// ErrBig.
func ApplyDelta(base, delta []byte, limit int64) ([]byte, error) {
	baseSize, size, n, err := DeltaSizes(delta)
	if err != nil || baseSize != int64(len(base)) {
		return nil, ErrDelta
	}
	if err := checkDelta(delta[n:], baseSize, size); err != nil {
		return nil, err
	}
	if size > limit {
		return nil, ErrBig
	}
	out := make([]byte, 0, size)
	for b := delta[n:]; len(b) > 0; {
		op, n, _ := ParseOp(b)
		b = b[n:]
		if op.Insert {
			out, b = append(out, b[:op.Size]...), b[op.Size:]
		} else {
			out = append(out, base[op.Off:op.Off+op.Size]...)
		}
	}
	return out, nil
}

// checkDelta checks the instructions of a delta before memory is taken for
// the result, whose size may be a lie.
func checkDelta(b []byte, baseSize, size int64) error {
	for len(b) > 0 {
		op, n, err := ParseOp(b)
		if err != nil || n == 0 {
			return ErrDelta
		}
		b = b[n:]
		if op.Insert {
			if op.Size > int64(len(b)) {
				return ErrDelta
			}
			b = b[op.Size:]
		} else if op.Off > baseSize-op.Size {
			return ErrDelta
		}
		if size -= op.Size; size < 0 {
			return ErrDelta
		}
	}
	if size != 0 {
		return ErrDelta
	}
	return nil
}
