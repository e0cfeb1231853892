package p9

import (
	"context"
	"errors"

	"github.com/datakit/datakit/vfs"
)

// A listing is an open directory: its entries at the time it was opened or
// rewound, and how far they have been read. The lane of reads guards it.
type listing struct {
	dir     vfs.Dir
	version uint32 // of the directory, when the entries were taken
	entries []vfs.Dirent
	used    bool // something has been read

	next   int    // the entry with which a Tread goes on
	offset uint64 // the offset that this Tread must have
	past   uint64 // the largest offset that an Rreaddir has mentioned
}

// take takes the entries.
func (l *listing) take(ctx context.Context) error {
	q, err := l.dir.Qid(ctx)
	if err != nil {
		return err
	}
	entries, err := l.dir.List(ctx)
	if err != nil {
		return err
	}
	l.version, l.entries, l.used = q.Version, entries, false
	l.next, l.offset = 0, 0
	return nil
}

// rewind takes the entries again if some have been read.
func (l *listing) rewind(ctx context.Context) error {
	if !l.used {
		return nil
	}
	return l.take(ctx)
}

// readRecords answers a Tread of a directory with whole stat records. The next
// position is only kept if the answer is made.
func (r *request) readRecords(l *listing, count int) error {
	if r.offset == 0 {
		if err := l.rewind(r); err != nil {
			return err
		}
	} else if r.offset != l.offset {
		return errDirSeek
	}
	p, owner := r.reserve(count), r.s.owner()
	n, i := 0, l.next
	for ; i < len(l.entries); i++ {
		st, err := r.lookupStat(l.dir, l.entries[i])
		if err != nil {
			return err
		}
		if st == nil {
			continue
		}
		b := appendStat(p[:n], st, owner, r.s.dialect)
		if len(b) > count { // append has moved it elsewhere
			break
		}
		n = len(b)
	}
	l.next, l.used = i, l.used || n > 0
	l.offset += uint64(n)
	r.putRead(n)
	return nil
}

// lookupStat describes an entry, which is nil if it has vanished. No entry makes
// a listing fail: of one that cannot be described, as it is damaged, there is
// what the listing knows.
func (r *request) lookupStat(dir vfs.Dir, e vfs.Dirent) (*vfs.Stat, error) {
	node, err := dir.Lookup(r, e.Name)
	if err == nil {
		var st vfs.Stat
		if st, err = node.Stat(r); err == nil {
			return &st, nil
		}
	}
	switch {
	case r.Err() != nil:
		return nil, vfs.ErrInterrupted
	case errors.Is(err, vfs.ErrNotExist):
		return nil, nil
	}
	r.logInternal(err)
	st := &vfs.Stat{Qid: e.Qid, Name: e.Name, Perm: vfs.FilePerm}
	if e.Qid.Kind == vfs.KindDir {
		st.Perm = vfs.DirPerm
	}
	return st, nil
}

// readdir answers a Treaddir. The offset of "." is 0, and each entry has the
// offset of the one after it.
func (r *request) readdir() error {
	f, err := r.s.fid(r.fid)
	if err != nil {
		return err
	}
	if err := r.enter(f, &f.reads); err != nil {
		return err
	}
	h := f.now()
	switch {
	case h.dir == nil && h.file != nil:
		return vfs.ErrNotDir
	case h.dir == nil:
		return errReadNotOpen
	}
	l := h.dir
	if r.offset == 0 {
		if err := l.rewind(r); err != nil {
			return err
		}
	} else if r.offset > l.past {
		return errDirSeek
	}
	n, err := r.readEntries(l, int(min(r.count, r.s.msize-readHeader)))
	if err != nil {
		return err
	}
	r.putRead(n)
	return nil
}

// readEntries puts the entries from r.offset on where reserve says, at most
// count bytes of them.
func (r *request) readEntries(l *listing, count int) (int, error) {
	q, err := l.dir.Qid(r)
	if err != nil {
		return 0, err
	}
	unchanged := q.Version != 0 && q.Version == l.version
	p := r.reserve(count)
	n, at := 0, r.offset
	for ; at < uint64(len(l.entries))+2; at++ {
		name, qid, err := l.entry(r, at, q, unchanged)
		switch {
		case errors.Is(err, vfs.ErrNotExist):
			continue
		case err != nil:
			return 0, err
		}
		if n+direntLen+len(name) > count {
			break
		}
		n = len(appendDirent(p[:n], name, qid, at+1))
	}
	l.used = l.used || n > 0
	l.past = max(l.past, at)
	return n, nil
}

// entry returns the entry at an offset. self is the qid of the directory. If
// the directory may have changed, the error is ErrNotExist for an entry that has
// vanished.
func (l *listing) entry(ctx context.Context, at uint64, self vfs.Qid, unchanged bool) (string, vfs.Qid, error) {
	switch at {
	case 0:
		return ".", self, nil
	case 1:
		q, err := l.dir.Parent().Qid(ctx)
		return "..", q, err
	}
	e := &l.entries[at-2]
	if !unchanged {
		if _, err := l.dir.Lookup(ctx, e.Name); errors.Is(err, vfs.ErrNotExist) {
			return "", vfs.Qid{}, err
		}
	}
	return e.Name, e.Qid, nil
}

// direntLen is the length of an entry of Rreaddir without its name.
const direntLen = qidLen + 8 + 1 + 2

func appendDirent(b []byte, name string, q vfs.Qid, next uint64) []byte {
	b = appendQid(b, q, DotL)
	b = append64(b, next)
	switch q.Kind {
	case vfs.KindDir:
		b = append(b, direntDir)
	case vfs.KindSymlink:
		b = append(b, direntSymlink)
	default:
		b = append(b, direntRegular)
	}
	return appendStr(b, name)
}
