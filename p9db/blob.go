package p9db

import (
	"context"
	"io"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/p9"
)

// A memBlob is content in memory, which may be shared. It is datakit.Blob.
type memBlob []byte

// Size implements datakit.Blob.
func (b memBlob) Size() int64 { return int64(len(b)) }

// ReadAt implements datakit.Blob.
func (b memBlob) ReadAt(_ context.Context, p []byte, off int64) (int, error) {
	if off >= int64(len(b)) {
		return 0, io.EOF
	}
	n := copy(p, b[off:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// Close implements datakit.Blob.
func (b memBlob) Close() error { return nil }

// A fidBlob is an open file of the tree that shows the same content as long as
// it is open. It is datakit.Blob.
type fidBlob struct {
	d    *driver
	f    *p9.Fid
	size int64
}

// Size implements datakit.Blob.
func (b *fidBlob) Size() int64 { return b.size }

// ReadAt implements datakit.Blob.
func (b *fidBlob) ReadAt(ctx context.Context, p []byte, off int64) (int, error) {
	if off >= b.size {
		return 0, io.EOF
	}
	short := int64(len(p)) > b.size-off
	if short {
		p = p[:b.size-off]
	}
	n, err := b.f.ReadAt(ctx, p, off)
	switch {
	case n < len(p) && err == io.EOF:
		return n, &datakit.Error{Kind: datakit.Internal, Err: io.ErrUnexpectedEOF}
	case err != nil && err != io.EOF:
		return n, b.d.fail(err)
	case short:
		return n, io.EOF
	}
	return n, nil
}

// Close implements datakit.Blob.
func (b *fidBlob) Close() error {
	b.f.Release()
	return nil
}
