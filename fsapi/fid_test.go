package fsapi_test

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"sync"

	"github.com/datakit/datakit/p9"
	"github.com/datakit/datakit/vfs"
)

// A fid is what a client holds of an entry, whatever lies between client and
// tree.
type fid interface {
	walk(ctx context.Context, names ...string) (fid, error)
	qid() vfs.Qid // as of the walk
	stat(ctx context.Context) (vfs.Stat, error)
	open(ctx context.Context, flags p9.OpenFlags) error
	read(ctx context.Context, p []byte, off uint64) (int, error)
	write(ctx context.Context, p []byte, off uint64) error
	list(ctx context.Context) ([]string, error)
	create(ctx context.Context, name string, perm uint32, flags p9.OpenFlags) (fid, error) // which is open
	mkdir(ctx context.Context, name string) error
	symlink(ctx context.Context, name, target string) error
	truncate(ctx context.Context, size uint64) error
	chmod(ctx context.Context, mode vfs.Mode) error
	rename(ctx context.Context, name string) error
	renameTo(ctx context.Context, dir fid, name string) error
	remove(ctx context.Context) error
	clunk()
}

// A treeFid is a fid of a tree in the same process.
type treeFid struct {
	n     vfs.Node
	q     vfs.Qid
	f     vfs.File
	close sync.Once
}

func newTreeFid(ctx context.Context, n vfs.Node, err error) (fid, error) {
	if err != nil {
		return nil, err
	}
	q, err := n.Qid(ctx)
	return &treeFid{n: n, q: q}, err
}

func (f *treeFid) dir() (vfs.Dir, error) {
	d, ok := f.n.(vfs.Dir)
	if !ok {
		st, err := f.n.Stat(context.Background())
		return nil, errors.Join(err, vfs.NotADir(st.Name))
	}
	return d, nil
}

func (f *treeFid) walk(ctx context.Context, names ...string) (fid, error) {
	n := f.n
	for _, name := range names {
		d, ok := n.(vfs.Dir)
		if !ok {
			return nil, vfs.ErrWalkFile
		}
		var err error
		if name == ".." {
			n = d.Parent()
		} else if n, err = d.Lookup(ctx, name); err != nil {
			return nil, err
		}
	}
	return newTreeFid(ctx, n, nil)
}

func (f *treeFid) qid() vfs.Qid { return f.q }

func (f *treeFid) stat(ctx context.Context) (vfs.Stat, error) { return f.n.Stat(ctx) }

func (f *treeFid) open(ctx context.Context, flags p9.OpenFlags) (err error) {
	if flags&p9.Truncate != 0 {
		if err := f.n.SetLength(ctx, 0); err != nil {
			return err
		}
	}
	f.f, err = f.n.Open(ctx, vfs.OpenFlags{Append: flags&p9.Append != 0, RemoveOnClose: flags&p9.RemoveOnClose != 0})
	return err
}

func (f *treeFid) read(ctx context.Context, p []byte, off uint64) (int, error) {
	return f.f.ReadAt(ctx, p, off)
}

func (f *treeFid) write(ctx context.Context, p []byte, off uint64) error {
	return f.f.WriteAt(ctx, p, off)
}

func (f *treeFid) list(ctx context.Context) ([]string, error) {
	d, err := f.dir()
	if err != nil {
		return nil, err
	}
	list, err := d.List(ctx)
	return direntNames(list), err
}

func (f *treeFid) create(ctx context.Context, name string, perm uint32, flags p9.OpenFlags) (fid, error) {
	d, err := f.dir()
	if err != nil {
		return nil, err
	}
	n, err := d.Create(ctx, name, perm&0o100 != 0, flags&p9.Exclusive != 0)
	g, err := newTreeFid(ctx, n, err)
	if err == nil {
		err = g.open(ctx, flags)
	}
	return g, err
}

func (f *treeFid) mkdir(ctx context.Context, name string) error {
	d, err := f.dir()
	if err == nil {
		_, err = d.Mkdir(ctx, name)
	}
	return err
}

func (f *treeFid) symlink(ctx context.Context, name, target string) error {
	d, err := f.dir()
	if err == nil {
		_, err = d.Symlink(ctx, name, target)
	}
	return err
}

func (f *treeFid) truncate(ctx context.Context, size uint64) error { return f.n.SetLength(ctx, size) }

func (f *treeFid) chmod(ctx context.Context, mode vfs.Mode) error { return f.n.Chmod(ctx, mode) }

