package odb

import (
	"context"
	"errors"
	"os"
	"sync/atomic"
	"testing"
)

var errInjected = errors.New("injected")

// failAfter returns operations of which all that create, write, flush or
// rename fail after n of them. Removal works, as in a repository whose disk is
// full.
func failAfter(n int) fileOps {
	var done atomic.Int64
	fail := func() bool { return done.Add(1) > int64(n) }
	real := osFiles
	return fileOps{
		create: func(path string) (*os.File, error) {
			if fail() {
				return nil, errInjected
			}
			return real.create(path)
		},
		write: func(f *os.File, b []byte) (int, error) {
			if fail() {
				half, _ := real.write(f, b[:len(b)/2])
				return half, errInjected
			}
			return real.write(f, b)
		},
		sync: func(f *os.File) error {
			if fail() {
				return errInjected
			}
			return real.sync(f)
		},
		rename: func(from, to string) error {
			if fail() {
				return errInjected
			}
			return real.rename(from, to)
		},
		remove: real.remove,
		syncDir: func(path string) error {
			if fail() {
				return errInjected
			}
			return real.syncDir(path)
		},
	}
}

func contextCancelledBy(t *testing.T) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	return ctx, cancel
}

// cancelReader is endless content that cancels a context after a while.
type cancelReader struct {
	cancel context.CancelFunc
	reads  int
}

func (r *cancelReader) ReadAt(p []byte, off int64) (int, error) {
	if r.reads++; r.reads == 20 {
		r.cancel()
	}
	return len(p), nil
}
