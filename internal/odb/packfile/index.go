package packfile

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

// ErrIndex is returned for an index that is malformed.
var ErrIndex = errors.New("malformed index")

// An Index finds objects in a pack. It does not trust its bytes beyond what
// ParseIndex has checked: whatever they are, no method fails otherwise than by
// finding nothing, or a wrong offset.
type Index struct {
	Raw    []byte // all of it
	N      int    // how many objects it has
	V1     bool   // version 1, which has no checksums of entries
	fanout []byte
	names  []byte // of rows of nameStep bytes, which begin with the name
	crcs   []byte // nil for version 1
	offs   []byte // nil for version 1
	large  []byte
}

// ParseIndex reads the layout of an index, of version 1 or 2, which must not
// change as long as the Index is in use.
func ParseIndex(raw []byte) (*Index, error) {
	x := &Index{Raw: raw, V1: true}
	body := raw
	if bytes.HasPrefix(raw, []byte(indexMagic)) {
		x.V1, body = false, raw[len(indexMagic):]
	} else if bytes.HasPrefix(raw, []byte(indexMagic[:4])) {
		return nil, errors.New("index of an unknown version")
	}
	if len(body) < fanoutSize+2*hashSize {
		return nil, ErrIndex
	}
	x.fanout, body = body[:fanoutSize], body[fanoutSize:len(body)-2*hashSize]
	last := uint32(0)
	for b := range 256 {
		count := x.count(b)
		if count < last {
			return nil, ErrIndex
		}
		last = count
	}
	x.N = int(last)
	return x, x.split(body)
}

// split cuts what is between the fanout and the checksums into tables.
func (x *Index) split(body []byte) error {
	if x.V1 {
		if len(body)/(4+hashSize) != x.N || len(body)%(4+hashSize) != 0 {
			return ErrIndex
		}
		x.names = body
		return nil
	}
	if len(body)/(hashSize+8) < x.N {
		return ErrIndex
	}
	cut := func(size int) (table []byte) {
		table, body = body[:size:size], body[size:]
		return table
	}
	x.names, x.crcs, x.offs = cut(x.N*hashSize), cut(x.N*4), cut(x.N*4)
	if len(body)%8 != 0 || len(body)/8 > x.N {
		return ErrIndex
	}
	x.large = body
	return nil
}

// count returns how many names begin with a byte up to b.
func (x *Index) count(b int) uint32 { return binary.BigEndian.Uint32(x.fanout[4*b:]) }

// Name returns the name in row i, below n.
func (x *Index) Name(i int) []byte {
	if x.V1 {
		return x.names[i*(4+hashSize)+4:][:hashSize]
	}
	return x.names[i*hashSize:][:hashSize]
}

// Find returns the row of an object.
func (x *Index) Find(h *datakit.Hash) (row int, ok bool) {
	lo, hi := 0, min(int(x.count(int(h[0]))), x.N)
	if h[0] > 0 {
		lo = int(x.count(int(h[0]) - 1))
	}
	for lo < hi {
		mid := int(uint(lo+hi) >> 1)
		switch c := bytes.Compare(x.Name(mid), h[:]); {
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

// Offset returns where in the pack the object of row i begins. It is -1 if
// the index does not say.
func (x *Index) Offset(i int) int64 {
	if x.V1 {
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

// CRC returns the checksum of the entry of row i, of version 2.
func (x *Index) CRC(i int) uint32 { return binary.BigEndian.Uint32(x.crcs[4*i:]) }

// PackSum returns the checksum of the pack that the index is for.
func (x *Index) PackSum() []byte { return x.Raw[len(x.Raw)-2*hashSize:][:hashSize] }
