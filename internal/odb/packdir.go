package odb

import (
	"cmp"
	"errors"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/datakit/datakit"
)

// Small packs share one table in memory, so that looking into a hundred of
// them takes the time of looking into one.
const (
	tablePack = 4 << 10  // objects of a small pack, at most
	tableSize = 64 << 10 // objects in the table, at most
)

// A packDir is the directory of packs of a repository, ours or an alternate.
type packDir struct {
	path string
	log  *slog.Logger

	mu     sync.RWMutex // guards these; held for moments only
	packs  map[string]*pack
	list   []*pack                 // those not in table, the largest first; replaced, never changed
	table  map[datakit.Hash]packed // the objects of the others
	broken map[string]bool         // those whose index cannot be read
	closed bool

	last atomic.Pointer[pack] // of list, where something was found last; not a reference

	scanMu sync.Mutex // held while the directory is read or packs are removed; before mu
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
		packs: map[string]*pack{}, table: map[datakit.Hash]packed{}, broken: map[string]bool{}}
}

// find returns where an object is, with a reference to its pack.
func (d *packDir) find(h *datakit.Hash) (packed, bool) {
	for {
		d.mu.RLock()
		at, ok := d.table[*h]
		list := d.list
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
	d.enter(p)
}

// enter makes the objects of a pack found. d.mu is held.
func (d *packDir) enter(p *pack) {
	if p.idx.n <= tablePack && len(d.table)+p.idx.n <= tableSize {
		if d.tabulate(p) == nil {
			return
		}
	}
	list := append(slices.Clip(d.list), p)
	slices.SortStableFunc(list, func(a, b *pack) int { return cmp.Compare(b.idx.n, a.idx.n) })
	d.list = list
}

// tabulate adds the objects of a pack to the table. d.mu is held.
func (d *packDir) tabulate(p *pack) error {
	return p.idxMap.guard(func() error {
		var h datakit.Hash
		for row := range p.idx.n {
			copy(h[:], p.idx.name(row))
			if _, ok := d.table[h]; !ok {
				d.table[h] = packed{p, p.idx.offset(row)}
			}
		}
		return nil
	})
}

// drop takes packs off the list.
func (d *packDir) drop(names []string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, name := range names {
		delete(d.broken, name)
		if p := d.packs[name]; p != nil {
			delete(d.packs, name)
			defer p.release() // when it can no longer be found
		}
	}
	d.table, d.list = make(map[datakit.Hash]packed), nil
	for _, p := range d.packs {
		d.enter(p)
	}
	d.last.Store(nil)
}

// close drops all packs. None will be listed again.
func (d *packDir) close() {
	d.mu.Lock()
	d.closed = true
	d.mu.Unlock()
	d.drop(d.names())
}

// damaged returns the name of an index that cannot be read, or "".
func (d *packDir) damaged() string {
	d.mu.RLock()
	defer d.mu.RUnlock()
	for name := range d.broken {
		return name
	}
	return ""
}

// rescan compares the list with the directory, if that has changed since, or
// always with force. changed is whether there are other packs now.
func (d *packDir) rescan(force bool) (changed bool, err error) {
	d.scanMu.Lock()
	defer d.scanMu.Unlock()
	stamp, err := stampOf(d.path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil // an alternate without packs
	}
	if err != nil || !force && stamp.same(d.stamp) {
		return false, err
	}
	listed := d.names()
	names, err := packNames(d.path)
	if err == nil && len(missing(listed, names)) > 0 {
		// What replaced them was there before they went, but a directory
		// that changes while it is read may show neither.
		names, err = packNames(d.path)
	}
	if err != nil {
		return false, err
	}
	d.stamp = stamp
	added := d.addNew(names)
	gone := missing(listed, names)
	if len(gone) > 0 {
		d.drop(gone)
	}
	return added || len(gone) > 0, nil
}

// names returns the packs that are known, readable or not.
func (d *packDir) names() []string {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return slices.AppendSeq(slices.Collect(maps.Keys(d.packs)), maps.Keys(d.broken))
}

// missing returns those of listed that are not among names.
func missing(listed []string, names map[string]bool) []string {
	return slices.DeleteFunc(slices.Clone(listed), func(name string) bool { return names[name] })
}

// addNew lists the packs that are not listed yet.
func (d *packDir) addNew(names map[string]bool) (added bool) {
	for name := range names {
		d.mu.RLock()
		known := d.packs[name] != nil
		d.mu.RUnlock()
		if known {
			continue
		}
		p, err := openPack(filepath.Join(d.path, name))
		if err == nil {
			d.add(p)
			added = true
		}
		d.remember(name, err)
	}
	return added
}

// remember keeps in mind which indexes cannot be read. One that has gone is
// none of them.
func (d *packDir) remember(name string, err error) {
	d.mu.Lock()
	known := d.broken[name]
	if err == nil || errors.Is(err, fs.ErrNotExist) {
		delete(d.broken, name)
	} else {
		d.broken[name] = true
	}
	d.mu.Unlock()
	if err != nil && !errors.Is(err, fs.ErrNotExist) && !known {
		d.log.Error("a pack cannot be read", "dir", d.path, "err", err)
	}
}

// packNames returns the names of packs with an index, without extensions.
func packNames(dir string) (map[string]bool, error) {
	f, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	files, err := f.Readdirnames(-1)
	if err != nil {
		return nil, err
	}
	names := make(map[string]bool)
	for _, file := range files {
		if name, ok := strings.CutSuffix(file, ".idx"); ok && strings.HasPrefix(name, "pack-") {
			names[name] = true
		}
	}
	return names, nil
}
