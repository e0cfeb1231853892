package dbtest

import (
	"context"
	"sync"

	"github.com/datakit/datakit"
)

var reflogChecks = []check{
	{"FS52_EveryHeadInOrder", everyHeadInOrder},
	{"FS52_NothingForStateAtCall", nothingForStateAtCall},
	{"FS52_Removal", reflogOfRemoval},
	{"FS52_Rename", reflogOfRename},
	{"FS52_NoChangeNoEntry", noChangeNoEntry},
	{"FS80_ConcurrentCommits", reflogOfConcurrentCommits},
	{"FS80_TenThousandHeads", tenThousandHeads},
	{"FS82_CancelledReflogLosesNothing", cancelledReflog},
	{"FS83_CloseReflog", closeReflog},
}

// reflog follows the heads of a branch until the check ends.
func (e *env) reflog(branch string) datakit.Watch[datakit.Hash] {
	e.Helper()
	w, err := e.db.Branch(branch).Reflog(e.ctx)
	return closing(e, w, err)
}

func everyHeadInOrder(e *env) {
	early := e.reflog("master")
	var heads []datakit.Hash
	for range 20 {
		heads = append(heads, e.change("master", func(*txn) {}))
	}
	late := e.reflog("master")
	for _, h := range heads {
		e.next(early, h)
	}
	c := nextInBackground(e.ctx, early)
	h := e.change("master", func(*txn) {})
	got, err := receive(e, c)
	e.ok(err)
	if got != h {
		e.Errorf("the waiting Next returns %v, want %v", got, h)
	}
	e.next(late, h)
}

func nothingForStateAtCall(e *env) {
	e.put("master", files{"f": normal("1")})
	w := e.reflog("master")
	e.put("other", files{"f": normal("1")})
	e.next(w, e.put("master", files{"f": normal("2")}))
}

func reflogOfRemoval(e *env) {
	w := e.reflog("master")
	h := e.put("master", files{"f": normal("1")})
	for range 2 {
		e.ok(e.db.Branch("master").Remove(e.ctx))
		e.ok(e.db.Branch("master").Remove(e.ctx)) // no change
		e.fork("master", h)
	}
	last := e.put("master", files{"f": normal("2")})
	for _, want := range []datakit.Hash{h, {}, h, {}, h, last} {
		e.next(w, want)
	}
}

func reflogOfRename(e *env) {
	h := e.put("old", files{"f": normal("1")})
	before, after := e.reflog("old"), e.reflog("new")
	e.ok(e.db.Branch("old").Rename(e.ctx, "new"))
	e.ok(e.db.Branch("new").Rename(e.ctx, "new")) // no change
	next := e.put("new", files{"f": normal("2")})
	again := e.put("old", files{"f": normal("3")})
	e.next(before, datakit.Hash{})
	e.next(before, again)
	e.next(after, h)
	e.next(after, next)
}

// noChangeNoEntry: what fails, or leaves the head where it is, is not there.
func noChangeNoEntry(e *env) {
	h := e.put("master", files{"f": normal("1")})
	w := e.reflog("master")
	b := e.db.Branch("master")
	e.ok(b.FastForward(e.ctx, h))
	e.fails("FastForward", b.FastForward(e.ctx, e.commitFiles(files{})), datakit.NotFastForward)
	tx := e.begin("master")
	tx.write("f", "mine")
	moved := e.put("master", files{"f": normal("2")})
	e.fails("Commit", tx.Commit(e.ctx, "m"), datakit.Conflict)
	tx.Abort()
	last := e.put("master", files{"f": normal("3")})
	e.next(w, moved)
	e.next(w, last)
}

// reflogOfConcurrentCommits: the heads make one history, whoever set them.
func reflogOfConcurrentCommits(e *env) {
	const writers, each = 8, 5
	w := e.reflog("master")
	var wg sync.WaitGroup
	for i := range writers {
		wg.Go(func() {
			for j := range each {
				path := datakit.Path(string(rune('a'+i)) + string(rune('a'+j)))
				if err := e.addFile("master", path); err != nil {
					e.Errorf("commit of %s: %v", path, err)
				}
			}
		})
	}
	wg.Wait()
	last := e.head("master")
	before := datakit.Hash{}
	for before != last {
		h, err := w.Next(e.ctx)
		e.ok(err)
		if !before.IsZero() && (h == before || !e.isAncestor(before, h)) {
			e.Errorf("head %v follows %v, which is not in its history", h, before)
		}
		before = h
	}
	if got := len(e.files(e.treeOf(last))); got != writers*each {
		e.Errorf("the last head has %d files, want %d", got, writers*each)
	}
	e.next(w, e.change("master", func(*txn) {}))
}

// addFile commits a new file. It may be called from any goroutine.
func (e *env) addFile(branch string, path datakit.Path) error {
	return e.db.Branch(branch).Update(e.ctx, "add "+string(path), func(tx *datakit.Tx) error {
		return tx.WriteFile(e.ctx, path, []byte(path))
	})
}

// tenThousandHeads: as many are kept for a reader that does not read, and no
// more.
func tenThousandHeads(e *env) {
	e.heavy()
	const kept = 10_000
	h := e.put("start", files{"f": normal("1")})
	slow, slower := e.reflog("master"), e.reflog("master")
	b := e.db.Branch("master")
	for range kept / 2 {
		e.ok(b.FastForward(e.ctx, h))
		e.ok(b.Remove(e.ctx))
	}
	for range kept / 2 {
		e.next(slow, h)
		e.next(slow, datakit.Hash{})
	}
	e.ok(b.FastForward(e.ctx, h))
	e.next(slow, h)
	for range 2 {
		_, err := slower.Next(e.ctx)
		e.fails("Next of a reader that is too slow", err, datakit.Overflow)
	}
	fresh := e.reflog("master")
	e.ok(b.Remove(e.ctx))
	e.next(fresh, datakit.Hash{})
}

func cancelledReflog(e *env) {
	w := e.reflog("master")
	ctx, cancel := context.WithCancel(e.ctx)
	c := nextInBackground(ctx, w)
	cancel()
	_, err := receive(e, c)
	e.isCancelled("the waiting Next", err)
	h1 := e.put("master", files{"f": normal("1")})
	h2 := e.put("master", files{"f": normal("2")})
	_, err = w.Next(ctx)
	e.isCancelled("Next with news", err)
	e.next(w, h1)
	_, err = w.Next(ctx)
	e.isCancelled("Next with more news", err)
	e.next(w, h2)
}

func closeReflog(e *env) {
	w := e.reflog("master")
	c := nextInBackground(e.ctx, w)
	e.ok(w.Close())
	_, err := receive(e, c)
	e.fails("the waiting Next", err, datakit.Closed)
	e.put("master", files{"f": normal("1")})
	_, err = w.Next(e.ctx)
	e.fails("Next after Close", err, datakit.Closed)
}
