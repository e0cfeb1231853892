package p9db

import (
	"context"
	"errors"
	"io"
	"os"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/p9"
)

// copyPiece is how much of a file is in memory while it is copied.
const copyPiece = 1 << 20

// copy returns the present content of a file that may change. One that is not
// small is put into a temporary file.
func (p *place) copy(ctx context.Context, path datakit.Path) (datakit.Blob, error) {
	f, err := p.walkFile(ctx, path)
	if err != nil {
		return nil, err
	}
	defer f.Release()
	if err := f.Open(ctx, p9.ReadOnly); err != nil {
		return nil, p.d.fail(err)
	}
	b := make([]byte, copyPiece)
	n, err := f.ReadAt(ctx, b, 0)
	if err == io.EOF {
		return memBlob(b[:n:n]), nil
	}
	if err != nil {
		return nil, p.d.fail(err)
	}
	return p.copyLarge(ctx, f, b)
}

// copyLarge copies an open file, whose first piece was read, to a temporary
// file.
func (p *place) copyLarge(ctx context.Context, f *p9.Fid, b []byte) (_ datakit.Blob, err error) {
	file, err := os.CreateTemp("", "datakit-")
	if err != nil {
		return nil, err
	}
	t := &tempBlob{f: file}
	defer func() {
		if err != nil {
			t.Close()
		}
	}()
	for n, eof := len(b), false; ; {
		if _, err := file.Write(b[:n]); err != nil {
			return nil, err
		}
		t.size += int64(n)
		if eof {
			return t, nil
		}
		n, err = f.ReadAt(ctx, b, t.size)
		if eof = err == io.EOF; err != nil && !eof {
			return nil, p.d.fail(err)
		}
	}
}

// A tempBlob is content in a temporary file of its own. It is datakit.Blob.
type tempBlob struct {
	f    *os.File
	size int64
}

// Size implements datakit.Blob.
func (b *tempBlob) Size() int64 { return b.size }

// ReadAt implements datakit.Blob.
func (b *tempBlob) ReadAt(ctx context.Context, p []byte, off int64) (int, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	return b.f.ReadAt(p, off)
}

// Close implements datakit.Blob.
func (b *tempBlob) Close() error { return errors.Join(b.f.Close(), os.Remove(b.f.Name())) }
