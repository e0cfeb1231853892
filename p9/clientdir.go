package p9

import (
	"context"
	"errors"
	"io/fs"

	"github.com/datakit/datakit/vfs"
)

// Create makes a file in the directory f, which then is the open new file. perm
// has the nine permission bits.
func (f *Fid) Create(ctx context.Context, name string, flags OpenFlags, perm uint32) error {
	if f.c.t.dialect != DotL {
		return f.createPlain(ctx, name, flags, perm, "")
	}
	q := f.request(tlcreate)
	q.req = append32(appendStr(q.req, name), flags.linux())
	q.req = append32(append32(q.req, kindRegular|perm), 0)
	if err := f.doQid(ctx, q); err != nil {
		return err
	}
	f.name = name
	return nil
}

// createPlain sends a Tcreate. There is no flag for Exclusive in these
// dialects, so that it is looked before.
func (f *Fid) createPlain(ctx context.Context, name string, flags OpenFlags, mode uint32, target string) error {
	if flags&Exclusive != 0 {
		switch there, err := f.Walk(ctx, name); {
		case err == nil:
			there.Release()
			return clientError(vfs.ErrExist)
		case !errors.Is(err, fs.ErrNotExist):
			return err
		}
	}
	q := f.request(tcreate)
	q.req = append32(appendStr(q.req, name), mode)
	q.req = append(q.req, byte(flags))
	if f.c.t.dialect == DotU {
		q.req = appendStr(q.req, target)
	}
	if err := f.doQid(ctx, q); err != nil {
		return err
	}
	f.name = name
	return nil
}

// Mkdir makes a directory in the directory f.
func (f *Fid) Mkdir(ctx context.Context, name string, perm uint32) error {
	if f.c.t.dialect == DotL {
		q := f.request(tmkdir)
		q.req = append32(append32(appendStr(q.req, name), perm), 0)
		return f.do(ctx, q)
	}
	return f.withClone(ctx, func(d *Fid) error {
		return d.createPlain(ctx, name, ReadOnly, dmDir|perm, "")
	})
}

// Symlink makes a symlink in the directory f. 9P2000 cannot do that.
func (f *Fid) Symlink(ctx context.Context, name, target string) error {
	switch f.c.t.dialect {
	case DotL:
		q := f.request(tsymlink)
		q.req = append32(appendStr(appendStr(q.req, name), target), 0)
		return f.do(ctx, q)
	case DotU:
		return f.withClone(ctx, func(d *Fid) error {
			return d.createPlain(ctx, name, ReadOnly, dmSymlink|0o777, target)
		})
	}
	return clientError(errNoXattr)
}

// withClone calls fn with a copy of f, which is released afterwards.
func (f *Fid) withClone(ctx context.Context, fn func(*Fid) error) error {
	return f.with(ctx, nil, fn)
}

// with calls fn with a fid of what names lead to, which is released afterwards.
func (f *Fid) with(ctx context.Context, names []string, fn func(*Fid) error) error {
	d, err := f.Walk(ctx, names...)
	if err != nil {
		return err
	}
	defer d.Release()
	return fn(d)
}

// Readlink returns the target of a symlink.
func (f *Fid) Readlink(ctx context.Context) (string, error) {
	if f.c.t.dialect == DotL {
		q := f.request(treadlink)
		if err := f.c.t.roundTrip(ctx, q, nil); err != nil {
			return "", err
		}
		d := decoder{b: q.body}
		target := d.str()
		if !d.end() {
			return "", f.c.t.broken()
		}
		q.free()
		return target, nil
	}
	st, err := f.Stat(ctx)
	switch {
	case err != nil:
		return "", err
	case st.Qid.Kind != vfs.KindSymlink:
		return "", clientError(vfs.ErrInvalid)
	}
	return st.Target, nil
}

// Stat describes what f is a fid of.
func (f *Fid) Stat(ctx context.Context) (vfs.Stat, error) {
	q := f.statCall()
	if err := f.c.t.roundTrip(ctx, q, nil); err != nil {
		return vfs.Stat{}, err
	}
	st, err := f.takeStat(q)
	if err != nil {
		return st, err
	}
	return st, f.addTarget(ctx, &st)
}

func (f *Fid) statCall() *call {
	if f.c.t.dialect == DotL {
		q := f.request(tgetattr)
		q.req = append64(q.req, attrMask)
		return q
	}
	return f.request(tstat)
}

// takeStat takes the description out of a reply, but for the target of a
// symlink where that is not in it.
func (f *Fid) takeStat(q *call) (vfs.Stat, error) {
	if f.c.t.dialect == DotL {
		return f.takeAttr(q)
	}
	d := decoder{b: q.body, dialect: f.c.t.dialect}
	d.u16()
	rec := d.stat()
	if !d.end() {
		return vfs.Stat{}, f.c.t.broken()
	}
	q.free()
	st := rec.vfs()
	f.qid.Store(&st.Qid)
	return st, nil
}

// addTarget reads the target of a symlink where no message tells it: a symlink
// can be read as a file.
func (f *Fid) addTarget(ctx context.Context, st *vfs.Stat) error {
	if st.Qid.Kind != vfs.KindSymlink || st.Target != "" {
		return nil
	}
	if f.c.t.dialect == DotL {
		target, err := f.Readlink(ctx)
		st.Target = target
		return err
	}
	return f.withClone(ctx, func(l *Fid) error {
		if err := l.Open(ctx, ReadOnly); err != nil {
			return err
		}
		target, err := l.ReadAll(ctx)
		st.Target = string(target)
		return err
	})
}

