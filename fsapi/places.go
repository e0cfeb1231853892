package fsapi

import (
	"context"
	"sync"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/vfs"
)

// Clients identify entries of rw, not names: what they hold follows its entry
// when that is renamed, and is gone when it is removed. A transaction of the
// database knows only paths. So places keep track of the entries that clients
// hold, and of the directories above them.
type places struct {
	t    *transaction
	root *place

	// mu guards the fields of all places. To change them takes the turn of
	// the transaction as well, so either is enough to read them.
	mu    sync.Mutex
	moves uint64 // how often a place got another path
}

// A place is where an entry is that clients hold.
type place struct {
	of   *places
	dir  bool // of a directory; never changes
	up   *place
	name string
	gone bool // implies that what is below is gone

	below registry[place]

	// What was found out last, so that deep places need not go up to the root.
	// The turn guards the path, and mu alone the hash.
	knownPath datakit.Path
	pathAt    uint64 // 1 + places.moves when it was found out
	knownHash uint64
	hashIn    uint64
	hashAt    uint64 // 1 + places.moves when it was found out
}

func (ps *places) init(t *transaction) {
	ps.t = t
	ps.root = &place{of: ps, dir: true, name: "rw"}
}

// path returns the present path of the entry. The caller has the turn.
func (p *place) path() datakit.Path {
	if p.up == nil {
		return datakit.Root
	}
	if now := p.of.moves + 1; p.pathAt != now {
		p.knownPath, p.pathAt = p.up.path().Join(datakit.Path(p.name)), now
	}
	return p.knownPath
}

// hash returns the path that goes into the qid of the entry, where that of the
// transaction is in. The caller holds mu.
func (p *place) hash(in uint64) uint64 {
	if now := p.of.moves + 1; p.hashAt != now || p.hashIn != in {
		up := in
		if p.up != nil {
			up = p.up.hash(in)
		}
		p.knownHash, p.hashIn, p.hashAt = vfs.ChildPath(up, p.name, p.dir), in, now
	}
	return p.knownHash
}

// hashNow is hash for callers that have the turn.
func (p *place) hashNow(in uint64) uint64 {
	p.of.mu.Lock()
	defer p.of.mu.Unlock()
	return p.hash(in)
}

// child returns the place of the entry name in p, which is a directory or not.
// The caller has the turn.
func (p *place) child(name string, dir bool) *place {
	p.of.mu.Lock()
	defer p.of.mu.Unlock()
	if c := p.below.lookup(name); c != nil {
		if c.dir == dir {
			return c
		}
		c.vanish()
	}
	c := &place{of: p.of, dir: dir, up: p, name: name}
	p.below.put(name, c)
	return c
}

// node returns what clients see of a place.
func (p *place) node() vfs.Node {
	if p.dir {
		return rwDir{p}
	}
	return rwFile{p}
}

// vanish marks the place, and all below it, as gone. The caller holds mu.
func (p *place) vanish() {
	p.gone = true
	if p.up != nil {
		p.up.below.drop(p.name, p)
	}
	for c := range p.below.all() {
		c.vanish()
	}
}

// removed notes that the entry was removed. The caller has the turn.
func (p *place) removed() {
	p.of.mu.Lock()
	defer p.of.mu.Unlock()
	p.vanish()
}

// moved notes that the entry was renamed. What had the name is gone. The
// caller has the turn.
func (p *place) moved(up *place, name string) {
	p.of.mu.Lock()
	defer p.of.mu.Unlock()
	if old := up.below.lookup(name); old != nil {
		old.vanish()
	}
	p.up.below.drop(p.name, p)
	p.up, p.name = up, name
	p.of.moves++
	up.below.put(name, p)
}

// reconcile marks as gone what a merge has removed, or made a directory or
// something else. What cannot be read stays, and fails when it is used: the
// merge is made. The caller has the turn.
func (p *place) reconcile(ctx context.Context) {
	for c := range p.below.all() {
		mode, err := p.of.t.tx.Mode(ctx, c.path())
		switch {
		case err != nil:
		case mode == datakit.Absent || (mode == datakit.Dir) != c.dir:
			c.removed()
		default:
			c.reconcile(ctx)
		}
	}
}

// do runs f, in turn, with the present path of the entry, unless that is gone.
func (p *place) do(ctx context.Context, f func(tx *datakit.Tx, path datakit.Path) error) error {
	t := p.of.t
	if err := t.take(ctx); err != nil {
		return err
	}
	defer t.turns.Give()
	if p.gone {
		return vfs.ErrNotExist
	}
	return f(t.tx, p.path())
}

// qid returns the qid of the entry e at p.
func (p *place) qid(ctx context.Context, e datakit.Entry) (vfs.Qid, error) {
	in, err := p.of.t.Qid(ctx)
	if err != nil {
		return vfs.Qid{}, err
	}
	p.of.mu.Lock()
	defer p.of.mu.Unlock()
	return entryQid(e, p.hash(in.Path)), nil
}

// stat describes the entry e at p.
func (p *place) stat(ctx context.Context, e datakit.Entry) (vfs.Stat, error) {
	q, err := p.qid(ctx, e)
	if err != nil {
		return vfs.Stat{}, err
	}
	changed := e.Changed
	if changed.IsZero() {
		changed = p.of.t.date
	}
	p.of.mu.Lock()
	defer p.of.mu.Unlock()
	return vfs.Stat{Qid: q, Name: p.name, Perm: entryPerm(e.Mode), Size: uint64(e.Size), ModTime: changed}, nil
}

// rename moves the entry to a name in dir, or in its own directory if dir is
// nil.
func (p *place) rename(ctx context.Context, dir vfs.Dir, name string) error {
	return p.do(ctx, func(tx *datakit.Tx, from datakit.Path) error {
		to := p.up
		if dir != nil {
			d, ok := dir.(rwDir)
			if !ok || d.of != p.of {
				return vfs.ErrCrossDevice
			}
			to = d.place
		}
		if err := checkName(name); err != nil {
			return err
		}
		if to.gone {
			return vfs.ErrNotExist
		}
		if to == p.up && name == p.name {
			return nil
		}
		path := to.path().Join(datakit.Path(name))
		if p.dir && path.Within(from) {
			return vfs.BadName(name)
		}
		if err := tx.Rename(ctx, from, path); err != nil {
			return wireError(err)
		}
		p.moved(to, name)
		return nil
	})
}
