package p9

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/datakit/datakit/vfs"
)

// A memTree is a tree in memory that can be changed everywhere. Its lock guards
// all its nodes.
type memTree struct {
	mu     sync.Mutex
	lastID uint64
	root   *memDir
	open   atomic.Int64 // files that are not closed
}

var testTime = time.Unix(1500000000, 0)

func newMemTree() *memTree {
	t := &memTree{}
	t.root = &memDir{memNode: memNode{tree: t, name: "/", perm: 0o775}, entries: map[string]vfs.Node{}}
	t.root.parent = t.root
	return t
}

// put makes a file at a path whose directories it makes as well.
func (t *memTree) put(path, content string) *memFile {
	steps := strings.Split(path, "/")
	d := t.dir(steps[:len(steps)-1]...)
	n, _ := d.Create(context.Background(), steps[len(steps)-1], false, false)
	f := n.(*memFile)
	t.mu.Lock()
	defer t.mu.Unlock()
	f.data = []byte(content)
	return f
}

// at returns what is at a path, which must be there.
func (t *memTree) at(path ...string) vfs.Node {
	var n vfs.Node = t.root
	for _, s := range path {
		n, _ = n.(*memDir).Lookup(context.Background(), s)
	}
	return n
}

// stat describes what is at a path.
func (t *memTree) stat(path ...string) vfs.Stat {
	st, _ := t.at(path...).Stat(context.Background())
	return st
}

// dir makes a directory, and those above it.
func (t *memTree) dir(steps ...string) *memDir {
	d := t.root
	for _, s := range steps {
		n, err := d.Lookup(context.Background(), s)
		if err != nil {
			n, _ = d.Mkdir(context.Background(), s)
		}
		d = n.(*memDir)
	}
	return d
}

// A memNode is what files and directories have in common.
type memNode struct {
	tree    *memTree
	parent  *memDir
	name    string
	perm    uint32
	id      uint64
	version uint32
	gone    bool
}

func (n *memNode) check() error {
	if n.gone {
		return vfs.ErrNotExist
	}
	return nil
}

func (n *memNode) node() vfs.Node { return n.parent.entries[n.name] }

func (n *memNode) Remove(_ context.Context, recursive bool) error {
	n.tree.mu.Lock()
	defer n.tree.mu.Unlock()
	if err := n.check(); err != nil {
		return err
	}
	if n == &n.tree.root.memNode {
		return vfs.ErrDirReadOnly
	}
	if d, ok := n.node().(*memDir); ok && len(d.entries) > 0 && !recursive {
		return vfs.ErrNotEmpty
	}
	n.gone = true
	delete(n.parent.entries, n.name)
	n.parent.version++
	return nil
}

func (n *memNode) Rename(_ context.Context, dir vfs.Dir, name string) error {
	n.tree.mu.Lock()
	defer n.tree.mu.Unlock()
	if err := n.check(); err != nil {
		return err
	}
	to := n.parent
	if dir != nil {
		to = dir.(*memDir)
	}
	if _, ok := to.entries[name].(*memDir); ok {
		return vfs.ErrIsDir
	}
	self := n.node()
	delete(n.parent.entries, n.name)
	n.parent.version++
	n.parent, n.name = to, name
	to.entries[name] = self
	to.version++
	return nil
}

// A memFile is a file or symlink, with hooks for what a test wants it to do.
type memFile struct {
	memNode
	data    []byte
	target  string
	symlink bool

	onOpen  func(ctx context.Context) error
	onRead  func(ctx context.Context, p []byte, off uint64) (int, error)
	onWrite func(ctx context.Context, p []byte, off uint64) error
	onClose func()
	fixed   bool // has a length that cannot be set
	damaged bool // cannot be described
	maxRead int  // makes open files vfs.WaitingFiles
}

func (f *memFile) kind() vfs.Kind {
	if f.symlink {
		return vfs.KindSymlink
	}
	return vfs.KindFile
}

func (f *memFile) qid() vfs.Qid { return vfs.Qid{Kind: f.kind(), Version: f.version, Path: f.id} }

