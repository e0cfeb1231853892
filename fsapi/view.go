package fsapi

import (
	"context"
	"io"
	"time"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/vfs"
)

// A view is a tree shown as entries that cannot be changed.
type view struct {
	in   vfs.Dir // where the root of the view is found
	name string  // of the root

	// now returns what the view shows at present. A view that does not change
	// always returns the same state.
	now func(context.Context) (*state, error)

	// check, if not nil, fails once the view is gone.
	check func() error
}

// A state is what a view shows at one moment.
type state struct {
	tree *datakit.Tree
	time time.Time // that entries show
}

// fixed makes a view show one tree for ever.
func fixed(tree *datakit.Tree, t time.Time) func(context.Context) (*state, error) {
	st := &state{tree, t}
	return func(context.Context) (*state, error) { return st, nil }
}

// viewEntry is what files and directories of a view have in common.
type viewEntry struct {
	v    *view
	up   *viewDir // nil for the root of the view
	path datakit.Path
	hash uint64 // of path, as in the paths of qids

	// What was found at path in the state at.
	at   *state
	mode datakit.Mode
	id   datakit.Hash
}

// root looks up the root of the view.
func (v *view) root(ctx context.Context) (vfs.Node, error) {
	st, err := v.current(ctx)
	if err != nil {
		return nil, err
	}
	e, err := st.tree.Lookup(ctx, datakit.Root)
	if err != nil {
		return nil, entryError(err)
	}
	return newViewNode(viewEntry{v: v, at: st, mode: e.Mode, id: e.Hash}), nil
}

// rootDir is root for a view that certainly is a directory. It looks at
// nothing yet.
func (v *view) rootDir() *viewDir { return &viewDir{viewEntry{v: v, mode: datakit.Dir}} }

func newViewNode(e viewEntry) vfs.Node {
	if e.mode == datakit.Dir {
		return &viewDir{e}
	}
	return &viewFile{e}
}

func (v *view) current(ctx context.Context) (*state, error) {
	if v.check != nil {
		if err := v.check(); err != nil {
			return nil, err
		}
	}
	return v.now(ctx)
}

// find returns the entry as it is now, and where it was found. It is gone if
// what is there is not what it was, a directory or none.
func (n *viewEntry) find(ctx context.Context) (*state, datakit.Entry, error) {
	st, err := n.v.current(ctx)
	if err != nil {
		return nil, datakit.Entry{}, err
	}
	if st == n.at {
		return st, datakit.Entry{Mode: n.mode, Hash: n.id}, nil
	}
	e, err := st.tree.Lookup(ctx, n.path)
	if err == nil && (e.Mode == datakit.Dir) != (n.mode == datakit.Dir) {
		err = vfs.ErrNotExist
	}
	return st, e, entryError(err)
}

func (n *viewEntry) Qid(ctx context.Context) (vfs.Qid, error) {
	_, e, err := n.find(ctx)
	if err != nil {
		return vfs.Qid{}, err
	}
	return n.qid(ctx, e)
}

// qid mixes the path within the view with that of the place of the view, which
// may be renamed.
func (n *viewEntry) qid(ctx context.Context, e datakit.Entry) (vfs.Qid, error) {
	in, err := n.v.in.Qid(ctx)
	if err != nil {
		return vfs.Qid{}, err
	}
	root := vfs.ChildPath(in.Path, n.v.name, e.Mode == datakit.Dir || n.up != nil)
	return entryQid(e, root+n.hash), nil
}

// stat returns what all entries show. The size is that of a directory.
func (n *viewEntry) stat(ctx context.Context, st *state, e datakit.Entry) (vfs.Stat, error) {
	q, err := n.qid(ctx, e)
	name := n.v.name
	if n.up != nil {
		name = n.path.Base()
	}
	return vfs.Stat{Qid: q, Name: name, Perm: entryPerm(e.Mode), ModTime: st.time}, err
}

func (n *viewEntry) Rename(ctx context.Context, dir vfs.Dir, _ string) error {
	if _, err := n.v.current(ctx); err != nil {
		return err
	}
	in := n.v.in
	if n.up != nil {
		in = n.up
	}
	return vfs.RefuseRename(ctx, in, dir)
}

// refuse returns err, unless the view is gone.
func (n *viewEntry) refuse(ctx context.Context, err error) error {
	if _, gone := n.v.current(ctx); gone != nil {
		return gone
	}
	return err
}

// A viewDir is a directory of a view.
type viewDir struct{ viewEntry }

var _ vfs.Dir = (*viewDir)(nil)

func (d *viewDir) Parent() vfs.Dir {
	if d.up == nil {
		return d.v.in
	}
	return d.up
}

func (d *viewDir) Lookup(ctx context.Context, name string) (vfs.Node, error) {
	st, err := d.v.current(ctx)
	if err != nil {
		return nil, err
	}
	if datakit.CheckName(name) != nil {
		return nil, vfs.ErrNotExist
	}
	path := d.path.Join(datakit.Path(name))
	e, err := st.tree.Lookup(ctx, path)
	if err != nil {
		return nil, entryError(err)
	}
	hash := vfs.ChildPath(d.hash, name, e.Mode == datakit.Dir)
	return newViewNode(viewEntry{v: d.v, up: d, path: path, hash: hash, at: st, mode: e.Mode, id: e.Hash}), nil
}

