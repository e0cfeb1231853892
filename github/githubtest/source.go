package githubtest

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/datakit/datakit/github"
)

// A Source tells the changes of a World, from those repositories that are
// watched, as webhooks would. Make one with NewSource. Its methods may be
// called from several goroutines at once.
type Source struct {
	world *World
	stop  func()

	mu      sync.Mutex // guards what follows; taken after the World's, if both are
	watched map[github.Repo]bool
	queue   []github.Delivered
	first   int // the number of the first in the queue, of all that were queued
	lose    func(Change) bool
	wake    chan struct{}
}

var _ github.Source = (*Source)(nil)

// NewSource returns a source that watches no repository yet.
func NewSource(w *World) *Source {
	s := &Source{world: w, watched: map[github.Repo]bool{}, wake: make(chan struct{}, 1)}
	s.stop = w.Listen(s.hear)
	return s
}

// Close ends the telling of changes.
func (s *Source) Close() { s.stop() }

// hear queues a change of a repository that is watched.
func (s *Source) hear(c Change) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.watched[c.Repo] && c.Kind != "ping" && (s.lose == nil || !s.lose(c)) {
		s.put(c.Event())
	}
}

// put queues an event. The lock is held.
func (s *Source) put(e github.Event) {
	s.queue = append(s.queue, github.Delivered{Event: e, At: time.Now()})
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// Queue adds events that did not come from the World, whether or not their
// repository is watched.
func (s *Source) Queue(events ...github.Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range events {
		s.put(e)
	}
}

// Lose makes the changes for which f is true get lost; nil ends that. f must
// not call the World or the Source.
func (s *Source) Lose(f func(Change) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lose = f
}

// Watched returns the repositories that are watched, in order.
func (s *Source) Watched() []github.Repo {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []github.Repo
	for r := range s.watched {
		list = append(list, r)
	}
	slices.SortFunc(list, github.Repo.Compare)
	return list
}

// Unhook has the webhook of a repository vanish, as if somebody had removed it.
func (s *Source) Unhook(r github.Repo) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.watched, r)
}

// Watch is part of github.Source. To the World it is a call
// github.OpCreateHook, also if the repository is watched.
func (s *Source) Watch(ctx context.Context, r github.Repo) error {
	return s.world.call(ctx, github.OpCreateHook, r, r, func(*repository) error {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.watched[r] = true
		return nil
	})
}

// Unwatch is part of github.Source. To the World it is a call
// github.OpDeleteHook.
func (s *Source) Unwatch(ctx context.Context, r github.Repo) error {
	return s.world.call(ctx, github.OpDeleteHook, r, r, func(*repository) error {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.watched, r)
		return nil
	})
}

// Events is part of github.Source.
func (s *Source) Events() (events []github.Delivered, done func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	end := s.first + len(s.queue)
	return slices.Clone(s.queue), func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if n := end - s.first; n > 0 {
			s.queue, s.first = s.queue[n:], end
		}
	}
}

// Wake is part of github.Source.
func (s *Source) Wake() <-chan struct{} { return s.wake }
