package vfs

import "context"

// A DirBase is a Base with the answers of a directory that cannot be changed
// and is empty. Embed it and add what is different.
type DirBase struct {
	Base
}

// Qid returns a qid without version.
func (d *DirBase) Qid(ctx context.Context) (Qid, error) { return d.qid(ctx, KindDir) }

// Stat describes the directory.
func (d *DirBase) Stat(ctx context.Context) (Stat, error) {
	return d.stat(ctx, KindDir, DirPerm, 0)
}

// Open succeeds, unless the directory is to be removed afterwards.
func (d *DirBase) Open(_ context.Context, flags OpenFlags) (File, error) {
	return nil, d.refuse(CheckDirOpen(flags))
}

// SetLength succeeds for 0, without effect.
func (d *DirBase) SetLength(_ context.Context, length uint64) error {
	return d.refuse(CheckDirLength(length))
}

// Chmod fails.
func (d *DirBase) Chmod(_ context.Context, mode Mode) error {
	return d.refuse(CheckDirMode(mode, ErrPermission))
}

// Remove fails.
func (d *DirBase) Remove(context.Context, bool) error { return d.refuse(ErrDirReadOnly) }

// Rename fails.
func (d *DirBase) Rename(ctx context.Context, dir Dir, _ string) error {
	if err := d.check(); err != nil {
		return err
	}
	return RefuseRename(ctx, d.In, dir)
}

// Parent returns In.
func (d *DirBase) Parent() Dir { return d.In }

// Lookup finds nothing.
func (d *DirBase) Lookup(context.Context, string) (Node, error) { return nil, ErrNotExist }

// List lists nothing.
func (d *DirBase) List(context.Context) ([]Dirent, error) { return nil, d.check() }

// Create fails.
func (d *DirBase) Create(context.Context, string, bool, bool) (Node, error) {
	return nil, d.refuse(ErrDirReadOnly)
}

// Mkdir fails.
func (d *DirBase) Mkdir(context.Context, string) (Node, error) {
	return nil, d.refuse(ErrDirReadOnly)
}

// Symlink fails.
func (d *DirBase) Symlink(context.Context, string, string) (Node, error) {
	return nil, d.refuse(ErrDirReadOnly)
}

// CheckDirOpen is the answer to opening a directory that cannot be removed.
func CheckDirOpen(flags OpenFlags) error {
	if flags.RemoveOnClose {
		return ErrPermission
	}
	return nil
}

// CheckDirLength is the answer to setting the length of any directory.
func CheckDirLength(length uint64) error {
	if length != 0 {
		return ErrDirLength
	}
	return nil
}

// CheckDirMode is the answer to changing the mode of any directory: ErrDirFlag
// where it should become something else, otherwise the result given.
func CheckDirMode(mode Mode, otherwise error) error {
	if !mode.Dir {
		return ErrDirFlag
	}
	return otherwise
}
