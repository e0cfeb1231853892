//go:build linux || darwin

package fuse

import (
	"log/slog"
	"os"
	"sync"
	"syscall"
	"time"

	gofuse "github.com/hanwen/go-fuse/v2/fuse"

	"github.com/datakit/datakit/vfs"
)

// keep is how long the kernel may keep what never changes without asking. It
// may forget it earlier.
const keep = 24 * time.Hour

// A tree answers the requests of the kernel.
type tree struct {
	gofuse.RawFileSystem // says of all else that there is no such function

	m        *Mount
	log      *slog.Logger
	owner    gofuse.Owner
	inodes   *inodes
	handles  handles
	watchers sync.WaitGroup // the goroutines of requests
}

var _ gofuse.RawFileSystem = (*tree)(nil)

func newTree(m *Mount, root vfs.Dir, log *slog.Logger) *tree {
	return &tree{
		RawFileSystem: gofuse.NewDefaultRawFileSystem(),
		m:             m,
		log:           log,
		owner:         gofuse.Owner{Uid: uint32(os.Getuid()), Gid: uint32(os.Getgid())},
		inodes:        newInodes(root),
	}
}

// String implements gofuse.RawFileSystem.
func (t *tree) String() string { return "datakit" }

// Lookup implements gofuse.RawFileSystem.
func (t *tree) Lookup(cancel <-chan struct{}, in *gofuse.InHeader, name string, out *gofuse.EntryOut) gofuse.Status {
	r := t.begin(cancel)
	defer r.finish()
	dir, err := t.inodes.dir(in.NodeId)
	if err != nil {
		return t.status(err)
	}
	status := t.status(t.look(r, dir, in.NodeId, name, out))
	if status == gofuse.ENOENT && vfs.IsImmutable(dir) {
		out.SetEntryTimeout(keep) // that there is no such name
		return gofuse.OK
	}
	return status
}

// look tells the kernel of what a name leads to in the directory with the number
// up.
func (t *tree) look(r *request, dir vfs.Dir, up uint64, name string, out *gofuse.EntryOut) error {
	node, st, err := vfs.LookupStat(r, dir, name)
	if err != nil {
		return err
	}
	t.enter(up, name, node, &st, out)
	return nil
}

// entry tells the kernel of a new node.
func (t *tree) entry(r *request, up uint64, name string, node vfs.Node, out *gofuse.EntryOut) error {
	st, err := node.Stat(r)
	if err != nil {
		return err
	}
	t.enter(up, name, node, &st, out)
	return nil
}

// enter tells the kernel of a node that st describes.
func (t *tree) enter(up uint64, name string, node vfs.Node, st *vfs.Stat, out *gofuse.EntryOut) {
	t.attr(st, &out.Attr)
	out.NodeId = t.inodes.enter(up, name, node, st)
	out.Generation = 1
	if vfs.IsImmutable(node) {
		out.SetEntryTimeout(keep)
	}
	if t.isKept(out.NodeId, node) {
		out.SetAttrTimeout(keep)
	}
}

// isKept reports whether nothing of an inode changes: another version of its
// content would be another inode.
func (t *tree) isKept(id uint64, node vfs.Node) bool {
	return vfs.IsImmutable(node) || t.inodes.version(id) != nil
}

// Forget implements gofuse.RawFileSystem.
func (t *tree) Forget(id, count uint64) { t.inodes.forget(id, count) }

// typeOf returns the type bits of a mode.
func typeOf(k vfs.Kind) uint32 {
	switch k {
	case vfs.KindDir:
		return syscall.S_IFDIR
	case vfs.KindSymlink:
		return syscall.S_IFLNK
	}
	return syscall.S_IFREG
}

// inoOf returns the number that programs see.
func inoOf(q vfs.Qid) uint64 { return max(q.Path, 1) }

// blockSize is the unit of the number of blocks.
const blockSize = 512

// attr describes a node to the kernel.
func (t *tree) attr(st *vfs.Stat, a *gofuse.Attr) {
	a.Ino = inoOf(st.Qid)
	a.Mode = typeOf(st.Qid.Kind) | st.Perm
	a.Size = st.Size
	a.Blocks = st.Size/blockSize + min(st.Size%blockSize, 1)
	a.Nlink = 1
	a.Owner = t.owner
	at := st.ModTime
	if at.Before(time.Unix(0, 0)) {
		at = time.Unix(0, 0)
	}
	a.SetTimes(&at, &at, &at)
}

