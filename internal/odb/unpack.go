package odb

import (
	"errors"

	"github.com/datakit/datakit/internal/cache"
	"github.com/datakit/datakit/internal/object"
)

var (
	errBig   = errors.New("too large to be held in memory")
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
// from such a one, is errBig. The caller holds a reference to p.
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
	if err == nil || err == errBig || err == errGone {
		return err
	}
	return p.failed(err)
}

// decode goes down from delta to base until the whole content of one is known,
// and then up again.
func (u unpacker) decode(p *pack, data []byte, off, limit int64) (c content, err error) {
	var deltas []entry // the outermost first
	for {
		if base, ok := u.bases.Get(baseKey{p.id, off}, content.cost); ok {
			c = base
			break
		}
		e, err := parseEntry(data, off)
		if err != nil {
			return c, err
		}
		if e.size > limit {
			return c, errBig
		}
		if !e.isDelta() {
			c.kind = e.kind
			if c.data, err = inflate(compressed(data, e), e.size); err != nil {
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
func (u unpacker) rebuild(p *pack, data []byte, c content, off int64, deltas []entry, limit int64) (content, error) {
	for i := len(deltas) - 1; i >= 0; i-- {
		u.bases.Put(baseKey{p.id, off}, c, c.cost())
		e := deltas[i]
		delta, err := inflate(compressed(data, e), e.size)
		if err != nil {
			return c, err
		}
		if c.data, err = applyDelta(c.data, delta, limit); err != nil {
			return c, err
		}
		off = e.off
	}
	return c, nil
}

// compressed returns the bytes of an entry, and those that follow it.
func compressed(pack []byte, e entry) []byte { return pack[e.data : len(pack)-hashSize] }

// baseOf returns where the base of a delta is. depth is how many deltas have
// been followed, which cannot be more than there are objects.
func (p *pack) baseOf(e entry, depth int) (int64, error) {
	if depth > p.idx.n {
		return 0, errChain
	}
	if e.kind == offsetDelta {
		return e.baseOff, nil
	}
	off, ok := p.find(&e.baseHash)
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
		e, err := parseEntry(data, off)
		if err != nil {
			return 0, 0, err
		}
		if depth == 1 {
			if size, err = resultSize(data, e); err != nil {
				return 0, 0, err
			}
		}
		if !e.isDelta() {
			return e.kind, size, nil
		}
		if off, err = p.baseOf(e, depth); err != nil {
			return 0, 0, err
		}
	}
}

// resultSize returns the size of the object of an entry.
func resultSize(data []byte, e entry) (int64, error) {
	if !e.isDelta() {
		return e.size, nil
	}
	var start [2 * 9]byte
	n, err := inflateStart(compressed(data, e), start[:])
	if err != nil {
		return 0, err
	}
	_, size, _, err := deltaSizes(start[:n])
	return size, err
}
