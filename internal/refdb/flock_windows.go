package refdb

import (
	"errors"
	"os"

	"golang.org/x/sys/windows"
)

// flock takes the lock of f without waiting for it. Closing f gives it up. The
// error is errors.ErrUnsupported where there is none.
func flock(f *os.File) error {
	const flags = windows.LOCKFILE_EXCLUSIVE_LOCK | windows.LOCKFILE_FAIL_IMMEDIATELY
	err := windows.LockFileEx(windows.Handle(f.Fd()), flags, 0, 1, 0, &windows.Overlapped{})
	if err != nil && !errors.Is(err, windows.ERROR_LOCK_VIOLATION) && !errors.Is(err, windows.ERROR_IO_PENDING) {
		return errors.ErrUnsupported
	}
	return err
}

// unflock does nothing: closing f is enough.
func unflock(*os.File) {}
