package odb

import (
	"bytes"
	"errors"
	"io"
	"sync"

	"github.com/klauspost/compress/zlib"
)

var errSize = errors.New("compressed content is not of the size announced")

// maxRatio is how many times larger than its compressed form content can be,
// by the format of deflate. A size beyond it is a lie.
const maxRatio = 1032

// An inflater decompresses bytes in memory.
type inflater struct {
	src bytes.Reader
	z   io.ReadCloser
}

// inflaters are those that wait to be used again. One takes some 40 kB.
var inflaters sync.Pool

// newInflater starts to decompress b. Give it back with free.
func newInflater(b []byte) (*inflater, error) {
	f, _ := inflaters.Get().(*inflater)
	if f == nil {
		f = new(inflater)
	}
	f.src.Reset(b)
	var err error
	if f.z == nil {
		f.z, err = zlib.NewReader(&f.src)
	} else {
		err = f.z.(zlib.Resetter).Reset(&f.src, nil)
	}
	return f, err
}

func (f *inflater) free() {
	f.src.Reset(nil)
	inflaters.Put(f)
}

// inflate decompresses content of a known size that b begins with.
func inflate(b []byte, size int64) ([]byte, error) {
	if size/maxRatio > int64(len(b)) {
		return nil, errSize
	}
	f, err := newInflater(b)
	if err != nil {
		return nil, unexpected(err)
	}
	defer f.free()
	out := make([]byte, size)
	if _, err := io.ReadFull(f.z, out); err != nil {
		return nil, unexpected(err)
	}
	return out, ended(f.z)
}

// inflateStart decompresses the first bytes of content, up to len(out).
func inflateStart(b, out []byte) (int, error) {
	f, err := newInflater(b)
	if err != nil {
		return 0, unexpected(err)
	}
	defer f.free()
	n, err := io.ReadFull(f.z, out)
	if err == io.EOF || err == io.ErrUnexpectedEOF && n > 0 {
		err = nil
	}
	return n, err
}

// ended reads the end of what z decompresses, which checks its checksum.
func ended(z io.Reader) error {
	var more [1]byte
	switch n, err := z.Read(more[:]); {
	case n > 0 || err == nil:
		return errSize
	case err != io.EOF:
		return unexpected(err)
	}
	return nil
}

// unexpected names an end of input for what it is.
func unexpected(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}
