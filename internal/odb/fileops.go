package odb

import (
	"os"

	"github.com/datakit/datakit/internal/flush"
)

// fileOps are the operations that change the disk. Tests have them fail.
type fileOps struct {
	create  func(path string) (*os.File, error) // a new file, read-only once closed
	write   func(f *os.File, b []byte) (int, error)
	sync    func(f *os.File) error
	rename  func(from, to string) error
	remove  func(path string) error
	syncDir func(path string) error
}

var osFiles = fileOps{
	create: func(path string) (*os.File, error) {
		return os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o444)
	},
	write:   func(f *os.File, b []byte) (int, error) { return f.Write(b) },
	sync:    func(f *os.File) error { return f.Sync() },
	rename:  os.Rename,
	remove:  os.Remove,
	syncDir: flush.Dir,
}
