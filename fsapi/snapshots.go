package fsapi

import (
	"context"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/vfs"
)

// A snapshotsDir is /snapshots.
type snapshotsDir struct {
	vfs.DirBase
	s *Session
}

// Lookup implements vfs.Dir.
func (d *snapshotsDir) Lookup(ctx context.Context, name string) (vfs.Node, error) {
	c, err := d.s.commit(ctx, name)
	if err != nil {
		return nil, err
	}
	base := vfs.Base{In: d, Name: c.Hash.String(), Time: c.Date, Frozen: true}
	return &snapshotDir{vfs.DirBase{Base: base}, d.s, c}, nil
}

// A snapshotDir is /snapshots/COMMIT.
type snapshotDir struct {
	vfs.DirBase
	s *Session
	c *datakit.Commit
}

// List implements vfs.Dir.
func (d *snapshotDir) List(ctx context.Context) ([]vfs.Dirent, error) {
	return vfs.Dirents(ctx, d, "diff/", "hash", "msg", "parents", "ro/")
}

// Lookup implements vfs.Dir.
func (d *snapshotDir) Lookup(ctx context.Context, name string) (vfs.Node, error) {
	switch name {
	case "diff":
		base := d.base(name)
		base.Frozen = false // commits will come, to compare with
		return &diffDir{vfs.DirBase{Base: base}, d.s, d.c.Diff}, nil
	case "hash":
		return d.static(name, d.c.Hash.String()), nil
	case "msg":
		return d.static(name, d.c.Message+"\n"), nil
	case "parents":
		return d.static(name, formatHashes(d.c.Parents)), nil
	case "ro":
		tree, err := d.c.Tree(ctx)
		if err != nil {
			return nil, wireError(err)
		}
		return fixedView(d, name, tree, d.c.Date).root(ctx)
	}
	return nil, vfs.ErrNotExist
}

func (d *snapshotDir) base(name string) vfs.Base {
	return vfs.Base{In: d, Name: name, Time: d.c.Date, Frozen: true}
}

func (d *snapshotDir) static(name, content string) vfs.Node {
	return &vfs.Static{FileBase: vfs.FileBase{Base: d.base(name)}, Content: content}
}

// formatHashes writes one hash a line.
func formatHashes(hs []datakit.Hash) string {
	var b []byte
	for _, h := range hs {
		b, _ = h.AppendText(b)
		b = append(b, '\n')
	}
	return string(b)
}

// formatHead writes a head as the files that show it do.
func formatHead(h datakit.Hash) string {
	if h.IsZero() {
		return "\n"
	}
	return h.String() + "\n"
}
