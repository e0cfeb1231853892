package fsapi

import (
	"context"

	"github.com/datakit/datakit/vfs"
)

// A rootDir is "/".
type rootDir struct {
	vfs.DirBase
	branches  *branchesDir
	commits   *commitsDir
	debug     *debugDir
	remotes   *remotesDir
	snapshots *snapshotsDir
	trees     *treesDir
}

var _ vfs.Dir = (*rootDir)(nil)

func newRoot(s *Session) *rootDir {
	r := &rootDir{DirBase: vfs.DirBase{Base: s.fs.base(nil, "/")}}
	dir := func(name string) vfs.DirBase { return vfs.DirBase{Base: s.fs.base(r, name)} }
	r.branches = &branchesDir{dirsOnly{dir("branch")}, s}
	r.commits = &commitsDir{dir("commits"), s}
	r.debug = &debugDir{dir("debug"), s.fs}
	r.remotes = &remotesDir{dirsOnly{dir("remotes")}, s}
	r.snapshots = &snapshotsDir{dir("snapshots"), s}
	r.trees = &treesDir{dir("trees"), s}
	return r
}

// Parent returns the root itself.
func (r *rootDir) Parent() vfs.Dir { return r }

// Rename implements vfs.Node.
func (r *rootDir) Rename(context.Context, vfs.Dir, string) error { return vfs.ErrRenameRoot }

// List implements vfs.Dir.
func (r *rootDir) List(ctx context.Context) ([]vfs.Dirent, error) {
	return vfs.Dirents(ctx, r, "branch/", "commits/", "debug/", "remotes/", "snapshots/", "trees/")
}

// Lookup implements vfs.Dir.
func (r *rootDir) Lookup(_ context.Context, name string) (vfs.Node, error) {
	switch name {
	case "branch":
		return r.branches, nil
	case "commits":
		return r.commits, nil
	case "debug":
		return r.debug, nil
	case "remotes":
		return r.remotes, nil
	case "snapshots":
		return r.snapshots, nil
	case "trees":
		return r.trees, nil
	}
	return nil, vfs.ErrNotExist
}
