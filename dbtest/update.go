package dbtest

import (
	"context"
	"errors"

	"github.com/datakit/datakit"
)

var updateChecks = []check{
	{"CL119_Update", update},
	{"CL119_UpdateMerges", updateMerges},
	{"CL119_UpdateTriesAgain", updateTriesAgain},
	{"CL119_UpdateGivesUp", updateGivesUp},
	{"CL119_UpdateOfFailingFunction", updateOfFailingFunction},
	{"CL119_UpdateOfFunctionThatConflicts", updateOfFunctionThatConflicts},
	{"CL118_UpdatePanics", updatePanics},
	{"CL37_WithCommits", withCommits},
	{"CL37_WithAborts", withAborts},
	{"CL37_WithNeither", withNeither},
	{"CL37_WithFails", withFails},
	{"CL118_WithPanics", withPanics},
	{"CL37_UpdateCancelled", updateCancelled},
}

var errOwn = errors.New("the function's own error")

func update(e *env) {
	var kept *datakit.Tx
	e.ok(e.db.Branch("master").Update(e.ctx, "the message", func(tx *datakit.Tx) error {
		kept = tx
		return tx.WriteFile(e.ctx, "f", []byte("x"))
	}))
	if got := e.commitOf(e.head("master")).Message; got != "the message" {
		e.Errorf("the message is %q, want %q", got, "the message")
	}
	e.wantFiles("master", e.tree("master"), files{"f": normal("x")})
	if !kept.Ended() {
		e.Error("the transaction has not ended")
	}
}

// countTries runs Update with a function that changes file f, while the branch
// moves under it in each of the first moves tries.
func countTries(e *env, moves int, path datakit.Path) (tries int, err error) {
	err = e.db.Branch("master").Update(e.ctx, "m", func(tx *datakit.Tx) error {
		tries++
		if tries <= moves {
			e.put("master", files{path: normal("moved" + string(rune('0'+tries)))})
		}
		return tx.WriteFile(e.ctx, "f", []byte("mine"))
	})
	return tries, err
}

func updateMerges(e *env) {
	e.put("master", files{"f": normal("base")})
	tries, err := countTries(e, 1, "other")
	e.ok(err)
	if tries != 1 {
		e.Errorf("the function runs %d times for a change that merges, want 1", tries)
	}
	e.wantFiles("master", e.tree("master"), files{"f": normal("mine"), "other": normal("moved1")})
}

func updateTriesAgain(e *env) {
	for moves := range 5 {
		tries, err := countTries(e, moves, "f")
		e.ok(err)
		if tries != moves+1 {
			e.Errorf("the function runs %d times with %d conflicts, want %d", tries, moves, moves+1)
		}
		e.wantFiles("master", e.tree("master"), files{"f": normal("mine")})
		e.put("master", files{"f": normal("base")})
	}
}

func updateGivesUp(e *env) {
	e.put("master", files{"f": normal("base")})
	tries, err := countTries(e, 100, "f")
	e.wantConflict(err, datakit.MergeConflict{Path: "f", Reason: changedOnBoth})
	if tries != 5 {
		e.Errorf("the function runs %d times, want 5", tries)
	}
	e.wantFiles("master", e.tree("master"), files{"f": normal("moved5")})
}

func updateOfFailingFunction(e *env) {
	tries := 0
	var kept *datakit.Tx
	err := e.db.Branch("master").Update(e.ctx, "m", func(tx *datakit.Tx) error {
		kept, tries = tx, tries+1
		e.ok(tx.WriteFile(e.ctx, "f", nil))
		return errOwn
	})
	if err != errOwn || tries != 1 {
		e.Errorf("Update returns %v after %d tries, want %v after 1", err, tries, errOwn)
	}
	if !kept.Ended() {
		e.Error("the transaction has not ended")
	}
	e.wantBranches()
}

