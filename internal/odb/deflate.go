package odb

import (
	"bytes"
	"context"
	"encoding/binary"
	"hash/adler32"
	"io"
	"sync"

	"github.com/klauspost/compress/zlib"

	"github.com/datakit/datakit/internal/object"
	"github.com/datakit/datakit/internal/store"
)

const (
	// tinyObject is the size in bytes up to which compression costs more than
	// it saves: to decode the tables alone takes longer than all the rest of
	// a read.
	tinyObject = 256

	// probeSize is the size from which a blob's samples decide whether to
	// compress it at all.
	probeSize = 64 << 10

	// hugeSize is the size from which a blob is not compressed: it can then be
	// read anywhere, at the speed of the disk, where decompression is many
	// times slower. git repack -F compresses it.
	hugeSize = 8 << 20

	// pieceSize is how much of a blob is read at once.
	pieceSize = 256 << 10
)

// deflaters are compressors that wait to be used again, by level. One takes
// from 200 kB to 1 MB.
var deflaters [zlib.BestCompression + 1]sync.Pool

func newDeflater(w io.Writer, level int) *zlib.Writer {
	if z, ok := deflaters[level].Get().(*zlib.Writer); ok {
		z.Reset(w)
		return z
	}
	z, err := zlib.NewWriterLevel(w, level)
	if err != nil {
		panic(err) // for an unknown level only
	}
	return z
}

// deflateObject writes the compressed content of an object to w. level is for
// blobs.
func deflateObject(ctx context.Context, w io.Writer, obj store.Object, level int) error {
	r := obj.Content
	if obj.Data != nil || r == nil {
		r = bytes.NewReader(obj.Data)
	}
	if obj.Type != object.BlobType {
		level = zlib.BestSpeed
	}
	stored := obj.Size <= tinyObject
	switch {
	case obj.Type != object.BlobType || obj.Size < probeSize:
	case obj.Size >= hugeSize:
		stored = true
	default:
		worth, err := compressible(r, obj.Size)
		if err != nil {
			return err
		}
		stored = !worth
	}
	if stored {
		return writeStored(ctx, w, r, obj.Size)
	}
	z := newDeflater(w, level)
	defer deflaters[level].Put(z)
	var err error
	if obj.Data != nil && obj.Size <= pieceSize {
		_, err = z.Write(obj.Data)
	} else {
		err = pieces(ctx, r, obj.Size, pieceSize, func(p []byte) error {
			_, err := z.Write(p)
			return err
		})
	}
	if err != nil {
		return err
	}
	return z.Close()
}

// pieces reads r from 0 to size and hands it to f.
func pieces(ctx context.Context, r io.ReaderAt, size int64, piece int, f func([]byte) error) error {
	buf := make([]byte, min(size, int64(piece)))
	for off := int64(0); off < size; {
		if err := ctx.Err(); err != nil {
			return err
		}
		p := buf[:min(int64(len(buf)), size-off)]
		if n, err := r.ReadAt(p, off); n < len(p) {
			return unexpected(err)
		}
		if err := f(p); err != nil {
			return err
		}
		off += int64(len(p))
	}
	return nil
}

// compressible reports whether samples of a blob shrink by a tenth or more.
func compressible(r io.ReaderAt, size int64) (bool, error) {
	const samples, sample = 4, 8 << 10
	var count countWriter
	z := newDeflater(&count, zlib.BestSpeed)
	defer deflaters[zlib.BestSpeed].Put(z)
	buf := make([]byte, sample)
	for i := range int64(samples) {
		off := (size - sample) / (samples - 1) * i
		if n, err := r.ReadAt(buf, off); n < sample {
			return false, unexpected(err)
		}
		z.Write(buf)
	}
	err := z.Close()
	return count < samples*sample*9/10, err
}

type countWriter int64

func (c *countWriter) Write(p []byte) (int, error) {
	*c += countWriter(len(p))
	return len(p), nil
}

// Content that is not compressed is written as blocks of one size, so that
// where a byte of it is can be computed: after the header of 2 bytes there are
// blocks, each of 5 bytes of its own and storedBlock of content, the last one
// shorter and marked; then the checksum of 4 bytes (RFC 1950 and 1951).
const (
	storedHeader  = "\x78\x01"
	storedBlock   = 65535
	storedPrefix  = 5
	storedTrailer = 4
)

// storedSize returns the size of what writeStored writes.
func storedSize(size int64) int64 {
	blocks := max(1, (size+storedBlock-1)/storedBlock)
	return int64(len(storedHeader)) + blocks*storedPrefix + size + storedTrailer
}

// blockPrefix returns what precedes the content of the block at off.
func blockPrefix(size, off int64) (b [storedPrefix]byte) {
	n := min(storedBlock, size-off)
	if off+n == size {
		b[0] = 1
	}
	binary.LittleEndian.PutUint16(b[1:], uint16(n))
	binary.LittleEndian.PutUint16(b[3:], ^uint16(n))
	return b
}

// writeStored writes content in the form of compressed content, as it is.
func writeStored(ctx context.Context, w io.Writer, r io.ReaderAt, size int64) error {
	if _, err := io.WriteString(w, storedHeader); err != nil {
		return err
	}
	sum, off := adler32.New(), int64(0)
	block := func(p []byte) error {
		prefix := blockPrefix(size, off)
		if _, err := w.Write(prefix[:]); err != nil {
			return err
		}
		off += int64(len(p))
		sum.Write(p)
		_, err := w.Write(p)
		return err
	}
	err := pieces(ctx, r, size, storedBlock, block)
	if size == 0 && err == nil {
		err = block(nil)
	}
	if err != nil {
		return err
	}
	_, err = w.Write(sum.Sum(nil))
	return err
}
