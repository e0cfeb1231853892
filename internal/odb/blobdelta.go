package odb

import (
	"bufio"
	"context"
	"errors"
	"io"
	"os"

	"github.com/datakit/datakit/internal/odb/packfile"
	"github.com/klauspost/compress/zlib"
)

// A deltaSource is a large blob made by deltas. All but the last of them are
// applied in temporary files.
type deltaSource struct {
	*os.File // the pack
	end      int64
	dir      string           // for temporary files
	chain    []packfile.Entry // the outermost delta first, the base last
}

// deltaChain returns an entry, and below it what it is made from, down to what
// is no delta.
func (p *pack) deltaChain(data []byte, e packfile.Entry) ([]packfile.Entry, error) {
	chain := []packfile.Entry{e}
	for e.IsDelta() {
		off, err := p.baseOf(e, len(chain))
		if err != nil {
			return nil, err
		}
		if e, err = packfile.ParseEntry(data, off); err != nil {
			return nil, err
		}
		chain = append(chain, e)
	}
	return chain, nil
}

// start implements source.
func (d *deltaSource) start(ctx context.Context) (io.ReadCloser, error) {
	last := len(d.chain) - 1
	r, err := d.inflate(d.chain[last])
	if err != nil {
		return nil, err
	}
	size := d.chain[last].Size
	for i := last - 1; i >= 0; i-- {
		base, err := d.spill(ctx, r, size)
		if err != nil {
			return nil, err
		}
		if r, size, err = d.apply(base, size, d.chain[i]); err != nil {
			base.Close()
			return nil, err
		}
	}
	return r, nil
}

func (d *deltaSource) inflate(e packfile.Entry) (io.ReadCloser, error) {
	return zlib.NewReader(newFileReader(d.File, e.Data, d.end))
}

// tempFile is a file that is removed when it is closed.
type tempFile struct{ *os.File }

// Close closes the file and removes it.
func (f tempFile) Close() error { return errors.Join(f.File.Close(), os.Remove(f.Name())) }

// spill moves the content of r, which it closes, to a temporary file.
func (d *deltaSource) spill(ctx context.Context, r io.ReadCloser, size int64) (f tempFile, err error) {
	defer func() { err = errors.Join(err, r.Close()) }()
	if f.File, err = os.CreateTemp(d.dir, "base-"); err != nil {
		return f, err
	}
	buf := make([]byte, windowSize)
	for size > 0 && err == nil {
		p := buf[:min(size, windowSize)]
		if _, err = io.ReadFull(r, p); err == nil {
			_, err = f.Write(p)
		}
		size -= int64(len(p))
		err = errors.Join(unexpected(err), ctx.Err())
	}
	if err == nil {
		err = ended(r)
	}
	if err != nil {
		f.Close()
	}
	return f, err
}

// apply returns what a delta makes of a base, and its size.
func (d *deltaSource) apply(base tempFile, baseSize int64, e packfile.Entry) (io.ReadCloser, int64, error) {
	z, err := d.inflate(e)
	if err != nil {
		return nil, 0, unexpected(err)
	}
	return newDeltaReader(base, baseSize, z)
}

// A deltaReader reads what a delta makes of a base.
type deltaReader struct {
	base     tempFile
	baseSize int64
	delta    *bufio.Reader
	op       packfile.Op // what is left of the instruction begun
}

// newDeltaReader returns what delta makes of a base, and its size.
func newDeltaReader(base tempFile, baseSize int64, delta io.Reader) (*deltaReader, int64, error) {
	r := &deltaReader{base: base, baseSize: baseSize, delta: bufio.NewReaderSize(delta, fileBuffer)}
	head, err := r.delta.Peek(2 * 9)
	if err != nil && err != io.EOF {
		return nil, 0, unexpected(err)
	}
	want, size, n, err := packfile.DeltaSizes(head)
	if err != nil || want != baseSize {
		return nil, 0, packfile.ErrDelta
	}
	_, err = r.delta.Discard(n)
	return r, size, err
}

// Read implements io.Reader. The end of the delta is that of the content.
func (r *deltaReader) Read(p []byte) (n int, err error) {
	if r.op.Size == 0 {
		if err := r.nextOp(); err != nil {
			return 0, err
		}
	}
	p = p[:min(int64(len(p)), r.op.Size)]
	if r.op.Insert {
		n, err = r.delta.Read(p)
	} else {
		n, err = r.base.ReadAt(p, r.op.Off)
	}
	r.op.Off += int64(n)
	r.op.Size -= int64(n)
	if n > 0 {
		return n, nil
	}
	return n, unexpected(err)
}

func (r *deltaReader) nextOp() error {
	head, err := r.delta.Peek(8)
	if len(head) == 0 || err != nil && err != io.EOF {
		return err
	}
	op, n, err := packfile.ParseOp(head)
	if err != nil || n == 0 || !op.Insert && op.Off > r.baseSize-op.Size {
		return packfile.ErrDelta
	}
	r.op = op
	_, err = r.delta.Discard(n)
	return err
}

// Close removes the base.
func (r *deltaReader) Close() error { return r.base.Close() }
