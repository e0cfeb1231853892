package dbtest

import (
	"sync"

	"github.com/datakit/datakit"
)

var closeChecks = []check{
	{"CL10_CloseEndsWaits", closeEndsWaits},
	{"CL10_CloseEndsTransactions", closeEndsTransactions},
	{"CL10_CallsAfterClose", callsAfterClose},
	{"CL10_CloseBesideCalls", closeBesideCalls},
}

func closeEndsWaits(e *env) {
	e.put("master", files{"f": normal("x")})
	b := e.db.Branch("master")
	head, err := b.Watch(e.ctx)
	e.ok(err)
	path, err := b.WatchPath(e.ctx, "f")
	e.ok(err)
	log, err := b.Reflog(e.ctx)
	e.ok(err)
	e.next(head, e.head("master"))
	e.nextID(path, datakit.TreeID{Mode: datakit.Normal, Hash: blobHash("x")})
	c1, c2, c3 := nextInBackground(e.ctx, head), nextInBackground(e.ctx, path), nextInBackground(e.ctx, log)
	e.close()
	e.fails("the waiting Next of a head", second(receive(e, c1)), datakit.Closed)
	e.fails("the waiting Next of a path", second(receive(e, c2)), datakit.Closed)
	e.fails("the waiting Next of a reflog", second(receive(e, c3)), datakit.Closed)
	e.fails("Next of a head", second(head.Next(e.ctx)), datakit.Closed)
	for _, w := range []interface{ Close() error }{head, path, log} {
		e.ok(w.Close())
	}
}

func closeEndsTransactions(e *env) {
	e.put("master", files{"f": normal("x")})
	tx := e.begin("master")
	tx.write("g", "y")
	e.close()
	e.fails("Commit", tx.Commit(e.ctx, "m"), datakit.Closed)
	e.fails("WriteFile", tx.WriteFile(e.ctx, "h", nil), datakit.Closed)
	e.fails("Lookup", second(tx.Lookup(e.ctx, "f")), datakit.Closed)
	tx.Abort()
}

func callsAfterClose(e *env) {
	h := e.put("master", files{"f": normal("x")})
	b := e.db.Branch("master")
	e.close()
	for what, err := range map[string]error{
		"Begin":       second(b.Begin(e.ctx)),
		"FastForward": b.FastForward(e.ctx, h),
		"Remove":      b.Remove(e.ctx),
		"Rename":      b.Rename(e.ctx, "new"),
		"Watch":       second(b.Watch(e.ctx)),
		"WatchPath":   second(b.WatchPath(e.ctx, "f")),
		"Reflog":      second(b.Reflog(e.ctx)),
		"Head":        second(b.Head(e.ctx)),
		"Branches":    second(e.db.Branches(e.ctx)),
		"Update":      b.Update(e.ctx, "m", func(*datakit.Tx) error { return nil }),
	} {
		e.fails(what, err, datakit.Closed)
	}
}

// closeBesideCalls closes the database while it is used: each call succeeds or
// says that it is closed.
func closeBesideCalls(e *env) {
	e.put("master", files{"f": normal("x")})
	const writers = 4
	busy := make(chan struct{}, writers) // gets one value of each writer
	var wg sync.WaitGroup
	for i := range writers {
		wg.Go(func() {
			for n := 0; ; n++ {
				err := e.addFile("master", datakit.Path([]byte{'a' + byte(i)}))
				if n == 0 {
					busy <- struct{}{}
				}
				if err != nil {
					e.fails("Update", err, datakit.Closed)
					return
				}
			}
		})
	}
	for range writers {
		<-busy
	}
	e.close()
	wg.Wait()
}
