package dbtest

import (
	"strings"
	"sync"

	"github.com/datakit/datakit"
)

var txEndChecks = []check{
	{"CL36_AfterCommit", afterCommit},
	{"CL36_AfterAbort", afterAbort},
	{"CL35_Abort", abort},
	{"FS97_CommitOnlyOnce", commitOnlyOnce},
	{"FS97_EndedWhileInUse", endedWhileInUse},
}

// txCalls are all that can be done with a transaction, but for its end.
var txCalls = []struct {
	name string
	call func(e *env, tx *datakit.Tx) error
}{
	{"MkdirAll", func(e *env, tx *datakit.Tx) error { return tx.MkdirAll(e.ctx, "d/e") }},
	{"MkdirAll of the Root", func(e *env, tx *datakit.Tx) error { return tx.MkdirAll(e.ctx, datakit.Root) }},
	{"ReadAt", func(e *env, tx *datakit.Tx) error { return second(tx.ReadAt(e.ctx, "f", make([]byte, 1), 0)) }},
	{"Parents", func(e *env, tx *datakit.Tx) error { return second(tx.Parents(e.ctx)) }},
	{"SetParents", func(e *env, tx *datakit.Tx) error { return tx.SetParents(e.ctx, nil) }},
	{"Merge", func(e *env, tx *datakit.Tx) error { return second(tx.Merge(e.ctx, e.head("master"))) }},
	{"LastMerge", func(e *env, tx *datakit.Tx) error { return second(tx.LastMerge(e.ctx)) }},
	{"Conflicts", func(e *env, tx *datakit.Tx) error { return second(tx.Conflicts(e.ctx)) }},
	{"Diff", func(e *env, tx *datakit.Tx) error { return second(tx.Diff(e.ctx, e.head("master"))) }},
	{"Retarget", func(e *env, tx *datakit.Tx) error { return tx.Retarget(e.ctx, "other") }},
	{"Commit", func(e *env, tx *datakit.Tx) error { return tx.Commit(e.ctx, "m") }},
}

// everyCallFails reports a call on tx that does not fail with Closed.
func everyCallFails(e *env, tx *txn) {
	e.Helper()
	if !tx.Ended() {
		e.Error("Ended() = false")
	}
	for _, c := range txCalls {
		e.fails(c.name, c.call(e, tx.Tx), datakit.Closed)
	}
	for _, ed := range e.edits() {
		e.fails(ed.name, ed.call(e, tx.Tx, "f"), datakit.Closed)
	}
	for _, r := range treeReads {
		e.fails(r.name, r.call(e, &tx.Tree, "f"), datakit.Closed)
		e.fails(r.name+" of a Sub", r.call(e, tx.Sub("d"), "f"), datakit.Closed)
	}
	tx.Abort()
	tx.Abort()
}

func afterCommit(e *env) {
	tx := e.begin("master")
	tx.write("file", "x")
	tx.write("f", "y")
	tx.commit("m")
	h := e.head("master")
	everyCallFails(e, tx)
	e.wantHead("master", h)
}

func afterAbort(e *env) {
	h := e.put("master", files{"file": normal("x"), "f": normal("y")})
	tx := e.begin("master")
	tx.write("g", "z")
	tx.Abort()
	everyCallFails(e, tx)
	e.wantHead("master", h)
}

func abort(e *env) {
	e.put("master", files{"f": normal("x")})
	h := e.head("master")
	tx := e.begin("master")
	tx.write("big", strings.Repeat("content ", 100_000))
	tx.remove("f")
	tx.Abort()
	e.wantHead("master", h)
	e.wantFiles("master", e.tree("master"), files{"f": normal("x")})
}

func commitOnlyOnce(e *env) {
	tx := e.begin("master")
	tx.write("f", "x")
	errs := make([]error, 8)
	var wg sync.WaitGroup
	for i := range errs {
		wg.Go(func() { errs[i] = tx.Commit(e.ctx, "m") })
	}
	wg.Wait()
	succeeded := 0
	for _, err := range errs {
		if err == nil {
			succeeded++
		} else {
			e.fails("a second Commit", err, datakit.Closed)
		}
	}
	if succeeded != 1 {
		e.Errorf("%d Commits of one transaction succeed, want 1", succeeded)
	}
	e.same("parents of the head", e.parents(e.head("master")), []datakit.Hash{})
}

// endedWhileInUse: calls that meet the end of their transaction either happen
// before it or fail with Closed.
func endedWhileInUse(e *env) {
	for range 20 {
		tx := e.begin(e.fresh())
		tx.write("f", "x")
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				for {
					err := tx.WriteAt(e.ctx, "f", []byte("y"), 0)
					if err != nil {
						e.fails("WriteAt", err, datakit.Closed)
						return
					}
				}
			})
		}
		wg.Go(tx.Abort)
		wg.Wait()
	}
}
