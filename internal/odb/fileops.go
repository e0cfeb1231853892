package odb

import (
	"os"
	"runtime"
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
	syncDir: syncDir,
}

// syncDir brings the names in a directory to stable storage, where the system
// knows how to.
func syncDir(path string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