// ReadDir returns the entries of the directory f, which must not be open, in
// the order of the server and without "." and "..".
func (f *Fid) ReadDir(ctx context.Context) ([]vfs.Dirent, error) {
	var list []vfs.Dirent
	err := f.listing(ctx, func(st vfs.Stat) { list = append(list, vfs.Dirent{Name: st.Name, Qid: st.Qid}) })
	return list, err
}

// ReadDirStats is ReadDir with what Stat returns for each entry. In 9P2000.L
// that takes some requests for each of them; what has vanished meanwhile is left
// out. Of what the server cannot read, as it is damaged, only name and qid are
// known.
func (f *Fid) ReadDirStats(ctx context.Context) ([]vfs.Stat, error) {
	var list []vfs.Stat
	err := f.listing(ctx, func(st vfs.Stat) { list = append(list, st) })
	if err != nil || f.c.t.dialect == DotU {
		return list, err
	}
	return f.fillIn(ctx, list)
}

// listing calls add for each entry. In 9P2000.L only name and qid are known.
func (f *Fid) listing(ctx context.Context, add func(vfs.Stat)) error {
	return f.withClone(ctx, func(d *Fid) error { return d.list(ctx, add) })
}

// list is listing that opens f itself.
func (f *Fid) list(ctx context.Context, add func(vfs.Stat)) error {
	if err := f.Open(ctx, ReadOnly); err != nil {
		return err
	}
	if f.c.t.dialect == DotL {
		return f.readdir(ctx, add)
	}
	return f.readRecords(ctx, add)
}

// readRecords reads an open directory of 9P2000 and 9P2000.u.
func (f *Fid) readRecords(ctx context.Context, add func(vfs.Stat)) error {
	p := make([]byte, f.c.t.msize-readHeader)
	for off := uint64(0); ; {
		n, err := f.ReadOnce(ctx, p, off)
		if err != nil || n == 0 {
			return err
		}
		off += uint64(n)
		d := decoder{b: p[:n], dialect: f.c.t.dialect}
		for len(d.b) > 0 {
			rec := d.stat()
			if d.bad {
				return f.c.t.broken()
			}
			add(rec.vfs())
		}
	}
}

// readdir reads an open directory of 9P2000.L.
func (f *Fid) readdir(ctx context.Context, add func(vfs.Stat)) error {
	for off, more := uint64(0), true; more; {
		q := f.request(treaddir)
		q.req = append32(append64(q.req, off), f.c.t.msize-readHeader)
		if err := f.c.t.roundTrip(ctx, q, nil); err != nil {
			return err
		}
		d := decoder{b: q.body}
		d.b = d.data()
		more = len(d.b) > 0
		off = d.entries(add)
		if d.bad {
			return f.c.t.broken()
		}
		q.free()
	}
	return nil
}

// entries calls add for each entry of an Rreaddir but "." and "..", and returns
// the offset of the next one. All names share one string.
func (d *decoder) entries(add func(vfs.Stat)) (next uint64) {
	rest := d.b
	all := string(rest)
	for len(d.b) > 0 {
		st := vfs.Stat{Qid: d.qid()}
		next = d.u64()
		d.u8() // the kind, which the qid has as well
		n := len(d.bytes())
		if d.bad {
			return 0
		}
		end := len(rest) - len(d.b)
		st.Name = all[end-n : end]
		if st.Name != "." && st.Name != ".." {
			add(st)
		}
	}
	return next
}

// RenameAt gives the entry old of the directory f another name in dir, which may
// be f. To another directory only 9P2000.L can move.
func (f *Fid) RenameAt(ctx context.Context, old string, dir *Fid, name string) error {
	if f.c.t.dialect == DotL {
		q := f.request(trenameat)
		q.req = appendStr(append32(appendStr(q.req, old), dir.num), name)
		return f.do(ctx, q)
	}
	if f != dir && f.Qid().Path != dir.Qid().Path {
		return clientError(vfs.ErrCrossDevice)
	}
	return f.with(ctx, []string{old}, func(e *Fid) error {
		return e.wstat(ctx, &change{name: name})
	})
}

// Unlink removes an entry of the directory f: a directory if dir is set, which
// must be empty, and else a file or symlink.
func (f *Fid) Unlink(ctx context.Context, name string, dir bool) error {
	if f.c.t.dialect == DotL {
		q := f.request(tunlinkat)
		q.req = appendStr(q.req, name)
		if dir {
			q.req = append32(q.req, flagRemoveDir)
		} else {
			q.req = append32(q.req, 0)
		}
		return f.do(ctx, q)
	}
	e, err := f.Walk(ctx, name)
	if err != nil {
		return err
	}
	if err := e.mayUnlink(ctx, dir); err != nil {
		e.Release()
		return err
	}
	return e.Remove(ctx)
}

// mayUnlink fails if Unlink of 9P2000.L would.
func (f *Fid) mayUnlink(ctx context.Context, dir bool) error {
	isDir := f.Qid().Kind == vfs.KindDir
	switch {
	case isDir && !dir:
		return clientError(vfs.ErrIsDir)
	case dir && !isDir:
		return clientError(vfs.ErrNotDir)
	case !dir:
		return nil
	}
	list, err := f.ReadDir(ctx)
	if err == nil && len(list) > 0 {
		err = clientError(vfs.ErrNotEmpty)
	}
	return err
}
