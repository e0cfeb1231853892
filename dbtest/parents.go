package dbtest

import "github.com/datakit/datakit"

var parentChecks = []check{
	{"FST18_FirstParents", firstParents},
	{"FST19_ParentsOfAnotherBranch", parentsOfAnotherBranch},
	{"FS23_ParentsInOrder", parentsInOrder},
	{"FS23_ParentsOnce", parentsOnce},
	{"FS100_SetParentsKeepsContents", setParentsKeepsContents},
	{"FS100_UnknownParent", unknownParent},
	{"FS100_MergeWithUnknownParent", mergeWithUnknownParent},
	{"CL32_ParentsBelongToCaller", parentsBelongToCaller},
	{"FS219_LongHistory", longHistory},
}

func firstParents(e *env) {
	tx := e.begin("master")
	e.same("parents on a new branch", tx.parents(), []datakit.Hash{})
	tx.write("file", "x")
	tx.commit("first")
	h := e.head("master")
	e.same("parents of the first commit", e.parents(h), []datakit.Hash{})
	e.same("parents of the next transaction", e.begin("master").parents(), []datakit.Hash{h})
}

func parentsOfAnotherBranch(e *env) {
	e.put("master", files{"a": normal("1")})
	h := e.put("master", files{"b": normal("2")})
	tx := e.begin("dev")
	tx.write("file", "x")
	e.ok(tx.SetParents(e.ctx, []datakit.Hash{h}))
	e.same("parents as set", tx.parents(), []datakit.Hash{h})
	tx.commit("m")
	e.same("parents", e.parents(e.head("dev")), []datakit.Hash{h})
	e.wantFiles("dev", e.tree("dev"), files{"file": normal("x")})
}

// parentsInOrder records the same parents in every order.
func parentsInOrder(e *env) {
	a := e.commitFiles(files{"f": normal("a")})
	b := e.commitFiles(files{"f": normal("b")})
	c := e.commitFiles(files{"f": normal("c")})
	for _, order := range [][]datakit.Hash{{a, b, c}, {a, c, b}, {b, a, c}, {b, c, a}, {c, a, b}, {c, b, a}} {
		h := e.commitFiles(files{"f": normal("m")}, order...)
		e.same("parents", e.parents(h), order)
	}
}

func parentsOnce(e *env) {
	a := e.commitFiles(files{"f": normal("a")})
	b := e.commitFiles(files{"f": normal("b")})
	h := e.commitFiles(files{"f": normal("m")}, b, a, b, a, a)
	e.same("parents", e.parents(h), []datakit.Hash{b, a})
}

// setParentsKeepsContents: adding another branch's head without merging
// records a merge that keeps our contents.
func setParentsKeepsContents(e *env) {
	h := e.put("master", files{"f": normal("ours")})
	other := e.put("other", files{"f": normal("theirs"), "g": normal("more")})
	tx := e.begin("master")
	e.ok(tx.SetParents(e.ctx, []datakit.Hash{h, other}))
	tx.wantFiles(files{"f": normal("ours")})
	tx.commit("ours")
	e.wantFiles("master", e.tree("master"), files{"f": normal("ours")})
	e.same("parents", e.parents(e.head("master")), []datakit.Hash{h, other})
}

func unknownParent(e *env) {
	h := e.put("master", files{"f": normal("x")})
	tx := e.begin("master")
	tx.write("g", "y")
	for _, bad := range []datakit.Hash{unknown, e.commitOf(h).TreeID, blobHash("x")} {
		e.ok(tx.SetParents(e.ctx, []datakit.Hash{h, bad}))
		e.same("parents, not checked yet", tx.parents(), []datakit.Hash{h, bad})
		e.fails("Commit", tx.Commit(e.ctx, "m"), datakit.NotExist)
		e.wantHead("master", h)
	}
	e.ok(tx.SetParents(e.ctx, []datakit.Hash{h}))
	tx.commit("m")
	e.wantFiles("master", e.tree("master"), files{"f": normal("x"), "g": normal("y")})
}

func mergeWithUnknownParent(e *env) {
	h := e.put("master", files{"f": normal("x")})
	other := e.put("other", files{"g": normal("y")})
	tx := e.begin("master")
	e.ok(tx.SetParents(e.ctx, []datakit.Hash{unknown}))
	_, err := tx.Merge(e.ctx, other)
	e.fails("Merge", err, datakit.NotExist)
	tx.wantFiles(files{"f": normal("x")})
	e.same("parents", tx.parents(), []datakit.Hash{unknown})
	e.ok(tx.SetParents(e.ctx, []datakit.Hash{h}))
	tx.merge(other)
	tx.wantFiles(files{"f": normal("x"), "g": normal("y")})
}

// parentsBelongToCaller: neither what is given nor what is returned is shared.
func parentsBelongToCaller(e *env) {
	h := e.put("master", files{"f": normal("x")})
	tx := e.begin("master")
	given := []datakit.Hash{h}
	e.ok(tx.SetParents(e.ctx, given))
	given[0] = unknown
	returned := tx.parents()
	e.same("parents", returned, []datakit.Hash{h})
	returned[0] = unknown
	e.same("parents, asked again", tx.parents(), []datakit.Hash{h})
}

// longHistory commits to a branch whose transaction began many heads ago.
func longHistory(e *env) {
	e.put("master", files{"f": normal("0")})
	old := e.begin("master")
	old.write("old", "x")
	for range 100 {
		e.change("master", func(tx *txn) { tx.write("f", tx.parents()[0].String()) })
	}
	last := e.head("master")
	old.commit("late")
	if h := e.head("master"); !e.isAncestor(last, h) {
		e.Errorf("the head %v is not in the history of the next, %v", last, h)
	}
	e.wantFile(e.tree("master"), "old", normal("x"))
}
