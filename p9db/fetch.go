package p9db

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/p9"
	"github.com/datakit/datakit/vfs"
)

// Fetch implements datakit.Driver. 9P2000.L has no words for why a fetch has
// failed, so it is done in another dialect if it can be.
func (d *driver) Fetch(ctx context.Context, url, branch string) (datakit.Hash, error) {
	if d.c.Dialect() != p9.DotL || d.opts.Redial == nil || d.closed.Load() {
		return d.fetch(ctx, url, branch)
	}
	side, err := d.sideIn(ctx, p9.DotU.String())
	if err != nil {
		return d.fetch(ctx, url, branch)
	}
	defer side.Close()
	h, err := side.fetch(ctx, url, branch)
	if err != nil && side.lost() && ctx.Err() == nil {
		return d.fetch(ctx, url, branch) // which tells whether all is lost
	}
	return h, err
}

// fetch uses a remote of the server's for a while.
func (d *driver) fetch(ctx context.Context, url, branch string) (h datakit.Hash, err error) {
	dir, err := d.walk(ctx, "remotes")
	if err != nil {
		return h, err
	}
	defer dir.Release()
	name := "fetch-" + randomName()
	if err := dir.Mkdir(ctx, name, dirPerm); err != nil {
		return h, d.fail(err)
	}
	defer d.removeLater("remotes", name)
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

// fetchText begins the text of a failed fetch. The URL, and why, follow
// (specification of the filesystem, appendix A, FETCH).
const fetchText = "error: cannot fetch "

// fetchError makes an IO error of a failed fetch, with the reason if there is
// one, unless the remote has no such branch.
func fetchError(err error) error {
	e := (*p9.Error)(nil)
	if !errors.As(err, &e) {
		return err
	}
	if rest, ok := strings.CutPrefix(e.Text, fetchText); ok {
		if _, reason, ok := strings.Cut(rest, ": "); ok {
			return &datakit.Error{Kind: datakit.IO, Err: fmt.Errorf("9p error: %s", reason)}
		}
	}
	if e.Errno == vfs.EINVAL {
		return &datakit.Error{Kind: datakit.IO, Err: e}
	}
	return err
}
