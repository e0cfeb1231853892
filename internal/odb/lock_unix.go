//go:build unix

package odb

import (
	"os"

	"golang.org/x/sys/unix"
)

// lockFile locks a file against others who do, until it is closed. It does not
// wait.
func lockFile(f *os.File) error {
	return os.NewSyscallError("flock", unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB))
}
