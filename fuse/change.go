//go:build linux || darwin

package fuse

import (
	"errors"
	"syscall"

	gofuse "github.com/hanwen/go-fuse/v2/fuse"

	"github.com/datakit/datakit/vfs"
)

// makeIn makes something in a directory and tells the kernel of it.
func (t *tree) makeIn(cancel <-chan struct{}, up uint64, name string, out *gofuse.EntryOut, fn func(*request, vfs.Dir) (vfs.Node, error)) gofuse.Status {
	r := t.begin(cancel)
	defer r.finish()
	dir, err := t.inodes.dir(up)
	if err != nil {
		return t.status(err)
	}
	node, err := fn(r, dir)
	if err != nil {
		return t.status(err)
	}
	return t.status(t.entry(r, up, name, node, out))
}

// Mkdir implements gofuse.RawFileSystem.
func (t *tree) Mkdir(cancel <-chan struct{}, in *gofuse.MkdirIn, name string, out *gofuse.EntryOut) gofuse.Status {
	return t.makeIn(cancel, in.NodeId, name, out, func(r *request, dir vfs.Dir) (vfs.Node, error) {
		return dir.Mkdir(r, name)
	})
}

// Symlink implements gofuse.RawFileSystem.
func (t *tree) Symlink(cancel <-chan struct{}, in *gofuse.InHeader, target, name string, out *gofuse.EntryOut) gofuse.Status {
	return t.makeIn(cancel, in.NodeId, name, out, func(r *request, dir vfs.Dir) (vfs.Node, error) {
		if target == "" {
			return nil, vfs.ErrNoTarget
		}
		return dir.Symlink(r, name, target)
	})
}

// Mknod implements gofuse.RawFileSystem, for normal files.
func (t *tree) Mknod(cancel <-chan struct{}, in *gofuse.MknodIn, name string, out *gofuse.EntryOut) gofuse.Status {
	if in.Mode&syscall.S_IFMT != syscall.S_IFREG {
		return gofuse.EPERM
	}
	return t.makeIn(cancel, in.NodeId, name, out, func(r *request, dir vfs.Dir) (vfs.Node, error) {
		return dir.Create(r, name, vfs.Mode{Perm: in.Mode}.Executable(), true)
	})
}

// Link implements gofuse.RawFileSystem.
func (t *tree) Link(<-chan struct{}, *gofuse.LinkIn, string, *gofuse.EntryOut) gofuse.Status {
	return gofuse.EPERM
}

// Create implements gofuse.RawFileSystem.
func (t *tree) Create(cancel <-chan struct{}, in *gofuse.CreateIn, name string, out *gofuse.CreateOut) gofuse.Status {
	r := t.begin(cancel)
	defer r.finish()
	dir, err := t.inodes.dir(in.NodeId)
	if err != nil {
		return t.status(err)
	}
	node, err := dir.Create(r, name, vfs.Mode{Perm: in.Mode}.Executable(), in.Flags&syscall.O_EXCL != 0)
	if err != nil {
		return t.status(err)
	}
	if err := t.entry(r, in.NodeId, name, node, &out.EntryOut); err != nil {
		return t.status(err)
	}
	h, err := t.openFile(r, out.NodeId, node, in.Flags)
	if err != nil {
		t.inodes.forget(out.NodeId, 1) // the kernel is not told
		return t.status(err)
	}
	t.opened(h, &out.OpenOut)
	return gofuse.OK
}

// Unlink implements gofuse.RawFileSystem.
func (t *tree) Unlink(cancel <-chan struct{}, in *gofuse.InHeader, name string) gofuse.Status {
	return t.remove(cancel, in.NodeId, name, false)
}

// Rmdir implements gofuse.RawFileSystem.
func (t *tree) Rmdir(cancel <-chan struct{}, in *gofuse.InHeader, name string) gofuse.Status {
	return t.remove(cancel, in.NodeId, name, true)
}

func (t *tree) remove(cancel <-chan struct{}, up uint64, name string, wantDir bool) gofuse.Status {
	r := t.begin(cancel)
	defer r.finish()
	dir, err := t.inodes.dir(up)
	if err != nil {
		return t.status(err)
	}
	node, err := dir.Lookup(r, name)
	if err != nil {
		return t.status(err)
	}
	switch _, isDir := node.(vfs.Dir); {
	case isDir && !wantDir:
		return t.status(vfs.ErrIsDir)
	case !isDir && wantDir:
		return t.status(vfs.ErrNotDir)
	}
	if err := node.Remove(r, false); err != nil {
		return t.status(err)
	}
	t.inodes.removed(up, name)
	return gofuse.OK
}

// renameNoReplace is the flag of renameat2(2) that keeps what is there.
const renameNoReplace = 1

// Rename implements gofuse.RawFileSystem.
func (t *tree) Rename(cancel <-chan struct{}, in *gofuse.RenameIn, name, newName string) gofuse.Status {
	r := t.begin(cancel)
	defer r.finish()
	if in.Flags&^renameNoReplace != 0 {
		return t.status(vfs.ErrInvalid)
	}
	err := t.rename(r, in, name, newName)
	if err == nil {
		t.inodes.renamed(in.NodeId, name, in.Newdir, newName)
	}
	return t.status(err)
}

func (t *tree) rename(r *request, in *gofuse.RenameIn, name, newName string) error {
	dir, err := t.inodes.dir(in.NodeId)
	if err != nil {
		return err
	}
	node, err := dir.Lookup(r, name)
	if err != nil {
		return err
	}
	target := dir
	var to vfs.Dir // nil means the same one
	if in.Newdir != in.NodeId {
		if to, err = t.inodes.dir(in.Newdir); err != nil {
			return err
		}
		target = to
	}
	if in.Flags&renameNoReplace != 0 {
		switch _, err := target.Lookup(r, newName); {
		case err == nil:
			return vfs.ErrExist
		case !errors.Is(err, vfs.ErrNotExist):
			return err
		}
	}
	return node.Rename(r, to, newName)
}
