package p9db

import (
	"context"

	"github.com/datakit/datakit"
)

// Branches implements datakit.Driver.
func (l *link) Branches(ctx context.Context) ([]string, error) {
	return again(ctx, l, func(d *driver) ([]string, error) { return d.Branches(ctx) })
}

// Head implements datakit.Driver.
func (l *link) Head(ctx context.Context, branch string) (datakit.Hash, error) {
	return again(ctx, l, func(d *driver) (datakit.Hash, error) { return d.Head(ctx, branch) })
}

// FastForward implements datakit.Driver.
func (l *link) FastForward(ctx context.Context, branch string, to datakit.Hash) error {
	return l.write(ctx, func(d *driver) error { return d.FastForward(ctx, branch, to) })
}

// RemoveBranch implements datakit.Driver.
func (l *link) RemoveBranch(ctx context.Context, branch string) error {
	return l.write(ctx, func(d *driver) error { return d.RemoveBranch(ctx, branch) })
}

// RenameBranch implements datakit.Driver.
func (l *link) RenameBranch(ctx context.Context, from, to string) error {
	return l.write(ctx, func(d *driver) error { return d.RenameBranch(ctx, from, to) })
}

// Begin implements datakit.Driver. A transaction that was begun on a lost
// connection is gone with it, so beginning again does no harm.
func (l *link) Begin(ctx context.Context, branch string) (datakit.TxDriver, error) {
	return again(ctx, l, func(d *driver) (datakit.TxDriver, error) { return d.Begin(ctx, branch) })
}

// Fetch implements datakit.Driver.
func (l *link) Fetch(ctx context.Context, url, branch string) (datakit.Hash, error) {
	return again(ctx, l, func(d *driver) (datakit.Hash, error) { return d.Fetch(ctx, url, branch) })
}

// Commit implements datakit.Driver.
func (l *link) Commit(ctx context.Context, h datakit.Hash) (*datakit.Commit, error) {
	return again(ctx, l, func(d *driver) (*datakit.Commit, error) { return d.Commit(ctx, h) })
}

// Diff implements datakit.Driver.
func (l *link) Diff(ctx context.Context, from, to datakit.Hash) ([]datakit.Change, error) {
	return again(ctx, l, func(d *driver) ([]datakit.Change, error) { return d.Diff(ctx, from, to) })
}

// Tree implements datakit.Driver.
func (l *link) Tree(ctx context.Context, id datakit.TreeID) (datakit.TreeDriver, error) {
	t := &linkTree{l, &held[datakit.TreeDriver]{
		l:     l,
		open:  func(ctx context.Context, d *driver) (datakit.TreeDriver, error) { return d.Tree(ctx, id) },
		close: func(datakit.TreeDriver) {},
	}}
	_, err := use(ctx, t.t, func(datakit.TreeDriver) (struct{}, error) { return struct{}{}, nil })
	if err != nil {
		return nil, err
	}
	return t, nil
}

// A linkTree is a tree at whatever connection there is. It is
// datakit.TreeDriver.
type linkTree struct {
	l *link
	t *held[datakit.TreeDriver]
}

// Lookup implements datakit.TreeDriver.
func (t *linkTree) Lookup(ctx context.Context, path datakit.Path) (datakit.Entry, error) {
	return use(ctx, t.t, func(t datakit.TreeDriver) (datakit.Entry, error) { return t.Lookup(ctx, path) })
}

// Stat implements datakit.TreeDriver.
func (t *linkTree) Stat(ctx context.Context, path datakit.Path) (datakit.Entry, error) {
	return use(ctx, t.t, func(t datakit.TreeDriver) (datakit.Entry, error) { return t.Stat(ctx, path) })
}

// ReadDir implements datakit.TreeDriver.
func (t *linkTree) ReadDir(ctx context.Context, path datakit.Path) ([]datakit.Entry, error) {
	return use(ctx, t.t, func(t datakit.TreeDriver) ([]datakit.Entry, error) { return t.ReadDir(ctx, path) })
}

// Open implements datakit.TreeDriver.
func (t *linkTree) Open(ctx context.Context, path datakit.Path) (datakit.Blob, error) {
	b := &linkBlob{b: &held[datakit.Blob]{
		l: t.l,
		open: func(ctx context.Context, d *driver) (datakit.Blob, error) {
			tree, err := t.t.at(ctx, d)
			if err != nil {
				return nil, err
			}
			return tree.Open(ctx, path)
		},
		close: func(b datakit.Blob) { b.Close() },
	}}
	size, err := use(ctx, b.b, func(b datakit.Blob) (int64, error) { return b.Size(), nil })
	if err != nil {
		return nil, err
	}
	b.size = size
	return b, nil
}

// A linkBlob is a blob at whatever connection there is. It is datakit.Blob.
type linkBlob struct {
	b    *held[datakit.Blob]
	size int64
}

// Size implements datakit.Blob.
func (b *linkBlob) Size() int64 { return b.size }

// ReadAt implements datakit.Blob. What was read before the connection was lost
// is read again.
func (b *linkBlob) ReadAt(ctx context.Context, p []byte, off int64) (int, error) {
	return use(ctx, b.b, func(b datakit.Blob) (int, error) { return b.ReadAt(ctx, p, off) })
}

// Close implements datakit.Blob.
func (b *linkBlob) Close() error {
	b.b.release()
	return nil
}
