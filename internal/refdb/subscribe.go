package refdb

import (
	"slices"
	"sync"

	"github.com/datakit/datakit"
)

// subscribers are the functions that are told of changes.
type subscribers struct {
	mu  sync.Mutex // guards all; never held while one is called
	all []*subscriber
}

type subscriber struct {
	f func(branch string, head datakit.Hash)
}

// Subscribe has f called for each change of a branch. It waits until all
// branches have been read once, so that it is known what a change is. A call
// that is being made may still run when the result returns.
func (db *DB) Subscribe(f func(branch string, head datakit.Hash)) (cancel func()) {
	<-db.loaded
	s := &subscriber{f}
	db.subs.mu.Lock()
	defer db.subs.mu.Unlock()
	db.subs.all = append(slices.Clip(db.subs.all), s)
	return func() { db.subs.remove(s) }
}

func (s *subscribers) remove(x *subscriber) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all = slices.DeleteFunc(slices.Clone(s.all), func(y *subscriber) bool { return x == y })
}

func (s *subscribers) clear() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all = nil
}

// tell tells all subscribers of moves. The caller holds DB.turn.
func (s *subscribers) tell(moves []move) {
	if len(moves) == 0 {
		return
	}
	s.mu.Lock()
	all := s.all
	s.mu.Unlock()
	for _, m := range moves {
		for _, sub := range all {
			sub.f(m.branch, m.head)
		}
	}
}
