package dbtest

import (
	"context"
	"errors"

	"github.com/datakit/datakit"
)

var watchChecks = []check{
	{"FS51_CL45_WatchHead", watchHead},
	{"FS78_FirstIsStateAtCall", firstIsStateAtCall},
	{"FS78_ChangedBackDeliversNothing", changedBackDeliversNothing},
	{"FS78_IntermediateHeadsAreSkipped", intermediateHeadsAreSkipped},
	{"CL50_WatchOfRemovedBranch", watchOfRemovedBranch},
	{"FS49_WatchOfRenamedBranch", watchOfRenamedBranch},
	{"FS73_WatchesAreIndependent", watchesAreIndependent},
	{"FS82_CancelledNextLosesNothing", cancelledNextLosesNothing},
	{"FS83_CL48_CloseEndsNext", closeEndsNext},
	{"FS83_NextAfterClose", nextAfterClose},
	{"FS83_WatchOutlivesItsContext", watchOutlivesContext},
	{"FS210_ManyWatches", manyWatches},
	{"CL47_WatcherSeesFinalState", watcherSeesFinalState},
}

// watch follows the head of a branch until the check ends.
func (e *env) watch(branch string) datakit.Watch[datakit.Hash] {
	e.Helper()
	w, err := e.db.Branch(branch).Watch(e.ctx)
	return closing(e, w, err)
}

// closing closes a watch at the end of the check.
func closing[T any](e *env, w datakit.Watch[T], err error) datakit.Watch[T] {
	e.Helper()
	e.ok(err)
	e.Cleanup(func() {
		if err := w.Close(); err != nil {
			e.Errorf("closing a watch: %v", err)
		}
	})
	return w
}

// next reports a next value other than want.
func (e *env) next(w datakit.Watch[datakit.Hash], want datakit.Hash) {
	e.Helper()
	got, err := w.Next(e.ctx)
	e.ok(err)
	if got != want {
		e.Errorf("Next returns %v, want %v", got, want)
	}
}

// A result is what a call returned that was made in the background.
type result[T any] struct {
	value T
	err   error
}

// nextInBackground calls Next, which may wait. The result can be received once.
func nextInBackground[T any](ctx context.Context, w datakit.Watch[T]) <-chan result[T] {
	c := make(chan result[T], 1)
	go func() {
		v, err := w.Next(ctx)
		c <- result[T]{v, err}
	}()
	return c
}

// receive waits for a result.
func receive[T any](e *env, c <-chan result[T]) (T, error) {
	e.Helper()
	select {
	case r := <-c:
		return r.value, r.err
	case <-e.ctx.Done():
		e.Fatal("Next does not return")
		panic("unreachable")
	}
}

func watchHead(e *env) {
	w := e.watch("master")
	e.next(w, datakit.Hash{})
	for _, content := range []string{"1", "2", "3"} {
		e.next(w, e.put("master", files{"f": normal(content)}))
	}
	e.put("other", files{"f": normal("x")})
	e.ok(e.db.Branch("master").FastForward(e.ctx, e.head("master"))) // no change
	e.next(w, e.put("master", files{"f": normal("4")}))
	side := e.commitFiles(files{"f": normal("5")}, e.head("master"))
	e.ok(e.db.Branch("master").FastForward(e.ctx, side))
	e.next(w, side)
}

// waitingNext starts a Next that has nothing to return yet, and changes the
// branch then.
func waitingNext(e *env, w datakit.Watch[datakit.Hash]) {
	c := nextInBackground(e.ctx, w)
	h := e.change("master", func(*txn) {})
	got, err := receive(e, c)
	e.ok(err)
	if got != h {
		e.Errorf("the waiting Next returns %v, want %v", got, h)
	}
}

// firstIsStateAtCall: the first value is that of the time of the call, also if
// nobody asked for it before it changed.
func firstIsStateAtCall(e *env) {
	w0 := e.watch("master")
	h1 := e.put("master", files{"f": normal("1")})
	w1 := e.watch("master")
	h2 := e.put("master", files{"f": normal("2")})
	w2 := e.watch("master")
	for _, tt := range []struct {
		w     datakit.Watch[datakit.Hash]
		first datakit.Hash
	}{{w0, datakit.Hash{}}, {w1, h1}} {
		e.next(tt.w, tt.first)
		e.next(tt.w, h2)
	}
	e.next(w2, h2)
	waitingNext(e, w2)
}

func changedBackDeliversNothing(e *env) {
	h := e.put("master", files{"f": normal("1")})
	w := e.watch("master")
	e.next(w, h)
	e.ok(e.db.Branch("master").Remove(e.ctx))
	e.fork("master", h)
	waitingNext(e, w)
}

func intermediateHeadsAreSkipped(e *env) {
	w := e.watch("master")
	e.next(w, datakit.Hash{})
	var last datakit.Hash
	for range 10 {
		last = e.change("master", func(*txn) {})
	}
	e.next(w, last)
	waitingNext(e, w)
}

func watchOfRemovedBranch(e *env) {
	h := e.put("master", files{"f": normal("1")})
	w := e.watch("master")
	e.next(w, h)
	e.ok(e.db.Branch("master").Remove(e.ctx))
	e.next(w, datakit.Hash{})
	e.fork("master", h)
	e.next(w, h)
}

