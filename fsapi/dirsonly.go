package fsapi

import (
	"context"

	"github.com/datakit/datakit/vfs"
)

// A dirsOnly is a directory in which only directories can be made.
type dirsOnly struct{ vfs.DirBase }

// Create implements vfs.Dir.
func (dirsOnly) Create(context.Context, string, bool, bool) (vfs.Node, error) {
	return nil, vfs.ErrDirOnly
}

// Symlink implements vfs.Dir.
func (dirsOnly) Symlink(context.Context, string, string) (vfs.Node, error) {
	return nil, vfs.ErrDirOnly
}

// listDirs is vfs.Dirents for a directory that has nothing but directories. It
// changes names.
func listDirs(ctx context.Context, dir vfs.Dir, names []string) ([]vfs.Dirent, error) {
	for i := range names {
		names[i] += "/"
	}
	return vfs.Dirents(ctx, dir, names...)
}
