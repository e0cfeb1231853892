package odb

import (
	"log/slog"
	"sync"
	"sync/atomic"

	"github.com/datakit/datakit"
)

// A packDir is the directory of packs of a repository, ours or an alternate.
type packDir struct {
	path string
	log  *slog.Logger

	mu     sync.RWMutex // guards these; held for moments only
	packs  map[string]*pack
	byHash *catalog        // of packs
	broken map[string]bool // packs whose index cannot be read
	closed bool

	changes atomic.Uint64 // of packs

	last atomic.Pointer[pack] // of byHash.list, where something was found last; not a reference

	scanMu sync.Mutex // held while the directory is read or packs are dropped; before mu
	stamp  dirStamp   // of the last scan; guarded by scanMu
}

// packed is where an object is.
type packed struct {
	p   *pack
	off int64
}

// newPackDir returns a packDir that has not been scanned.
func newPackDir(path string, log *slog.Logger) *packDir {
	return &packDir{path: path, log: log,
		packs: map[string]*pack{}, byHash: newCatalog(), broken: map[string]bool{}}
}

// find returns where an object is, with a reference to its pack.
func (d *packDir) find(h *datakit.Hash) (packed, bool) {
	for {
		d.mu.RLock()
		at, ok := d.byHash.table[*h]
		list := d.byHash.list
		if ok {
			at.p.refs.Add(1) // it has one, that of d, as long as d.mu is held
		}
		d.mu.RUnlock()
		if ok {
			return at, true
		}
		at, ok, current := d.search(list, h)
		if ok || current {
			return at, ok
		}
	}
}

// search looks into the packs of a list, first where the last search ended.
// current is false if some of them have been closed.
func (d *packDir) search(list []*pack, h *datakit.Hash) (at packed, ok, current bool) {
	last := d.last.Load()
	if last != nil && !last.acquire() {
		last = nil
	}
	if last != nil {
		if off, ok := last.find(h); ok {
			return packed{last, off}, true, true
		}
		last.release()
	}
	current = true
	for _, p := range list {
		if p == last {
			continue
		}
		if !p.acquire() {
			current = false
			continue
		}
		if off, ok := p.find(h); ok {
			d.last.Store(p)
			return packed{p, off}, true, true
		}
		p.release()
	}
	return at, false, current
}

// all returns every place where an object is, with references to the packs.
// It is for when the first one turns out to be damaged.
func (d *packDir) all(h *datakit.Hash) (places []packed) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	for _, p := range d.packs {
		if off, ok := p.find(h); ok {
			p.refs.Add(1)
			places = append(places, packed{p, off})
		}
	}
	return places
}

// add lists a pack, unless one of its name is listed. It takes over the
// caller's reference.
func (d *packDir) add(p *pack) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed || d.packs[p.name()] != nil {
		p.release()
		return
	}
	d.packs[p.name()] = p
	d.byHash.add(p)
	d.changes.Add(1)
}

// drop takes packs off the list.
func (d *packDir) drop(names []string) {
	gone := make(map[*pack]bool)
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, name := range names {
		delete(d.broken, name)
		if p := d.packs[name]; p != nil {
			delete(d.packs, name)
			gone[p] = true
			defer p.release() // when it can no longer be found
		}
	}
	d.byHash.drop(gone)
	d.changes.Add(1)
	d.last.Store(nil)
}

// close drops all packs. None will be listed again.
func (d *packDir) close() {
	d.mu.Lock()
	d.closed = true
	d.mu.Unlock()
	d.drop(d.names())
}
