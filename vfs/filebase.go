package vfs

import "context"

// A FileBase is a Base with the answers of a file that cannot be changed.
// Embed it and add what is different.
type FileBase struct {
	Base
}

// Qid returns a qid without version.
func (f *FileBase) Qid(ctx context.Context) (Qid, error) { return f.qid(ctx, KindFile) }

// SetLength fails.
func (f *FileBase) SetLength(context.Context, uint64) error { return f.refuse(ErrReadOnly) }

// Chmod fails.
func (f *FileBase) Chmod(_ context.Context, mode Mode) error {
	if mode.Dir {
		return f.refuse(ErrDirFlag)
	}
	return f.refuse(ErrReadOnly)
}

// Remove fails.
func (f *FileBase) Remove(context.Context, bool) error { return f.refuse(ErrReadOnly) }

// Rename fails.
func (f *FileBase) Rename(ctx context.Context, dir Dir, _ string) error {
	if err := f.check(); err != nil {
		return err
	}
	return RefuseRename(ctx, f.In, dir)
}

func (f *FileBase) statFile(ctx context.Context, size int) (Stat, error) {
	return f.stat(ctx, KindFile, FilePerm, size)
}

// open refuses what no file allows that cannot be removed.
func (f *FileBase) open(flags OpenFlags) error {
	if err := f.check(); err != nil {
		return err
	}
	if flags.RemoveOnClose {
		return ErrPermission
	}
	return nil
}

// chmodNormal is Chmod for a file that is always a normal one.
func (f *FileBase) chmodNormal(mode Mode) error {
	switch err := f.check(); {
	case err != nil:
		return err
	case mode.Dir:
		return ErrDirFlag
	case mode.Symlink || mode.Executable():
		return ErrSpecialMode
	}
	return nil
}

// RefuseWrite is File.WriteAt for a file that cannot be written.
func RefuseWrite(off uint64) error {
	if int64(off) < 0 {
		return NegativeOffset(off)
	}
	return ErrReadOnly
}

// ReadRange checks an offset for a read of a file of the given size. If there
// is nothing to read there, ok is false and err says whether that is a failure.
func ReadRange(off, size uint64) (ok bool, err error) {
	switch {
	case int64(off) < 0:
		return false, NegativeOffset(off)
	case off > size:
		return false, PastEnd(off, size)
	}
	return off < size, nil
}

// readFrom is File.ReadAt on content that is in memory.
func readFrom[T string | []byte](content T, p []byte, off uint64) (int, error) {
	if ok, err := ReadRange(off, uint64(len(content))); !ok {
		return 0, err
	}
	return copy(p, content[off:]), nil
}