func (f *treeFid) rename(ctx context.Context, name string) error { return f.n.Rename(ctx, nil, name) }

func (f *treeFid) renameTo(ctx context.Context, dir fid, name string) error {
	return f.n.Rename(ctx, dir.(*treeFid).n.(vfs.Dir), name)
}

func (f *treeFid) remove(ctx context.Context) error {
	f.clunk()
	return f.n.Remove(ctx, true)
}

func (f *treeFid) clunk() {
	if f.f != nil {
		f.close.Do(func() { f.f.Close() })
	}
}

// A wireFid is a fid of a server. Renaming goes through another fid of the same
// entry, so f has to follow.
type wireFid struct {
	f    *p9.Fid
	dir  *p9.Fid  // where the names started
	from []string // names that led to f
}

func newWireFid(f *p9.Fid, err error, dir *p9.Fid, names []string) (fid, error) {
	if err != nil {
		return nil, err
	}
	return &wireFid{f, dir, names}, nil
}

func (f *wireFid) walk(ctx context.Context, names ...string) (fid, error) {
	g, err := f.f.Walk(ctx, names...)
	if len(names) == 0 {
		return newWireFid(g, err, f.dir, f.from)
	}
	return newWireFid(g, err, f.f, names)
}

func (f *wireFid) qid() vfs.Qid                               { return f.f.Qid() }
func (f *wireFid) stat(ctx context.Context) (vfs.Stat, error) { return f.f.Stat(ctx) }
func (f *wireFid) open(ctx context.Context, flags p9.OpenFlags) error {
	return f.f.Open(ctx, flags|p9.ReadWrite)
}

func (f *wireFid) read(ctx context.Context, p []byte, off uint64) (int, error) {
	return f.f.ReadOnce(ctx, p, off)
}

func (f *wireFid) write(ctx context.Context, p []byte, off uint64) error {
	n, err := f.f.WriteAt(ctx, p, int64(off))
	if err == nil && n != len(p) {
		err = io.ErrShortWrite
	}
	return err
}

func (f *wireFid) list(ctx context.Context) ([]string, error) {
	list, err := f.f.ReadDir(ctx)
	return direntNames(list), err
}

func (f *wireFid) create(ctx context.Context, name string, perm uint32, flags p9.OpenFlags) (fid, error) {
	g, err := f.f.Walk(ctx)
	if err != nil {
		return nil, err
	}
	if err := g.Create(ctx, name, flags|p9.ReadWrite, perm); err != nil {
		g.Close()
		return nil, err
	}
	return &wireFid{g, f.f, []string{name}}, nil
}

func (f *wireFid) mkdir(ctx context.Context, name string) error { return f.f.Mkdir(ctx, name, 0o775) }

func (f *wireFid) symlink(ctx context.Context, name, target string) error {
	return f.f.Symlink(ctx, name, target)
}

func (f *wireFid) truncate(ctx context.Context, size uint64) error {
	return f.f.Truncate(ctx, int64(size))
}

func (f *wireFid) chmod(ctx context.Context, mode vfs.Mode) error { return f.f.Chmod(ctx, mode) }

func (f *wireFid) rename(ctx context.Context, name string) error {
	return f.move(ctx, name, nil)
}

func (f *wireFid) renameTo(ctx context.Context, dir fid, name string) error {
	return f.move(ctx, name, dir.(*wireFid).f)
}

// move renames within the same directory if to is nil.
func (f *wireFid) move(ctx context.Context, name string, to *p9.Fid) error {
	last := len(f.from) - 1
	d, err := f.dir.Walk(ctx, f.from[:last]...)
	if err != nil {
		return err
	}
	defer d.Close()
	if to != nil {
		return d.RenameAt(ctx, f.from[last], to, name)
	}
	err = d.RenameAt(ctx, f.from[last], d, name)
	if err == nil {
		f.from = append(slices.Clone(f.from[:last]), name)
	}
	return err
}

func (f *wireFid) remove(ctx context.Context) error { return f.f.Remove(ctx) }
func (f *wireFid) clunk()                           { f.f.Close() }

func direntNames(list []vfs.Dirent) []string {
	var names []string
	for _, e := range list {
		names = append(names, e.Name)
	}
	return names
}

// steps cuts a path. Names that contain slashes are walked to by other means.
func steps(path string) []string {
	if path == "" {
		return nil
	}
	return slices.Collect(strings.SplitSeq(path, "/"))
}