func (d *viewDir) List(ctx context.Context) ([]vfs.Dirent, error) {
	st, err := d.v.current(ctx)
	if err != nil {
		return nil, err
	}
	in, err := d.v.in.Qid(ctx)
	if err != nil {
		return nil, err
	}
	entries, err := st.tree.ReadDir(ctx, d.path)
	if err != nil {
		return nil, entryError(err)
	}
	root := vfs.ChildPath(in.Path, d.v.name, true)
	list := make([]vfs.Dirent, len(entries))
	for i, e := range entries {
		hash := vfs.ChildPath(d.hash, e.Name, e.Mode == datakit.Dir)
		list[i] = vfs.Dirent{Name: e.Name, Qid: entryQid(e, root+hash)}
	}
	return list, nil
}

func (d *viewDir) Stat(ctx context.Context) (vfs.Stat, error) {
	st, e, err := d.find(ctx)
	if err != nil {
		return vfs.Stat{}, err
	}
	return d.stat(ctx, st, e)
}

func (d *viewDir) Open(ctx context.Context, flags vfs.OpenFlags) (vfs.File, error) {
	if _, _, err := d.find(ctx); err != nil {
		return nil, err
	}
	return nil, vfs.CheckDirOpen(flags)
}

func (d *viewDir) SetLength(ctx context.Context, length uint64) error {
	return d.refuse(ctx, vfs.CheckDirLength(length))
}

func (d *viewDir) Chmod(ctx context.Context, mode vfs.Mode) error {
	return d.refuse(ctx, vfs.CheckDirMode(mode, vfs.ErrPermission))
}

func (d *viewDir) Remove(ctx context.Context, _ bool) error {
	return d.refuse(ctx, vfs.ErrDirReadOnly)
}

func (d *viewDir) Create(ctx context.Context, _ string, _, _ bool) (vfs.Node, error) {
	return nil, d.refuse(ctx, vfs.ErrDirReadOnly)
}

func (d *viewDir) Mkdir(ctx context.Context, _ string) (vfs.Node, error) {
	return nil, d.refuse(ctx, vfs.ErrDirReadOnly)
}

func (d *viewDir) Symlink(ctx context.Context, _, _ string) (vfs.Node, error) {
	return nil, d.refuse(ctx, vfs.ErrDirReadOnly)
}

// A viewFile is a file or symlink of a view.
type viewFile struct{ viewEntry }

var _ vfs.Node = (*viewFile)(nil)

func (f *viewFile) Stat(ctx context.Context) (vfs.Stat, error) {
	st, err := f.v.current(ctx)
	if err != nil {
		return vfs.Stat{}, err
	}
	e, err := st.tree.Stat(ctx, f.path)
	if err != nil || e.Mode == datakit.Dir {
		return vfs.Stat{}, gone(err)
	}
	s, err := f.stat(ctx, st, e)
	if err != nil {
		return vfs.Stat{}, err
	}
	s.Size = uint64(e.Size)
	if e.Mode == datakit.Symlink {
		s.Target, err = readTarget(ctx, st.tree, f.path)
	}
	return s, err
}

func (f *viewFile) Open(ctx context.Context, flags vfs.OpenFlags) (vfs.File, error) {
	st, err := f.v.current(ctx)
	if err != nil {
		return nil, err
	}
	if flags.RemoveOnClose {
		return nil, vfs.ErrPermission
	}
	blob, err := st.tree.Open(ctx, f.path)
	if err != nil {
		return nil, entryError(err)
	}
	return &openBlob{blob, f.v.check}, nil
}

func (f *viewFile) SetLength(ctx context.Context, _ uint64) error {
	return f.refuse(ctx, vfs.ErrReadOnly)
}

func (f *viewFile) Chmod(ctx context.Context, mode vfs.Mode) error {
	if mode.Dir {
		return f.refuse(ctx, vfs.ErrDirFlag)
	}
	return f.refuse(ctx, vfs.ErrReadOnly)
}

func (f *viewFile) Remove(ctx context.Context, _ bool) error {
	return f.refuse(ctx, vfs.ErrReadOnly)
}

// An openBlob is an open file of a view. It keeps its content.
type openBlob struct {
	blob  datakit.Blob
	check func() error // may be nil
}

func (o *openBlob) gone() error {
	if o.check == nil {
		return nil
	}
	return o.check()
}

func (o *openBlob) ReadAt(ctx context.Context, p []byte, off uint64) (int, error) {
	if err := o.gone(); err != nil {
		return 0, err
	}
	return readBlob(ctx, o.blob, p, off)
}

func (o *openBlob) WriteAt(_ context.Context, _ []byte, off uint64) error {
	if err := o.gone(); err != nil {
		return err
	}
	return vfs.RefuseWrite(off)
}

func (o *openBlob) Close() error { return o.blob.Close() }

// readBlob is File.ReadAt on a blob.
func readBlob(ctx context.Context, b datakit.Blob, p []byte, off uint64) (int, error) {
	if ok, err := vfs.ReadRange(off, uint64(b.Size())); !ok {
		return 0, err
	}
	n, err := b.ReadAt(ctx, p, int64(off))
	if err == io.EOF || n > 0 {
		err = nil // a failure after some bytes comes again with the next read
	}
	return n, wireError(err)
}
