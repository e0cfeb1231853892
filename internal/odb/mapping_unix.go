//go:build unix

package odb

import (
	"os"

	"golang.org/x/sys/unix"
)

// mapFile maps size bytes of a file for reading.
func mapFile(f *os.File, size int64) ([]byte, error) {
	return unix.Mmap(int(f.Fd()), 0, int(size), unix.PROT_READ, unix.MAP_SHARED)
}

func unmapFile(b []byte) error { return unix.Munmap(b) }

// openShared opens a file for reading in a way that lets others delete it.
func openShared(path string) (*os.File, error) { return os.Open(path) }
