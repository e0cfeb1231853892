package dbtest

import (
	"errors"
	"time"

	"github.com/datakit/datakit"
)

var publishChecks = []check{
	{"FS119_UnchangedContents", commitUnchanged},
	{"FST20_CommitMergesMovedHead", commitMergesMovedHead},
	{"CLT4_CommitWithMoreParents", commitWithMoreParents},
	{"FS119_HeadIsAncestor", commitOverAncestor},
	{"FS119_HeadStays", commitBehindHead},
	{"FS119_NoCommonAncestor", commitWithoutCommonAncestor},
	{"FS119_OnNewBranchMadeMeanwhile", commitOnBranchMadeMeanwhile},
	{"FS121_CL34_FailedCommitStaysOpen", failedCommitStaysOpen},
	{"FS121_MergeNewHeadAndResolve", mergeNewHeadAndResolve},
	{"FS122_ConflictListsPaths", conflictListsPaths},
	{"FS128_SameChangeOnBothSides", sameChangeOnBothSides},
	{"FS120_HeadIsVisibleAfterCommit", visibleAfterCommit},
	{"CL39_ManyTransactions", manyTransactions},
}

func commitUnchanged(e *env) {
	h := e.put("master", files{"f": normal("x")})
	again := e.change("master", func(*txn) {})
	if again == h {
		e.Error("a commit without a change is not made")
	}
	e.same("parents", e.parents(again), []datakit.Hash{h})
	e.wantFiles("master", e.treeOf(again), files{"f": normal("x")})
}

func commitMergesMovedHead(e *env) {
	first := e.put("master", files{"from_start": normal("s")})
	outer, inner := e.begin("master"), e.begin("master")
	inner.write("from_inner", "i")
	inner.commit("From inner")
	innerHead := e.head("master")
	outer.write("from_outer", "o")
	outer.wantFiles(files{"from_start": normal("s"), "from_outer": normal("o")})
	outer.commit("From outer")
	e.wantMerge("master", innerHead, "From outer", first)
	e.wantFiles("master", e.tree("master"), files{
		"from_start": normal("s"), "from_inner": normal("i"), "from_outer": normal("o"),
	})
}

// wantMerge reports a head of branch that is not the merge that a commit
// makes: of the head before, and of the transaction's commit with the given
// message and parents.
func (e *env) wantMerge(branch string, before datakit.Hash, msg string, parents ...datakit.Hash) {
	e.Helper()
	c := e.commitOf(e.head(branch))
	if c.Message != "Merge" || len(c.Parents) != 2 || c.Parents[0] != before {
		e.Fatalf("the head has message %q and parents %v, want %q and first parent %v of two", c.Message, c.Parents, "Merge", before)
	}
	own := e.commitOf(c.Parents[1])
	if own.Message != msg {
		e.Errorf("the second parent has the message %q, want %q", own.Message, msg)
	}
	e.same("parents of the second parent", own.Parents, parents)
}

func commitWithMoreParents(e *env) {
	dev := e.put("dev", files{"from_dev": normal("d")})
	e.put("master", files{"start": normal("s")})
	t1 := e.begin("master")
	t2 := e.begin("master")
	t2.write("from_inner", "i")
	t2.commit("From inner")
	seen := e.head("master")
	t1.write("from_outer", "o")
	p := t1.parents()
	if len(p) != 1 {
		e.Fatalf("the transaction has the parents %v, want one", p)
	}
	e.ok(t1.SetParents(e.ctx, []datakit.Hash{p[0], dev}))
	t1.commit("From outer")
	e.wantMerge("master", seen, "From outer", p[0], dev)
}

// commitOverAncestor: a head in the commit's own history needs no merge.
func commitOverAncestor(e *env) {
	h := e.put("master", files{"f": normal("1")})
	tx := e.begin("master")
	moved := e.put("master", files{"f": normal("2")})
	between := e.commitFiles(files{"g": normal("g")}, moved)
	e.ok(tx.SetParents(e.ctx, []datakit.Hash{h, between}))
	tx.commit("over it")
	e.same("parents", e.parents(e.head("master")), []datakit.Hash{h, between})
	e.wantFiles("master", e.tree("master"), files{"f": normal("1")})
}

// commitBehindHead: two transactions that make the same commit, which is
// possible where time stands still.
func commitBehindHead(e *env) {
	e = e.at(time.Unix(1500000000, 0))
	e.put("master", files{"f": normal("1")})
	first, second, third := e.begin("master"), e.begin("master"), e.begin("master")
	for _, tx := range []*txn{first, second, third} {
		tx.write("f", "2")
	}
	first.commit("the same")
	h := e.head("master")
	second.commit("the same")
	e.wantHead("master", h)
	next := e.put("master", files{"f": normal("3")})
	third.commit("the same")
	e.wantHead("master", next)
}

func commitWithoutCommonAncestor(e *env) {
	h := e.put("master", files{"f": normal("x"), "same": normal("s")})
	tx := e.begin("master")
	tx.put(files{"f": absent, "g": executable("y")})
	e.ok(tx.SetParents(e.ctx, nil))
	tx.commit("an orphan")
	e.wantMerge("master", h, "an orphan")
	e.wantFiles("master", e.tree("master"), files{"f": normal("x"), "g": executable("y"), "same": normal("s")})

	clash := e.begin("master")
	clash.write("f", "other")
	e.ok(clash.SetParents(e.ctx, nil))
	e.wantConflict(clash.Commit(e.ctx, "m"), datakit.MergeConflict{Path: "f", Reason: addAdd})
}

