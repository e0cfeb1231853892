package dbtest

import (
	"errors"

	"github.com/datakit/datakit"
)

var branchChecks = []check{
	{"CL42_EmptyDatabase", emptyDatabase},
	{"FS30_BranchWithoutHead", branchWithoutHead},
	{"CL41_BranchesAreSorted", branchesAreSorted},
	{"CL42_TreeOfHead", treeOfHead},
	{"FS47_Remove", removeBranch},
	{"CL43_RemoveWithoutHead", removeWithoutHead},
	{"FS47_RemovedBranchComesBackByCommit", removedBranchComesBack},
	{"FST8_Rename", renameBranch},
	{"FS48_RenameToNameInUse", renameToNameInUse},
	{"FS48_RenameToOwnName", renameToOwnName},
	{"CL44_RenameWithoutHead", renameWithoutHead},
	{"FS49_RetargetAfterRename", retargetAfterRename},
	{"FS49_RetargetElsewhere", retargetElsewhere},
}

func emptyDatabase(e *env) {
	e.wantBranches()
	e.wantHead("master", datakit.Hash{})
	e.wantFiles("a branch without head", e.tree("master"), files{})
}

// branchWithoutHead: neither looking at a branch nor a transaction on it makes
// it exist.
func branchWithoutHead(e *env) {
	b := e.db.Branch("master")
	if b.Name() != "master" {
		e.Errorf("Name() = %q, want master", b.Name())
	}
	tx := e.begin("master")
	tx.wantFiles(files{})
	e.same("parents of a transaction on a branch without head", tx.parents(), []datakit.Hash{})
	tx.write("f", "x")
	e.wantBranches()
	tx.Abort()
	e.wantBranches()
	e.wantHead("master", datakit.Hash{})
}

func branchesAreSorted(e *env) {
	for _, name := range []string{"b", "a/z", "B", "a-b", "a/b", "é"} {
		e.put(name, files{"f": normal(name)})
	}
	e.wantBranches("B", "a-b", "a/b", "a/z", "b", "é")
}

// treeOfHead: a Tree is what the branch had when it was asked for.
func treeOfHead(e *env) {
	first := files{"f": normal("one"), "d/g": executable("two")}
	e.put("master", first)
	old := e.tree("master")
	e.put("master", files{"f": absent, "d/g": absent, "h": normal("three")})
	e.wantFiles("the former head", old, first)
	e.wantFiles("the head", e.tree("master"), files{"h": normal("three")})
}

func removeBranch(e *env) {
	h := e.put("gone", files{"f": normal("x")})
	e.put("kept", files{"f": normal("x")})
	e.ok(e.db.Branch("gone").Remove(e.ctx))
	e.wantBranches("kept")
	e.wantHead("gone", datakit.Hash{})
	e.wantFiles("the removed branch", e.tree("gone"), files{})
	e.wantFiles("its last commit", e.treeOf(h), files{"f": normal("x")})
}

func removeWithoutHead(e *env) {
	e.ok(e.db.Branch("never").Remove(e.ctx))
	e.put("master", files{"f": normal("x")})
	e.ok(e.db.Branch("master").Remove(e.ctx))
	e.ok(e.db.Branch("master").Remove(e.ctx))
	e.wantBranches()
}

func removedBranchComesBack(e *env) {
	h := e.put("master", files{"f": normal("x")})
	tx := e.begin("master")
	tx.write("g", "y")
	e.ok(e.db.Branch("master").Remove(e.ctx))
	tx.wantFiles(files{"f": normal("x"), "g": normal("y")})
	tx.commit("again")
	e.wantBranches("master")
	e.wantFiles("master", e.tree("master"), files{"f": normal("x"), "g": normal("y")})
	e.same("parents", e.parents(e.head("master")), []datakit.Hash{h})
}

func renameBranch(e *env) {
	h := e.put("old", files{"f": normal("x")})
	e.ok(e.db.Branch("old").Rename(e.ctx, "new"))
	e.wantBranches("new")
	e.wantHead("new", h)
	e.wantHead("old", datakit.Hash{})
	e.ok(e.db.Branch("new").Rename(e.ctx, "feature/new"))
	e.wantBranches("feature/new")
	e.wantHead("feature/new", h)
}

func renameToNameInUse(e *env) {
	a := e.put("a", files{"f": normal("a")})
	b := e.put("b", files{"f": normal("b")})
	e.fails("Rename to a name in use", e.db.Branch("a").Rename(e.ctx, "b"), datakit.Exist)
	e.wantHead("a", a)
	e.wantHead("b", b)
	e.ok(e.db.Branch("b").Remove(e.ctx))
	e.ok(e.db.Branch("a").Rename(e.ctx, "b"))
	e.wantBranches("b")
}

func renameToOwnName(e *env) {
	h := e.put("a", files{"f": normal("a")})
	e.ok(e.db.Branch("a").Rename(e.ctx, "a"))
	e.wantBranches("a")
	e.wantHead("a", h)
}

func renameWithoutHead(e *env) {
	b := e.put("b", files{"f": normal("b")})
	e.fails("Rename of a branch without head", e.db.Branch("never").Rename(e.ctx, "new"), datakit.NotExist)
	if err := e.db.Branch("never").Rename(e.ctx, "b"); err == nil {
		e.Error("Rename of a branch without head to a name in use succeeds")
	}
	e.wantBranches("b")
	e.wantHead("b", b)
}

func retargetAfterRename(e *env) {
	h := e.put("old", files{"f": normal("x")})
	tx := e.begin("old")
	tx.write("g", "y")
	e.ok(e.db.Branch("old").Rename(e.ctx, "new"))
	e.ok(tx.Retarget(e.ctx, "new"))
	tx.commit("to the new name")
	e.wantBranches("new")
	e.same("parents", e.parents(e.head("new")), []datakit.Hash{h})
	e.wantFiles("new", e.tree("new"), files{"f": normal("x"), "g": normal("y")})
}

// retargetElsewhere commits to another branch, by the same rules.
func retargetElsewhere(e *env) {
	e.put("a", files{"f": normal("a")})
	e.put("b", files{"f": normal("b")})
	tx := e.begin("a")
	tx.write("g", "new")
	e.ok(tx.Retarget(e.ctx, "b"))
	err := tx.Commit(e.ctx, "both added f")
	e.fails("Commit to an unrelated branch", err, datakit.Conflict)
	var conflict *datakit.MergeError
	if !errors.As(err, &conflict) || len(conflict.Conflicts) != 1 || conflict.Conflicts[0].Path != "f" {
		e.Errorf("Commit: %v, want a conflict at f", err)
	}
	e.ok(tx.Retarget(e.ctx, "c"))
	tx.commit("a new branch")
	e.wantBranches("a", "b", "c")
	e.wantFiles("c", e.tree("c"), files{"f": normal("a"), "g": normal("new")})
}
