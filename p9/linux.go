package p9

import (
	"math"

	"github.com/datakit/datakit/vfs"
)

// handleL carries out the requests that only 9P2000.L has.
func (r *request) handleL() error {
	switch r.typ {
	case tlopen:
		return r.lopen()
	case tlcreate:
		return r.lcreate()
	case treaddir:
		return r.readdir()
	case tgetattr:
		return r.getattr()
	case tsetattr:
		return r.setattr()
	case treadlink:
		return r.readlink()
	case tmkdir:
		return r.makeIn(func(d vfs.Dir) (vfs.Node, error) { return d.Mkdir(r, r.name) })
	case tsymlink:
		return r.makeIn(r.makeSymlink)
	case trename:
		return r.rename()
	case trenameat:
		return r.renameAt()
	case tunlinkat:
		return r.unlinkAt()
	}
	return r.handleTrivial()
}

// handleTrivial carries out the requests of 9P2000.L that need nothing but a
// bound fid.
func (r *request) handleTrivial() error {
	if _, err := r.s.fid(r.fid); err != nil {
		return err
	}
	switch r.typ {
	case tfsync:
		return r.done()
	case tstatfs:
		return r.statfs()
	case tlock:
		r.out.b = append(r.reply(), lockGranted)
		return nil
	case tgetlock:
		return r.getlock()
	case tmknod, tlink, txattrcreate:
		return vfs.ErrPermission
	case txattrwalk:
		return errNoXattr
	}
	return badType(r.typ)
}

const (
	lockGranted = 0 // the status in Rlock
	unlocked    = 2 // the type in Rgetlock

	fsMagic   = 0x01021997 // of v9fs in statfs
	maxLength = 255        // of a name
)

func (r *request) statfs() error {
	b := append32(r.reply(), fsMagic)
	b = append32(b, ioSize)
	for range 6 { // blocks, free, available, files, free, file system id
		b = append64(b, 0)
	}
	r.out.b = append32(b, maxLength)
	return nil
}

func (r *request) getlock() error {
	b := append(r.reply(), unlocked)
	b = append64(b, r.lock.start)
	b = append64(b, r.lock.length)
	b = append32(b, r.lock.pid)
	if headerLen+1+8+8+4+2+len(r.name) > int(r.s.msize) {
		return errMsize
	}
	r.out.b = appendStr(b, r.name)
	return nil
}

func (r *request) readlink() error {
	st, err := r.describe()
	switch {
	case err != nil:
		return err
	case st.Qid.Kind != vfs.KindSymlink:
		return vfs.ErrInvalid
	case headerLen+2+len(st.Target) > int(r.s.msize) || len(st.Target) > math.MaxUint16:
		return vfs.ErrNameTooLong
	}
	r.out.b = appendStr(r.reply(), st.Target)
	return nil
}

// makeIn makes an entry in the directory of r's fid, which stays what it is.
func (r *request) makeIn(fn func(vfs.Dir) (vfs.Node, error)) error {
	node, err := r.changed()
	if err != nil {
		return err
	}
	dir, err := r.dirOf(node)
	if err != nil {
		return err
	}
	made, err := fn(dir)
	if err != nil {
		return err
	}
	q, err := made.Qid(r)
	if err != nil {
		return err
	}
	r.out.b = appendQid(r.reply(), q, DotL)
	return nil
}

// dir returns the directory that a fid stands for.
func (r *request) dir(n uint32) (vfs.Dir, error) {
	f, err := r.s.fid(n)
	if err != nil {
		return nil, err
	}
	d, ok := f.now().node.(vfs.Dir)
	if !ok {
		return nil, vfs.ErrNotDir
	}
	return d, nil
}

// rename moves the node of a fid to another directory.
func (r *request) rename() error {
	node, err := r.changed()
	if err != nil {
		return err
	}
	dir, err := r.dir(r.newfid)
	if err != nil {
		return err
	}
	if err := r.renameTo(node, dir, r.name); err != nil {
		return err
	}
	return r.done()
}

// renameAt moves an entry of the directory of a fid to another directory.
func (r *request) renameAt() error {
	node, err := r.entryOf(r.name)
	if err != nil {
		return err
	}
	var dir vfs.Dir // the same one
	if r.newfid != r.fid {
		if dir, err = r.dir(r.newfid); err != nil {
			return err
		}
	}
	if err := r.renameTo(node, dir, r.name2); err != nil {
		return err
	}
	return r.done()
}

// unlinkAt removes an entry of the directory of a fid.
func (r *request) unlinkAt() error {
	node, err := r.entryOf(r.name)
	if err != nil {
		return err
	}
	_, isDir := node.(vfs.Dir)
	switch mustBeDir := r.flags&flagRemoveDir != 0; {
	case mustBeDir && !isDir:
		return vfs.ErrNotDir
	case isDir && !mustBeDir:
		return vfs.ErrIsDir
	}
	if err := node.Remove(r, false); err != nil {
		return err
	}
	return r.done()
}

// entryOf returns an entry of the directory of r's fid, which is about to be
// changed.
func (r *request) entryOf(name string) (vfs.Node, error) {
	node, err := r.changed()
	if err != nil {
		return nil, err
	}
	dir, ok := node.(vfs.Dir)
	if !ok {
		return nil, vfs.ErrNotDir
	}
	if name == "." || name == ".." {
		return nil, vfs.BadName(name)
	}
	return dir.Lookup(r, name)
}
