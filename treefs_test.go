package datakit

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"
)

// A fakeTree is a TreeDriver made of a few entries: the mode and content of
// every path.
type fakeTree map[Path]struct {
	mode    Mode
	content string
}

func (t fakeTree) Lookup(ctx context.Context, path Path) (Entry, error) {
	e, err := t.Stat(ctx, path)
	e.Size = 0
	return e, err
}

func (t fakeTree) Stat(ctx context.Context, path Path) (Entry, error) {
	f, ok := t[path]
	switch {
	case ctx.Err() != nil:
		return Entry{}, ctx.Err()
	case path == Root:
		return Entry{Mode: Dir}, nil
	case !ok:
		return Entry{}, NotExist
	}
	return Entry{Name: path.Base(), Mode: f.mode, Size: int64(len(f.content))}, nil
}

func (t fakeTree) ReadDir(ctx context.Context, path Path) ([]Entry, error) {
	dir, err := t.Lookup(ctx, path)
	if err != nil {
		return nil, err
	}
	if dir.Mode != Dir {
		return nil, NotDir
	}
	var list []Entry
	for p, f := range t {
		if p != Root && p.Dir() == path {
			list = append(list, Entry{Name: p.Base(), Mode: f.mode})
		}
	}
	slices.SortFunc(list, func(a, b Entry) int { return strings.Compare(a.Name, b.Name) })
	return list, nil
}

func (t fakeTree) Open(ctx context.Context, path Path) (Blob, error) {
	e, err := t.Stat(ctx, path)
	if err != nil {
		return nil, err
	}
	if e.Mode == Dir {
		return nil, IsDir
	}
	return fakeBlob{strings.NewReader(t[path].content)}, nil
}

type fakeBlob struct{ *strings.Reader }

func (b fakeBlob) ReadAt(ctx context.Context, p []byte, off int64) (int, error) {
	if ctx.Err() != nil {
		return 0, ctx.Err()
	}
	return b.Reader.ReadAt(p, off)
}

func (b fakeBlob) Close() error { return nil }

var fake = fakeTree{
	"README":       {Normal, "read me"},
	"bin":          {Dir, ""},
	"bin/run":      {Executable, "#!"},
	"bin/to":       {Symlink, "run"},
	"dangling":     {Symlink, "no/where"},
	"src":          {Dir, ""},
	"src/a":        {Dir, ""},
	"src/a/empty":  {Normal, ""},
	"src/a/latin1": {Normal, "caf\xe9"},
}

func TestTreeFS(t *testing.T) {
	fsys := (&Tree{d: fake}).FS(t.Context())
	if err := fstest.TestFS(fsys, "README", "bin/run", "bin/to", "dangling", "src/a/empty"); err != nil {
		t.Error(err)
	}
	sub := (&Tree{d: fake}).Sub("src").FS(t.Context())
	if err := fstest.TestFS(sub, "a/empty", "a/latin1"); err != nil {
		t.Errorf("below src: %v", err)
	}
}

func TestTreeFSModes(t *testing.T) {
	fsys := (&Tree{d: fake}).FS(t.Context())
	for name, want := range map[string]string{
		".":       "drwxrwxr-x",
		"README":  "-rw-rw-r--",
		"bin":     "drwxrwxr-x",
		"bin/run": "-rwxrwxr-x",
		"bin/to":  "Lrwxrwxr-x",
	} {
		info, err := fs.Stat(fsys, name)
		if err != nil {
			t.Errorf("Stat(%q): %v", name, err)
			continue
		}
		if got := info.Mode().String(); got != want {
			t.Errorf("Stat(%q) has mode %s, want %s", name, got, want)
		}
		if entry, ok := info.Sys().(Entry); !ok || entry.Size != info.Size() {
			t.Errorf("Stat(%q).Sys() = %+v, want its Entry", name, info.Sys())
		}
	}
}

