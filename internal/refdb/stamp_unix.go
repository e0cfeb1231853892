//go:build unix

package refdb

import (
	"errors"
	"io/fs"
	"os"
	"syscall"
)

// keepOpen tells that an open file does not get in the way of its replacement.
const keepOpen = true

func inode(info fs.FileInfo) uint64 {
	if s, ok := info.Sys().(*syscall.Stat_t); ok {
		return uint64(s.Ino)
	}
	return 0
}

// openRef opens a file for reading unless it is a symbolic link, and does not
// wait for the other end if it is a pipe.
func openRef(path string) (*os.File, error) {
	return os.OpenFile(path, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
}

// isSymlink reports whether openRef failed because of a symbolic link.
func isSymlink(err error) bool {
	return errors.Is(err, syscall.ELOOP) || errors.Is(err, syscall.EMLINK)
}
