package p9

import (
	"encoding/binary"
	"math"
	"time"

	"github.com/datakit/datakit/vfs"
)

// A statRecord is what Rstat, Twstat and directories of 9P2000 and 9P2000.u
// carry, as far as anything is done with it.
type statRecord struct {
	qid    vfs.Qid
	mode   uint32
	mtime  uint32
	length uint64
	name   string
	target string // the extension of 9P2000.u
}

// stat decodes a record with its size.
func (d *decoder) stat() statRecord {
	rd := decoder{b: d.bytes(), dialect: d.dialect, bad: d.bad}
	var s statRecord
	rd.take(2 + 4) // type and dev
	s.qid = rd.qid()
	s.mode = rd.u32()
	rd.u32() // atime
	s.mtime = rd.u32()
	s.length = rd.u64()
	s.name = rd.str()
	rd.skipString() // uid
	rd.skipString() // gid
	rd.skipString() // muid
	if d.dialect == DotU {
		s.target = rd.str()
		rd.take(4 + 4 + 4) // n_uid, n_gid, n_muid
	}
	if !rd.end() {
		d.bad = true
	}
	return s
}

// vfs returns what the record says of a node. Plain 9P2000 tells a symlink by
// its mode alone.
func (s *statRecord) vfs() vfs.Stat {
	st := vfs.Stat{
		Qid:     s.qid,
		Name:    s.name,
		Perm:    s.mode & 0o777,
		Size:    s.length,
		ModTime: time.Unix(int64(s.mtime), 0),
		Target:  s.target,
	}
	if s.mode&dmSymlink != 0 {
		st.Qid.Kind = vfs.KindSymlink
	}
	return st
}

// maxTarget is the longest target that records carry: a record must fit into
// the smallest useful message, and no kernel follows a longer one.
const maxTarget = 4095

// appendStat appends the record of a node, with its size. uid is the numeric
// owner.
func appendStat(b []byte, st *vfs.Stat, uid uint32, d Dialect) []byte {
	start := len(b)
	b = append(b, 0, 0) // size
	b = append16(b, 0)  // type
	b = append32(b, 0)  // dev
	b = appendQid(b, st.Qid, d)
	b = append32(b, dmMode(st))
	b = append32(b, seconds(st.ModTime)) // atime
	b = append32(b, seconds(st.ModTime))
	b = append64(b, st.Size)
	b = appendStr(b, st.Name)
	b = appendStr(b, "root")
	b = appendStr(b, "root")
	b = appendStr(b, "none")
	if d == DotU {
		target := st.Target
		if len(target) > maxTarget {
			target = ""
		}
		b = appendStr(b, target)
		b = append32(b, uid)
		b = append32(b, 0)
		b = append32(b, noUID)
	}
	binary.LittleEndian.PutUint16(b[start:], uint16(len(b)-start-2))
	return b
}

// A change is what a Twstat sets; the zero value of a field leaves it.
type change struct {
	name   string
	length *uint64
	mode   *uint32
	target string // goes with mode
}

// appendChange appends the record of a Twstat, with its size.
func appendChange(b []byte, c *change, d Dialect) []byte {
	length, mode := uint64(math.MaxUint64), uint32(math.MaxUint32)
	if c.length != nil {
		length = *c.length
	}
	if c.mode != nil {
		mode = *c.mode
	}
	start := len(b)
	b = append(b, 0, 0)
	for range 2 + 4 + qidLen { // type, dev and qid
		b = append(b, 0xff)
	}
	b = append32(b, mode)
	b = append64(b, math.MaxUint64) // times
	b = append64(b, length)
	b = appendStr(b, c.name)
	b = append(b, 0, 0, 0, 0, 0, 0) // uid, gid, muid
	if d == DotU {
		b = appendStr(b, c.target)
		b = append32(b, noUID)
		b = append64(b, math.MaxUint64) // n_gid, n_muid
	}
	binary.LittleEndian.PutUint16(b[start:], uint16(len(b)-start-2))
	return b
}

// dmMode returns the mode of a node as 9P2000 has it.
func dmMode(st *vfs.Stat) uint32 {
	switch st.Qid.Kind {
	case vfs.KindDir:
		return dmDir | st.Perm
	case vfs.KindSymlink:
		return dmSymlink | st.Perm
	}
	return st.Perm
}

// linuxMode returns the mode of a node as Linux has it.
func linuxMode(st *vfs.Stat) uint32 {
	switch st.Qid.Kind {
	case vfs.KindDir:
		return kindDir | st.Perm
	case vfs.KindSymlink:
		return kindSymlink | st.Perm
	}
	return kindRegular | st.Perm
}

// seconds returns t as the protocol has it, and what is out of its range as
// the nearest there is.
func seconds(t time.Time) uint32 {
	return uint32(min(max(t.Unix(), 0), math.MaxUint32))
}
