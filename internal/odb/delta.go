package odb

import "errors"

var errDelta = errors.New("malformed delta")

// A deltaOp is one instruction of a delta: copy size bytes at off of the base,
// or, with insert, take the size bytes that follow in the delta.
type deltaOp struct {
	insert    bool
	off, size int64
}

// deltaSizes reads the sizes of base and result, which a delta begins with. n
// is the number of bytes they take.
func deltaSizes(delta []byte) (base, result int64, n int, err error) {
	base, n1 := parseVarint(delta)
	if n1 == 0 {
		return 0, 0, 0, errDelta
	}
	result, n2 := parseVarint(delta[n1:])
	if n2 == 0 {
		return 0, 0, 0, errDelta
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

// parseOp reads the instruction that b begins with, which takes n bytes; of an
// insertion the bytes inserted follow. n is 0 if b is too short.
func parseOp(b []byte) (op deltaOp, n int, err error) {
	if len(b) == 0 {
		return op, 0, nil
	}
	c := b[0]
	if c == 0 {
		return op, 0, errDelta // reserved
	}
	if c&0x80 == 0 {
		return deltaOp{insert: true, size: int64(c)}, 1, nil
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
			op.off |= int64(b[n]) << (8 * i)
		} else {
			op.size |= int64(b[n]) << (8 * (i - 4))
		}
		n++
	}
	if op.size == 0 {
		op.size = 0x10000
	}
	return op, n, nil
}

// applyDelta returns what a delta makes of its base. A result beyond limit is
// errBig.
func applyDelta(base, delta []byte, limit int64) ([]byte, error) {
	baseSize, size, n, err := deltaSizes(delta)
	if err != nil || baseSize != int64(len(base)) {
		return nil, errDelta
	}
	if err := checkDelta(delta[n:], baseSize, size); err != nil {
		return nil, err
	}
	if size > limit {
		return nil, errBig
	}
	out := make([]byte, 0, size)
	for b := delta[n:]; len(b) > 0; {
		op, n, _ := parseOp(b)
		b = b[n:]
		if op.insert {
			out, b = append(out, b[:op.size]...), b[op.size:]
		} else {
			out = append(out, base[op.off:op.off+op.size]...)
		}
	}
	return out, nil
}

// checkDelta checks the instructions of a delta before memory is taken for
// the result, whose size may be a lie.
func checkDelta(b []byte, baseSize, size int64) error {
	for len(b) > 0 {
		op, n, err := parseOp(b)
		if err != nil || n == 0 {
			return errDelta
		}
		b = b[n:]
		if op.insert {
			if op.size > int64(len(b)) {
				return errDelta
			}
			b = b[op.size:]
		} else if op.off > baseSize-op.size {
			return errDelta
		}
		if size -= op.size; size < 0 {
			return errDelta
		}
	}
	if size != 0 {
		return errDelta
	}
	return nil
}
