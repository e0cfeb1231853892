//go:build linux || darwin

package fuse

import (
	"errors"
	"syscall"

	gofuse "github.com/hanwen/go-fuse/v2/fuse"

	"github.com/datakit/datakit/vfs"
)

// Open implements gofuse.RawFileSystem. It does not fail because of the access
// that is asked for (FS-37).
func (t *tree) Open(cancel <-chan struct{}, in *gofuse.OpenIn, out *gofuse.OpenOut) gofuse.Status {
	r := t.begin(cancel)
	defer r.finish()
	node, err := t.inodes.node(in.NodeId)
	if err != nil {
		return t.status(err)
	}
	if in.Flags&syscall.O_TRUNC != 0 {
		if err := node.SetLength(r, 0); err != nil {
			return t.status(err)
		}
	}
	h, err := t.openFile(r, in.NodeId, node, in.Flags)
	if err != nil {
		return t.status(err)
	}
	t.opened(h, out)
	return gofuse.OK
}

// openFile opens a file, or the version of it that its inode stands for, which
// the kernel may keep.
func (t *tree) openFile(r *request, id uint64, node vfs.Node, flags uint32) (*handle, error) {
	h := &handle{node: node, whole: t.isKept(id, node), appends: flags&syscall.O_APPEND != 0}
	open := node.Open
	if t.inodes.version(id) != nil {
		open = node.(vfs.Versioned).OpenFound
	}
	var err error
	if h.file, err = open(r, vfs.OpenFlags{Append: h.appends}); err != nil {
		return nil, err
	}
	_, h.waits = h.file.(vfs.WaitingFile)
	return h, nil
}

// opened tells the kernel of an open file.
func (t *tree) opened(h *handle, out *gofuse.OpenOut) {
	out.Fh = t.handles.add(h)
	out.OpenFlags = gofuse.FOPEN_DIRECT_IO
	if h.whole {
		out.OpenFlags = gofuse.FOPEN_KEEP_CACHE
	}
}

// Read implements gofuse.RawFileSystem.
func (t *tree) Read(cancel <-chan struct{}, in *gofuse.ReadIn, buf []byte) (gofuse.ReadResult, gofuse.Status) {
	h := t.handles.find(in.Fh)
	if h == nil || h.file == nil {
		return nil, gofuse.EBADF
	}
	r := t.begin(cancel)
	r.waits = h.waits
	defer r.finish()
	n, err := h.read(r, buf, in.Offset)
	if err != nil {
		return nil, t.readStatus(r, err)
	}
	return gofuse.ReadResultData(buf[:n]), gofuse.OK
}

// read reads at off. What the kernel keeps is read in full, as it would take
// less for the end. A read that waits goes on after the empty answer that
// streams give after each other one (FS-75), which here would be the end.
func (h *handle) read(r *request, p []byte, off uint64) (int, error) {
	n := 0
	for n < len(p) {
		k, err := h.file.ReadAt(r, p[n:], off+uint64(n))
		n += k
		switch {
		case errors.Is(err, vfs.ErrPastEnd):
			return n, nil
		case err != nil:
			return n, err
		case h.waits && n == 0:
		case !h.whole || k == 0:
			return n, nil
		}
	}
	return n, nil
}

// readStatus is status, but a read that ends as the mount is to be unmounted
// fails for good: programs repeat what was interrupted.
func (t *tree) readStatus(r *request, err error) gofuse.Status {
	if r.waits && t.m.draining.raised() {
		return gofuse.EIO
	}
	return t.status(err)
}

// Write implements gofuse.RawFileSystem.
func (t *tree) Write(cancel <-chan struct{}, in *gofuse.WriteIn, data []byte) (uint32, gofuse.Status) {
	h := t.handles.find(in.Fh)
	if h == nil || h.file == nil {
		return 0, gofuse.EBADF
	}
	r := t.begin(cancel)
	defer r.finish()
	write := h.file.WriteAt
	if h.appends && in.WriteFlags&gofuse.WRITE_CACHE != 0 {
		// These are pages that were mapped, perhaps by somebody else.
		f, err := h.node.Open(r, vfs.OpenFlags{})
		if err != nil {
			return 0, t.status(err)
		}
		defer f.Close()
		write = f.WriteAt
	}
	if err := write(r, data, in.Offset); err != nil {
		return 0, t.status(err)
	}
	return uint32(len(data)), gofuse.OK
}

// Flush implements gofuse.RawFileSystem. There is nothing to do at a close, and
// the kernel does not ask again.
func (t *tree) Flush(<-chan struct{}, *gofuse.FlushIn) gofuse.Status { return gofuse.ENOSYS }

// Fsync implements gofuse.RawFileSystem. What is written is safe when it is
// committed.
func (t *tree) Fsync(<-chan struct{}, *gofuse.FsyncIn) gofuse.Status { return gofuse.OK }

// Release implements gofuse.RawFileSystem.
func (t *tree) Release(_ <-chan struct{}, in *gofuse.ReleaseIn) { t.handles.drop(in.Fh) }
