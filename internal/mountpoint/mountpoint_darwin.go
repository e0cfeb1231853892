package mountpoint

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"github.com/datakit/datakit/internal/shell"
)

// A Mount is a mounted file system.
type Mount struct {
	Path string // where it is mounted
	Type string // of the file system, such as "macfuse"
}

// find returns the file system that is mounted on a directory.
func find(path string) (Mount, bool) {
	n, err := unix.Getfsstat(nil, unix.MNT_NOWAIT)
	if err != nil {
		return Mount{}, false
	}
	all := make([]unix.Statfs_t, n+4) // some may be new
	if n, err = unix.Getfsstat(all, unix.MNT_NOWAIT); err != nil {
		return Mount{}, false
	}
	for _, fs := range all[:min(n, len(all))] {
		if unix.ByteSliceToString(fs.Mntonname[:]) == path {
			return Mount{Path: path, Type: unix.ByteSliceToString(fs.Fstypename[:])}, true
		}
	}
	return Mount{}, false
}

// Of returns what is mounted on the directory with an absolute path.
func Of(path string) (Mount, bool) { return find(path) }

// watchInterval is how often Gone looks.
const watchInterval = time.Second

// Gone waits until m is not mounted any more, or ctx is done.
func Gone(ctx context.Context, m Mount) {
	tick := time.NewTicker(watchInterval)
	defer tick.Stop()
	for {
		if _, ok := find(m.Path); !ok {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// Unmount unmounts what is mounted on a directory. The error is ErrBusy if it
// is in use.
func Unmount(path string) error { return unmount(path, 0) }

// Detach takes what is mounted on a directory away although it is in use. Who
// uses it gets errors from then on.
func Detach(path string) error { return unmount(path, unix.MNT_FORCE) }

func unmount(path string, flags int) error {
	switch err := unix.Unmount(path, flags); {
	case err == nil:
		return nil
	case errors.Is(err, unix.EBUSY):
		return fmt.Errorf("unmount %s: %w", path, ErrBusy)
	default:
		return fmt.Errorf("unmount %s: %w", path, err)
	}
}

// UnmountCommand returns the command with which this user unmounts dir.
func UnmountCommand(dir string) string { return "umount " + shell.Word(dir) }

// removal returns the command that removes a stale mount.
func removal(dir string) string { return "umount -f " + shell.Word(dir) }

// CheckFUSE returns why this user cannot mount with FUSE, and what to do, or
// nil.
func CheckFUSE() error {
	for _, path := range []string{"/Library/Filesystems/macfuse.fs", "/Library/Filesystems/osxfuse.fs"} {
		if _, err := os.Stat(path); err == nil {
			return nil
		}
	}
	return errors.New("there is no FUSE on this Mac: install macFUSE")
}
