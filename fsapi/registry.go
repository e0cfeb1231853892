package fsapi

import (
	"iter"
	"weak"
)

// A registry finds by name the objects that clients still hold, without
// holding them itself. It takes no more room than twice what they hold, and
// some. The zero registry is empty. The caller guards it.
type registry[T any] struct {
	m     map[string]weak.Pointer[T]
	sweep int // the size at which what is gone is removed
}

// minSweep keeps small registries from being swept all the time.
const minSweep = 16

// lookup returns the object of that name, or nil.
func (r *registry[T]) lookup(name string) *T { return r.m[name].Value() }

// put gives the name to v, whoever had it.
func (r *registry[T]) put(name string, v *T) {
	if len(r.m) >= max(r.sweep, minSweep) {
		for n, p := range r.m {
			if p.Value() == nil {
				delete(r.m, n)
			}
		}
		r.sweep = 2 * len(r.m)
	}
	if r.m == nil {
		r.m = make(map[string]weak.Pointer[T])
	}
	r.m[name] = weak.Make(v)
}

// drop makes v be found no more, unless another has its name.
func (r *registry[T]) drop(name string, v *T) {
	if r.m[name].Value() == v {
		delete(r.m, name)
	}
}

// all yields the objects.
func (r *registry[T]) all() iter.Seq[*T] {
	return func(yield func(*T) bool) {
		for _, p := range r.m {
			if v := p.Value(); v != nil && !yield(v) {
				return
			}
		}
	}
}
