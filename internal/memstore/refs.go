package memstore

import (
	"context"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/internal/store"
)

var _ store.Refs = (*Refs)(nil)

// Refs is a store.Refs in memory. What refuses a name of Git's kind, so does
// it: "a" and "a/b" cannot both be branches. After Close every method fails
// with Closed.
type Refs struct {
	mu     sync.RWMutex
	heads  map[string]datakit.Hash // nil once closed
	locked map[string]bool         // by Prepared that have not ended; true if to be created
	subs   []*subscriber           // in the order they came
}

type subscriber struct {
	f func(branch string, head datakit.Hash)
}

// NewRefs returns a store without branches.
func NewRefs() *Refs {
	return &Refs{heads: map[string]datakit.Hash{}, locked: map[string]bool{}}
}

func (r *Refs) check(op string) error {
	if r.heads == nil {
		return &datakit.Error{Op: op, Kind: datakit.Closed}
	}
	return nil
}

// Branches implements store.Refs.
func (r *Refs) Branches(ctx context.Context) ([]string, error) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if err := r.check("list branches"); err != nil {
		return nil, err
	}
	return slices.Sorted(maps.Keys(r.heads)), nil
}

// Head implements store.Refs.
func (r *Refs) Head(ctx context.Context, branch string) (datakit.Hash, error) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.heads[branch], r.check("read head")
}

// Subscribe implements store.Refs.
func (r *Refs) Subscribe(f func(branch string, head datakit.Hash)) (cancel func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.heads == nil {
		return func() {}
	}
	s := &subscriber{f}
	r.subs = append(r.subs, s)
	return func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.subs = slices.DeleteFunc(r.subs, func(o *subscriber) bool { return o == s })
	}
}

// Close implements store.Refs.
func (r *Refs) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.heads, r.subs = nil, nil
	return nil
}

// Prepare implements store.Refs.
func (r *Refs) Prepare(ctx context.Context, updates []store.Update) store.Prepared {
	r.mu.Lock()
	defer r.mu.Unlock()
	p := &prepared{refs: r, updates: slices.Clone(updates), errs: make([]error, len(updates))}
	for i, u := range p.updates {
		if p.errs[i] = r.refusal(ctx, u); p.errs[i] == nil {
			r.locked[u.Branch] = !u.New.IsZero()
		}
	}
	return p
}

// refusal returns why an update cannot be made now, or nil.
func (r *Refs) refusal(ctx context.Context, u store.Update) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := r.check("update branch"); err != nil {
		return err
	}
	if _, ok := r.locked[u.Branch]; ok {
		return datakit.Locked
	}
	now, exists := r.heads[u.Branch]
	if now != u.Old {
		return &store.MovedError{Branch: u.Branch, Now: now}
	}
	if exists || u.New.IsZero() {
		return nil
	}
	if other, found := r.conflict(u.Branch); found {
		return &datakit.Error{Op: "create branch", Subject: u.Branch, Kind: datakit.Exist,
			Err: &datakit.BranchConflictError{Other: other}}
	}
	return nil
}

// conflict returns a branch, there already or about to be, that cannot be
// together with a new one called name.
func (r *Refs) conflict(name string) (other string, found bool) {
	for b := range r.heads {
		if clash(name, b) && (!found || b < other) {
			other, found = b, true
		}
	}
	for b, coming := range r.locked {
		if coming && clash(name, b) && (!found || b < other) {
			other, found = b, true
		}
	}
	return other, found
}

// clash reports whether one name would be a directory of the other.
func clash(a, b string) bool {
	return strings.HasPrefix(a, b+"/") || strings.HasPrefix(b, a+"/")
}

// prepared holds the branches of its updates locked until it ends.
type prepared struct {
	refs    *Refs
	updates []store.Update
	errs    []error // one for each update
}

// Errs implements store.Prepared.
func (p *prepared) Errs() []error { return slices.Clone(p.errs) }

// Apply implements store.Prepared.
func (p *prepared) Apply() []error {
	r := p.refs
	r.mu.Lock()
	defer r.mu.Unlock()
	errs := slices.Clone(p.errs)
	for i, u := range p.updates {
		if errs[i] != nil {
			continue
		}
		delete(r.locked, u.Branch)
		if errs[i] = r.check("update branch"); errs[i] == nil {
			r.set(u)
		}
	}
	return errs
}

// set makes an update and tells the subscribers, under the lock, which keeps
// the order the same for all of them.
func (r *Refs) set(u store.Update) {
	if u.New == u.Old {
		return
	}
	if u.New.IsZero() {
		delete(r.heads, u.Branch)
	} else {
		r.heads[u.Branch] = u.New
	}
	for _, s := range r.subs {
		s.f(u.Branch, u.New)
	}
}

// Abort implements store.Prepared.
func (p *prepared) Abort() {
	p.refs.mu.Lock()
	defer p.refs.mu.Unlock()
	for i, u := range p.updates {
		if p.errs[i] == nil {
			delete(p.refs.locked, u.Branch)
		}
	}
}