func watchOfRenamedBranch(e *env) {
	h := e.put("old", files{"f": normal("1")})
	before, after := e.watch("old"), e.watch("new")
	e.next(before, h)
	e.next(after, datakit.Hash{})
	e.ok(e.db.Branch("old").Rename(e.ctx, "new"))
	e.next(before, datakit.Hash{})
	e.next(after, h)
}

func watchesAreIndependent(e *env) {
	b := e.db.Branch("master")
	w1, err := b.Watch(e.ctx)
	e.ok(err)
	w2, w3 := e.watch("master"), e.watch("master")
	e.next(w1, datakit.Hash{})
	h1 := e.put("master", files{"f": normal("1")})
	e.next(w1, h1)
	e.next(w2, datakit.Hash{})
	e.ok(w1.Close())
	e.next(w2, h1)
	h2 := e.put("master", files{"f": normal("2")})
	e.next(w3, datakit.Hash{})
	e.next(w3, h2)
	e.next(w2, h2)
}

// cancelledNextLosesNothing ends waits by their context, before and while
// there is news.
func cancelledNextLosesNothing(e *env) {
	w := e.watch("master")
	cancelled, cancel := context.WithCancel(e.ctx)
	cancel()
	_, err := w.Next(cancelled)
	e.isCancelled("Next", err)
	e.next(w, datakit.Hash{}) // the first value is still there

	ctx, cancel := context.WithCancel(e.ctx)
	c := nextInBackground(ctx, w)
	cancel()
	_, err = receive(e, c)
	e.isCancelled("the waiting Next", err)
	h := e.put("master", files{"f": normal("1")})
	_, err = w.Next(cancelled)
	e.isCancelled("Next with news", err)
	e.next(w, h)
	waitingNext(e, w)
}

// isCancelled reports an error that is not that of a cancelled context.
func (e *env) isCancelled(what string, err error) {
	e.Helper()
	if !errors.Is(err, context.Canceled) {
		e.Errorf("%s: error %v, want %v", what, err, context.Canceled)
	}
}

func closeEndsNext(e *env) {
	w := e.watch("master")
	e.next(w, datakit.Hash{})
	c := nextInBackground(e.ctx, w)
	e.ok(w.Close())
	_, err := receive(e, c)
	e.fails("the waiting Next", err, datakit.Closed)
}

func nextAfterClose(e *env) {
	w := e.watch("master") // with a value that was never asked for
	e.put("master", files{"f": normal("1")})
	for range 2 {
		e.ok(w.Close())
		_, err := w.Next(e.ctx)
		e.fails("Next", err, datakit.Closed)
	}
}

// watchOutlivesContext: the context of the call that makes a watch is not that
// of the watch.
func watchOutlivesContext(e *env) {
	ctx, cancel := context.WithCancel(e.ctx)
	b := e.db.Branch("master")
	head, err := b.Watch(ctx)
	head = closing(e, head, err)
	path, err := b.WatchPath(ctx, "f")
	path = closing(e, path, err)
	log, err := b.Reflog(ctx)
	log = closing(e, log, err)
	e.next(head, datakit.Hash{})
	e.nextID(path, datakit.TreeID{})
	cancel()
	h := e.put("master", files{"f": normal("1")})
	e.next(head, h)
	e.next(log, h)
	e.nextID(path, datakit.TreeID{Mode: datakit.Normal, Hash: blobHash("1")})
}

// manyWatches opens and closes watches without end. That they leave no
// goroutine is seen when all checks are done.
func manyWatches(e *env) {
	n := e.sized(10_000, 200)
	h := e.put("master", files{"d/f": normal("1")})
	b := e.db.Branch("master")
	for range n {
		w, err := b.Watch(e.ctx)
		e.ok(err)
		e.next(w, h)
		e.ok(w.Close())
		p, err := b.WatchPath(e.ctx, "d/f")
		e.ok(err)
		e.ok(p.Close())
		r, err := b.Reflog(e.ctx)
		e.ok(err)
		e.ok(r.Close())
	}
	e.put("master", files{"d/f": normal("2")})
}

// watcherSeesFinalState has commits race with watchers that are always
// waiting. Each watcher ends with the last head, and sees none of them twice.
func watcherSeesFinalState(e *env) {
	const commits = 50
	const watchers = 4
	done := make(chan error, watchers)
	for range watchers {
		w := e.watch("master")
		go func() { done <- followTo(e, w, commits) }()
	}
	for i := range commits {
		e.change("master", func(tx *txn) { tx.write("count", string(rune(i+1))) })
	}
	for range watchers {
		e.ok(<-done)
	}
}

// followTo follows w until the head has the number last in its file count.
func followTo(e *env, w datakit.Watch[datakit.Hash], last int) error {
	number := -1
	for number != last {
		h, err := w.Next(e.ctx)
		if err != nil {
			return err
		}
		now := 0
		if !h.IsZero() {
			c, err := e.db.Commit(e.ctx, h)
			if err != nil {
				return err
			}
			t, err := c.Tree(e.ctx)
			if err != nil {
				return err
			}
			data, err := t.ReadFile(e.ctx, "count")
			if err != nil {
				return err
			}
			now = int([]rune(string(data))[0])
		}
		if now <= number {
			return errors.New("a watcher sees a head that is not newer than the one before")
		}
		number = now
	}
	return nil
}
