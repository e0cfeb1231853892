package fsapi

import (
	"context"
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

	fixed bool // the view never changes, and is always there

	// check, if not nil, fails once the view is gone.
	check func() error
}

// A state is what a view shows at one moment.
type state struct {
	tree *datakit.Tree
	time time.Time // that entries show

	// commit is that of tree, if that can be another one later. It tells the
	// contents apart that have no hash, as in a database at a server.
	commit datakit.Hash
}

// qid is entryQid for an entry of the state.
func (st *state) qid(e datakit.Entry, path uint64) vfs.Qid {
	if e.Hash.IsZero() {
		e.Hash = st.commit
	}
	return entryQid(e, path)
}

// fixedView returns a view that shows one tree for ever.
func fixedView(in vfs.Dir, name string, tree *datakit.Tree, t time.Time) *view {
	st := &state{tree: tree, time: t}
	now := func(context.Context) (*state, error) { return st, nil }
	return &view{in: in, name: name, now: now, fixed: true}
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

// A viewNode is a *viewDir or *viewFile.
type viewNode interface {
	vfs.Node

	// statFound describes the node as it was found.
	statFound(ctx context.Context) (vfs.Stat, error)
}

func newViewNode(e viewEntry) viewNode {
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

// Immutable implements vfs.Immutable.
func (n *viewEntry) Immutable() bool { return n.v.fixed }

// Qid implements vfs.Node.
func (n *viewEntry) Qid(ctx context.Context) (vfs.Qid, error) {
	st, e, err := n.find(ctx)
	if err != nil {
		return vfs.Qid{}, err
	}
	return n.qid(ctx, st, e)
}

// qid mixes the path within the view with that of the place of the view, which
// may be renamed.
func (n *viewEntry) qid(ctx context.Context, st *state, e datakit.Entry) (vfs.Qid, error) {
	in, err := n.v.in.Qid(ctx)
	if err != nil {
		return vfs.Qid{}, err
	}
	root := vfs.ChildPath(in.Path, n.v.name, e.Mode == datakit.Dir || n.up != nil)
	return st.qid(e, root+n.hash), nil
}

// stat returns what all entries show. The size is that of a directory.
func (n *viewEntry) stat(ctx context.Context, st *state, e datakit.Entry) (vfs.Stat, error) {
	q, err := n.qid(ctx, st, e)
	name := n.v.name
	if n.up != nil {
		name = n.path.Base()
	}
	return vfs.Stat{Qid: q, Name: name, Perm: entryPerm(e.Mode), ModTime: st.time}, err
}

// Rename implements vfs.Node.
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
