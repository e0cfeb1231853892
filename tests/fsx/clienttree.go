package fsx

import (
	"context"
	"io"
	"path"

	"github.com/datakit/datakit/p9"
	"github.com/datakit/datakit/vfs"
)

const (
	branchDir = "branch/b"
	txDir     = branchDir + "/transactions/t"
	rwDir     = txDir + "/rw"
)

// A clientTree is a transaction over 9P. Fids are kept, as open files are in a
// mountTree.
type clientTree struct {
	ctx   context.Context // of the test
	c     *p9.Client
	open  map[string]*p9.Fid
	count int // of uses of names
}

var _ tree = (*clientTree)(nil)

func newClientTree(ctx context.Context, c *p9.Client) (*clientTree, error) {
	t := &clientTree{ctx: ctx, c: c, open: make(map[string]*p9.Fid)}
	if err := c.Mkdir(ctx, branchDir, 0o755); err != nil {
		return nil, err
	}
	return t, t.begin()
}

func (t *clientTree) begin() error {
	if err := t.c.Mkdir(t.ctx, txDir, 0o755); err != nil {
		return err
	}
	if _, err := t.c.Stat(t.ctx, rwDir+"/dir"); err == nil {
		return nil
	}
	return t.c.Mkdir(t.ctx, rwDir+"/dir", 0o755)
}

func (t *clientTree) renew() error {
	t.close()
	if err := t.c.WriteFile(t.ctx, txDir+"/ctl", []byte("commit"), 0o644); err != nil {
		return err
	}
	return t.begin()
}

func (t *clientTree) close() {
	for name := range t.open {
		t.drop(name)
	}
}

func (t *clientTree) drop(name string) {
	if f := t.open[name]; f != nil {
		f.Close()
		delete(t.open, name)
	}
}

func (t *clientTree) path(name string) string { return path.Join(rwDir, name) }

// file returns a file, mostly one that has been open for a while.
func (t *clientTree) file(name string) (*p9.Fid, error) {
	t.count++
	f := t.open[name]
	if f != nil && t.count%7 != 0 {
		return f, nil
	}
	t.drop(name)
	f, err := t.c.Open(t.ctx, t.path(name), p9.ReadWrite)
	if err == nil {
		t.open[name] = f
	}
	return f, err
}

func (t *clientTree) create(name string) error {
	f, err := t.c.Create(t.ctx, t.path(name), p9.ReadWrite, 0o644)
	if err != nil {
		return err
	}
	return f.Close()
}

func (t *clientTree) read(name string, off int64, n int) ([]byte, error) {
	f, err := t.file(name)
	if err != nil {
		return nil, err
	}
	p := make([]byte, n)
	n, err = f.ReadAt(t.ctx, p, off)
	if err == io.EOF {
		err = nil
	}
	return p[:n], err
}

func (t *clientTree) write(name string, off int64, data []byte) error {
	f, err := t.file(name)
	if err != nil {
		return err
	}
	_, err = f.WriteAt(t.ctx, data, off)
	return err
}

func (t *clientTree) append(name string, data []byte) error {
	f, err := t.c.Open(t.ctx, t.path(name), p9.WriteOnly|p9.Append)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = f.WriteAt(t.ctx, data, 0)
	return err
}

func (t *clientTree) truncate(name string, size int64) error {
	if t.count++; t.count%2 == 0 {
		return t.c.Truncate(t.ctx, t.path(name), size)
	}
	f, err := t.file(name)
	if err != nil {
		return err
	}
	return f.Truncate(t.ctx, size)
}

func (t *clientTree) rename(from, to string) error {
	t.drop(to)
	if f := t.open[from]; f != nil { // follows the entry
		t.open[to] = f
		delete(t.open, from)
	}
	return t.c.Rename(t.ctx, t.path(from), t.path(to))
}

func (t *clientTree) remove(name string) error {
	t.drop(name)
	return t.c.Remove(t.ctx, t.path(name))
}

func (t *clientTree) size(name string) (int64, error) {
	var st vfs.Stat
	var err error
	if f := t.open[name]; f != nil && t.count%2 == 0 {
		st, err = f.Stat(t.ctx)
	} else {
		st, err = t.c.Stat(t.ctx, t.path(name))
	}
	return int64(st.Size), err
}

func (t *clientTree) list() ([]string, error) {
	var names []string
	for _, dir := range []string{"", "dir"} {
		list, err := t.c.ReadDir(t.ctx, t.path(dir))
		if err != nil {
			return nil, err
		}
		for _, e := range list {
			if e.Qid.Kind == vfs.KindFile {
				names = append(names, path.Join(dir, e.Name))
			}
		}
	}
	return names, nil
}
