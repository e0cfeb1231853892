package fsapi

import (
	"context"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/vfs"
)

// A treesDir is /trees.
type treesDir struct {
	vfs.DirBase
	s *Session
}

// treeNameLen is the length of the names in /trees: a letter, "-" and a hash.
const treeNameLen = 2 + 2*len(datakit.Hash{})

// Lookup implements vfs.Dir.
func (d *treesDir) Lookup(ctx context.Context, name string) (vfs.Node, error) {
	if len(name) != treeNameLen {
		return nil, vfs.ErrNotExist
	}
	id, err := datakit.ParseTreeID(name)
	if err != nil {
		return nil, vfs.ErrNotExist
	}
	tree, err := d.s.db.Tree(ctx, id)
	if err != nil {
		return nil, wireError(err)
	}
	return fixedView(d, name, tree, d.s.fs.start).root(ctx)
}