func commitOnBranchMadeMeanwhile(e *env) {
	a, b := e.begin("master"), e.begin("master")
	a.write("a", "1")
	b.write("b", "2")
	a.commit("a")
	h := e.head("master")
	b.commit("b")
	e.wantMerge("master", h, "b")
	e.wantFiles("master", e.tree("master"), files{"a": normal("1"), "b": normal("2")})
}

// wantConflict reports an error that is not a Conflict at exactly these paths.
func (e *env) wantConflict(err error, want ...datakit.MergeConflict) {
	e.Helper()
	e.fails("Commit", err, datakit.Conflict)
	var m *datakit.MergeError
	if !errors.As(err, &m) {
		e.Errorf("Commit: error %v has no MergeError", err)
		return
	}
	e.same("conflicts of the commit", m.Conflicts, want)
}

func failedCommitStaysOpen(e *env) {
	first := e.put("master", files{"f": normal("base")})
	tx := e.begin("master")
	tx.write("f", "ours")
	tx.write("g", "more")
	tx.mkdir("empty")
	theirs := e.put("master", files{"f": normal("theirs")})
	for range 2 {
		e.wantConflict(tx.Commit(e.ctx, "m"), datakit.MergeConflict{Path: "f", Reason: changedOnBoth})
		e.wantHead("master", theirs)
		if tx.Ended() {
			e.Fatal("the failed commit has ended the transaction")
		}
		tx.wantFiles(files{"f": normal("ours"), "g": normal("more"), "empty": directory})
		tx.wantConflicts()
		e.same("parents", tx.parents(), []datakit.Hash{first})
	}
	tx.write("f", "theirs")
	tx.commit("now it merges")
	e.wantFiles("master", e.tree("master"), files{"f": normal("theirs"), "g": normal("more")})
}

func mergeNewHeadAndResolve(e *env) {
	first := e.put("master", files{"f": normal("base")})
	tx := e.begin("master")
	tx.write("f", "ours")
	theirs := e.put("master", files{"f": normal("theirs"), "g": normal("new")})
	e.fails("Commit", tx.Commit(e.ctx, "m"), datakit.Conflict)
	e.same("conflicts", tx.merge(theirs).Conflicts, []datakit.Path{"f"})
	e.fails("Commit with a conflict", tx.Commit(e.ctx, "m"), datakit.Unresolved)
	tx.write("f", "both")
	tx.commit("resolved")
	e.same("parents", e.parents(e.head("master")), []datakit.Hash{first, theirs})
	e.wantFiles("master", e.tree("master"), files{"f": normal("both"), "g": normal("new")})
}

func conflictListsPaths(e *env) {
	e.put("master", files{"a": normal("0"), "b": normal("0"), "d/e": normal("0"), "d.x": normal("0")})
	tx := e.begin("master")
	tx.put(files{"a": normal("1"), "b": absent, "d/e": normal("1"), "d.x": normal("1"), "new": normal("1")})
	e.put("master", files{"a": normal("2"), "b": normal("2"), "d/e": absent, "d.x": normal("2"), "new": normal("2")})
	err := tx.Commit(e.ctx, "m")
	e.wantConflict(err,
		datakit.MergeConflict{Path: "a", Reason: changedOnBoth},
		datakit.MergeConflict{Path: "b", Reason: addDel},
		datakit.MergeConflict{Path: "d.x", Reason: changedOnBoth},
		datakit.MergeConflict{Path: "d/e", Reason: addDel},
		datakit.MergeConflict{Path: "new", Reason: addAdd},
	)
	e.mentions(err, "master", "Merge conflict: a: Changed on both branches (and 4 more)")
}

func sameChangeOnBothSides(e *env) {
	e.put("master", files{"f": normal("base"), "gone": normal("x"), "d/g": normal("y")})
	same := files{"f": executable("new"), "gone": absent, "d": absent, "e/h": symlink("t")}
	tx := e.begin("master")
	tx.put(same)
	h := e.put("master", same)
	tx.commit("the same")
	e.wantFiles("master", e.tree("master"), files{"f": executable("new"), "e/h": symlink("t")})
	if !e.isAncestor(h, e.head("master")) {
		e.Errorf("%v is not in the history of the head", h)
	}
}

func visibleAfterCommit(e *env) {
	for i := range 20 {
		path := datakit.Path(rune('a' + i))
		h := e.put("master", files{path: normal("x")})
		e.wantBranches("master")
		e.wantFile(e.tree("master"), path, normal("x"))
		e.wantFile(e.treeOf(h), path, normal("x"))
		e.same("parents of the next transaction", e.begin("master").parents(), []datakit.Hash{h})
	}
}

func manyTransactions(e *env) {
	const n = 50
	var txs []*txn
	want := files{}
	for i := range n {
		path := datakit.Path("f").Join(datakit.Path(rune('A' + i)))
		tx := e.begin("master")
		tx.write(path, string(path))
		txs = append(txs, tx)
		want[path] = normal(string(path))
	}
	for i, tx := range txs {
		path := datakit.Path("f").Join(datakit.Path(rune('A' + i)))
		tx.wantFiles(files{path: want[path]})
		tx.commit("m")
	}
	e.wantFiles("master", e.tree("master"), want)
}
