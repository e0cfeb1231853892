package fsapi

import (
	"bytes"
	"context"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/vfs"
)

// A diffDir is a directory whose hidden files, named by commits, list the
// differences from there.
type diffDir struct {
	vfs.DirBase
	s    *Session
	from func(context.Context, datakit.Hash) ([]datakit.Change, error)
}

// Lookup implements vfs.Dir.
func (d *diffDir) Lookup(ctx context.Context, name string) (vfs.Node, error) {
	if d.Check != nil {
		if err := d.Check(); err != nil {
			return nil, err
		}
	}
	c, err := d.s.commit(ctx, name)
	if err != nil {
		return nil, err
	}
	base := d.Base
	base.In, base.Name = d, c.Hash.String()
	return &vfs.Status{FileBase: vfs.FileBase{Base: base}, Content: func(ctx context.Context) ([]byte, error) {
		vfs.MayWait(ctx)
		changes, err := d.from(ctx, c.Hash)
		return formatDiff(changes), wireError(err)
	}}, nil
}

// formatDiff writes one line for each change.
func formatDiff(changes []datakit.Change) []byte {
	var b bytes.Buffer
	for _, c := range changes {
		b.WriteByte(byte(c.Op))
		b.WriteByte(' ')
		b.WriteString(string(c.Path))
		b.WriteByte('\n')
	}
	return b.Bytes()
}
