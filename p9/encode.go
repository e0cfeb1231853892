package p9

import (
	"encoding/binary"
	"math"

	"github.com/datakit/datakit/vfs"
)

// appendStr appends a string with its length. What a length cannot say is cut
// off; callers refuse such strings where that matters.
func appendStr(b []byte, s string) []byte {
	if len(s) > math.MaxUint16 {
		s = s[:math.MaxUint16]
	}
	b = append(b, byte(len(s)), byte(len(s)>>8))
	return append(b, s...)
}

func append16(b []byte, v uint16) []byte { return binary.LittleEndian.AppendUint16(b, v) }
func append32(b []byte, v uint32) []byte { return binary.LittleEndian.AppendUint32(b, v) }
func append64(b []byte, v uint64) []byte { return binary.LittleEndian.AppendUint64(b, v) }

// appendHeader begins a message whose size is not known yet.
func appendHeader(b []byte, typ uint8, tag uint16) []byte {
	return append(b, 0, 0, 0, 0, typ, byte(tag), byte(tag>>8))
}

// seal completes the message that is all of b.
func seal(b []byte) { binary.LittleEndian.PutUint32(b, uint32(len(b))) }

const qidLen = 1 + 4 + 8

// appendQid appends a qid. Only 9P2000.u and .L tell symlinks from files.
func appendQid(b []byte, q vfs.Qid, d Dialect) []byte {
	var typ uint8
	switch {
	case q.Kind == vfs.KindDir:
		typ = qidDir
	case q.Kind == vfs.KindSymlink && d != Plain:
		typ = qidSymlink
	}
	b = append(b, typ)
	b = append32(b, q.Version)
	return append64(b, q.Path)
}

func (d *decoder) qid() vfs.Qid {
	typ, q := d.u8(), vfs.Qid{Version: d.u32(), Path: d.u64()}
	switch {
	case typ&qidDir != 0:
		q.Kind = vfs.KindDir
	case typ&qidSymlink != 0:
		q.Kind = vfs.KindSymlink
	}
	return q
}
