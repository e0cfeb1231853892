package dbtest

import (
	"context"

	"github.com/datakit/datakit"
)

var branchWatcherChecks = []check{
	{"FS190_WatchBranches", watchBranches},
	{"FS190_CancelAndClose", endWatchBranches},
}

// watchAll follows all branches, if the database can.
func (e *env) watchAll() datakit.Watch[[]string] {
	e.Helper()
	d, ok := e.db.Driver().(datakit.BranchWatcher)
	if !ok {
		e.Skip("the database cannot watch all branches")
	}
	w, err := d.WatchBranches(e.ctx)
	return closing(e, w, err)
}

// nextBranches reports next names other than want.
func (e *env) nextBranches(w datakit.Watch[[]string], want ...string) {
	e.Helper()
	got, err := w.Next(e.ctx)
	e.ok(err)
	e.same("changed branches", got, want)
}

func watchBranches(e *env) {
	e.put("before", files{"f": normal("1")})
	w := e.watchAll()
	c := nextInBackground(e.ctx, w)
	h := e.put("b", files{"f": normal("1")})
	got, err := receive(e, c)
	e.ok(err)
	e.same("changed branches", got, []string{"b"})
	e.put("c", files{"f": normal("1")})
	e.put("a/x", files{"f": normal("1")})
	e.put("c", files{"f": normal("2")})
	e.nextBranches(w, "a/x", "c")
	e.ok(e.db.Branch("c").Remove(e.ctx))
	e.nextBranches(w, "c")
	e.ok(e.db.Branch("b").Rename(e.ctx, "d"))
	e.ok(e.db.Branch("d").FastForward(e.ctx, h)) // no change
	e.nextBranches(w, "b", "d")
}

func endWatchBranches(e *env) {
	w := e.watchAll()
	ctx, cancel := context.WithCancel(e.ctx)
	c := nextInBackground(ctx, w)
	cancel()
	_, err := receive(e, c)
	e.isCancelled("the waiting Next", err)
	e.put("a", files{"f": normal("1")})
	_, err = w.Next(ctx)
	e.isCancelled("Next with news", err)
	e.nextBranches(w, "a")
	c = nextInBackground(e.ctx, w)
	e.ok(w.Close())
	_, err = receive(e, c)
	e.fails("the waiting Next", err, datakit.Closed)
}
