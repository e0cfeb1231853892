package datakit

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"time"
)

// FS returns t as a file system for what knows io/fs: fs.WalkDir,
// template.ParseFS, http.FileServerFS. It uses ctx for all that it reads.
//
// It is also an [fs.ReadDirFS], [fs.StatFS], [fs.ReadFileFS] and
// [fs.ReadLinkFS]. Symlinks are never followed: opening one gives the bytes of
// its target, and Stat describes the link. Files can seek and read at offsets.
// The modification time is the zero Time but for what was changed in an open
// transaction, and Sys returns the [Entry]. All errors are a *[fs.PathError]
// around one that has a Kind.
func (t *Tree) FS(ctx context.Context) fs.FS { return &treeFS{ctx, t} }

// treeFS is a Tree as io/fs sees it. Its interfaces have no room for a
// context in each call, so it keeps the one for all of them.
type treeFS struct {
	ctx  context.Context
	tree *Tree
}

var (
	_ fs.ReadDirFS  = (*treeFS)(nil)
	_ fs.StatFS     = (*treeFS)(nil)
	_ fs.ReadFileFS = (*treeFS)(nil)
	_ fs.ReadLinkFS = (*treeFS)(nil)
)

// fsPath returns the Path for a name of io/fs, where the root is ".".
func fsPath(name string) (Path, error) {
	switch {
	case !fs.ValidPath(name):
		return Root, Invalid
	case name == ".":
		return Root, nil
	}
	return Path(name), nil
}

// pathError is err as io/fs wants it. The operation and the path are taken out
// of it, as the fs.PathError has its own; the Kind stays.
func pathError(op, name string, err error) error {
	if err == nil {
		return nil
	}
	if e := (*Error)(nil); errors.As(err, &e) {
		err = &Error{Kind: e.Kind, Err: e.Err}
	}
	return &fs.PathError{Op: op, Path: name, Err: err}
}

// Open opens the file, directory or symlink with the given name.
func (f *treeFS) Open(name string) (fs.File, error) {
	file, err := f.open(name)
	if err != nil {
		return nil, pathError("open", name, err)
	}
	return file, nil
}

func (f *treeFS) open(name string) (fs.File, error) {
	info, err := f.stat(name)
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		entries, err := f.readDir(name)
		return &treeDir{info: info, name: name, rest: entries}, err
	}
	path, _ := fsPath(name) // stat has checked it
	blob, err := f.tree.Open(f.ctx, path)
	if err != nil {
		return nil, err
	}
	info.entry.Size = blob.Size() // the Tree may have changed since stat
	return &treeFile{SectionReader: NewReader(f.ctx, blob), info: info, blob: blob}, nil
}

// Stat describes what has the given name; for a symlink, the link itself.
func (f *treeFS) Stat(name string) (fs.FileInfo, error) { return f.info("stat", name) }

// Lstat is Stat, as nothing is ever followed.
func (f *treeFS) Lstat(name string) (fs.FileInfo, error) { return f.info("lstat", name) }

func (f *treeFS) info(op, name string) (fs.FileInfo, error) {
	info, err := f.stat(name)
	if err != nil {
		return nil, pathError(op, name, err)
	}
	return info, nil
}

func (f *treeFS) stat(name string) (treeInfo, error) {
	path, err := fsPath(name)
	if err != nil {
		return treeInfo{}, err
	}
	e, err := f.tree.Stat(f.ctx, path)
	if path == Root {
		e.Name = "."
	}
	return treeInfo{e}, err
}

// ReadDir lists the directory with the given name, sorted by name.
func (f *treeFS) ReadDir(name string) ([]fs.DirEntry, error) {
	entries, err := f.readDir(name)
	return entries, pathError("readdir", name, err)
}

func (f *treeFS) readDir(name string) ([]fs.DirEntry, error) {
	path, err := fsPath(name)
	if err != nil {
		return nil, err
	}
	entries, err := f.tree.ReadDir(f.ctx, path)
	if err != nil {
		return nil, err
	}
	list := make([]fs.DirEntry, len(entries))
	for i, e := range entries {
		list[i] = treeDirEntry{treeInfo{e}, f, path.Join(Path(e.Name))}
	}
	return list, nil
}

// ReadFile returns the content of a file, or the target of a symlink.
func (f *treeFS) ReadFile(name string) ([]byte, error) {
	data, err := f.readFile(name)
	return data, pathError("read", name, err)
}

func (f *treeFS) readFile(name string) ([]byte, error) {
	path, err := fsPath(name)
	if err != nil {
		return nil, err
	}
	blob, err := f.tree.Open(f.ctx, path)
	if err != nil {
		return nil, err
	}
	defer blob.Close()
	data := make([]byte, blob.Size())
	_, err = io.ReadFull(NewReader(f.ctx, blob), data)
	return data, err
}

// ReadLink returns the target of a symlink.
func (f *treeFS) ReadLink(name string) (string, error) {
	path, err := fsPath(name)
	if err != nil {
		return "", pathError("readlink", name, err)
	}
	target, err := f.tree.Readlink(f.ctx, path)
	return target, pathError("readlink", name, err)
}

// A treeInfo is an Entry as a fs.FileInfo.
type treeInfo struct{ entry Entry }

func (i treeInfo) Name() string       { return i.entry.Name }
func (i treeInfo) Size() int64        { return i.entry.Size }
func (i treeInfo) IsDir() bool        { return i.entry.Mode == Dir }
func (i treeInfo) ModTime() time.Time { return i.entry.Changed }
func (i treeInfo) Sys() any           { return i.entry }
func (i treeInfo) String() string     { return fs.FormatFileInfo(i) }

// Mode returns the permissions that the specification's table 1.2 shows.
func (i treeInfo) Mode() fs.FileMode {
	switch i.entry.Mode {
	case Dir:
		return fs.ModeDir | 0o775
	case Symlink:
		return fs.ModeSymlink | 0o775
	case Executable:
		return 0o775
	}
	return 0o664
}

// A treeDirEntry is an Entry of a listing, which does not know its Size.
type treeDirEntry struct {
	treeInfo
	fs   *treeFS
	path Path
}

func (e treeDirEntry) Type() fs.FileMode          { return e.Mode().Type() }
func (e treeDirEntry) Info() (fs.FileInfo, error) { return e.fs.Lstat(string(e.path)) }
func (e treeDirEntry) String() string             { return fs.FormatDirEntry(e) }
