package odb

import (
	"encoding/binary"
	"errors"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/internal/object"
)

// The types of entries of a pack that object.Type lacks.
const (
	offsetDelta    object.Type = 6
	referenceDelta object.Type = 7
)

var errEntry = errors.New("malformed entry")

// An entry is what precedes the compressed bytes of an object in a pack.
type entry struct {
	off  int64       // where in the pack it begins
	kind object.Type // or offsetDelta or referenceDelta
	size int64       // of what is compressed: the content, or the delta
	data int64       // where in the pack the compressed bytes begin

	baseOff  int64        // of an offsetDelta
	baseHash datakit.Hash // of a referenceDelta
}

func (e *entry) isDelta() bool { return e.kind == offsetDelta || e.kind == referenceDelta }

// parseEntry reads the entry at off of a pack.
func parseEntry(pack []byte, off int64) (e entry, err error) {
	if off < packHeader || off >= int64(len(pack)-hashSize) {
		return e, errEntry
	}
	e.off = off
	b := pack[off : len(pack)-hashSize]
	n := 0
	if e.kind, e.size, n = parseSize(b); n == 0 {
		return e, errEntry
	}
	switch e.kind {
	case object.CommitType, object.TreeType, object.BlobType, object.TagType:
	case offsetDelta:
		back, used := parseBack(b[n:])
		if used == 0 || back <= 0 || back > off-packHeader {
			return e, errEntry
		}
		e.baseOff = off - back
		n += used
	case referenceDelta:
		if len(b) < n+hashSize {
			return e, errEntry
		}
		n += copy(e.baseHash[:], b[n:])
	default:
		return e, errEntry
	}
	e.data = off + int64(n)
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

// parseBack reads how far before an offsetDelta its base is.
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

// appendEntry appends the header of an object's entry.
func appendEntry(b []byte, t object.Type, size int64) []byte {
	c := byte(t)<<4 | byte(size&15)
	for size >>= 4; size > 0; size >>= 7 {
		b = append(b, c|0x80)
		c = byte(size & 0x7f)
	}
	return append(b, c)
}

// appendPackHeader appends the beginning of a pack.
func appendPackHeader(b []byte, objects int) []byte {
	b = append(b, packMagic...)
	b = binary.BigEndian.AppendUint32(b, 2)
	return binary.BigEndian.AppendUint32(b, uint32(objects))
}
