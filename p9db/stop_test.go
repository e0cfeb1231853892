package p9db_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/p9"
	"github.com/datakit/datakit/p9db"
)

// followAll makes a watch of each kind for each of n branches and sends to seen
// what ends it, or nil when it has seen its branch at the given round.
func followAll(t *testing.T, db *datakit.DB, n int) (seen chan error) {
	t.Helper()
	seen = make(chan error, 2*n)
	var wg sync.WaitGroup
	t.Cleanup(wg.Wait)
	ctx := t.Context() // is done before the cleanup
	for i := range n {
		b := db.Branch(fmt.Sprint("b", i))
		heads := must[datakit.Watch[datakit.Hash]](t)(b.Watch(ctx))
		files := must[datakit.Watch[datakit.Entry]](t)(b.WatchPath(ctx, "f"))
		wg.Go(func() { tellAll(ctx, heads, seen) })
		wg.Go(func() { tellAll(ctx, files, seen) })
	}
	return seen
}

func tellAll[T any](ctx context.Context, w datakit.Watch[T], seen chan<- error) {
	defer w.Close()
	for ctx.Err() == nil {
		_, err := w.Next(ctx)
		if ctx.Err() != nil {
			return
		}
		seen <- err
		if err != nil {
			return
		}
	}
}

// A busy database has fetches that take longer than anybody waits.
type busy struct {
	datakit.Driver
	begun chan struct{} // gets one for each fetch
}

func (d busy) Fetch(ctx context.Context, _, _ string) (datakit.Hash, error) {
	d.begun <- struct{}{}
	<-ctx.Done()
	return datakit.Hash{}, ctx.Err()
}

// newBusyServer returns a server that needs all of its time to stop.
func newBusyServer(t *testing.T) (s *server, begun chan struct{}) {
	s = newServer(t)
	s.stop()
	begun = make(chan struct{}, 100)
	s.db, s.grace = datakit.New(busy{s.db.Driver(), begun}), 30*time.Millisecond
	s.start()
	return s, begun
}

// TestReconnecting_WatchesOutliveStops stops a server in good order, again and
// again, while many watches wait.
func TestReconnecting_WatchesOutliveStops(t *testing.T) {
	t.Parallel()
	const branches = 20
	s, begun := newBusyServer(t)
	db, states := s.connect()
	go db.Fetch(t.Context(), "url", "branch") // which is begun again with each connection
	seen := followAll(t, db, branches)
	wait := func(round int) {
		for range 2 * branches {
			if err := <-seen; err != nil {
				t.Fatalf("round %d: a watch has ended: %v", round, err)
			}
		}
	}
	wait(0)
	for round := range 5 {
		<-begun
		s.restart(states)
		for i := range branches {
			err := s.db.Branch(fmt.Sprint("b", i)).Update(t.Context(), "m", func(tx *datakit.Tx) error {
				return tx.WriteFile(t.Context(), "f", fmt.Append(nil, round))
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		wait(round + 1)
	}
}

// TestCL11_StoppedServer waits at a server that is stopped in good order.
func TestCL11_StoppedServer(t *testing.T) {
	t.Parallel()
	s, begun := newBusyServer(t)
	db := must[*datakit.DB](t)(p9db.Dial(t.Context(), "unix", s.path, nil))
	defer db.Close()
	w := must[datakit.Watch[datakit.Hash]](t)(db.Branch("master").Watch(t.Context()))
	defer w.Close()
	must[datakit.Hash](t)(w.Next(t.Context()))
	ended := make(chan error, 1)
	go func() { _, err := w.Next(t.Context()); ended <- err }()
	go db.Fetch(t.Context(), "url", "branch")
	<-begun
	s.stop()
	if err := <-ended; !errors.Is(err, p9.ErrConnection) || !errors.Is(err, datakit.IO) {
		t.Errorf("error %v, want %v, of kind %v", err, p9.ErrConnection, datakit.IO)
	}
}

// An interrupting database ends its waits as a server does that answers what
// waits before it stops.
type interrupting struct {
	datakit.Driver
	end <-chan struct{}
}

func (d interrupting) WatchHead(ctx context.Context, branch string) (datakit.Watch[datakit.Hash], error) {
	w, err := d.Driver.WatchHead(ctx, branch)
	return interruptingWatch{w, d.end}, err
}

type interruptingWatch struct {
	datakit.Watch[datakit.Hash]
	end <-chan struct{}
}

func (w interruptingWatch) Next(ctx context.Context) (datakit.Hash, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		select {
		case <-w.end:
			cancel()
		case <-ctx.Done():
		}
	}()
	return w.Watch.Next(ctx)
}

func TestReconnecting_InterruptedWatchGoesOn(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	end := make(chan struct{})
	s.stop()
	own := s.db
	s.db = datakit.New(interrupting{own.Driver(), end})
	s.start()
	db, states := s.connect()
	w := must[datakit.Watch[datakit.Hash]](t)(db.Branch("master").Watch(t.Context()))
	defer w.Close()
	must[datakit.Hash](t)(w.Next(t.Context()))
	next := make(chan error, 1)
	go func() { _, err := w.Next(t.Context()); next <- err }()
	close(end)
	s.stop()
	for err := range states {
		if err != nil {
			break
		}
	}
	s.db = own
	s.start()
	write(t, own, "f", "1")
	if err := <-next; err != nil {
		t.Errorf("the watch has ended: %v", err)
	}
}

// TestCL11_StoppedServerOfNothing follows what cannot exist, of which there is
// nothing at the server.
func TestCL11_StoppedServerOfNothing(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	db := must[*datakit.DB](t)(p9db.Dial(t.Context(), "unix", s.path, nil))
	defer db.Close()
	own, states := s.connect()
	watch := func(db *datakit.DB) datakit.Watch[datakit.Entry] {
		w := must[datakit.Watch[datakit.Entry]](t)(db.Branch("master").WatchPath(t.Context(), ".git/x"))
		t.Cleanup(func() { w.Close() })
		must[datakit.Entry](t)(w.Next(t.Context()))
		return w
	}
	w, lasting := watch(db), watch(own)
	ended := make(chan error, 1)
	go func() { _, err := w.Next(t.Context()); ended <- err }()
	ctx, cancel := context.WithCancel(t.Context())
	goesOn := make(chan error, 1)
	go func() { _, err := lasting.Next(ctx); goesOn <- err }()
	s.restart(states)
	if err := <-ended; !errors.Is(err, p9.ErrConnection) || !errors.Is(err, datakit.IO) {
		t.Errorf("error %v, want %v, of kind %v", err, p9.ErrConnection, datakit.IO)
	}
	cancel()
	if err := <-goesOn; !errors.Is(err, context.Canceled) {
		t.Errorf("the watch of a reconnecting database has ended: %v", err)
	}
}
