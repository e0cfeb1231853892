package odb

import (
	"crypto/sha1"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/internal/object"
	"github.com/datakit/datakit/internal/odb/packfile"
)

const (
	// smallObject is the size in bytes up to which a decoded object is kept
	// in the cache, and a blob is read whole when it is opened.
	smallObject = 512 << 10

	// largeRead bounds what Read takes into memory, and with it what a
	// damaged header can make it ask for.
	largeRead = 1 << 30

	// largeBase bounds the objects that a small blob is made from in memory.
	largeBase = 16 << 20
)

// look finds an object and has it read from where it is: a pack, or the path
// of a loose object, which may turn out not to exist. If a copy is damaged it
// goes on to others.
func look[T any](s *Store, op string, h datakit.Hash, pack func(packed) (T, error), loose func(path string) (T, error)) (T, error) {
	l := looker[T]{s: s, h: h, pack: pack, loose: loose}
	if s.closed.Load() {
		return l.value, &datakit.Error{Op: op, Subject: h.String(), Kind: datakit.Closed}
	}
	found := l.try()
	for n := 0; !found && n < maxTries && l.rescan(); n++ {
		found = l.try()
	}
	if found || l.damage != nil && l.tryAll() {
		return l.value, nil
	}
	return l.value, l.failure(op)
}

// maxTries is how often an object is looked for while packs come and go.
const maxTries = 10

// A looker is a search for one object.
type looker[T any] struct {
	s     *Store
	h     datakit.Hash
	pack  func(packed) (T, error)
	loose func(path string) (T, error)

	value  T
	damage error  // of the first copy that was found
	gone   bool   // a pack was deleted under us
	seen   uint64 // the changes of all directories when the last try began
}

// try looks into each directory, as far as its packs are known.
func (l *looker[T]) try() bool {
	l.gone, l.seen = false, l.changes()
	for _, d := range l.s.dirs {
		if at, ok := d.packs.find(&l.h); ok && l.use(at) {
			return true
		}
	}
	for _, d := range l.s.dirs {
		v, err := l.loose(loosePath(d.path, l.h))
		if err == nil {
			l.value = v
			return true
		}
		if !errors.Is(err, fs.ErrNotExist) && l.damage == nil {
			l.damage = fmt.Errorf("loose object: %w", err)
		}
	}
	return false
}

// tryAll looks into all packs, for a copy that is not damaged.
func (l *looker[T]) tryAll() (found bool) {
	for _, d := range l.s.dirs {
		for _, at := range d.packs.all(&l.h) {
			if !found {
				found = l.use(at)
			} else {
				at.p.release()
			}
		}
	}
	return found
}

// use reads from a pack, and gives the reference to it back.
func (l *looker[T]) use(at packed) bool {
	defer at.p.release()
	v, err := l.pack(at)
	switch {
	case err == nil:
		l.value = v
		return true
	case err == errGone:
		l.gone = true
	case l.damage == nil:
		l.damage = err
	}
	return false
}

// rescan looks at the directories, and reports whether there are other packs
// than when the last try began, whoever noticed it.
func (l *looker[T]) rescan() (changed bool) {
	for _, d := range l.s.dirs {
		if err := d.packs.rescan(l.gone); err != nil && l.damage == nil {
			l.damage = err
		}
	}
	return l.changes() != l.seen
}

func (l *looker[T]) changes() (sum uint64) {
	for _, d := range l.s.dirs {
		sum += d.packs.changes.Load()
	}
	return sum
}

// failure says why nothing was found.
func (l *looker[T]) failure(op string) error {
	e := &datakit.Error{Op: op, Subject: l.h.String(), Kind: datakit.Internal, Err: l.damage}
	if l.s.closed.Load() {
		e.Kind, e.Err = datakit.Closed, nil
		return e
	}
	if l.damage != nil {
		var sys *fs.PathError
		if errors.As(l.damage, &sys) {
			e.Kind = datakit.IO
		}
		return e
	}
	for _, d := range l.s.dirs {
		if name := d.packs.damaged(); name != "" {
			e.Err = fmt.Errorf("not found, and %s.idx cannot be read", name)
			return e
		}
	}
	e.Kind = datakit.NotExist
	return e
}

