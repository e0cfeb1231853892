package odb

import (
	"context"
	"errors"
	"os"
	"sync/atomic"
	"testing"
)

var errInjected = errors.New("injected")

// faults are operations of which, once armed, all that create, write, flush or
// rename fail after some.
type faults struct {
	dead  bool // removal fails as well, as in a process that was killed
	armed atomic.Bool
	left  atomic.Int64
}

func (f *faults) arm(n int) {
	f.left.Store(int64(n))
	f.armed.Store(true)
}

func (f *faults) err() error {
	if f.armed.Load() && f.left.Add(-1) < 0 {
		return errInjected
	}
	return nil
}

func (f *faults) ops() *fileOps {
	real := osFiles
	return &fileOps{
		create: func(path string) (*os.File, error) {
			if err := f.err(); err != nil {
				return nil, err
			}
			return real.create(path)
		},
		write: func(file *os.File, b []byte) (int, error) {
			if err := f.err(); err != nil {
				half, _ := real.write(file, b[:len(b)/2])
				return half, err
			}
			return real.write(file, b)
		},
		sync: func(file *os.File) error { return errors.Join(f.err(), real.sync(file)) },
		remove: func(path string) error {
			if f.dead && f.armed.Load() && f.left.Load() < 0 {
				return errInjected
			}
			return real.remove(path)
		},
		syncDir: func(path string) error { return errors.Join(f.err(), real.syncDir(path)) },
		rename: func(from, to string) error {
			if err := f.err(); err != nil {
				return err
			}
			return real.rename(from, to)
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
