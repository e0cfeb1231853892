package dbtest

import (
	"errors"
	"fmt"

	"github.com/datakit/datakit"
)

var raceChecks = []check{
	{"FS214_TwoRenames", twoRenames},
	{"FS214_RenameAndRemove", renameAndRemove},
	{"FS214_RenamesOfDirectory", renamesOfDirectory},
	{"FS214_BranchRenames", branchRenames},
	{"FS214_BranchRenameAndCommit", branchRenameAndCommit},
	{"FS32_FastForwardRace", fastForwardRace},
	{"FS47_RemoveBesideCommits", removeBesideCommits},
	{"FS29_NameConflictRace", nameConflictRace},
	{"FS128_ConflictingCommits", conflictingCommits},
}

// rounds is how often a race is run, to meet more than one order.
const rounds = 30

// race runs the calls at the same time and returns their errors.
func race(calls ...func() error) []error {
	errs := make([]error, len(calls))
	atOnce(len(calls), func(i int) { errs[i] = calls[i]() })
	return errs
}

// winners returns which calls succeeded, and reports errors of other kinds
// than lose.
func winners(e *env, errs []error, lose datakit.Kind) (won []int) {
	e.Helper()
	for i, err := range errs {
		if err == nil {
			won = append(won, i)
		} else {
			e.fails("the call that came too late", err, lose)
		}
	}
	return won
}

func twoRenames(e *env) {
	for range rounds {
		tx := e.begin("master")
		tx.write("f", "x")
		won := winners(e, race(
			func() error { return tx.Rename(e.ctx, "f", "a") },
			func() error { return tx.Rename(e.ctx, "f", "b") },
			func() error { return tx.Rename(e.ctx, "f", "c") },
		), datakit.NotExist)
		if len(won) != 1 {
			e.Fatalf("%d renames of one file succeed, want 1", len(won))
		}
		to := []datakit.Path{"a", "b", "c"}[won[0]]
		tx.wantFiles(files{to: normal("x")})
		tx.Abort()
	}
}

func renameAndRemove(e *env) {
	for range rounds {
		tx := e.begin("master")
		tx.write("f", "x")
		won := winners(e, race(
			func() error { return tx.Rename(e.ctx, "f", "g") },
			func() error { return tx.Remove(e.ctx, "f") },
		), datakit.NotExist)
		switch {
		case len(won) != 1:
			e.Fatalf("%d of a rename and a removal succeed, want 1", len(won))
		case won[0] == 0:
			tx.wantFiles(files{"g": normal("x")})
		default:
			tx.wantFiles(files{})
		}
		tx.Abort()
	}
}

// renamesOfDirectory moves a directory while its files change. Each change is
// there or failed, and nothing is there twice.
func renamesOfDirectory(e *env) {
	e.put("master", files{"d/e/f": normal("x"), "d/g": normal("y")})
	for range rounds {
		tx := e.begin("master")
		errs := race(
			func() error { return tx.Rename(e.ctx, "d", "moved") },
			func() error { return tx.WriteFile(e.ctx, "d/e/f", []byte("changed")) },
			func() error { return tx.Rename(e.ctx, "d/g", "g") },
		)
		e.ok(errs[0])
		winners(e, errs, datakit.NotExist)
		want := files{"moved/e/f": normal("x"), "moved/g": normal("y")}
		if errs[1] == nil {
			want["moved/e/f"] = normal("changed")
		}
		if errs[2] == nil {
			delete(want, "moved/g")
			want["g"] = normal("y")
		}
		tx.wantFiles(want)
		tx.Abort()
	}
}

func branchRenames(e *env) {
	for i := range rounds {
		from, a, b := fmt.Sprint("from", i), fmt.Sprint("a", i), fmt.Sprint("b", i)
		h := e.put(from, files{"f": normal("x")})
		won := winners(e, race(
			func() error { return e.db.Branch(from).Rename(e.ctx, a) },
			func() error { return e.db.Branch(from).Rename(e.ctx, b) },
		), datakit.NotExist)
		if len(won) != 1 {
			e.Fatalf("%d renames of one branch succeed, want 1", len(won))
		}
		names := []string{a, b}
		e.wantHead(names[won[0]], h)
		e.wantHead(names[1-won[0]], datakit.Hash{})
		e.wantHead(from, datakit.Hash{})
	}
}

