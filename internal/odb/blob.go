package odb

import (
	"context"
	"errors"
	"io"
	"os"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/internal/object"
	"github.com/datakit/datakit/internal/odb/packfile"
	"github.com/klauspost/compress/zlib"
)

// OpenBlob implements store.Objects. A large blob is checked against its name
// when it has been read from begin to end in order.
func (s *Store) OpenBlob(h datakit.Hash) (datakit.Blob, error) {
	const op = "open blob"
	if c, ok := s.cache.Get(h, content.cost); ok && c.kind == object.BlobType && !s.closed.Load() {
		return memoryBlob(c.data), nil
	}
	hd, err := s.header(op, h)
	if err == nil && hd.kind != object.BlobType {
		err = &datakit.Error{Op: op, Subject: h.String(), Kind: datakit.NotExist}
	}
	if err != nil {
		return nil, err
	}
	if hd.size <= smallObject {
		c, err := s.read(op, h, largeBase)
		if err == nil && c.kind == object.BlobType {
			return memoryBlob(c.data), nil
		}
		if err != nil && !errors.Is(err, packfile.ErrBig) {
			return nil, err
		}
	}
	return s.openLarge(op, h)
}

// memoryBlob is a blob in memory.
type memoryBlob []byte

// Size implements datakit.Blob.
func (b memoryBlob) Size() int64 { return int64(len(b)) }

// ReadAt implements datakit.Blob.
func (b memoryBlob) ReadAt(_ context.Context, p []byte, off int64) (int, error) {
	if off < 0 {
		return 0, datakit.Invalid
	}
	n := copy(p, b[min(off, int64(len(b))):])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// Close implements datakit.Blob.
func (b memoryBlob) Close() error { return nil }

// A source is where a large blob comes from.
type source interface {
	// start begins to read the content.
	start(ctx context.Context) (io.ReadCloser, error)

	// Close releases what is held, also while somebody reads.
	Close() error
}

// openLarge opens a blob that is not to be held in memory. Files are read with
// system calls rather than mapped, as mapped pages count as memory in use.
func (s *Store) openLarge(op string, h datakit.Hash) (datakit.Blob, error) {
	b, err := look(s, op, h, func(at packed) (*largeBlob, error) {
		return s.openPacked(at)
	}, func(path string) (*largeBlob, error) {
		r, err := openLoose(path)
		if err != nil {
			return nil, err
		}
		return &largeBlob{size: r.size, src: looseSource{r.f}}, nil
	})
	if err != nil {
		return nil, err
	}
	b.s, b.hash, b.turn = s, h, make(chan struct{}, 1)
	if b.stored != nil {
		_, b.stored.trusted = s.whole.Get(h, one)
		b.stored.found = func(h datakit.Hash) { s.whole.Put(h, true, 1) }
	}
	return b, nil
}

// wholeBlobs is how many large blobs are remembered to have their name: to
// compute it takes as long as to read them.
const wholeBlobs = 8192

func one(bool) int { return 1 }

// openPacked opens the blob at a place in a pack.
func (s *Store) openPacked(at packed) (*largeBlob, error) {
	m, err := at.p.open()
	if err != nil {
		return nil, err
	}
	var chain []packfile.Entry
	var size int64
	err = m.guard(func() error {
		e, err := packfile.ParseEntry(m.data, at.off)
		if err != nil {
			return err
		}
		if chain, err = at.p.deltaChain(m.data, e); err != nil {
			return err
		}
		size, err = resultSize(m.data, e)
		return err
	})
	if err != nil {
		return nil, at.p.failed(err)
	}
	f, err := at.p.openFile()
	if err != nil {
		return nil, err
	}
	end := at.p.size - hashSize64
	if len(chain) > 1 {
		src := &deltaSource{File: f, end: end, dir: s.TempDir(), chain: chain}
		return &largeBlob{size: size, src: src, inFile: true}, nil
	}
	src := packSource{f, chain[0].Data, end}
	return &largeBlob{size: size, src: src, stored: openStored(src, size)}, nil
}

// packSource is the compressed content from off on in a pack, before end.
type packSource struct {
	*os.File
	off, end int64
}

func (s packSource) start(context.Context) (io.ReadCloser, error) {
	return zlib.NewReader(newFileReader(s.File, s.off, s.end))
}

// looseSource is a loose object.
type looseSource struct{ *os.File }

func (s looseSource) start(context.Context) (io.ReadCloser, error) {
	r := &looseReader{f: s.File}
	return io.NopCloser(r), r.start()
}

// errorOf makes an error of a blob one with a kind.
func errorOf(h datakit.Hash, err error) error {
	kind := datakit.Internal
	var sys *os.PathError
	switch {
	case errors.Is(err, os.ErrClosed):
		kind = datakit.Closed
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		kind = datakit.Aborted
	case errors.As(err, &sys):
		kind = datakit.IO
	}
	return &datakit.Error{Op: "read blob", Subject: h.String(), Kind: kind, Err: err}
}
