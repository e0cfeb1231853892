package fsapi

import (
	"context"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/vfs"
)

// An rwDir is rw in a transaction, or a directory below it.
type rwDir struct{ *place }

var _ vfs.Dir = rwDir{}

// Qid implements vfs.Node.
func (d rwDir) Qid(ctx context.Context) (vfs.Qid, error) {
	e, err := d.find(ctx)
	if err != nil {
		return vfs.Qid{}, err
	}
	return d.qid(ctx, e)
}

// Stat implements vfs.Node.
func (d rwDir) Stat(ctx context.Context) (vfs.Stat, error) {
	e, err := d.find(ctx)
	if err != nil {
		return vfs.Stat{}, err
	}
	return d.stat(ctx, e)
}

// find returns the entry as it is now.
func (p *place) find(ctx context.Context) (e datakit.Entry, err error) {
	err = p.do(ctx, func(tx *datakit.Tx, path datakit.Path) error {
		e, err = tx.Sub(path).Lookup(ctx, datakit.Root)
		return entryError(err)
	})
	return e, err
}

func (d rwDir) isRoot() bool { return d.place == d.of.root }

// Open implements vfs.Node.
func (d rwDir) Open(ctx context.Context, flags vfs.OpenFlags) (vfs.File, error) {
	if flags.RemoveOnClose && d.isRoot() {
		return nil, vfs.ErrPermission
	}
	return nil, d.present(ctx)
}

// present fails if the entry is gone.
func (p *place) present(ctx context.Context) error {
	return p.do(ctx, func(*datakit.Tx, datakit.Path) error { return nil })
}

// SetLength implements vfs.Node.
func (d rwDir) SetLength(ctx context.Context, length uint64) error {
	if err := d.present(ctx); err != nil {
		return err
	}
	return vfs.CheckDirLength(length)
}

// Chmod has no effect, as modes of directories are not stored.
func (d rwDir) Chmod(ctx context.Context, mode vfs.Mode) error {
	if err := d.present(ctx); err != nil {
		return err
	}
	return vfs.CheckDirMode(mode, nil)
}

// Remove implements vfs.Node.
func (d rwDir) Remove(ctx context.Context, recursive bool) error {
	return d.do(ctx, func(tx *datakit.Tx, path datakit.Path) error {
		if d.isRoot() {
			return vfs.ErrReadOnly
		}
		if !recursive {
			list, err := tx.ReadDir(ctx, path)
			if err != nil {
				return entryError(err)
			}
			if len(list) > 0 {
				return vfs.ErrNotEmpty
			}
		}
		if err := tx.Remove(ctx, path); err != nil {
			return entryError(err)
		}
		d.removed()
		return nil
	})
}

// Rename implements vfs.Node.
func (d rwDir) Rename(ctx context.Context, dir vfs.Dir, name string) error {
	if d.isRoot() {
		if err := d.of.t.check(); err != nil {
			return err
		}
		return vfs.RefuseRename(ctx, d.of.t, dir)
	}
	return d.rename(ctx, dir, name)
}

// Parent implements vfs.Dir.
func (d rwDir) Parent() vfs.Dir {
	if d.isRoot() {
		return d.of.t
	}
	d.of.mu.Lock()
	defer d.of.mu.Unlock()
	return rwDir{d.up}
}

// Lookup implements vfs.Dir.
func (d rwDir) Lookup(ctx context.Context, name string) (n vfs.Node, err error) {
	err = d.do(ctx, func(tx *datakit.Tx, path datakit.Path) error {
		if datakit.CheckName(name) != nil {
			return vfs.ErrNotExist
		}
		e, err := tx.Sub(path).Lookup(ctx, datakit.Path(name)) // as a whole it would be checked each time
		if err != nil {
			return entryError(err)
		}
		n = d.child(name, e.Mode == datakit.Dir).node()
		return nil
	})
	return n, err
}

// List implements vfs.Dir.
func (d rwDir) List(ctx context.Context) (list []vfs.Dirent, err error) {
	in, err := d.of.t.Qid(ctx)
	if err != nil {
		return nil, err
	}
	err = d.do(ctx, func(tx *datakit.Tx, path datakit.Path) error {
		entries, err := tx.ReadDir(ctx, path)
		if err != nil {
			return entryError(err)
		}
		here := d.hashNow(in.Path)
		list = make([]vfs.Dirent, len(entries))
		for i, e := range entries {
			list[i] = vfs.Dirent{Name: e.Name, Qid: entryQid(e, vfs.ChildPath(here, e.Name, e.Mode == datakit.Dir))}
		}
		return nil
	})
	return list, err
}

// add runs make, which makes the entry name, and returns the node for it. One
// of the same name and sort that clients hold is the new one from then on.
func (d rwDir) add(ctx context.Context, name string, dir bool, make func(*datakit.Tx, datakit.Path) error) (n vfs.Node, err error) {
	err = d.do(ctx, func(tx *datakit.Tx, path datakit.Path) error {
		if err := checkName(name); err != nil {
			return err
		}
		if err := make(tx, path.Join(datakit.Path(name))); err != nil {
			return wireError(err)
		}
		n = d.child(name, dir).node()
		return nil
	})
	return n, err
}

// Create implements vfs.Dir.
func (d rwDir) Create(ctx context.Context, name string, executable, exclusive bool) (vfs.Node, error) {
	mode := datakit.Normal
	if executable {
		mode = datakit.Executable
	}
	return d.add(ctx, name, false, func(tx *datakit.Tx, path datakit.Path) error {
		if exclusive {
			there, err := tx.Exists(ctx, path)
			if err != nil {
				return err
			}
			if there {
				return vfs.ErrExist
			}
		}
		return tx.Create(ctx, path, mode, nil)
	})
}

// Mkdir implements vfs.Dir.
func (d rwDir) Mkdir(ctx context.Context, name string) (vfs.Node, error) {
	return d.add(ctx, name, true, func(tx *datakit.Tx, path datakit.Path) error {
		return tx.Mkdir(ctx, path)
	})
}

// Symlink implements vfs.Dir.
func (d rwDir) Symlink(ctx context.Context, name, target string) (vfs.Node, error) {
	return d.add(ctx, name, false, func(tx *datakit.Tx, path datakit.Path) error {
		if target == "" {
			return vfs.ErrNoTarget
		}
		return tx.Symlink(ctx, path, target)
	})
}
