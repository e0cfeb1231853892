package p9

import (
	"context"

	"github.com/datakit/datakit/vfs"
)

// An opening says how a node is to be opened.
type opening struct {
	truncate  bool
	mustBeDir bool
	flags     vfs.OpenFlags
}

// modeOpening returns what a mode of Topen or Tcreate asks for.
func modeOpening(mode uint32) (opening, error) {
	if mode&^modeKnown != 0 {
		return opening{}, badMode(mode)
	}
	return opening{
		truncate: mode&modeTrunc != 0,
		flags: vfs.OpenFlags{
			Append:        mode&modeAppend != 0,
			RemoveOnClose: mode&modeRclose != 0,
		},
	}, nil
}

// flagsOpening returns what the flags of Tlopen or Tlcreate ask for.
func flagsOpening(flags uint32) opening {
	return opening{
		truncate:  flags&flagTrunc != 0,
		mustBeDir: flags&flagDirectory != 0,
		flags:     vfs.OpenFlags{Append: flags&flagAppend != 0},
	}
}

func (r *request) open() error {
	f, err := r.s.fid(r.fid)
	if err != nil {
		return err
	}
	o, err := modeOpening(r.flags)
	if err != nil {
		return err
	}
	return r.openFid(f, o)
}

func (r *request) lopen() error {
	f, err := r.s.fid(r.fid)
	if err != nil {
		return err
	}
	return r.openFid(f, flagsOpening(r.flags))
}

// openFid opens f and replies.
func (r *request) openFid(f *fid, o opening) error {
	if err := r.enter(f, &f.changes); err != nil {
		return err
	}
	h := f.now()
	switch {
	case h.isOpen():
		return errOpened
	case h.node == nil: // clunked meanwhile
		return unknownFid(r.fid)
	}
	if _, isDir := h.node.(vfs.Dir); o.mustBeDir && !isDir {
		return vfs.ErrNotDir
	}
	if o.truncate {
		if err := h.node.SetLength(r, 0); err != nil {
			return err
		}
	}
	return r.openNode(f, h.node, o.flags)
}

// openNode opens node, makes it what f stands for, and replies.
func (r *request) openNode(f *fid, node vfs.Node, flags vfs.OpenFlags) error {
	h, err := openHandle(r, node, flags)
	if err != nil {
		return err
	}
	q, err := node.Qid(r)
	if err != nil {
		h.closeFile()
		return err
	}
	f.set(h)
	r.out.b = append32(appendQid(r.reply(), q, r.s.dialect), 0)
	return nil
}

// openHandle returns node, opened.
func openHandle(ctx context.Context, node vfs.Node, flags vfs.OpenFlags) (handle, error) {
	h := handle{node: node, removeOnClose: flags.RemoveOnClose}
	file, err := node.Open(ctx, flags)
	if err != nil {
		return handle{}, err
	}
	h.file = file
	if dir, ok := node.(vfs.Dir); ok {
		h.file = nil
		h.dir = &listing{dir: dir}
		return h, h.dir.take(ctx)
	}
	if w, ok := file.(vfs.WaitingFile); ok {
		h.maxRead = or(w.MaxRead(), len(request{}.small))
	}
	return h, nil
}

// create makes an entry in the directory of a fid, which then stands for the
// open new entry.
func (r *request) create() error {
	f, err := r.s.fid(r.fid)
	if err != nil {
		return err
	}
	o, err := modeOpening(r.flags)
	if err != nil {
		return err
	}
	dir, err := r.enterDir(f)
	if err != nil {
		return err
	}
	node, err := r.make(dir)
	if err != nil {
		return err
	}
	return r.openNode(f, node, o.flags)
}

// make makes what the mode of a Tcreate says.
func (r *request) make(dir vfs.Dir) (vfs.Node, error) {
	switch {
	case r.mode&dmOther != 0:
		return nil, vfs.ErrPermission
	case r.mode&dmDir != 0:
		return dir.Mkdir(r, r.name)
	case r.mode&dmSymlink != 0:
		return r.makeSymlink(dir)
	}
	return dir.Create(r, r.name, r.mode&0o100 != 0, false)
}

func (r *request) makeSymlink(dir vfs.Dir) (vfs.Node, error) {
	if r.name2 == "" {
		return nil, vfs.ErrNoTarget
	}
	return dir.Symlink(r, r.name, r.name2)
}

// lcreate is create of 9P2000.L, which makes files only.
func (r *request) lcreate() error {
	f, err := r.s.fid(r.fid)
	if err != nil {
		return err
	}
	dir, err := r.enterDir(f)
	if err != nil {
		return err
	}
	node, err := dir.Create(r, r.name, r.mode&0o100 != 0, r.flags&flagExcl != 0)
	if err != nil {
		return err
	}
	return r.openNode(f, node, flagsOpening(r.flags).flags)
}

// enterDir waits for the turn of r to change f, and returns the directory that
// f, which must not be open, stands for.
func (r *request) enterDir(f *fid) (vfs.Dir, error) {
	if err := r.enter(f, &f.changes); err != nil {
		return nil, err
	}
	h := f.now()
	if h.isOpen() {
		return nil, errCreateOpen
	}
	return r.dirOf(h.node)
}

// dirOf returns node as a directory in which something can be made.
func (r *request) dirOf(node vfs.Node) (vfs.Dir, error) {
	switch n := node.(type) {
	case nil:
		return nil, unknownFid(r.fid)
	case vfs.Dir:
		return n, nil
	}
	st, err := node.Stat(r)
	if err != nil {
		return nil, err
	}
	return nil, vfs.NotADir(st.Name)
}