// updateOfFunctionThatConflicts: a conflict that the function itself reports
// is its failure, and nothing that another try would mend.
func updateOfFunctionThatConflicts(e *env) {
	tries := 0
	err := e.db.Branch("master").Update(e.ctx, "m", func(tx *datakit.Tx) error {
		tries++
		return datakit.Conflict
	})
	if err != datakit.Conflict || tries != 1 {
		e.Errorf("Update returns %v after %d tries, want the function's own error after 1", err, tries)
	}
}

// panics runs f and returns what it panics with.
func panics(f func()) (v any) {
	defer func() { v = recover() }()
	f()
	return nil
}

func updatePanics(e *env) {
	var kept *datakit.Tx
	v := panics(func() {
		e.db.Branch("master").Update(e.ctx, "m", func(tx *datakit.Tx) error {
			kept = tx
			e.ok(tx.WriteFile(e.ctx, "f", nil))
			panic(errOwn)
		})
	})
	if v != errOwn || !kept.Ended() {
		e.Errorf("Update panics with %v, want %v; the transaction has ended: %v", v, errOwn, kept.Ended())
	}
	e.wantBranches()
}

func withCommits(e *env) {
	b := e.db.Branch("master")
	e.ok(b.With(e.ctx, func(tx *datakit.Tx) error {
		e.ok(tx.WriteFile(e.ctx, "f", []byte("x")))
		return tx.Commit(e.ctx, "m")
	}))
	e.wantFiles("master", e.tree("master"), files{"f": normal("x")})
	err := b.With(e.ctx, func(tx *datakit.Tx) error {
		e.ok(tx.WriteFile(e.ctx, "f", []byte("y")))
		e.ok(tx.Commit(e.ctx, "m"))
		return errOwn
	})
	if err != errOwn {
		e.Errorf("With returns %v, want %v", err, errOwn)
	}
	e.wantFiles("master", e.tree("master"), files{"f": normal("y")})
}

func withAborts(e *env) {
	e.ok(e.db.Branch("master").With(e.ctx, func(tx *datakit.Tx) error {
		e.ok(tx.WriteFile(e.ctx, "f", nil))
		tx.Abort()
		return nil
	}))
	e.wantBranches()
}

func withNeither(e *env) {
	var kept *datakit.Tx
	err := e.db.Branch("master").With(e.ctx, func(tx *datakit.Tx) error {
		kept = tx
		return tx.WriteFile(e.ctx, "f", nil)
	})
	e.fails("With a function that does not end its transaction", err, datakit.Invalid)
	if !kept.Ended() {
		e.Error("the transaction has not ended")
	}
	e.wantBranches()
}

func withFails(e *env) {
	var kept *datakit.Tx
	err := e.db.Branch("master").With(e.ctx, func(tx *datakit.Tx) error {
		kept = tx
		e.ok(tx.WriteFile(e.ctx, "f", nil))
		return errOwn
	})
	if err != errOwn || !kept.Ended() {
		e.Errorf("With returns %v, want %v; the transaction has ended: %v", err, errOwn, kept.Ended())
	}
	e.wantBranches()
}

func withPanics(e *env) {
	var kept *datakit.Tx
	v := panics(func() {
		e.db.Branch("master").With(e.ctx, func(tx *datakit.Tx) error {
			kept = tx
			panic(errOwn)
		})
	})
	if v != errOwn || !kept.Ended() {
		e.Errorf("With panics with %v, want %v; the transaction has ended: %v", v, errOwn, kept.Ended())
	}
}

// updateCancelled: a context that ends while the function runs ends Update,
// and nothing is committed.
func updateCancelled(e *env) {
	ctx, cancel := context.WithCancel(e.ctx)
	err := e.db.Branch("master").Update(ctx, "m", func(tx *datakit.Tx) error {
		e.ok(tx.WriteFile(e.ctx, "f", nil))
		cancel()
		return nil
	})
	e.isCancelled("Update", err)
	e.wantBranches()
}
