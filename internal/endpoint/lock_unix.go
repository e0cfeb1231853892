//go:build !windows

package endpoint

import (
	"context"
	"errors"
	"os"
	"syscall"
	"time"
)

// lockDir keeps other servers from making a socket in dir until unlock. Nothing
// is left in the directory. Who may not read it, or whose file system has no
// locks, goes without.
func lockDir(ctx context.Context, dir string) (unlock func(), err error) {
	d, err := os.Open(dir)
	if err != nil {
		return func() {}, nil // bind has the better error, if any
	}
	ctx, cancel := context.WithTimeout(ctx, probeTime)
	defer cancel()
	for {
		err := syscall.Flock(int(d.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, syscall.EINTR) {
			return func() { d.Close() }, nil
		}
		select {
		case <-ctx.Done():
			d.Close()
			return nil, errors.New("another program keeps the directory of the socket locked")
		case <-time.After(10 * time.Millisecond):
		}
	}
}