func (f *memFile) Qid(context.Context) (vfs.Qid, error) {
	f.tree.mu.Lock()
	defer f.tree.mu.Unlock()
	return f.qid(), f.check()
}

func (f *memFile) Stat(context.Context) (vfs.Stat, error) {
	f.tree.mu.Lock()
	defer f.tree.mu.Unlock()
	if f.damaged {
		return vfs.Stat{}, errors.New("the object is damaged")
	}
	size := len(f.data)
	if f.symlink {
		size = len(f.target)
	}
	return vfs.Stat{
		Qid: f.qid(), Name: f.name, Perm: f.perm, Size: uint64(size),
		ModTime: testTime, Target: f.target,
	}, f.check()
}

func (f *memFile) Open(ctx context.Context, flags vfs.OpenFlags) (vfs.File, error) {
	if f.onOpen != nil {
		if err := f.onOpen(ctx); err != nil {
			return nil, err
		}
	}
	f.tree.mu.Lock()
	defer f.tree.mu.Unlock()
	if err := f.check(); err != nil {
		return nil, err
	}
	f.tree.open.Add(1)
	o := &memOpen{f: f, append: flags.Append}
	if f.maxRead > 0 {
		return &memWaiting{o}, nil
	}
	return o, nil
}

func (f *memFile) SetLength(_ context.Context, length uint64) error {
	f.tree.mu.Lock()
	defer f.tree.mu.Unlock()
	switch {
	case f.fixed:
		return vfs.ErrReadOnly
	case length > 1<<20:
		return vfs.ErrTooBig
	}
	f.data = append(f.data, make([]byte, max(0, int(length)-len(f.data)))...)[:length]
	f.version++
	return f.check()
}

func (f *memFile) Chmod(_ context.Context, mode vfs.Mode) error {
	f.tree.mu.Lock()
	defer f.tree.mu.Unlock()
	if mode.Symlink && mode.Target == "" {
		return vfs.ErrNoTarget
	}
	f.symlink, f.target = mode.Symlink, mode.Target
	f.perm = 0o664
	if mode.Executable() {
		f.perm = 0o775
	}
	return f.check()
}

// A memOpen is an open memFile.
type memOpen struct {
	f      *memFile
	append bool
}

// A memWaiting is an open file whose reads may wait.
type memWaiting struct{ *memOpen }

func (o *memWaiting) MaxRead() int { return o.f.maxRead }

func (o *memOpen) ReadAt(ctx context.Context, p []byte, off uint64) (int, error) {
	if o.f.onRead != nil {
		return o.f.onRead(ctx, p, off)
	}
	o.f.tree.mu.Lock()
	defer o.f.tree.mu.Unlock()
	content := o.f.data
	if o.f.symlink {
		content = []byte(o.f.target)
	}
	if ok, err := vfs.ReadRange(off, uint64(len(content))); !ok {
		return 0, err
	}
	return copy(p, content[off:]), o.f.check()
}

func (o *memOpen) WriteAt(ctx context.Context, p []byte, off uint64) error {
	if o.f.onWrite != nil {
		return o.f.onWrite(ctx, p, off)
	}
	if int64(off) < 0 {
		return vfs.NegativeOffset(off)
	}
	o.f.tree.mu.Lock()
	defer o.f.tree.mu.Unlock()
	if err := o.f.check(); err != nil {
		return err
	}
	if o.append {
		off = uint64(len(o.f.data))
	}
	if off > 16<<20 {
		return vfs.ErrTooBig
	}
	if end := int(off) + len(p); len(p) > 0 && end > len(o.f.data) {
		o.f.data = append(o.f.data, make([]byte, end-len(o.f.data))...)
	}
	if len(p) > 0 {
		copy(o.f.data[off:], p)
	}
	o.f.version++
	return nil
}

func (o *memOpen) Close() error {
	o.f.tree.open.Add(-1)
	if o.f.onClose != nil {
		o.f.onClose()
	}
	return nil
}

