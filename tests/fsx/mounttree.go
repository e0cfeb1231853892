package fsx

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// A mountTree is a transaction in a mount. Files are kept open, as programs do,
// so that what they show can be compared with what the names show.
type mountTree struct {
	branch string // the directory of the branch
	rw     string // that of the transaction
	open   map[string]*os.File
	count  int // of uses of names
}

var _ tree = (*mountTree)(nil)

func newMountTree(branch string) (*mountTree, error) {
	t := &mountTree{branch: branch, open: make(map[string]*os.File)}
	if err := os.Mkdir(branch, 0o755); err != nil {
		return nil, err
	}
	return t, t.begin()
}

func (t *mountTree) tx() string { return filepath.Join(t.branch, "transactions/t") }

func (t *mountTree) begin() error {
	if err := os.Mkdir(t.tx(), 0o755); err != nil {
		return err
	}
	t.rw = filepath.Join(t.tx(), "rw")
	if err := os.Mkdir(filepath.Join(t.rw, "dir"), 0o755); !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}

func (t *mountTree) renew() error {
	t.close()
	if err := os.WriteFile(filepath.Join(t.tx(), "ctl"), []byte("commit"), 0o644); err != nil {
		return err
	}
	return t.begin()
}

func (t *mountTree) close() {
	for name := range t.open {
		t.drop(name)
	}
}

func (t *mountTree) drop(name string) {
	if f := t.open[name]; f != nil {
		f.Close()
		delete(t.open, name)
	}
}

func (t *mountTree) path(name string) string { return filepath.Join(t.rw, name) }

// file returns a file, mostly one that has been open for a while.
func (t *mountTree) file(name string) (*os.File, error) {
	t.count++
	f := t.open[name]
	if f != nil && t.count%7 != 0 {
		return f, nil
	}
	t.drop(name)
	f, err := os.OpenFile(t.path(name), os.O_RDWR, 0)
	if err == nil {
		t.open[name] = f
	}
	return f, err
}

func (t *mountTree) create(name string) error {
	f, err := os.Create(t.path(name))
	if err != nil {
		return err
	}
	return f.Close()
}

func (t *mountTree) read(name string, off int64, n int) ([]byte, error) {
	f, err := t.file(name)
	if err != nil {
		return nil, err
	}
	p := make([]byte, n)
	n, err = f.ReadAt(p, off)
	if err == io.EOF {
		err = nil
	}
	return p[:n], err
}

func (t *mountTree) write(name string, off int64, data []byte) error {
	f, err := t.file(name)
	if err != nil {
		return err
	}
	_, err = f.WriteAt(data, off)
	return err
}

func (t *mountTree) append(name string, data []byte) error {
	f, err := os.OpenFile(t.path(name), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return errors.Join(err, f.Close())
}

func (t *mountTree) truncate(name string, size int64) error {
	if t.count++; t.count%2 == 0 {
		return os.Truncate(t.path(name), size)
	}
	f, err := t.file(name)
	if err != nil {
		return err
	}
	return f.Truncate(size)
}

func (t *mountTree) rename(from, to string) error {
	t.drop(to)
	if f := t.open[from]; f != nil { // follows the entry
		t.open[to] = f
		delete(t.open, from)
	}
	return os.Rename(t.path(from), t.path(to))
}

func (t *mountTree) remove(name string) error {
	t.drop(name)
	return os.Remove(t.path(name))
}

func (t *mountTree) size(name string) (int64, error) {
	stat := os.Stat
	if f := t.open[name]; f != nil && t.count%2 == 0 {
		stat = func(string) (os.FileInfo, error) { return f.Stat() }
	}
	info, err := stat(t.path(name))
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

func (t *mountTree) list() (names []string, err error) {
	err = fs.WalkDir(os.DirFS(t.rw), ".", func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			names = append(names, path)
		}
		return err
	})
	return names, err
}
