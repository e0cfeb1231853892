//go:build !unix

package refdb

import (
	"io/fs"
	"os"
)

// keepOpen tells that an open file does not get in the way of its replacement.
const keepOpen = false

func inode(fs.FileInfo) uint64 { return 0 }

// openRef opens a file for reading.
func openRef(path string) (*os.File, error) { return os.Open(path) }

// isSymlink reports whether openRef failed because of a symbolic link.
func isSymlink(error) bool { return false }
