package fsapi

import (
	"context"
	"io"
	"sync"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/vfs"
)

// An openEntry is an open file below rw. Each read and write is one of the
// transaction, so all who have the file open see the same content.
type openEntry struct {
	*place
	atEnd bool

	// What has not been changed is kept open between reads, as it may be
	// stored in a way that is slow to open in the middle.
	mu      sync.Mutex // guards the fields below
	kept    datakit.Blob
	hash    datakit.Hash // of kept
	changed bool         // it had no hash, and will hardly get one
	closed  bool
}

// ReadAt implements vfs.File.
func (o *openEntry) ReadAt(ctx context.Context, p []byte, off uint64) (n int, err error) {
	if int64(off) < 0 {
		return 0, vfs.NegativeOffset(off)
	}
	err = o.do(ctx, func(tx *datakit.Tx, path datakit.Path) error {
		n, err = o.read(ctx, tx, path, p, off)
		return err
	})
	return n, err
}

func (o *openEntry) read(ctx context.Context, tx *datakit.Tx, path datakit.Path, p []byte, off uint64) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed {
		return 0, vfs.ErrInterrupted
	}
	if !o.changed {
		e, err := tx.Lookup(ctx, path)
		if err != nil {
			return 0, entryError(err)
		}
		if !e.Hash.IsZero() {
			return o.readKept(ctx, tx, path, e.Hash, p, off)
		}
		o.changed = true
		o.drop()
	}
	return readChanged(ctx, tx, path, p, off)
}

// readChanged reads what may be about to change, so that nothing of it is kept.
func readChanged(ctx context.Context, tx *datakit.Tx, path datakit.Path, p []byte, off uint64) (int, error) {
	n, err := tx.ReadAt(ctx, path, p, int64(off))
	switch {
	case n > 0:
		return n, nil // a failure after some bytes comes again with the next read
	case err != io.EOF:
		return 0, entryError(err)
	}
	e, err := tx.Stat(ctx, path)
	if err == nil {
		_, err = vfs.ReadRange(off, uint64(e.Size))
	}
	return 0, entryError(err)
}

// readKept reads what has not been changed. The caller holds mu.
func (o *openEntry) readKept(ctx context.Context, tx *datakit.Tx, path datakit.Path, hash datakit.Hash, p []byte, off uint64) (int, error) {
	if o.kept == nil || o.hash != hash {
		b, err := tx.Open(ctx, path)
		if err != nil {
			return 0, entryError(err)
		}
		o.drop()
		o.kept, o.hash = b, hash
	}
	return readBlob(ctx, o.kept, p, off)
}

// drop closes what is kept. The caller holds mu.
func (o *openEntry) drop() {
	if o.kept != nil {
		o.kept.Close()
		o.kept = nil
	}
}

// WriteAt implements vfs.File.
func (o *openEntry) WriteAt(ctx context.Context, p []byte, off uint64) error {
	return o.do(ctx, func(tx *datakit.Tx, path datakit.Path) error {
		if int64(off) < 0 {
			return vfs.NegativeOffset(off)
		}
		if len(p) == 0 {
			return nil
		}
		if o.atEnd {
			e, err := tx.Stat(ctx, path)
			if err != nil {
				return entryError(err)
			}
			off = uint64(e.Size)
		}
		return wireError(tx.WriteAt(ctx, path, p, int64(off)))
	})
}

// Close implements vfs.File.
func (o *openEntry) Close() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.closed = true
	o.drop()
	return nil
}