// branchRenameAndCommit: an update of the branch goes along or makes the old
// name again; it is not lost.
func branchRenameAndCommit(e *env) {
	for i := range rounds {
		from, to := fmt.Sprint("from", i), fmt.Sprint("to", i)
		e.put(from, files{"f": normal("x")})
		tx := e.begin(from)
		tx.write("g", "y")
		errs := race(
			func() error { return e.db.Branch(from).Rename(e.ctx, to) },
			func() error { return tx.Commit(e.ctx, "m") },
		)
		e.ok(errs[0])
		e.ok(errs[1])
		want := files{"f": normal("x"), "g": normal("y")}
		if e.head(from).IsZero() {
			e.wantFiles(to, e.tree(to), want)
		} else {
			e.wantFiles(from, e.tree(from), want)
			e.wantFiles(to, e.tree(to), files{"f": normal("x")})
		}
	}
}

// fastForwardRace: of two siblings only one can become the head.
func fastForwardRace(e *env) {
	base := e.commitFiles(files{"f": normal("0")})
	a := e.commitFiles(files{"f": normal("1")}, base)
	b := e.commitFiles(files{"f": normal("2")}, base)
	for range rounds {
		branch := e.branchOf(base)
		won := winners(e, race(
			func() error { return e.db.Branch(branch).FastForward(e.ctx, a) },
			func() error { return e.db.Branch(branch).FastForward(e.ctx, b) },
		), datakit.NotFastForward)
		if len(won) != 1 {
			e.Fatalf("%d fast-forwards to siblings succeed, want 1", len(won))
		}
		e.wantHead(branch, []datakit.Hash{a, b}[won[0]])
	}
}

// removeBesideCommits: no commit fails because its branch goes away, and the
// reflog tells of every removal that took effect.
func removeBesideCommits(e *env) {
	const writers = 4
	log := e.reflog("master")
	atOnce(writers+1, func(i int) {
		for j := range 10 {
			err := error(nil)
			if i == writers {
				err = e.db.Branch("master").Remove(e.ctx)
			} else {
				err = e.addFile("master", datakit.Path(fmt.Sprintf("%d-%d", i, j)))
			}
			if err != nil {
				e.Errorf("beside removals: %v", err)
			}
		}
	})
	last := e.change("master", func(*txn) {})
	before := datakit.Hash{}
	for before != last {
		h, err := log.Next(e.ctx)
		e.ok(err)
		if h == before {
			e.Fatalf("the reflog has head %v twice in a row", h)
		}
		if !before.IsZero() && !h.IsZero() && !e.isAncestor(before, h) {
			e.Fatalf("head %v follows %v, which is not in its history", h, before)
		}
		before = h
	}
}

func nameConflictRace(e *env) {
	h := e.commitFiles(files{"f": normal("x")})
	for i := range rounds {
		names := []string{fmt.Sprint("x", i), fmt.Sprint("x", i, "/y")}
		won := winners(e, race(
			func() error { return e.db.Branch(names[0]).FastForward(e.ctx, h) },
			func() error { return e.db.Branch(names[1]).FastForward(e.ctx, h) },
		), datakit.Exist)
		if len(won) != 1 {
			e.Fatalf("%d of the branches %q are made, want 1", len(won), names)
		}
		e.wantHead(names[won[0]], h)
		e.wantHead(names[1-won[0]], datakit.Hash{})
	}
}

// conflictingCommits: of transactions that write the same file differently
// exactly one is committed, and the others stay open.
func conflictingCommits(e *env) {
	for range rounds {
		branch := e.fresh()
		var txs []*txn
		for i := range 4 {
			tx := e.begin(branch)
			tx.write("f", fmt.Sprint(i))
			txs = append(txs, tx)
		}
		errs := make([]error, len(txs))
		atOnce(len(txs), func(i int) { errs[i] = txs[i].Commit(e.ctx, "m") })
		won := winners(e, errs, datakit.Conflict)
		if len(won) != 1 {
			e.Fatalf("%d conflicting commits succeed, want 1", len(won))
		}
		e.wantFiles(branch, e.tree(branch), files{"f": normal(fmt.Sprint(won[0]))})
		for i, tx := range txs {
			if tx.Ended() != (errs[i] == nil) {
				e.Errorf("transaction %d has ended: %v, after %v", i, tx.Ended(), errs[i])
			}
			var m *datakit.MergeError
			if errs[i] != nil && !errors.As(errs[i], &m) {
				e.Errorf("the error %v has no MergeError", errs[i])
			}
			tx.Abort()
		}
	}
}