// Header implements store.Objects.
func (s *Store) Header(h datakit.Hash) (object.Type, int64, error) {
	if h == datakit.EmptyTree {
		return object.TreeType, 0, nil
	}
	if c, ok := s.cache.Get(h, content.cost); ok && !s.closed.Load() {
		return c.kind, int64(len(c.data)), nil
	}
	hd, err := s.header("read object", h)
	return hd.kind, hd.size, err
}

type header struct {
	kind object.Type
	size int64
}

func (s *Store) header(op string, h datakit.Hash) (header, error) {
	return look(s, op, h, func(at packed) (header, error) {
		kind, size, err := at.p.header(at.off)
		return header{kind, size}, err
	}, func(path string) (header, error) {
		r, err := openLoose(path)
		if err != nil {
			return header{}, err
		}
		return header{r.kind, r.size}, r.Close()
	})
}

// Read implements store.Objects.
func (s *Store) Read(h datakit.Hash) (object.Type, []byte, error) {
	c, err := s.read("read object", h, largeRead)
	if errors.Is(err, packfile.ErrBig) {
		err = &datakit.Error{Op: "read object", Subject: h.String(), Kind: datakit.TooLarge, Err: err}
	}
	return c.kind, c.data, err
}

// read returns an object from the cache or from disk. The error wraps packfile.ErrBig
// if more than limit would have to be decoded at once.
func (s *Store) read(op string, h datakit.Hash, limit int64) (content, error) {
	if c, ok := s.cache.Get(h, content.cost); ok && !s.closed.Load() {
		return c, nil
	}
	if h == datakit.EmptyTree {
		return content{kind: object.TreeType}, nil
	}
	c, err := look(s, op, h, func(at packed) (content, error) {
		c, err := s.unpacker.read(at.p, at.off, limit)
		if err == nil && !c.is(h) {
			err = at.p.failed(errName)
		}
		return c, err
	}, func(path string) (content, error) {
		r, err := openLoose(path)
		if err != nil {
			return content{}, err
		}
		defer r.Close()
		c, err := r.readAll(limit)
		if err == nil && !c.is(h) {
			err = errName
		}
		return c, err
	})
	if err == nil && len(c.data) <= smallObject {
		s.cache.Put(h, c, c.cost())
	}
	return c, err
}

var errName = errors.New("content does not have the name it is kept under")

// is reports whether c is the object of that name. Damage is what it is meant
// to find, not forgery, so plain SHA-1 does.
func (c content) is(h datakit.Hash) bool {
	var buf [4096]byte
	b := append(buf[:0], object.Header(c.kind, int64(len(c.data)))...)
	if len(b)+len(c.data) <= len(buf) {
		return sha1.Sum(append(b, c.data...)) == h
	}
	sum := sha1.New()
	sum.Write(b)
	sum.Write(c.data)
	return [sha1.Size]byte(sum.Sum(buf[:0])) == h
}

// Confirm implements store.Objects.
func (s *Store) Confirm(hs []datakit.Hash) error {
	present := make(map[*pack]bool) // packs whose index is still there
	for _, h := range hs {
		if h == datakit.EmptyTree {
			continue
		}
		_, err := look(s, "confirm object", h, func(at packed) (struct{}, error) {
			if present[at.p] {
				return struct{}{}, nil
			}
			_, err := os.Stat(at.p.base + ".idx")
			if errors.Is(err, fs.ErrNotExist) {
				return struct{}{}, errGone
			}
			present[at.p] = err == nil
			return struct{}{}, err
		}, func(path string) (struct{}, error) {
			_, err := os.Stat(path)
			return struct{}{}, err
		})
		if err != nil {
			return err
		}
	}
	return nil
}
