package odb

import (
	"bytes"
	"encoding/binary"
	"errors"

	"github.com/datakit/datakit"
)

// The layout of an index, version 2; integers are big-endian:
//
//	"\377tOc", version
//	fanout   256 × uint32: how many names start with a byte up to this one
//	names    n × 20 bytes, sorted
//	crcs     n × uint32, of the entries as they are in the pack
//	offsets  n × uint32; with the top bit set, a row of the next table
//	large    uint64 each
//	checksums of the pack and of all before
//
// Version 1 has no magic number, and n × (uint32 offset, name) after the
// fanout.
const (
	hashSize   = len(datakit.Hash{})
	indexMagic = "\377tOc\x00\x00\x00\x02"
	fanoutSize = 256 * 4
)

var errIndex = errors.New("malformed index")

// An index finds objects in a pack. It does not trust its bytes beyond what
// parseIndex has checked: whatever they are, no method fails otherwise than by
// finding nothing, or a wrong offset.
type index struct {
	raw    []byte
	n      int
	v1     bool
	fanout []byte
	names  []byte // of rows of nameStep bytes, which begin with the name
	crcs   []byte // nil for version 1
	offs   []byte // nil for version 1
	large  []byte
}

// parseIndex reads the layout of an index.
func parseIndex(raw []byte) (*index, error) {
	x := &index{raw: raw, v1: true}
	body := raw
	if bytes.HasPrefix(raw, []byte(indexMagic)) {
		x.v1, body = false, raw[len(indexMagic):]
	} else if bytes.HasPrefix(raw, []byte(indexMagic[:4])) {
		return nil, errors.New("index of an unknown version")
	}
	if len(body) < fanoutSize+2*hashSize {
		return nil, errIndex
	}
	x.fanout, body = body[:fanoutSize], body[fanoutSize:len(body)-2*hashSize]
	last := uint32(0)
	for b := range 256 {
		count := x.count(b)
		if count < last {
			return nil, errIndex
		}
		last = count
	}
	x.n = int(last)
	return x, x.split(body)
}

// split cuts what is between the fanout and the checksums into tables.
func (x *index) split(body []byte) error {
	if x.v1 {
		if len(body)/(4+hashSize) != x.n || len(body)%(4+hashSize) != 0 {
			return errIndex
		}
		x.names = body
		return nil
	}
	if len(body)/(hashSize+8) < x.n {
		return errIndex
	}
	cut := func(size int) (table []byte) {
		table, body = body[:size:size], body[size:]
		return table
	}
	x.names, x.crcs, x.offs = cut(x.n*hashSize), cut(x.n*4), cut(x.n*4)
	if len(body)%8 != 0 || len(body)/8 > x.n {
		return errIndex
	}
	x.large = body
	return nil
}

// count returns how many names begin with a byte up to b.
func (x *index) count(b int) uint32 { return binary.BigEndian.Uint32(x.fanout[4*b:]) }

// name returns the name in row i, below n.
func (x *index) name(i int) []byte {
	if x.v1 {
		return x.names[i*(4+hashSize)+4:][:hashSize]
	}
	return x.names[i*hashSize:][:hashSize]
}

// find returns the row of an object.
func (x *index) find(h *datakit.Hash) (row int, ok bool) {
	lo, hi := 0, min(int(x.count(int(h[0]))), x.n)
	if h[0] > 0 {
		lo = int(x.count(int(h[0]) - 1))
	}
	for lo < hi {
		mid := int(uint(lo+hi) >> 1)
		switch c := bytes.Compare(x.name(mid), h[:]); {
		case c == 0:
			return mid, true
		case c < 0:
			lo = mid + 1
		default:
			hi = mid
		}
	}
	return 0, false
}

// offset returns where in the pack the object of row i begins. It is -1 if
// the index does not say.
func (x *index) offset(i int) int64 {
	if x.v1 {
		return int64(binary.BigEndian.Uint32(x.names[i*(4+hashSize):]))
	}
	off := binary.BigEndian.Uint32(x.offs[4*i:])
	if off&(1<<31) == 0 {
		return int64(off)
	}
	row := int(off &^ (1 << 31))
	if row >= len(x.large)/8 {
		return -1
	}
	return max(-1, int64(binary.BigEndian.Uint64(x.large[8*row:])))
}

// crc returns the checksum of the entry of row i, of version 2.
func (x *index) crc(i int) uint32 { return binary.BigEndian.Uint32(x.crcs[4*i:]) }

// packSum returns the checksum of the pack that the index is for.
func (x *index) packSum() []byte { return x.raw[len(x.raw)-2*hashSize:][:hashSize] }
