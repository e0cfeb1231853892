//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package refdb

import (
	"errors"
	"os"
	"syscall"
)

// flock takes the flock of f without waiting for it. Closing f gives it up.
// The error is errors.ErrUnsupported where there is none.
func flock(f *os.File) error {
	err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if err != nil && !errors.Is(err, syscall.EWOULDBLOCK) {
		return errors.ErrUnsupported
	}
	return err
}

// unflock gives up the flock of f. Closing f is not enough while a process that
// was just forked has it open too.
func unflock(f *os.File) { syscall.Flock(int(f.Fd()), syscall.LOCK_UN) }
