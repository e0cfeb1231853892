package fsapi

import (
	"context"
	"io"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/vfs"
)

// A viewFile is a file or symlink of a view.
type viewFile struct{ viewEntry }

var _ vfs.Versioned = (*viewFile)(nil)

// Stat implements vfs.Node.
func (f *viewFile) Stat(ctx context.Context) (vfs.Stat, error) {
	st, err := f.v.current(ctx)
	if err != nil {
		return vfs.Stat{}, err
	}
	return f.statIn(ctx, st)
}

func (f *viewFile) statFound(ctx context.Context) (vfs.Stat, error) { return f.statIn(ctx, f.at) }

// statIn describes what st has in the place of the file.
func (f *viewFile) statIn(ctx context.Context, st *state) (vfs.Stat, error) {
	e, err := st.tree.Stat(ctx, f.path)
	if err != nil || e.Mode == datakit.Dir {
		return vfs.Stat{}, gone(err)
	}
	s, err := f.stat(ctx, st, e)
	if err != nil {
		return vfs.Stat{}, err
	}
	s.Size = uint64(e.Size)
	if e.Mode == datakit.Symlink {
		s.Target, err = readTarget(ctx, st.tree, f.path)
	}
	return s, err
}

// Open implements vfs.Node.
func (f *viewFile) Open(ctx context.Context, flags vfs.OpenFlags) (vfs.File, error) {
	st, _, err := f.find(ctx)
	if err != nil {
		return nil, err
	}
	return f.openIn(ctx, st, flags)
}

// Versioned implements vfs.Versioned. What an open file holds stays, unless the
// whole view goes.
func (f *viewFile) Versioned() bool { return f.v.check == nil }

// OpenFound implements vfs.Versioned.
func (f *viewFile) OpenFound(ctx context.Context, flags vfs.OpenFlags) (vfs.File, error) {
	return f.openIn(ctx, f.at, flags)
}

// openIn opens what st has in the place of the file.
func (f *viewFile) openIn(ctx context.Context, st *state, flags vfs.OpenFlags) (vfs.File, error) {
	if flags.RemoveOnClose {
		return nil, vfs.ErrPermission
	}
	blob, err := st.tree.Open(ctx, f.path)
	if err != nil {
		return nil, entryError(err)
	}
	return &openBlob{blob, f.v.check}, nil
}

// SetLength implements vfs.Node.
func (f *viewFile) SetLength(ctx context.Context, _ uint64) error {
	return f.refuse(ctx, vfs.ErrReadOnly)
}

// Chmod implements vfs.Node.
func (f *viewFile) Chmod(ctx context.Context, mode vfs.Mode) error {
	if mode.Dir {
		return f.refuse(ctx, vfs.ErrDirFlag)
	}
	return f.refuse(ctx, vfs.ErrReadOnly)
}

// Remove implements vfs.Node.
func (f *viewFile) Remove(ctx context.Context, _ bool) error {
	return f.refuse(ctx, vfs.ErrReadOnly)
}

// An openBlob is an open file of a view. It keeps its content.
type openBlob struct {
	blob  datakit.Blob
	check func() error // may be nil
}

func (o *openBlob) gone() error {
	if o.check == nil {
		return nil
	}
	return o.check()
}

// ReadAt implements vfs.File.
func (o *openBlob) ReadAt(ctx context.Context, p []byte, off uint64) (int, error) {
	if err := o.gone(); err != nil {
		return 0, err
	}
	return readBlob(ctx, o.blob, p, off)
}

// WriteAt implements vfs.File.
func (o *openBlob) WriteAt(_ context.Context, _ []byte, off uint64) error {
	if err := o.gone(); err != nil {
		return err
	}
	return vfs.RefuseWrite(off)
}

// Close implements vfs.File.
func (o *openBlob) Close() error { return o.blob.Close() }

// readBlob is File.ReadAt on a blob.
func readBlob(ctx context.Context, b datakit.Blob, p []byte, off uint64) (int, error) {
	if ok, err := vfs.ReadRange(off, uint64(b.Size())); !ok {
		return 0, err
	}
	n, err := b.ReadAt(ctx, p, int64(off))
	if err == io.EOF || n > 0 {
		err = nil // a failure after some bytes comes again with the next read
	}
	return n, wireError(err)
}