// A memDir is a directory.
type memDir struct {
	memNode
	entries map[string]vfs.Node
	onList  func(ctx context.Context)
}

var _ vfs.Dir = (*memDir)(nil)

func (d *memDir) qid() vfs.Qid {
	return vfs.Qid{Kind: vfs.KindDir, Version: d.version, Path: d.id}
}

func (d *memDir) Qid(context.Context) (vfs.Qid, error) {
	d.tree.mu.Lock()
	defer d.tree.mu.Unlock()
	return d.qid(), d.check()
}

func (d *memDir) Stat(context.Context) (vfs.Stat, error) {
	d.tree.mu.Lock()
	defer d.tree.mu.Unlock()
	return vfs.Stat{Qid: d.qid(), Name: d.name, Perm: d.perm, ModTime: testTime}, d.check()
}

func (d *memDir) Open(_ context.Context, flags vfs.OpenFlags) (vfs.File, error) {
	if flags.RemoveOnClose && d == d.tree.root {
		return nil, vfs.ErrPermission
	}
	return nil, nil
}

func (d *memDir) SetLength(_ context.Context, length uint64) error {
	if length != 0 {
		return vfs.ErrDirLength
	}
	return nil
}

func (d *memDir) Chmod(_ context.Context, mode vfs.Mode) error {
	if !mode.Dir {
		return vfs.ErrDirFlag
	}
	return nil
}

func (d *memDir) Parent() vfs.Dir { return d.parent }

func (d *memDir) Lookup(_ context.Context, name string) (vfs.Node, error) {
	d.tree.mu.Lock()
	defer d.tree.mu.Unlock()
	if n := d.entries[name]; n != nil {
		return n, nil
	}
	return nil, vfs.ErrNotExist
}

func (d *memDir) List(ctx context.Context) ([]vfs.Dirent, error) {
	if d.onList != nil {
		d.onList(ctx)
	}
	d.tree.mu.Lock()
	defer d.tree.mu.Unlock()
	var list []vfs.Dirent
	for _, name := range slices.Sorted(maps.Keys(d.entries)) {
		switch n := d.entries[name].(type) {
		case *memDir:
			list = append(list, vfs.Dirent{Name: name, Qid: n.qid()})
		case *memFile:
			list = append(list, vfs.Dirent{Name: name, Qid: n.qid()})
		}
	}
	return list, d.check()
}

// add puts n into the directory under a valid name.
func (d *memDir) add(name string, n vfs.Node, base *memNode) error {
	if name == "" || name == "." || name == ".." || strings.ContainsAny(name, "/\x00") {
		return vfs.BadName(name)
	}
	d.tree.lastID++
	base.id, base.tree, base.parent, base.name = d.tree.lastID, d.tree, d, name
	d.entries[name] = n
	d.version++
	return d.check()
}

func (d *memDir) Create(_ context.Context, name string, executable, exclusive bool) (vfs.Node, error) {
	d.tree.mu.Lock()
	defer d.tree.mu.Unlock()
	switch d.entries[name].(type) {
	case nil:
	case *memDir:
		return nil, vfs.ErrIsDir
	default:
		if exclusive {
			return nil, vfs.ErrExist
		}
	}
	f := &memFile{}
	f.perm = 0o664
	if executable {
		f.perm = 0o775
	}
	return f, d.add(name, f, &f.memNode)
}

func (d *memDir) Mkdir(_ context.Context, name string) (vfs.Node, error) {
	d.tree.mu.Lock()
	defer d.tree.mu.Unlock()
	if d.entries[name] != nil {
		return nil, vfs.ErrExist
	}
	n := &memDir{entries: map[string]vfs.Node{}}
	n.perm = 0o775
	return n, d.add(name, n, &n.memNode)
}

func (d *memDir) Symlink(_ context.Context, name, target string) (vfs.Node, error) {
	d.tree.mu.Lock()
	defer d.tree.mu.Unlock()
	f := &memFile{symlink: true, target: target}
	f.perm = 0o775
	return f, d.add(name, f, &f.memNode)
}
