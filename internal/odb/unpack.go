package odb

import (
	"errors"

	"github.com/datakit/datakit/internal/cache"
	"github.com/datakit/datakit/internal/object"
	"github.com/datakit/datakit/internal/odb/packfile"
)

var (
	errChain = errors.New("deltas go round in a circle")
	errBase  = errors.New("the base of a delta is missing")
)

// content is a decoded object. Nobody changes its data.
type content struct {
	kind object.Type
	data []byte
}

// cost is what an object takes in a cache, roughly, in bytes.
func (c content) cost() int { return len(c.data) + 128 }

// A baseKey says where an object is that deltas are made from.
type baseKey struct {
	pack uint64
	off  int64
}

// An unpacker decodes objects of packs, and remembers the bases of deltas.
type unpacker struct {
	bases *cache.Cache[baseKey, content]
}

// read decodes the object at off. One that is larger than limit, or is made
// from such a one, is packfile.ErrBig. The caller holds a reference to p.
func (u unpacker) read(p *pack, off, limit int64) (c content, err error) {
	m, err := p.open()
	if err != nil {
		return c, err
	}
	err = m.guard(func() (err error) {
		c, err = u.decode(p, m.data, off, limit)
		return err
	})
	return c, p.wrap(err)
}

// wrap names the pack in an error of its data.
func (p *pack) wrap(err error) error {
	if err == nil || err == packfile.ErrBig || err == errGone {
		return err
	}
	return p.failed(err)
}

// decode goes down from delta to base until the whole content of one is known,
// and then up again.
func (u unpacker) decode(p *pack, data []byte, off, limit int64) (c content, err error) {
	var deltas []packfile.Entry // the outermost first
	for {
		if base, ok := u.bases.Get(baseKey{p.id, off}, content.cost); ok {
			c = base
			break
		}
		e, err := packfile.ParseEntry(data, off)
		if err != nil {
			return c, err
		}
		if e.Size > limit {
			return c, packfile.ErrBig
		}
		if !e.IsDelta() {
			c.kind = e.Kind
			if c.data, err = inflate(compressed(data, e), e.Size); err != nil {
				return c, err
			}
			break
		}
		deltas = append(deltas, e)
		if off, err = p.baseOf(e, len(deltas)); err != nil {
			return c, err
		}
	}
	return u.rebuild(p, data, c, off, deltas, limit)
}

// rebuild applies deltas to c, which is the object at off.
func (u unpacker) rebuild(p *pack, data []byte, c content, off int64, deltas []packfile.Entry, limit int64) (content, error) {
	for i := len(deltas) - 1; i >= 0; i-- {
		u.bases.Put(baseKey{p.id, off}, c, c.cost())
		e := deltas[i]
		delta, err := inflate(compressed(data, e), e.Size)
		if err != nil {
			return c, err
		}
		if c.data, err = packfile.ApplyDelta(c.data, delta, limit); err != nil {
			return c, err
		}
		off = e.Off
	}
	return c, nil
}

// compressed returns the bytes of an entry, and those that follow it.
func compressed(pack []byte, e packfile.Entry) []byte { return pack[e.Data : len(pack)-hashSize] }

// baseOf returns where the base of a delta is. depth is how many deltas have
// been followed, which cannot be more than there are objects.
func (p *pack) baseOf(e packfile.Entry, depth int) (int64, error) {
	if depth > p.idx.N {
		return 0, errChain
	}
	if e.Kind == packfile.OffsetDelta {
		return e.BaseOff, nil
	}
	off, ok := p.find(&e.BaseHash)
	if !ok {
		return 0, errBase
	}
	return off, nil
}

// header returns type and size of the object at off. It decompresses no more
// than the first bytes of a delta.
func (p *pack) header(off int64) (kind object.Type, size int64, err error) {
	m, err := p.open()
	if err != nil {
		return 0, 0, err
	}
	err = m.guard(func() (err error) {
		kind, size, err = p.parseHeader(m.data, off)
		return err
	})
	return kind, size, p.wrap(err)
}

func (p *pack) parseHeader(data []byte, off int64) (kind object.Type, size int64, err error) {
	for depth := 1; ; depth++ {
		e, err := packfile.ParseEntry(data, off)
		if err != nil {
			return 0, 0, err
		}
		if depth == 1 {
			if size, err = resultSize(data, e); err != nil {
				return 0, 0, err
			}
		}
		if !e.IsDelta() {
			return e.Kind, size, nil
		}
		if off, err = p.baseOf(e, depth); err != nil {
			return 0, 0, err
		}
	}
}

// resultSize returns the size of the object of an entry.
func resultSize(data []byte, e packfile.Entry) (int64, error) {
	if !e.IsDelta() {
		return e.Size, nil
	}
	var start [2 * 9]byte
	n, err := inflateStart(compressed(data, e), start[:])
	if err != nil {
		return 0, err
	}
	_, size, _, err := packfile.DeltaSizes(start[:n])
	return size, err
}
