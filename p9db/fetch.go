package p9db

import (
	"context"
	"errors"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/p9"
	"github.com/datakit/datakit/vfs"
)

// Fetch implements datakit.Driver. It uses a remote of the server's for a while.
func (d *driver) Fetch(ctx context.Context, url, branch string) (h datakit.Hash, err error) {
	dir, err := d.walk(ctx, "remotes")
	if err != nil {
		return h, err
	}
	defer dir.Release()
	name := "fetch-" + randomName()
	if err := dir.Mkdir(ctx, name, dirPerm); err != nil {
		return h, d.fail(err)
	}
	defer d.background(func(ctx context.Context) {
		if f, err := d.walk(ctx, "remotes", name); err == nil {
			f.Remove(ctx)
		}
	})
	if err := d.command(ctx, url, "remotes", name, "url"); err != nil {
		return h, d.fail(err)
	}
	if err := d.command(ctx, branch, "remotes", name, "fetch"); err != nil {
		return h, d.fail(fetchError(err))
	}
	f, err := d.openFile(ctx, p9.ReadOnly, "remotes", name, "head")
	if err != nil {
		return h, err
	}
	s := p9.NewStream(f)
	defer s.Close()
	line, err := s.Next(ctx)
	if err != nil {
		return h, d.fail(err)
	}
	return parseHead(line)
}

// fetchError makes an IO error of a failed fetch that came without a text,
// unless the remote has no such branch.
func fetchError(err error) error {
	if e := (*p9.Error)(nil); errors.As(err, &e) && e.Errno == vfs.EINVAL {
		return &datakit.Error{Kind: datakit.IO, Err: e}
	}
	return err
}
