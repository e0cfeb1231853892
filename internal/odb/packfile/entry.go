package packfile

import (
	"encoding/binary"
	"errors"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/internal/object"
)

// A pack begins with Magic, its version and the number of its objects, which are
// HeaderSize bytes. Then come the entries, and at last its checksum.
const (
	Magic      = "PACK"
	HeaderSize = 12
)

// The types of entries of a pack that object.Type lacks.
const (
	OffsetDelta    object.Type = 6
	ReferenceDelta object.Type = 7
)

var errEntry = errors.New("malformed entry")

// An Entry is what precedes the compressed bytes of an object in a pack.
type Entry struct {
	Off  int64       // where in the pack it begins
	Kind object.Type // or OffsetDelta or ReferenceDelta
	Size int64       // of what is compressed: the content, or the delta
	Data int64       // where in the pack the compressed bytes begin

	BaseOff  int64        // of an OffsetDelta
	BaseHash datakit.Hash // of a ReferenceDelta
}

// IsDelta reports whether what is compressed is a delta.
func (e *Entry) IsDelta() bool { return e.Kind == OffsetDelta || e.Kind == ReferenceDelta }

// ParseEntry reads the entry at off of a whole pack, which may be malformed in any
// way.
func ParseEntry(pack []byte, off int64) (e Entry, err error) {
	if off < HeaderSize || off >= int64(len(pack)-hashSize) {
		return e, errEntry
	}
	e.Off = off
	b := pack[off : len(pack)-hashSize]
	n := 0
	if e.Kind, e.Size, n = parseSize(b); n == 0 {
		return e, errEntry
	}
	switch e.Kind {
	case object.CommitType, object.TreeType, object.BlobType, object.TagType:
	case OffsetDelta:
		back, used := parseBack(b[n:])
		if used == 0 || back <= 0 || back > off-HeaderSize {
			return e, errEntry
		}
		e.BaseOff = off - back
		n += used
	case ReferenceDelta:
		if len(b) < n+hashSize {
			return e, errEntry
		}
		n += copy(e.BaseHash[:], b[n:])
	default:
		return e, errEntry
	}
	e.Data = off + int64(n)
	return e, nil
}

// parseSize reads type and size of an entry. n is the number of bytes they
// take, 0 if they are malformed.
func parseSize(b []byte) (kind object.Type, size int64, n int) {
	if len(b) == 0 {
		return 0, 0, 0
	}
	kind, size = object.Type(b[0]>>4&7), int64(b[0]&15)
	for shift := 4; b[n]&0x80 != 0; shift += 7 {
		n++
		if n == len(b) || shift > 56 {
			return 0, 0, 0
		}
		size |= int64(b[n]&0x7f) << shift
	}
	if size < 0 {
		return 0, 0, 0
	}
	return kind, size, n + 1
}

// parseBack reads how far before an OffsetDelta its base is.
func parseBack(b []byte) (back int64, n int) {
	for n < len(b) && n < 9 {
		back = back<<7 | int64(b[n]&0x7f)
		n++
		if b[n-1]&0x80 == 0 {
			return back, n
		}
		back++
	}
	return 0, 0
}

// AppendEntry appends the header of an object's entry.
func AppendEntry(b []byte, t object.Type, size int64) []byte {
	c := byte(t)<<4 | byte(size&15)
	for size >>= 4; size > 0; size >>= 7 {
		b = append(b, c|0x80)
		c = byte(size & 0x7f)
	}
	return append(b, c)
}

// AppendHeader appends the beginning of a pack of so many objects, of version 2.
func AppendHeader(b []byte, objects int) []byte {
	b = append(b, Magic...)
	b = binary.BigEndian.AppendUint32(b, 2)
	return binary.BigEndian.AppendUint32(b, uint32(objects))
}
