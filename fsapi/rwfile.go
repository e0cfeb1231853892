package fsapi

import (
	"context"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/vfs"
)

// An rwFile is a file or symlink below rw.
type rwFile struct{ *place }

var _ vfs.Node = rwFile{}

// Qid implements vfs.Node.
func (f rwFile) Qid(ctx context.Context) (vfs.Qid, error) {
	e, err := f.find(ctx)
	if err != nil {
		return vfs.Qid{}, err
	}
	return f.qid(ctx, e)
}

// Stat implements vfs.Node.
func (f rwFile) Stat(ctx context.Context) (vfs.Stat, error) {
	var e datakit.Entry
	var target string
	err := f.do(ctx, func(tx *datakit.Tx, path datakit.Path) (err error) {
		e, err = tx.Stat(ctx, path)
		if err == nil && e.Mode == datakit.Symlink {
			target, err = readTarget(ctx, &tx.Tree, path)
		}
		return entryError(err)
	})
	if err != nil {
		return vfs.Stat{}, err
	}
	st, err := f.stat(ctx, e)
	st.Target = target
	return st, err
}

// Open implements vfs.Node.
func (f rwFile) Open(ctx context.Context, flags vfs.OpenFlags) (vfs.File, error) {
	if err := f.present(ctx); err != nil {
		return nil, err
	}
	return &openEntry{place: f.place, atEnd: flags.Append}, nil
}

// SetLength implements vfs.Node.
func (f rwFile) SetLength(ctx context.Context, length uint64) error {
	return f.do(ctx, func(tx *datakit.Tx, path datakit.Path) error {
		if int64(length) < 0 {
			return vfs.NegativeOffset(length)
		}
		return wireError(tx.Truncate(ctx, path, int64(length)))
	})
}

// Chmod implements vfs.Node.
func (f rwFile) Chmod(ctx context.Context, mode vfs.Mode) error {
	return f.do(ctx, func(tx *datakit.Tx, path datakit.Path) error {
		switch {
		case mode.Dir:
			return vfs.ErrDirFlag
		case mode.Symlink && mode.Target == "":
			return vfs.ErrNoTarget
		case mode.Symlink:
			return wireError(tx.Symlink(ctx, path, mode.Target))
		case mode.Executable():
			return wireError(tx.SetMode(ctx, path, datakit.Executable))
		}
		return wireError(tx.SetMode(ctx, path, datakit.Normal))
	})
}

// Remove implements vfs.Node.
func (f rwFile) Remove(ctx context.Context, _ bool) error {
	return f.do(ctx, func(tx *datakit.Tx, path datakit.Path) error {
		if err := tx.Remove(ctx, path); err != nil {
			return entryError(err)
		}
		f.removed()
		return nil
	})
}

// Rename implements vfs.Node.
func (f rwFile) Rename(ctx context.Context, dir vfs.Dir, name string) error {
	return f.rename(ctx, dir, name)
}
