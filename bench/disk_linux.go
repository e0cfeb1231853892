package main

import (
	"os"

	"golang.org/x/sys/unix"
)

// inMemory reports whether dir is on a file system that has no disk.
func inMemory(dir string) bool {
	var st unix.Statfs_t
	if unix.Statfs(dir, &st) != nil {
		return false
	}
	return st.Type == unix.TMPFS_MAGIC || st.Type == unix.RAMFS_MAGIC
}

// datasync flushes the contents of f to the disk.
func datasync(f *os.File) error { return unix.Fdatasync(int(f.Fd())) }