// GetAttr implements gofuse.RawFileSystem.
func (t *tree) GetAttr(cancel <-chan struct{}, in *gofuse.GetAttrIn, out *gofuse.AttrOut) gofuse.Status {
	r := t.begin(cancel)
	defer r.finish()
	var fh uint64
	if in.Flags()&gofuse.FUSE_GETATTR_FH != 0 {
		fh = in.Fh()
	}
	node, err := t.target(in.NodeId, fh)
	if err != nil {
		return t.status(err)
	}
	return t.status(t.describe(r, in.NodeId, node, out))
}

// target returns the node that a request is about: that of the open file, if
// there is one, or else what has the number id.
func (t *tree) target(id, fh uint64) (vfs.Node, error) {
	if h := t.handles.find(fh); h != nil {
		return h.node, nil
	}
	return t.inodes.node(id)
}

// describe describes a node, or the version of it that its inode stands for.
func (t *tree) describe(r *request, id uint64, node vfs.Node, out *gofuse.AttrOut) error {
	kept := t.inodes.version(id)
	if kept == nil {
		st, err := node.Stat(r)
		if err != nil {
			return err
		}
		kept = &st
	}
	t.attr(kept, &out.Attr)
	if t.isKept(id, node) {
		out.SetTimeout(keep)
	}
	return nil
}

// Access implements gofuse.RawFileSystem. All may be read and written, as far
// as opening goes; only what is executable may be executed.
func (t *tree) Access(cancel <-chan struct{}, in *gofuse.AccessIn) gofuse.Status {
	r := t.begin(cancel)
	defer r.finish()
	node, err := t.inodes.node(in.NodeId)
	if err != nil {
		return t.status(err)
	}
	st, err := node.Stat(r)
	if err == nil && in.Mask&gofuse.X_OK != 0 && st.Qid.Kind == vfs.KindFile && st.Perm&0o111 == 0 {
		return gofuse.EACCES
	}
	return t.status(err)
}

// SetAttr implements gofuse.RawFileSystem. It sets length and mode, in this
// order; owner, group and times are accepted and ignored.
func (t *tree) SetAttr(cancel <-chan struct{}, in *gofuse.SetAttrIn, out *gofuse.AttrOut) gofuse.Status {
	r := t.begin(cancel)
	defer r.finish()
	fh, _ := in.GetFh()
	node, err := t.target(in.NodeId, fh)
	if err != nil {
		return t.status(err)
	}
	if size, ok := in.GetSize(); ok {
		if err := node.SetLength(r, size); err != nil {
			return t.status(err)
		}
	}
	if mode, ok := in.GetMode(); ok {
		_, isDir := node.(vfs.Dir)
		if err := node.Chmod(r, vfs.Mode{Perm: mode & 0o777, Dir: isDir}); err != nil {
			return t.status(err)
		}
	}
	return t.status(t.describe(r, in.NodeId, node, out))
}

// Readlink implements gofuse.RawFileSystem.
func (t *tree) Readlink(cancel <-chan struct{}, in *gofuse.InHeader) ([]byte, gofuse.Status) {
	r := t.begin(cancel)
	defer r.finish()
	node, err := t.inodes.node(in.NodeId)
	if err != nil {
		return nil, t.status(err)
	}
	st, err := node.Stat(r)
	if err == nil && st.Qid.Kind != vfs.KindSymlink {
		err = vfs.ErrInvalid
	}
	return []byte(st.Target), t.status(err)
}

// What StatFs says of the space. How much a database can take is not known, but
// programs that look whether there is enough must not be told that there is none.
const (
	spaceUnit = 4096
	blocks    = 1 << 40 / spaceUnit
	files     = 1 << 30
)

// StatFs implements gofuse.RawFileSystem.
func (t *tree) StatFs(_ <-chan struct{}, _ *gofuse.InHeader, out *gofuse.StatfsOut) gofuse.Status {
	*out = gofuse.StatfsOut{
		Bsize: spaceUnit, Frsize: spaceUnit, NameLen: 255,
		Blocks: blocks, Bfree: blocks, Bavail: blocks,
		Files: files, Ffree: files,
	}
	return gofuse.OK
}