func TestTreeFSNeverFollowsSymlinks(t *testing.T) {
	fsys := (&Tree{d: fake}).FS(t.Context())
	for name, target := range map[string]string{"bin/to": "run", "dangling": "no/where"} {
		if got, err := fs.ReadLink(fsys, name); got != target || err != nil {
			t.Errorf("ReadLink(%q) = %q, %v, want %q", name, got, err, target)
		}
		if got, err := fs.ReadFile(fsys, name); string(got) != target || err != nil {
			t.Errorf("ReadFile(%q) = %q, %v, want the target %q", name, got, err, target)
		}
		if info, err := fs.Stat(fsys, name); err != nil || info.Mode().Type() != fs.ModeSymlink || info.Size() != int64(len(target)) {
			t.Errorf("Stat(%q) = %v, %v, want the symlink itself", name, info, err)
		}
	}
}

func TestTreeFSErrors(t *testing.T) {
	fsys := (&Tree{d: fake}).FS(t.Context())
	open := func(name string) error { _, err := fsys.Open(name); return err }
	stat := func(name string) error { _, err := fs.Stat(fsys, name); return err }
	readDir := func(name string) error { _, err := fs.ReadDir(fsys, name); return err }
	readFile := func(name string) error { _, err := fs.ReadFile(fsys, name); return err }
	readLink := func(name string) error { _, err := fs.ReadLink(fsys, name); return err }
	for _, tt := range []struct {
		call func(string) error
		name string
		kind Kind
		text string
	}{
		{open, "absent", NotExist, "open absent: No such file or directory"},
		{open, "/README", Invalid, "open /README: Invalid argument"},
		{open, "", Invalid, "open : Invalid argument"},
		{stat, "absent", NotExist, "stat absent: No such file or directory"},
		{readDir, "README", NotDir, "readdir README: Not a directory"},
		{readDir, "a//b", Invalid, "readdir a//b: Invalid argument"},
		{readFile, "bin", IsDir, "read bin: Is a directory"},
		{readFile, "../x", Invalid, "read ../x: Invalid argument"},
		{readLink, "README", NotLink, "readlink README: Not a symlink"},
		{readLink, "./README", Invalid, "readlink ./README: Invalid argument"},
	} {
		err := tt.call(tt.name)
		var pathErr *fs.PathError
		if !errors.As(err, &pathErr) || pathErr.Path != tt.name || KindOf(err) != tt.kind || err.Error() != tt.text {
			t.Errorf("for %q: error %T %q of kind %v, want an fs.PathError %q of kind %v", tt.name, err, err, KindOf(err), tt.text, tt.kind)
		}
	}
	if err := open("absent"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v does not answer to fs.ErrNotExist", err)
	}
}

func TestTreeFSReadOfDirectory(t *testing.T) {
	dir, err := (&Tree{d: fake}).FS(t.Context()).Open("bin")
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	if _, err := dir.Read(make([]byte, 1)); !errors.Is(err, IsDir) {
		t.Errorf("Read of a directory: %v, want %v", err, IsDir)
	}
}

func TestTreeFSCloseTwice(t *testing.T) {
	f, err := (&Tree{d: fake}).FS(t.Context()).Open("README")
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Errorf("first Close: %v", err)
	}
	if err := f.Close(); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("second Close: %v, want %v", err, fs.ErrClosed)
	}
}

func TestTreeFSContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	fsys := (&Tree{d: fake}).FS(ctx)
	f, err := fsys.Open("README")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	cancel()
	if _, err := fsys.Open("README"); !errors.Is(err, context.Canceled) {
		t.Errorf("Open with a cancelled context: %v", err)
	}
	if _, err := io.ReadAll(f); !errors.Is(err, context.Canceled) {
		t.Errorf("Read with a cancelled context: %v", err)
	}
}

func TestTreeInfoModTime(t *testing.T) {
	changed := time.Unix(1500000000, 0)
	if got := (treeInfo{Entry{Changed: changed}}).ModTime(); got != changed {
		t.Errorf("ModTime() = %v, want %v", got, changed)
	}
}
