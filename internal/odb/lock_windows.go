package odb

import (
	"os"

	"golang.org/x/sys/windows"
)

// lockFile locks a file against others who do, until it is closed. It does not
// wait.
func lockFile(f *os.File) error {
	const flags = windows.LOCKFILE_EXCLUSIVE_LOCK | windows.LOCKFILE_FAIL_IMMEDIATELY
	return os.NewSyscallError("LockFileEx",
		windows.LockFileEx(windows.Handle(f.Fd()), flags, 0, 1, 0, new(windows.Overlapped)))
}
