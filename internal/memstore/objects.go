package memstore

import (
	"bytes"
	"context"
	"io"
	"sync"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/internal/object"
	"github.com/datakit/datakit/internal/store"
)

var _ store.Objects = (*Objects)(nil)

// Objects is a store.Objects in memory. Nothing is ever removed from it. The
// empty tree is always there. After Close every method fails with Closed; Blobs
// that are open stay readable.
type Objects struct {
	mu   sync.RWMutex
	objs map[datakit.Hash]content // nil once closed; guarded by mu
}

// content is an object, whose bytes nobody changes.
type content struct {
	t    object.Type
	data []byte
}

// NewObjects returns an empty store.
func NewObjects() *Objects {
	return &Objects{objs: map[datakit.Hash]content{datakit.EmptyTree: {t: object.TreeType}}}
}

func failed(op string, h datakit.Hash, kind datakit.Kind) error {
	return &datakit.Error{Op: op, Subject: h.String(), Kind: kind}
}

func (o *Objects) find(op string, h datakit.Hash) (content, error) {
	o.mu.RLock()
	defer o.mu.RUnlock()
	c, ok := o.objs[h]
	switch {
	case ok:
		return c, nil
	case o.objs == nil:
		return c, failed(op, h, datakit.Closed)
	}
	return c, failed(op, h, datakit.NotExist)
}

// Header implements store.Objects.
func (o *Objects) Header(h datakit.Hash) (object.Type, int64, error) {
	c, err := o.find("read object", h)
	return c.t, int64(len(c.data)), err
}

// Read implements store.Objects.
func (o *Objects) Read(h datakit.Hash) (object.Type, []byte, error) {
	c, err := o.find("read object", h)
	return c.t, c.data, err
}

// OpenBlob implements store.Objects.
func (o *Objects) OpenBlob(h datakit.Hash) (datakit.Blob, error) {
	c, err := o.find("open blob", h)
	if err == nil && c.t != object.BlobType {
		err = failed("open blob", h, datakit.NotExist)
	}
	if err != nil {
		return nil, err
	}
	return blob{bytes.NewReader(c.data)}, nil
}

// Confirm implements store.Objects.
func (o *Objects) Confirm(hs []datakit.Hash) error {
	for _, h := range hs {
		if _, err := o.find("confirm object", h); err != nil {
			return err
		}
	}
	return nil
}

// Close implements store.Objects.
func (o *Objects) Close() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.objs = nil
	return nil
}

// Stage implements store.Objects. It copies the content.
func (o *Objects) Stage(ctx context.Context, objs []store.Object) (store.Staged, error) {
	s := &staged{into: o, objs: make(map[datakit.Hash]content, len(objs))}
	for _, obj := range objs {
		data, err := readAll(ctx, obj)
		if err != nil {
			return nil, &datakit.Error{Op: "stage object", Subject: obj.Hash.String(), Kind: datakit.KindOf(err), Err: err}
		}
		s.objs[obj.Hash] = content{obj.Type, data}
	}
	return s, nil
}

func readAll(ctx context.Context, obj store.Object) ([]byte, error) {
	if obj.Data != nil || obj.Content == nil {
		return bytes.Clone(obj.Data), ctx.Err()
	}
	const piece = 1 << 20
	var buf bytes.Buffer
	r := io.NewSectionReader(obj.Content, 0, obj.Size)
	for int64(buf.Len()) < obj.Size {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		switch _, err := io.CopyN(&buf, r, min(piece, obj.Size-int64(buf.Len()))); err {
		case nil:
		case io.EOF:
			return nil, io.ErrUnexpectedEOF
		default:
			return nil, err
		}
	}
	return buf.Bytes(), nil
}

// staged are objects on the way into a store.
type staged struct {
	into *Objects
	objs map[datakit.Hash]content
}

// Publish implements store.Staged.
func (s *staged) Publish() error {
	s.into.mu.Lock()
	defer s.into.mu.Unlock()
	if s.into.objs == nil {
		return &datakit.Error{Op: "publish objects", Kind: datakit.Closed}
	}
	for h, c := range s.objs {
		if _, ok := s.into.objs[h]; !ok {
			s.into.objs[h] = c
		}
	}
	return nil
}

// Discard implements store.Staged.
func (s *staged) Discard() {}

// Release implements store.Staged.
func (s *staged) Release() {}

// blob is a blob of a store.
type blob struct{ r *bytes.Reader }

// Size implements datakit.Blob.
func (b blob) Size() int64 { return b.r.Size() }

// ReadAt implements datakit.Blob.
func (b blob) ReadAt(_ context.Context, p []byte, off int64) (int, error) { return b.r.ReadAt(p, off) }

// Close implements datakit.Blob.
func (b blob) Close() error { return nil }
