package hook

import (
	"slices"
	"sync"
	"time"

	"github.com/datakit/datakit/github"
)

// maxEvents is how many events wait at most, beside one for each repository.
// They wait for long only while the database is away.
const maxEvents = 2000

// A queue holds events until they have been used.
type queue struct {
	wake chan struct{} // has a value after events were added

	mu     sync.Mutex // guards what follows
	events []queued
	added  int // how many there were since the start
}

// A queued event has a number, later ones higher ones.
type queued struct {
	number int
	github.Delivered
}

func newQueue() *queue { return &queue{wake: make(chan struct{}, 1)} }

// add queues an event. If there are too many, it and those of the same
// repository are lost, which a github.EventsLost in their place tells.
func (q *queue) add(ev github.Event, at time.Time) (lost bool) {
	q.mu.Lock()
	if lost = len(q.events) >= maxEvents; lost {
		r := ev.Repository()
		q.events = slices.DeleteFunc(q.events, func(d queued) bool { return d.Event.Repository() == r })
		ev = github.EventsLost{Repo: r}
	}
	q.added++
	q.events = append(q.events, queued{q.added, github.Delivered{Event: ev, At: at}})
	q.mu.Unlock()
	select {
	case q.wake <- struct{}{}:
	default: // whoever is woken finds this event too
	}
	return lost
}

// Events returns what is in the queue and a function that takes just that out,
// unless it has been taken out before.
func (q *queue) Events() (events []github.Delivered, done func()) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, d := range q.events {
		events = append(events, d.Delivered)
	}
	last := q.added
	return events, func() {
		q.mu.Lock()
		defer q.mu.Unlock()
		q.events = slices.DeleteFunc(q.events, func(d queued) bool { return d.number <= last })
		if len(q.events) == 0 {
			q.events = nil // a long queue may go
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
