package datakit

import (
	"context"
	"errors"
	"io"
)

// A Tree is a directory with all below it: that of a commit, one named by its
// TreeID, an input of a merge, or the present contents of a transaction. All
// but the last never change.
//
// Unless a method says otherwise its error is NotExist if there is nothing at
// the path, and NotDir if a step before the last is no directory. Symlinks are
// never followed. Submodules, and names that CheckName refuses, are not shown.
type Tree struct {
	d      TreeDriver
	prefix Path
}

func (t *Tree) at(path Path) (Path, error) {
	if err := path.Check(); err != nil {
		return Root, err
	}
	return t.prefix.Join(path), nil
}

// Sub returns the Tree below path. Nothing is checked: where there is no
// directory, the methods of the result say so.
func (t *Tree) Sub(path Path) *Tree { return &Tree{t.d, t.prefix.Join(path)} }

// Lookup returns the entry at path, without its Size.
func (t *Tree) Lookup(ctx context.Context, path Path) (Entry, error) {
	return call(ctx, t, "look up", path, t.d.Lookup)
}

// Stat returns the entry at path.
func (t *Tree) Stat(ctx context.Context, path Path) (Entry, error) {
	return call(ctx, t, "stat", path, t.d.Stat)
}

// ReadDir returns the entries of the directory at path, sorted by name, byte
// by byte, without their Sizes.
func (t *Tree) ReadDir(ctx context.Context, path Path) ([]Entry, error) {
	return call(ctx, t, "read directory", path, t.d.ReadDir)
}

// Open returns the content of the file or symlink at path, to be read in
// pieces. What is read does not change even if the Tree does. IsDir for a
// directory.
func (t *Tree) Open(ctx context.Context, path Path) (Blob, error) {
	b, err := call(ctx, t, "open", path, t.d.Open)
	if err != nil {
		return nil, err
	}
	return promptBlob{b}, nil
}

// A promptBlob reads nothing for a context that is done.
type promptBlob struct{ Blob }

// ReadAt implements Blob.
func (b promptBlob) ReadAt(ctx context.Context, p []byte, off int64) (int, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	return b.Blob.ReadAt(ctx, p, off)
}

func call[T any](ctx context.Context, t *Tree, op string, path Path, f func(context.Context, Path) (T, error)) (T, error) {
	var none T
	if err := ctx.Err(); err != nil {
		return none, err
	}
	full, err := t.at(path)
	if err != nil {
		return none, opError(op, string(path), err)
	}
	v, err := f(ctx, full)
	if err != nil {
		return none, opError(op, string(path), err)
	}
	return v, nil
}

// Mode returns the mode of the entry at path, and Absent if there is none,
// also where the path goes through something that is no directory.
func (t *Tree) Mode(ctx context.Context, path Path) (Mode, error) {
	e, err := t.Lookup(ctx, path)
	if errors.Is(err, NotExist) || errors.Is(err, NotDir) {
		return Absent, nil
	}
	return e.Mode, err
}

// Exists reports whether there is anything at path.
func (t *Tree) Exists(ctx context.Context, path Path) (bool, error) {
	m, err := t.Mode(ctx, path)
	return m != Absent, err
}

// ReadFile returns the content of the normal or executable file at path.
// NotFile for anything else.
func (t *Tree) ReadFile(ctx context.Context, path Path) ([]byte, error) {
	return t.read(ctx, "read", path, Mode.IsFile, NotFile)
}

// Readlink returns the target of the symlink at path. NotLink for anything
// else.
func (t *Tree) Readlink(ctx context.Context, path Path) (string, error) {
	b, err := t.read(ctx, "read link", path, func(m Mode) bool { return m == Symlink }, NotLink)
	return string(b), err
}

func (t *Tree) read(ctx context.Context, op string, path Path, ok func(Mode) bool, otherwise Kind) ([]byte, error) {
	e, err := t.Lookup(ctx, path)
	if err != nil {
		return nil, err
	}
	if !ok(e.Mode) {
		return nil, &Error{Op: op, Subject: string(path), Kind: otherwise}
	}
	b, err := t.Open(ctx, path)
	if err != nil {
		return nil, err
	}
	defer b.Close()
	data := make([]byte, b.Size())
	if _, err := b.ReadAt(ctx, data, 0); err != nil && err != io.EOF {
		return nil, opError(op, string(path), err)
	}
	return data, nil
}

// NewReader returns a reader of b from its start. It uses ctx for its reads
// and does not close b.
func NewReader(ctx context.Context, b Blob) *io.SectionReader {
	return io.NewSectionReader(blobReader{ctx, b}, 0, b.Size())
}

type blobReader struct {
	ctx context.Context
	Blob
}

// ReadAt implements io.ReaderAt.
func (r blobReader) ReadAt(p []byte, off int64) (int, error) { return r.Blob.ReadAt(r.ctx, p, off) }
