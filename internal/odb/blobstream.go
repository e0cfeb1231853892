package odb

import (
	"context"
	"crypto/sha1"
	"hash"
	"io"
	"os"
	"sync/atomic"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/internal/object"
)

const (
	// windowSize is how much of what was decompressed last is kept, for
	// requests that arrive a little out of order.
	windowSize = 256 << 10

	// windowPiece is how much is decompressed at once.
	windowPiece = 64 << 10

	// maxRestarts is how often a blob is decompressed from its begin again,
	// for a request that lies back, before all of it goes to a file.
	maxRestarts = 2
)

// A largeBlob is read in order for as long as that is what is asked for, and
// from a temporary file once it is not.
type largeBlob struct {
	s      *Store
	hash   datakit.Hash
	size   int64
	src    source
	stored *storedBlob // nil unless content lies in the pack as it is

	closed atomic.Bool

	turn     chan struct{} // holds one value while what follows is used
	in       *verified     // nil before the first read in order
	window   []byte        // ends at in.off
	restarts int
	inFile   bool   // no longer read in order
	spill    *spill // nil unless inFile
}

// Size implements datakit.Blob.
func (b *largeBlob) Size() int64 { return b.size }

// ReadAt implements datakit.Blob.
func (b *largeBlob) ReadAt(ctx context.Context, p []byte, off int64) (int, error) {
	if off < 0 {
		return 0, datakit.Invalid
	}
	part := p[:max(0, min(int64(len(p)), b.size-off))]
	if len(part) > 0 {
		if n, err := b.read(ctx, part, off); err != nil {
			return n, errorOf(b.hash, err)
		}
	}
	if len(part) < len(p) {
		return len(part), io.EOF
	}
	return len(part), nil
}

// read fills p, which lies within the blob.
func (b *largeBlob) read(ctx context.Context, p []byte, off int64) (int, error) {
	if b.stored != nil {
		if err := b.stored.read(p, off, b.hash); err != errLayout {
			return len(p), err
		}
	}
	select {
	case b.turn <- struct{}{}:
	case <-ctx.Done():
		return 0, ctx.Err()
	}
	f, n, err := b.next(ctx, p, off)
	<-b.turn
	if f == nil || err != nil {
		return n, err
	}
	return f.ReadAt(p, off)
}

// next reads in order, or returns the temporary file to read from. It has the
// turn.
func (b *largeBlob) next(ctx context.Context, p []byte, off int64) (f *os.File, n int, err error) {
	if b.closed.Load() {
		return nil, 0, os.ErrClosed
	}
	for n < len(p) && !b.inFile {
		at := off + int64(n)
		if b.in == nil || at < b.in.off-int64(len(b.window)) {
			if err := b.restart(ctx); err != nil {
				return nil, n, err
			}
			continue
		}
		if at < b.in.off {
			n += copy(p[n:], b.window[at-b.in.off+int64(len(b.window)):])
			continue
		}
		if err := ctx.Err(); err != nil {
			return nil, n, err
		}
		if err := b.advance(); err != nil {
			return nil, n, err
		}
	}
	if n == len(p) {
		return nil, n, nil
	}
	f, err = b.file(ctx)
	return f, 0, err
}

// restart goes back to the begin, or gives up reading in order.
func (b *largeBlob) restart(ctx context.Context) (err error) {
	if b.in != nil {
		b.restarts++
	}
	if b.restarts > maxRestarts {
		b.inFile, b.in, b.window = true, nil, nil
		return nil
	}
	b.window = b.window[:0]
	b.in, err = b.verify(ctx)
	return err
}

// advance decompresses a piece into the window.
func (b *largeBlob) advance() error {
	if b.window == nil {
		b.window = make([]byte, 0, windowSize+windowPiece)
	}
	if len(b.window) > windowSize {
		kept := copy(b.window, b.window[len(b.window)-windowSize:])
		b.window = b.window[:kept]
	}
	have := len(b.window)
	n, err := b.in.next(b.window[have:min(have+windowPiece, cap(b.window))])
	if err != nil {
		b.in = nil // what was read so far may be wrong
		return err
	}
	b.window = b.window[:have+n]
	return nil
}

// file returns the temporary file with the whole content.
func (b *largeBlob) file(ctx context.Context) (*os.File, error) {
	if b.spill == nil {
		b.spill = b.s.spills.get(b.hash)
	}
	return b.spill.file(ctx, b.s.TempDir(), func(w io.Writer) error { return b.fill(ctx, w) })
}

// fill writes the whole content to w.
func (b *largeBlob) fill(ctx context.Context, w io.Writer) error {
	in, err := b.verify(ctx)
	if err != nil {
		return err
	}
	defer in.r.Close()
	buf := make([]byte, windowSize)
	for in.off < b.size {
		if err := ctx.Err(); err != nil {
			return err
		}
		n, err := in.next(buf)
		if err != nil {
			return err
		}
		if _, err := w.Write(buf[:n]); err != nil {
			return err
		}
	}
	return nil
}

// Close implements datakit.Blob.
func (b *largeBlob) Close() error {
	if b.closed.Swap(true) {
		return nil
	}
	err := b.src.Close() // ends what is reading
	b.turn <- struct{}{}
	if b.spill != nil {
		b.s.spills.put(b.spill)
	}
	b.in, b.window = nil, nil
	<-b.turn
	return err
}

// verified reads content in order, and compares it with its name at the end.
type verified struct {
	r    io.ReadCloser
	off  int64
	size int64
	hash datakit.Hash
	sum  hash.Hash
}

func (b *largeBlob) verify(ctx context.Context) (*verified, error) {
	r, err := b.src.start(ctx)
	if err != nil {
		return nil, unexpected(err)
	}
	return &verified{r: r, size: b.size, hash: b.hash, sum: blobSum(b.size)}, nil
}

// blobSum starts the name of a blob.
func blobSum(size int64) hash.Hash {
	sum := sha1.New()
	sum.Write(object.Header(object.BlobType, size))
	return sum
}

// next fills p as far as there is content.
func (v *verified) next(p []byte) (int, error) {
	p = p[:min(int64(len(p)), v.size-v.off)]
	if _, err := io.ReadFull(v.r, p); err != nil {
		return 0, unexpected(err)
	}
	v.sum.Write(p)
	v.off += int64(len(p))
	if v.off < v.size {
		return len(p), nil
	}
	if err := ended(v.r); err != nil {
		return 0, err
	}
	if datakit.Hash(v.sum.Sum(nil)) != v.hash {
		return 0, errName
	}
	return len(p), nil
}
