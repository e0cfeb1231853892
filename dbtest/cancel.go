package dbtest

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/datakit/datakit"
)

var cancelChecks = []check{
	{"CL8_CancelledCalls", cancelledCalls},
	{"CL8_CancelledReads", cancelledReads},
	{"CL8_CancelledEdits", cancelledEdits},
	{"CL8_CancelledCommit", cancelledCommit},
	{"CL8_CancelWhileCommitting", cancelWhileCommitting},
	{"CL8_DeadlineExceeded", deadlineExceeded},
	{"CL8_CancelledBlob", cancelledBlob},
}

// with returns e with another context.
func (e *env) with(ctx context.Context) *env {
	other := *e
	other.ctx = ctx
	return &other
}

// cancelled returns e with a context that is done.
func (e *env) cancelled() *env {
	ctx, cancel := context.WithCancel(e.ctx)
	cancel()
	return e.with(ctx)
}

// cancelledCalls: with a context that is done every call of the database and
// of branches returns its error and has no effect.
func cancelledCalls(e *env) {
	h := e.put("master", sample)
	next := e.commitFiles(files{"f": normal("x")}, h)
	names, err := e.db.Branches(e.ctx)
	e.ok(err)
	b := e.db.Branch("master")
	c := e.commitOf(h)
	never := func(*datakit.Tx) error { e.Error("a function is called"); return errOwn }
	ctx := e.cancelled().ctx
	for what, err := range map[string]error{
		"Branches":           second(e.db.Branches(ctx)),
		"DB.Commit":          second(e.db.Commit(ctx, h)),
		"DB.Tree":            second(e.db.Tree(ctx, datakit.TreeID{Mode: datakit.Dir, Hash: treeHash(sample)})),
		"DB.Diff":            second(e.db.Diff(ctx, h, next)),
		"Fetch":              second(e.db.Fetch(ctx, "/nowhere", "master")),
		"Commit.Tree":        second(c.Tree(ctx)),
		"Commit.Diff":        second(c.Diff(ctx, next)),
		"Head":               second(b.Head(ctx)),
		"Branch.Tree":        second(b.Tree(ctx)),
		"Branch.Diff":        second(b.Diff(ctx, next)),
		"FastForward":        b.FastForward(ctx, next),
		"Remove":             b.Remove(ctx),
		"Rename":             b.Rename(ctx, "renamed"),
		"Begin":              second(b.Begin(ctx)),
		"Update":             b.Update(ctx, "m", never),
		"With":               b.With(ctx, never),
		"Watch":              second(b.Watch(ctx)),
		"WatchPath":          second(b.WatchPath(ctx, "file")),
		"Reflog":             second(b.Reflog(ctx)),
		"FastForward of new": e.db.Branch("new").FastForward(ctx, h),
	} {
		e.isCancelled(what, err)
	}
	e.wantHead("master", h)
	e.wantBranches(names...)
}

func cancelledReads(e *env) {
	onTrees(e, func(t *datakit.Tree) {
		for _, r := range treeReads {
			for _, path := range []datakit.Path{"file", "src", "bin/to", "absent", datakit.Root} {
				e.isCancelled(r.name+" of "+string(path), r.call(e.cancelled(), t, path))
			}
		}
	})
}

func cancelledEdits(e *env) {
	h := e.put("master", sample)
	other := e.put("other", files{"f": normal("x")})
	tx := e.begin("master")
	tx.put(files{"new": normal("n")})
	want := files{"new": normal("n")}
	for path, f := range sample {
		want[path] = f
	}
	done := e.cancelled()
	for _, ed := range e.edits() {
		for _, path := range []datakit.Path{"file", "new", "absent"} {
			if path == "absent" && !ed.creates || ed.name == "Mkdir" && path != "absent" {
				continue // which fails anyway
			}
			e.isCancelled(ed.name+" "+string(path), ed.call(done, tx.Tx, path))
		}
	}
	for what, err := range map[string]error{
		"MkdirAll":   tx.MkdirAll(done.ctx, "a/b/c"),
		"SetParents": tx.SetParents(done.ctx, nil),
		"Merge":      second(tx.Merge(done.ctx, other)),
		"Retarget":   tx.Retarget(done.ctx, "elsewhere"),
		"Parents":    second(tx.Parents(done.ctx)),
		"LastMerge":  second(tx.LastMerge(done.ctx)),
		"Conflicts":  second(tx.Conflicts(done.ctx)),
		"Diff":       second(tx.Diff(done.ctx, other)),
	} {
		e.isCancelled(what, err)
	}
	tx.wantFiles(want)
	e.same("parents", tx.parents(), []datakit.Hash{h})
	tx.commit("m")
	e.wantFiles("master", e.tree("master"), want)
	e.wantBranches("master", "other")
}

func cancelledCommit(e *env) {
	h := e.put("master", files{"f": normal("x")})
	tx := e.begin("master")
	tx.write("f", "y")
	for range 2 {
		e.isCancelled("Commit", tx.Commit(e.cancelled().ctx, "m"))
		if tx.Ended() {
			e.Fatal("the cancelled Commit has ended the transaction")
		}
		e.wantHead("master", h)
	}
	tx.wantFiles(files{"f": normal("y")})
	tx.commit("m")
	e.wantFiles("master", e.tree("master"), files{"f": normal("y")})
}

// cancelWhileCommitting: a commit that is cancelled under way has happened or
// has not. If it says that it has, it has.
func cancelWhileCommitting(e *env) {
	for range rounds {
		branch := e.fresh()
		tx := e.begin(branch)
		tx.write("f", "x")
		ctx, cancel := context.WithCancel(e.ctx)
		errs := race(
			func() error { return tx.Commit(ctx, "m") },
			func() error { cancel(); return nil },
		)
		if err := errs[0]; err == nil {
			e.wantFiles(branch, e.tree(branch), files{"f": normal("x")})
		} else {
			e.isCancelled("Commit", err)
			e.isWholeOrNothing(branch)
		}
		tx.Abort()
	}
}

// isWholeOrNothing reports a branch that has anything but f, if it has a head.
func (e *env) isWholeOrNothing(branch string) {
	e.Helper()
	if !e.head(branch).IsZero() {
		e.wantFiles(branch, e.tree(branch), files{"f": normal("x")})
	}
}

func deadlineExceeded(e *env) {
	ctx, cancel := context.WithDeadline(e.ctx, time.Unix(0, 0))
	defer cancel()
	w := e.watch("master")
	e.next(w, datakit.Hash{})
	for what, err := range map[string]error{
		"Head": second(e.db.Branch("master").Head(ctx)),
		"Next": second(w.Next(ctx)),
	} {
		if !errors.Is(err, context.DeadlineExceeded) {
			e.Errorf("%s: error %v, want %v", what, err, context.DeadlineExceeded)
		}
	}
}

func cancelledBlob(e *env) {
	e.put("master", files{"f": normal(strings.Repeat("content ", 1000))})
	tx := e.begin("master")
	tx.write("g", "new")
	done := e.cancelled()
	for _, b := range []datakit.Blob{e.open(e.tree("master"), "f"), e.open(&tx.Tree, "g"), e.open(&tx.Tree, "f")} {
		p := make([]byte, 3)
		_, err := b.ReadAt(done.ctx, p, 0)
		e.isCancelled("ReadAt", err)
		_, err = datakit.NewReader(done.ctx, b).Read(p)
		e.isCancelled("Read", err)
		if n, err := b.ReadAt(e.ctx, p, 0); n != len(p) || err != nil && n < len(p) {
			e.Errorf("ReadAt afterwards: %d, %v", n, err)
		}
	}
}
