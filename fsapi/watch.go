package fsapi

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/vfs"
)

// nodeSuffix ends the names of directories in watch that stand for a step.
const nodeSuffix = ".node"

// A watchDir is /branch/NAME/watch, or a directory below it, which stands for
// a path whether or not there is anything.
type watchDir struct {
	vfs.DirBase
	b    *branch
	path datakit.Path
}

// List implements vfs.Dir.
func (d *watchDir) List(ctx context.Context) ([]vfs.Dirent, error) {
	st, err := d.b.now(ctx)
	if err != nil {
		return nil, err
	}
	entries, err := st.tree.ReadDir(ctx, d.path)
	if err != nil && !errors.Is(err, datakit.NotExist) && !errors.Is(err, datakit.NotDir) {
		return nil, wireError(err)
	}
	names := []string{"tree.live"}
	for _, e := range entries {
		names = append(names, e.Name+nodeSuffix)
	}
	slices.Sort(names)
	for i, name := range names {
		if name != "tree.live" {
			names[i] += "/"
		}
	}
	return vfs.Dirents(ctx, d, names...)
}

// Lookup implements vfs.Dir.
func (d *watchDir) Lookup(_ context.Context, name string) (vfs.Node, error) {
	base := d.b.s.fs.base(d, name)
	if name == "tree.live" {
		return &vfs.Stream{FileBase: vfs.FileBase{Base: base}, Source: d.watch, MaxLine: treeLine}, nil
	}
	step, ok := strings.CutSuffix(name, nodeSuffix)
	if !ok || datakit.CheckName(step) != nil {
		return nil, vfs.ErrNotExist
	}
	return &watchDir{vfs.DirBase{Base: base}, d.b, d.path.Join(datakit.Path(step))}, nil
}

// watch is the source of tree.live.
func (d *watchDir) watch(ctx context.Context) (vfs.Source, error) {
	h, err := d.b.handle()
	if err != nil {
		return nil, err
	}
	w, err := h.WatchPath(ctx, d.path)
	return newSource(d.b.s, w, err, func(e datakit.Entry) string { return e.ID().String() + "\n" })
}
