package treedb

import (
	"context"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/internal/object"
	"github.com/datakit/datakit/internal/store"
)

// spillSize is the length in bytes beyond which the content of a file that is
// being edited goes to a temporary file.
const spillSize = 1 << 20

// A content is the content of a file that was changed in a transaction: in
// memory while it is small, in a temporary file from then on. Its methods may
// be called concurrently.
type content struct {
	tempDir func() string // of the file; nil for the system's
	memory  *atomic.Int64 // counts the bytes in memory, for all transactions

	mu      sync.RWMutex // guards what follows
	mem     []byte
	file    spill // holds all of it if not nil, and nothing behind size
	size    int64
	lost    error // why the file has not got the content any more
	readers int   // open blobs; while there are any the content must not change
	dead    bool  // to be released by the last reader
}

// A spill is a temporary file.
type spill interface {
	io.ReaderAt
	io.WriterAt
	Truncate(size int64) error
	Name() string
	Close() error
}

// newContent returns the content data, of which it makes a copy.
func (t *tx) newContent(data []byte) (*content, error) {
	c := &content{tempDir: t.db.opts.TempDir, memory: &t.db.txMemory}
	if len(data) == 0 {
		return c, nil
	}
	if err := c.writeAt(data, 0); err != nil {
		c.discard()
		return nil, err
	}
	return c, nil
}

func (c *content) length() int64 {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.size
}

func (c *content) spilled() bool {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.file != nil
}

// ReadAt is io.ReaderAt.
func (c *content) ReadAt(p []byte, off int64) (int, error) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	switch {
	case c.lost != nil:
		return 0, c.lost
	case off >= c.size:
		return 0, io.EOF
	}
	if c.file != nil {
		n := int(min(int64(len(p)), c.size-off))
		n, err := c.file.ReadAt(p[:n], off)
		if err == nil && n < len(p) {
			err = io.EOF
		}
		return n, err
	}
	n := copy(p, c.mem[off:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// writeAt writes p at off. Zero bytes fill a gap; they need no memory. If it
// fails the content is as it was.
func (c *content) writeAt(p []byte, off int64) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	end := off + int64(len(p))
	if err := c.prepare(end); err != nil {
		return err
	}
	if c.file != nil {
		if err := c.writeFile(p, off); err != nil {
			return err
		}
		c.size = max(c.size, end)
		return nil
	}
	c.resize(max(c.size, end))
	copy(c.mem[off:], p)
	return nil
}

// writeFile writes p at off into the file. What a write that failed has left
// there, as it does on a full disk, is taken back. The caller holds mu.
func (c *content) writeFile(p []byte, off int64) error {
	if c.lost != nil {
		return c.lost
	}
	old := make([]byte, max(0, min(int64(len(p)), c.size-off)))
	if _, err := c.file.ReadAt(old, off); err != nil && len(old) > 0 {
		return err
	}
	n, err := c.file.WriteAt(p, off)
	if err == nil {
		return nil
	}
	undo := c.file.Truncate(c.size)
	if n = min(n, len(old)); n > 0 && undo == nil {
		_, undo = c.file.WriteAt(old[:n], off)
	}
	if undo != nil {
		c.lost = fmt.Errorf("the content was lost by a write that failed: %w", undo)
	}
	return err
}

// truncate sets the length. If it fails the content is as it was.
func (c *content) truncate(size int64) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.prepare(size); err != nil {
		return err
	}
	if c.file == nil {
		c.resize(size)
		return nil
	}
	if err := c.file.Truncate(size); err != nil {
		return err
	}
	c.size = size
	return nil
}

// resize sets the length of a content in memory. Growth is geometric, so that
// appending n bytes in any pieces costs O(n).
func (c *content) resize(size int64) {
	if n := int(size); n <= len(c.mem) {
		c.mem = c.mem[:n]
	} else {
		had := len(c.mem)
		c.mem = slices.Grow(c.mem, n-had)[:n]
		clear(c.mem[had:])
	}
	c.memory.Add(size - c.size)
	c.size = size
}

// prepare moves the content to a file if it is to be of a size that is too
// long for memory.
func (c *content) prepare(size int64) error {
	if c.file != nil || size <= spillSize {
		return nil
	}
	dir := ""
	if c.tempDir != nil {
		dir = c.tempDir()
	}
	f, err := tempFile(dir)
	if err != nil {
		return err
	}
	if _, err := f.WriteAt(c.mem, 0); err != nil {
		closeTemp(f)
		return err
	}
	c.memory.Add(-c.size)
	c.file, c.mem = f, nil
	return nil
}

// discard releases memory and file, as soon as nobody reads them.
func (c *content) discard() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.dead = c.readers > 0; c.dead {
		return
	}
	c.free()
}

// free releases memory and file. The caller holds mu.
func (c *content) free() {
	if c.file != nil {
		closeTemp(c.file)
	} else {
		c.memory.Add(-c.size)
	}
	c.file, c.mem, c.size, c.lost = nil, nil, 0, nil
}

// open returns a blob of the content as it is.
func (c *content) open() datakit.Blob {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.readers++
	return openContent{c}
}

// isRead reports whether there are open blobs.
func (c *content) isRead() bool {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.readers > 0
}

// object returns the blob object of the content, which must not change while
// the object is in use.
func (c *content) object() (store.Object, error) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	o := store.Object{Type: object.BlobType, Size: c.size}
	if c.lost != nil {
		return store.Object{}, c.lost
	}
	if c.file == nil {
		o.Data = append([]byte{}, c.mem...)
		o.Hash = object.Name(object.BlobType, o.Data)
		return o, nil
	}
	o.Content = c
	h := object.NewHasher(object.BlobType, c.size)
	if _, err := io.Copy(h, io.NewSectionReader(c.file, 0, c.size)); err != nil {
		return store.Object{}, err
	}
	o.Hash = h.Hash()
	return o, nil
}

// An openContent is a blob of a content, which is not changed while it is open.
type openContent struct{ c *content }

// Size implements datakit.Blob.
func (b openContent) Size() int64 { return b.c.length() }

// ReadAt implements datakit.Blob.
func (b openContent) ReadAt(_ context.Context, p []byte, off int64) (int, error) {
	return b.c.ReadAt(p, off)
}

// Close implements datakit.Blob. The last one to close releases the content if
// it is discarded.
func (b openContent) Close() error {
	b.c.mu.Lock()
	defer b.c.mu.Unlock()
	if b.c.readers--; b.c.readers == 0 && b.c.dead {
		b.c.free()
	}
	return nil
}

// tempFile makes a file in dir that vanishes with the process, where the
// system allows it at once.
func tempFile(dir string) (*os.File, error) {
	f, err := os.CreateTemp(dir, "datakit-tx-")
	if err == nil && runtime.GOOS != "windows" {
		os.Remove(f.Name())
	}
	return f, err
}

func closeTemp(f spill) {
	f.Close()
	if runtime.GOOS == "windows" {
		os.Remove(f.Name())
	}
}
