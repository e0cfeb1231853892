//go:build linux || darwin

package fuse

import (
	"syscall"

	gofuse "github.com/hanwen/go-fuse/v2/fuse"

	"github.com/datakit/datakit/vfs"
)

// localErrno has this system's numbers for those that errors of vfs carry,
// which are Linux's.
var localErrno = map[uint32]syscall.Errno{
	vfs.EPERM:        syscall.EPERM,
	vfs.ENOENT:       syscall.ENOENT,
	vfs.EINTR:        syscall.EINTR,
	vfs.EIO:          syscall.EIO,
	vfs.EBADF:        syscall.EBADF,
	vfs.EAGAIN:       syscall.EAGAIN,
	vfs.EBUSY:        syscall.EBUSY,
	vfs.EEXIST:       syscall.EEXIST,
	vfs.EXDEV:        syscall.EXDEV,
	vfs.ENOTDIR:      syscall.ENOTDIR,
	vfs.EISDIR:       syscall.EISDIR,
	vfs.EINVAL:       syscall.EINVAL,
	vfs.EMFILE:       syscall.EMFILE,
	vfs.EFBIG:        syscall.EFBIG,
	vfs.ENOSPC:       syscall.ENOSPC,
	vfs.ESPIPE:       syscall.ESPIPE,
	vfs.EROFS:        syscall.EROFS,
	vfs.ENAMETOOLONG: syscall.ENAMETOOLONG,
	vfs.ENOSYS:       syscall.ENOSYS,
	vfs.ENOTEMPTY:    syscall.ENOTEMPTY,
	vfs.EOPNOTSUPP:   syscall.EOPNOTSUPP,
}

// status returns what the kernel is told of err. Faults of the tree are logged,
// unless the number says what it is.
func (t *tree) status(err error) gofuse.Status {
	if err == nil {
		return gofuse.OK
	}
	e, internal := vfs.Reply(err)
	n, ok := localErrno[e.Errno]
	if !ok {
		n = syscall.EIO
	}
	if internal && n == syscall.EIO {
		t.log.Error("a request failed", "error", err)
	}
	return gofuse.Status(n)
}
