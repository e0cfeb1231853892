package hook

import (
	"sync"
	"time"

	"github.com/datakit/datakit/github"
)

// A queue holds events until they have been used.
type queue struct {
	wake chan struct{} // has a value after events were added

	mu     sync.Mutex         // guards what follows
	events []github.Delivered // never changed in place: Events lends it
	taken  int                // how many have left the queue since the start
}

func newQueue() *queue { return &queue{wake: make(chan struct{}, 1)} }

func (q *queue) add(ev github.Event, at time.Time) {
	q.mu.Lock()
	q.events = append(q.events, github.Delivered{Event: ev, At: at})
	q.mu.Unlock()
	select {
	case q.wake <- struct{}{}:
	default: // whoever is woken finds this event too
	}
}

// Events returns what is in the queue and a function that takes just that out,
// unless it has been taken out before.
func (q *queue) Events() (events []github.Delivered, done func()) {
	q.mu.Lock()
	defer q.mu.Unlock()
	n := len(q.events)
	events = q.events[:n:n]
	end := q.taken + n
	return events, func() {
		q.mu.Lock()
		defer q.mu.Unlock()
		if n := end - q.taken; n > 0 {
			q.events = append([]github.Delivered(nil), q.events[n:]...) // those that are used can go
			q.taken = end
		}
	}
}

// Wake returns the channel that tells of new events.
func (q *queue) Wake() <-chan struct{} { return q.wake }

// Len returns how many events wait.
func (q *queue) Len() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.events)
}

// A recent set remembers the last strings that were added to it.
type recent struct {
	known map[string]bool
	ring  []string // the oldest is at next, once the ring is full
	next  int
}

func newRecent(size int) *recent {
	return &recent{known: make(map[string]bool), ring: make([]string, 0, size)}
}

// add remembers s and reports whether it is new.
func (r *recent) add(s string) bool {
	if r.known[s] {
		return false
	}
	if len(r.ring) < cap(r.ring) {
		r.ring = append(r.ring, s)
	} else {
		delete(r.known, r.ring[r.next])
		r.ring[r.next] = s
		r.next = (r.next + 1) % len(r.ring)
	}
	r.known[s] = true
	return true
}
