package p9

import "encoding/binary"

// A decoder takes a message apart. After the first thing that is not there, bad
// is set and everything else is zero.
type decoder struct {
	b       []byte
	dialect Dialect
	bad     bool
}

func (d *decoder) take(n int) []byte {
	if n > len(d.b) || d.bad {
		d.bad, d.b = true, nil
		return nil
	}
	b := d.b[:n]
	d.b = d.b[n:]
	return b
}

func (d *decoder) u8() uint8 {
	if b := d.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (d *decoder) u16() uint16 {
	if b := d.take(2); b != nil {
		return binary.LittleEndian.Uint16(b)
	}
	return 0
}

func (d *decoder) u32() uint32 {
	if b := d.take(4); b != nil {
		return binary.LittleEndian.Uint32(b)
	}
	return 0
}

func (d *decoder) u64() uint64 {
	if b := d.take(8); b != nil {
		return binary.LittleEndian.Uint64(b)
	}
	return 0
}

// bytes returns what the next two bytes give the length of. It is part of the
// message and not a copy.
func (d *decoder) bytes() []byte { return d.take(int(d.u16())) }

func (d *decoder) str() string { return string(d.bytes()) }

// data returns what the next four bytes give the length of, which is part of
// the message.
func (d *decoder) data() []byte {
	n := d.u32()
	if uint64(n) > uint64(len(d.b)) {
		d.bad, d.b = true, nil
		return nil
	}
	return d.take(int(n))
}

// names appends the names of a Twalk to dst. All of them share one string, so
// that a walk costs one allocation.
func (d *decoder) names(dst []string) []string {
	n := int(d.u16())
	if n == 0 {
		return dst
	}
	if n*2 > len(d.b) {
		d.bad = true
		return dst
	}
	rest := d.b
	all := string(rest)
	for range n {
		l := len(d.bytes())
		if d.bad {
			return dst
		}
		end := len(rest) - len(d.b)
		dst = append(dst, all[end-l:end])
	}
	return dst
}

// end reports whether the message was well formed and is used up.
func (d *decoder) end() bool { return !d.bad && len(d.b) == 0 }

// skipString passes over a string that nobody asks for.
func (d *decoder) skipString() { d.bytes() }
