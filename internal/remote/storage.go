package remote

import (
	"bytes"
	"context"
	"errors"
	"io"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/storer"
	"github.com/go-git/go-git/v5/storage/memory"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/internal/object"
	"github.com/datakit/datakit/internal/store"
)

// A storage shows a repository to go-git for one fetch or push: its objects
// over store.Objects, and references that are only the storage's.
type storage struct {
	objs store.Objects
	memory.ReferenceStorage
	memory.ConfigStorage
	memory.IndexStorage
	memory.ShallowStorage
	memory.ModuleStorage
}

// newStorage returns a storage with the branches of heads as its references.
func newStorage(objs store.Objects, heads map[string]datakit.Hash) *storage {
	s := &storage{
		objs:             objs,
		ReferenceStorage: make(memory.ReferenceStorage),
		ModuleStorage:    make(memory.ModuleStorage),
	}
	for name, h := range heads {
		ref := plumbing.NewHashReference(plumbing.NewBranchReferenceName(name), plumbing.Hash(h))
		s.ReferenceStorage[ref.Name()] = ref
	}
	return s
}

// NewEncodedObject implements storer.EncodedObjectStorer.
func (s *storage) NewEncodedObject() plumbing.EncodedObject { return new(plumbing.MemoryObject) }

var errReadOnly = errors.New("objects are stored as packs only")

// SetEncodedObject implements storer.EncodedObjectStorer.
func (s *storage) SetEncodedObject(plumbing.EncodedObject) (plumbing.Hash, error) {
	return plumbing.ZeroHash, errReadOnly
}

// AddAlternate implements storer.EncodedObjectStorer.
func (s *storage) AddAlternate(string) error { return errReadOnly }

// IterEncodedObjects implements storer.EncodedObjectStorer. Nothing that is
// done here needs it.
func (s *storage) IterEncodedObjects(plumbing.ObjectType) (storer.EncodedObjectIter, error) {
	return nil, errors.New("objects cannot be listed")
}

// HasEncodedObject implements storer.EncodedObjectStorer.
func (s *storage) HasEncodedObject(h plumbing.Hash) error {
	_, err := s.EncodedObjectSize(h)
	return err
}

// EncodedObjectSize implements storer.EncodedObjectStorer.
func (s *storage) EncodedObjectSize(h plumbing.Hash) (int64, error) {
	_, size, err := s.objs.Header(datakit.Hash(h))
	return size, notFound(err)
}

// EncodedObject implements storer.EncodedObjectStorer.
func (s *storage) EncodedObject(want plumbing.ObjectType, h plumbing.Hash) (plumbing.EncodedObject, error) {
	t, size, err := s.objs.Header(datakit.Hash(h))
	if err != nil {
		return nil, notFound(err)
	}
	if want != plumbing.AnyObject && want != plumbing.ObjectType(t) {
		return nil, plumbing.ErrObjectNotFound
	}
	return &encoded{s.objs, t, h, size}, nil
}

func notFound(err error) error {
	if errors.Is(err, datakit.NotExist) {
		return plumbing.ErrObjectNotFound
	}
	return err
}

// An encoded is a stored object as go-git sees it: read when it is asked for,
// long blobs in pieces.
type encoded struct {
	objs store.Objects
	t    object.Type
	hash plumbing.Hash
	size int64
}

func (e *encoded) Hash() plumbing.Hash             { return e.hash }
func (e *encoded) Type() plumbing.ObjectType       { return plumbing.ObjectType(e.t) }
func (e *encoded) SetType(plumbing.ObjectType)     {}
func (e *encoded) Size() int64                     { return e.size }
func (e *encoded) SetSize(int64)                   {}
func (e *encoded) Writer() (io.WriteCloser, error) { return nil, errReadOnly }

// Reader returns the content.
func (e *encoded) Reader() (io.ReadCloser, error) {
	if e.t == object.BlobType {
		b, err := e.objs.OpenBlob(datakit.Hash(e.hash))
		if err != nil {
			return nil, err
		}
		return blobReader{datakit.NewReader(context.Background(), b), b}, nil
	}
	_, data, err := e.objs.Read(datakit.Hash(e.hash))
	return io.NopCloser(bytes.NewReader(data)), err
}

type blobReader struct {
	io.Reader
	io.Closer
}

// A fetchStorage is a storage that takes what a fetch brings as one pack.
type fetchStorage struct {
	*storage
	addPack func(pack io.Reader) error
}

// PackfileWriter implements storer.PackfileWriter.
func (s fetchStorage) PackfileWriter() (io.WriteCloser, error) {
	r, w := io.Pipe()
	p := &packWriter{PipeWriter: w, done: make(chan error, 1)}
	go func() {
		err := s.addPack(r)
		r.CloseWithError(errors.Join(err, io.ErrClosedPipe))
		p.done <- err
	}()
	return p, nil
}

type packWriter struct {
	*io.PipeWriter
	done chan error
}

// Close returns when the pack has been stored, or why it has not.
func (p *packWriter) Close() error {
	p.PipeWriter.Close()
	return <-p.done
}
