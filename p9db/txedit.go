package p9db

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/p9"
	"github.com/datakit/datakit/vfs"
)

// parent calls f with a fid of the directory that path is in.
func (t *tx) parent(ctx context.Context, path datakit.Path, f func(dir *p9.Fid, base string) error) error {
	dir, base, _ := path.Split()
	fid, err := t.rw.walk(ctx, dir)
	if err != nil {
		return err
	}
	defer fid.Release()
	return f(fid, base)
}

// Create implements datakit.TxDriver.
func (t *tx) Create(ctx context.Context, path datakit.Path, mode datakit.Mode, content []byte) error {
	return t.edit(ctx, func() error {
		t.closeFiles()
		switch mode {
		case datakit.Symlink:
			return t.parent(ctx, path, func(dir *p9.Fid, base string) error { return dir.Symlink(ctx, base, string(content)) })
		case datakit.Absent:
			err := t.rewrite(ctx, path, content)
			if !errors.Is(err, datakit.NotExist) {
				return err
			}
			mode = datakit.Normal
		}
		return t.create(ctx, path, mode, content)
	}, path)
}

// create makes a file with the given content, which may replace another.
func (t *tx) create(ctx context.Context, path datakit.Path, mode datakit.Mode, content []byte) error {
	perm := uint32(filePerm)
	if mode == datakit.Executable {
		perm = executablePerm
	}
	return t.parent(ctx, path, func(dir *p9.Fid, base string) error {
		if err := dir.Create(ctx, base, p9.WriteOnly, perm); err != nil { // dir is the file then
			return err
		}
		return writeAll(ctx, dir, content)
	})
}

// rewrite sets the content of what is there.
func (t *tx) rewrite(ctx context.Context, path datakit.Path, content []byte) error {
	f, err := t.rw.walkFile(ctx, path)
	if err != nil {
		return err
	}
	defer f.Release()
	if err := f.Open(ctx, p9.WriteOnly|p9.Truncate); err != nil {
		return t.d.fail(err)
	}
	return writeAll(ctx, f, content)
}

func writeAll(ctx context.Context, f *p9.Fid, content []byte) error {
	if len(content) == 0 {
		return nil
	}
	_, err := f.WriteAt(ctx, content, 0)
	return err
}

// Mkdir implements datakit.TxDriver.
func (t *tx) Mkdir(ctx context.Context, path datakit.Path) error {
	return t.edit(ctx, func() error {
		return t.parent(ctx, path, func(dir *p9.Fid, base string) error { return dir.Mkdir(ctx, base, dirPerm) })
	}, path)
}

// WriteAt implements datakit.TxDriver.
func (t *tx) WriteAt(ctx context.Context, path datakit.Path, p []byte, off int64) error {
	return t.edit(ctx, func() error { return t.writeAt(ctx, path, p, off) }, path)
}

// Truncate implements datakit.TxDriver.
func (t *tx) Truncate(ctx context.Context, path datakit.Path, size int64) error {
	return t.edit(ctx, func() error { return t.with(ctx, path, func(f *p9.Fid) error { return f.Truncate(ctx, size) }) }, path)
}

// SetMode implements datakit.TxDriver.
func (t *tx) SetMode(ctx context.Context, path datakit.Path, mode datakit.Mode) error {
	return t.edit(ctx, func() error {
		t.closeFiles()
		return t.with(ctx, path, func(f *p9.Fid) error { return f.Chmod(ctx, chmod(mode)) })
	}, path)
}

// with calls f with a fid of the file or link at path.
func (t *tx) with(ctx context.Context, path datakit.Path, f func(f *p9.Fid) error) error {
	fid, err := t.rw.walkFile(ctx, path)
	if err != nil {
		return err
	}
	defer fid.Release()
	return f(fid)
}

// Remove implements datakit.TxDriver.
func (t *tx) Remove(ctx context.Context, path datakit.Path) error {
	return t.edit(ctx, func() error {
		t.closeFiles()
		err := t.remove(ctx, path)
		if err == nil {
			t.forget(path)
		}
		return err
	})
}

// Rename implements datakit.TxDriver.
func (t *tx) Rename(ctx context.Context, from, to datakit.Path) error {
	return t.edit(ctx, func() error {
		t.closeFiles()
		err := t.rename(ctx, from, to)
		if e := (*p9.Error)(nil); errors.As(err, &e) && e.Errno == vfs.EXDEV {
			err = t.renameByCopy(ctx, from, to)
		}
		if err == nil {
			t.move(from, to)
		}
		return err
	})
}

func (t *tx) rename(ctx context.Context, from, to datakit.Path) error {
	return t.parent(ctx, from, func(dir *p9.Fid, old string) error {
		return t.parent(ctx, to, func(toDir *p9.Fid, name string) error {
			return dir.RenameAt(ctx, old, toDir, name)
		})
	})
}

// renameByCopy moves an entry to another directory with the means of 9P2000,
// which renames within one directory only: what takes the place of to is
// complete at that moment.
func (t *tx) renameByCopy(ctx context.Context, from, to datakit.Path) error {
	e, err := t.rw.stat(ctx, from)
	if err != nil {
		return err
	}
	if err := t.movable(ctx, from, to); err != nil {
		return err
	}
	copyAll := t.copyFile
	if e.Mode == datakit.Dir {
		copyAll = t.copyDir
	}
	temporary := to.Dir().Join(datakit.Path(".rename-" + rand.Text()))
	if err = copyAll(ctx, t, from, temporary); err == nil {
		err = t.rename(ctx, temporary, to)
	}
	if err != nil {
		t.remove(context.WithoutCancel(ctx), temporary)
		return err
	}
	return t.remove(ctx, from)
}

// movable checks what the server checks when it renames by itself.
func (t *tx) movable(ctx context.Context, from, to datakit.Path) error {
	dir, err := t.rw.stat(ctx, to.Dir()) // which copying would make
	if err != nil {
		return err
	}
	if dir.Mode != datakit.Dir {
		return &datakit.Error{Kind: datakit.NotDir, Err: fmt.Errorf("%s is not a directory", to.Dir())}
	}
	if to.Within(from) {
		return &datakit.Error{Kind: datakit.Invalid, Err: errors.New("a directory cannot be moved into itself")}
	}
	left, err := t.conflicts(ctx)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(left, func(p datakit.Path) bool { return p != from && p.Within(from) }) {
		return &datakit.Error{Kind: datakit.Unresolved, Err: errors.New("conflicts in a directory have to be resolved before it is moved")}
	}
	return nil
}

func (t *tx) remove(ctx context.Context, path datakit.Path) error {
	f, err := t.rw.walk(ctx, path)
	if err != nil {
		return err
	}
	return f.Remove(ctx)
}

// move notes that an entry has another path.
func (t *tx) move(from, to datakit.Path) {
	if from == to {
		return
	}
	moved := make(map[datakit.Path]time.Time)
	for p, when := range t.changed {
		if p.Within(from) {
			moved[to+p[len(from):]] = when
		}
	}
	t.forget(from)
	t.forget(to)
	for p, when := range moved {
		t.changed[p] = when
	}
}
