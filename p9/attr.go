package p9

import (
	"math"

	"github.com/datakit/datakit/vfs"
)

// describe returns the description of the node of r's fid.
func (r *request) describe() (vfs.Stat, error) {
	f, err := r.s.fid(r.fid)
	if err != nil {
		return vfs.Stat{}, err
	}
	node := f.now().node
	if node == nil { // clunked meanwhile
		return vfs.Stat{}, unknownFid(r.fid)
	}
	return node.Stat(r)
}

func (r *request) stat() error {
	st, err := r.describe()
	if err != nil {
		return err
	}
	b := append16(r.reply(), 0) // the length of the record with its own
	at := len(b)
	b = appendStat(b, &st, r.s.owner(), r.s.dialect)
	if len(b)-r.start > int(r.s.msize) {
		return errMsize
	}
	n := len(b) - at
	b[at-2], b[at-1] = byte(n), byte(n>>8)
	r.out.b = b
	return nil
}

// blockSize is the unit of the number of blocks in Rgetattr, and ioSize the
// size of transfers it recommends.
const (
	blockSize = 512
	ioSize    = 4096
)

func (r *request) getattr() error {
	st, err := r.describe()
	if err != nil {
		return err
	}
	b := append64(r.reply(), attrMask)
	b = appendQid(b, st.Qid, DotL)
	b = append32(b, linuxMode(&st))
	b = append32(b, r.s.owner())
	b = append32(b, 0) // group
	b = append64(b, 1) // links
	b = append64(b, 0) // device
	b = append64(b, st.Size)
	b = append64(b, ioSize)
	b = append64(b, st.Size/blockSize+min(st.Size%blockSize, 1))
	for range 3 { // atime, mtime and ctime
		b = append64(b, uint64(max(st.ModTime.Unix(), 0)))
		b = append64(b, uint64(st.ModTime.Nanosecond()))
	}
	for range 4 { // time of birth, generation and data version
		b = append64(b, 0)
	}
	r.out.b = b
	return nil
}

// changed returns the node of a fid that r is about to change, when it is its
// turn.
func (r *request) changed() (vfs.Node, error) {
	f, err := r.s.fid(r.fid)
	if err != nil {
		return nil, err
	}
	if err := r.enter(f, &f.changes); err != nil {
		return nil, err
	}
	node := f.now().node
	if node == nil { // clunked meanwhile
		return nil, unknownFid(r.fid)
	}
	return node, nil
}

// wstat sets one of name, length and mode, or nothing.
func (r *request) wstat() error {
	node, err := r.changed()
	if err != nil {
		return err
	}
	var changes []func() error
	if r.name != "" {
		changes = append(changes, func() error { return r.renameTo(node, nil, r.name) })
	}
	if r.length != math.MaxUint64 {
		changes = append(changes, func() error { return r.setLength(node) })
	}
	if r.mode != math.MaxUint32 {
		changes = append(changes, func() error { return r.chmod(node, dmModeOf(r)) })
	}
	switch len(changes) {
	case 0:
		_, err = node.Qid(r) // tells whether it is still there
	case 1:
		err = changes[0]()
	default:
		err = errMulti
	}
	if err != nil {
		return err
	}
	return r.done()
}

// dmModeOf returns the mode that a Twstat sets.
func dmModeOf(r *request) vfs.Mode {
	return vfs.Mode{
		Perm:    r.mode & 0o777,
		Dir:     r.mode&dmDir != 0,
		Symlink: r.mode&dmSymlink != 0,
		Target:  r.name2,
	}
}

// setattr sets length and mode, in this order, or nothing if the mode is none for
// the node.
func (r *request) setattr() error {
	node, err := r.changed()
	if err != nil {
		return err
	}
	mode := linuxModeOf(r, node)
	if _, isDir := node.(vfs.Dir); r.flags&setMode != 0 && isDir != mode.Dir {
		return vfs.ErrDirFlag
	}
	if r.flags&setSize != 0 {
		if err := r.setLength(node); err != nil {
			return err
		}
	}
	if r.flags&setMode != 0 {
		if err := r.chmod(node, mode); err != nil {
			return err
		}
	}
	if r.flags&(setSize|setMode) == 0 {
		if _, err := node.Qid(r); err != nil {
			return err
		}
	}
	return r.done()
}

// linuxModeOf returns the mode that a Tsetattr sets. Some clients leave out what
// kind of file it is.
func linuxModeOf(r *request, node vfs.Node) vfs.Mode {
	kind := r.mode & kindMask
	_, isDir := node.(vfs.Dir)
	return vfs.Mode{
		Perm:    r.mode & 0o777,
		Dir:     kind == kindDir || kind == 0 && isDir,
		Symlink: kind == kindSymlink,
	}
}

func (r *request) setLength(node vfs.Node) error {
	if int64(r.length) < 0 {
		return vfs.NegativeOffset(r.length)
	}
	return node.SetLength(r, r.length)
}

func (r *request) chmod(node vfs.Node, mode vfs.Mode) error {
	if _, isDir := node.(vfs.Dir); isDir != mode.Dir {
		return vfs.ErrDirFlag
	}
	return node.Chmod(r, mode)
}

// renameTo gives node another name, in dir or where it is.
func (r *request) renameTo(node vfs.Node, dir vfs.Dir, name string) error {
	q, err := node.Qid(r)
	if err != nil {
		return err
	}
	if q.Path == r.s.rootPath {
		return vfs.ErrRenameRoot
	}
	return node.Rename(r, dir, name)
}
