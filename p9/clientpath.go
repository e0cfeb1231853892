package p9

import (
	"context"
	"errors"
	"io/fs"
	"strings"

	"github.com/datakit/datakit/vfs"
)

// split cuts a path at each "/". The empty path and "/" have no steps.
func split(path string) []string {
	path = strings.Trim(path, "/")
	if path == "" {
		return nil
	}
	return strings.Split(path, "/")
}

// splitLast returns the directory and the last step of a path.
func splitLast(path string) (dir, name string) {
	path = strings.Trim(path, "/")
	if i := strings.LastIndexByte(path, '/'); i >= 0 {
		return path[:i], path[i+1:]
	}
	return "", path
}

// Walk returns a fid of what is at a path of steps with "/" between them. Names
// that contain "/" are for Fid.Walk.
func (c *Client) Walk(ctx context.Context, path string) (*Fid, error) {
	return c.root.Walk(ctx, split(path)...)
}

// at calls fn with a fid of path.
func (c *Client) at(ctx context.Context, path string, fn func(*Fid) error) error {
	return c.root.with(ctx, split(path), fn)
}

// Open opens what is at path. The result must be closed.
func (c *Client) Open(ctx context.Context, path string, flags OpenFlags) (*Fid, error) {
	f, err := c.Walk(ctx, path)
	if err != nil {
		return nil, err
	}
	if err := f.Open(ctx, flags); err != nil {
		f.Release()
		return nil, err
	}
	return f, nil
}

// Create makes a file at path, or replaces it, and opens it. The result must be
// closed.
func (c *Client) Create(ctx context.Context, path string, flags OpenFlags, perm uint32) (*Fid, error) {
	dir, name := splitLast(path)
	f, err := c.Walk(ctx, dir)
	if err != nil {
		return nil, err
	}
	if err := f.Create(ctx, name, flags, perm); err != nil {
		f.Release()
		return nil, err
	}
	return f, nil
}

// ReadFile returns the content of the file at path.
func (c *Client) ReadFile(ctx context.Context, path string) ([]byte, error) {
	f, err := c.Open(ctx, path, ReadOnly)
	if err != nil {
		return nil, err
	}
	defer f.Release()
	return f.ReadAll(ctx)
}

// WriteFile sets the content of the file at path to data. If there is none it
// is made, with the permissions perm. Files of commands are truncated first as
// well, which they ignore.
func (c *Client) WriteFile(ctx context.Context, path string, data []byte, perm uint32) error {
	f, err := c.Open(ctx, path, WriteOnly|Truncate)
	if errors.Is(err, fs.ErrNotExist) {
		f, err = c.Create(ctx, path, WriteOnly, perm)
	}
	if err != nil {
		return err
	}
	if len(data) > 0 {
		if _, err := f.WriteAt(ctx, data, 0); err != nil {
			f.Release()
			return err
		}
	}
	return f.Clunk(ctx)
}

// ReadDir returns the entries of the directory at path.
func (c *Client) ReadDir(ctx context.Context, path string) (list []vfs.Dirent, err error) {
	err = c.at(ctx, path, func(f *Fid) error {
		return f.list(ctx, func(st vfs.Stat) {
			list = append(list, vfs.Dirent{Name: st.Name, Qid: st.Qid})
		})
	})
	return list, err
}

// Stat describes what is at path.
func (c *Client) Stat(ctx context.Context, path string) (st vfs.Stat, err error) {
	err = c.at(ctx, path, func(f *Fid) error {
		st, err = f.Stat(ctx)
		return err
	})
	return st, err
}

// Mkdir makes a directory.
func (c *Client) Mkdir(ctx context.Context, path string, perm uint32) error {
	dir, name := splitLast(path)
	return c.at(ctx, dir, func(f *Fid) error { return f.Mkdir(ctx, name, perm) })
}

// Symlink makes a symlink to target.
func (c *Client) Symlink(ctx context.Context, path, target string) error {
	dir, name := splitLast(path)
	return c.at(ctx, dir, func(f *Fid) error { return f.Symlink(ctx, name, target) })
}

// Readlink returns the target of a symlink.
func (c *Client) Readlink(ctx context.Context, path string) (target string, err error) {
	err = c.at(ctx, path, func(f *Fid) error {
		target, err = f.Readlink(ctx)
		return err
	})
	return target, err
}

// Remove removes what is at path, a directory with all that is in it.
func (c *Client) Remove(ctx context.Context, path string) error {
	f, err := c.Walk(ctx, path)
	if err != nil {
		return err
	}
	return f.Remove(ctx)
}

// Rename moves what is at one path to another. To another directory only
// 9P2000.L can move.
func (c *Client) Rename(ctx context.Context, from, to string) error {
	fromDir, old := splitLast(from)
	toDir, name := splitLast(to)
	return c.at(ctx, fromDir, func(f *Fid) error {
		if fromDir == toDir {
			return f.RenameAt(ctx, old, f, name)
		}
		return c.at(ctx, toDir, func(t *Fid) error { return f.RenameAt(ctx, old, t, name) })
	})
}

// Truncate sets the length of the file at path.
func (c *Client) Truncate(ctx context.Context, path string, size int64) error {
	return c.at(ctx, path, func(f *Fid) error { return f.Truncate(ctx, size) })
}

// Chmod sets the mode of what is at path.
func (c *Client) Chmod(ctx context.Context, path string, mode vfs.Mode) error {
	return c.at(ctx, path, func(f *Fid) error { return f.Chmod(ctx, mode) })
}
