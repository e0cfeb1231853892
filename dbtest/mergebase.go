package dbtest

import "github.com/datakit/datakit"

var mergeBaseChecks = []check{
	{"FS127_NoCommonAncestor", noCommonAncestor},
	{"FS127_OneCommonAncestor", oneCommonAncestor},
	{"FS127_BestIsNotNearest", bestIsNotNearest},
	{"FS127_BaseFollowsParents", baseFollowsParents},
	{"FS127_TheirsIsAncestor", theirsIsAncestor},
	{"FS127_TheirsIsDescendant", theirsIsDescendant},
	{"FS127_CrissCross", crissCross},
	{"FS127_CrissCrossConflict", crissCrossConflict},
	{"FS127_CrissCrossOfCrissCross", crissCrossTwice},
	{"FS127_ThreeAncestors", threeAncestors},
	{"FS127_CrissCrossAtCommit", crissCrossAtCommit},
}

// mergeCommits merges t in a transaction that begins at o.
func (e *env) mergeCommits(o, t datakit.Hash) (*txn, *datakit.Merge) {
	e.Helper()
	tx := e.begin(e.branchOf(o))
	return tx, tx.merge(t)
}

func noCommonAncestor(e *env) {
	o := e.commitFiles(files{"o": normal("1"), "same": normal("s"), "both": normal("1")})
	t := e.commitFiles(files{"t": normal("2"), "same": normal("s"), "both": normal("2")})
	tx, m := e.mergeCommits(o, t)
	e.wantFiles("base", m.Base, files{})
	tx.wantFiles(files{"o": normal("1"), "t": normal("2"), "same": normal("s"), "both": marker(addAdd)})
}

func oneCommonAncestor(e *env) {
	r := e.commitFiles(files{"f": normal("root")})
	b := e.commitFiles(files{"f": normal("base")}, r)
	o := e.commitFiles(files{"f": normal("base"), "o": normal("1")}, e.commitFiles(files{"f": normal("x")}, b))
	t := e.commitFiles(files{"f": normal("theirs")}, e.commitFiles(files{"f": normal("root")}, b))
	tx, m := e.mergeCommits(o, t)
	e.wantFiles("base", m.Base, files{"f": normal("base")})
	tx.wantFiles(files{"f": normal("theirs"), "o": normal("1")})
}

// bestIsNotNearest: an ancestor of another common ancestor is no base, however
// short the way to it is.
func bestIsNotNearest(e *env) {
	r := e.commitFiles(files{"f": normal("root")})
	b := e.commitFiles(files{"f": normal("base")}, r)
	long := b
	for range 5 {
		long = e.commitFiles(files{"f": normal("base")}, long)
	}
	o := e.commitFiles(files{"f": normal("base")}, r, long)
	t := e.commitFiles(files{"f": normal("theirs")}, r, b)
	_, m := e.mergeCommits(o, t)
	e.wantFiles("base", m.Base, files{"f": normal("base")})
}

// baseFollowsParents: it is the parents of the transaction that count as our
// history, as they are when the merge is made.
func baseFollowsParents(e *env) {
	b1 := e.commitFiles(files{"f": normal("1")})
	b2 := e.commitFiles(files{"f": normal("2")})
	o := e.commitFiles(files{"f": normal("o")}, b1)
	t := e.commitFiles(files{"f": normal("t")}, b2)
	for _, tt := range []struct {
		parents []datakit.Hash
		want    files
	}{
		{[]datakit.Hash{o}, files{}},
		{nil, files{}},
		{[]datakit.Hash{o, b2}, files{"f": normal("2")}},
		{[]datakit.Hash{b2, o}, files{"f": normal("2")}},
		{[]datakit.Hash{o, t}, files{"f": normal("t")}},
	} {
		tx := e.begin(e.branchOf(o))
		e.ok(tx.SetParents(e.ctx, tt.parents))
		e.wantFiles("base", tx.merge(t).Base, tt.want)
	}
}

func theirsIsAncestor(e *env) {
	t := e.commitFiles(files{"f": normal("old"), "gone": normal("x")})
	o := e.commitFiles(files{"f": normal("new")}, t)
	tx, m := e.mergeCommits(o, t)
	e.wantFiles("base", m.Base, files{"f": normal("old"), "gone": normal("x")})
	tx.wantFiles(files{"f": normal("new")})
}

func theirsIsDescendant(e *env) {
	o := e.commitFiles(files{"f": normal("old"), "gone": normal("x")})
	t := e.commitFiles(files{"f": normal("new")}, o)
	tx, m := e.mergeCommits(o, t)
	e.wantFiles("base", m.Base, files{"f": normal("old"), "gone": normal("x")})
	tx.wantFiles(files{"f": normal("new")})
}

// crissCross: the base has what both best common ancestors brought.
func crissCross(e *env) {
	r := e.commitFiles(files{"f": normal("root"), "g": normal("root")})
	a := e.commitFiles(files{"f": normal("a"), "g": normal("root"), "a": normal("new")}, r)
	b := e.commitFiles(files{"f": normal("root"), "g": normal("b"), "b": normal("new")}, r)
	base := files{"f": normal("a"), "g": normal("b"), "a": normal("new"), "b": normal("new")}
	o := e.commitFiles(files{"f": normal("a"), "g": normal("o"), "a": normal("new"), "b": normal("new")}, a, b)
	t := e.commitFiles(files{"f": normal("t"), "g": normal("b"), "a": normal("new")}, b, a)
	tx, m := e.mergeCommits(o, t)
	e.wantFiles("base", m.Base, base)
	e.same("conflicts", m.Conflicts, []datakit.Path{})
	tx.wantFiles(files{"f": normal("t"), "g": normal("o"), "a": normal("new")})
}

// crissCrossConflict: where the ancestors conflict the base equals nothing,
// not even what one of them had; rule 4 decides.
func crissCrossConflict(e *env) {
	r := e.commitFiles(files{"f": normal("root")})
	a := e.commitFiles(files{"f": normal("a")}, r)
	b := e.commitFiles(files{"f": normal("b")}, r)
	for _, tt := range []struct {
		ours, theirs any
		want         file
	}{
		{normal("a"), normal("a"), normal("a")},
		{normal("a"), normal("b"), marker(changedOnBoth)},
		{normal("a"), normal("root"), marker(changedOnBoth)},
		{normal("a"), executable("a"), marker(changedOnBoth)},
		{symlink("a"), normal("t"), marker(changedOnBoth)},
		{marker(changedOnBoth), normal("t"), marker(changedOnBoth)},
		{absent, normal("t"), marker(addDel)},
		{absent, normal("root"), marker(addDel)},
		{absent, files{"x": normal("t")}, marker(addDel)},
		{normal("a"), files{"x": normal("t")}, marker(fileVsDir)},
	} {
		for _, side := range [][2]any{{tt.ours, tt.theirs}, {tt.theirs, tt.ours}} {
			o := e.commitFiles(files{}.with("f", side[0]), a, b)
			t := e.commitFiles(files{}.with("f", side[1]), b, a)
			tx, m := e.mergeCommits(o, t)
			e.wantFiles("base", m.Base, files{"f": marker(changedOnBoth)})
			tx.wantFile("f", tt.want)
			tx.Abort()
		}
	}
	o := e.commitFiles(files{"f/x": normal("1"), "f/same": normal("s")}, a, b)
	t := e.commitFiles(files{"f/y": normal("2"), "f/same": normal("s")}, b, a)
	tx, _ := e.mergeCommits(o, t) // two directories are merged all the same
	tx.wantFiles(files{"f/x": normal("1"), "f/y": normal("2"), "f/same": normal("s")})
}

// with adds a file, or all of a directory, at path and returns fs.
func (fs files) with(path datakit.Path, state any) files {
	fs.addState(path, state)
	return fs
}

// crissCrossTwice: the base of the ancestors is itself merged from two.
func crissCrossTwice(e *env) {
	r := e.commitFiles(files{"f": normal("0")})
	a1 := e.commitFiles(files{"f": normal("0"), "a1": normal("x")}, r)
	b1 := e.commitFiles(files{"f": normal("0"), "b1": normal("x")}, r)
	both := files{"f": normal("0"), "a1": normal("x"), "b1": normal("x")}
	a2 := e.commitFiles(both.and("a2"), a1, b1)
	b2 := e.commitFiles(both.and("b2"), b1, a1)
	base := both.and("a2", "b2")
	o := e.commitFiles(base.and("o"), a2, b2)
	t := e.commitFiles(files{"f": normal("0"), "t": normal("x")}, b2, a2)
	tx, m := e.mergeCommits(o, t)
	e.wantFiles("base", m.Base, base)
	tx.wantFiles(files{"f": normal("0"), "o": normal("x"), "t": normal("x")})
}

// and returns fs with more files, all with the content x.
func (fs files) and(paths ...datakit.Path) files {
	more := files{}
	for path, f := range fs {
		more[path] = f
	}
	for _, path := range paths {
		more[path] = normal("x")
	}
	return more
}

func threeAncestors(e *env) {
	r := e.commitFiles(files{"f": normal("0")})
	var as []datakit.Hash
	for _, path := range []datakit.Path{"a", "b", "c"} {
		as = append(as, e.commitFiles(files{"f": normal("0")}.and(path), r))
	}
	base := files{"f": normal("0")}.and("a", "b", "c")
	o := e.commitFiles(base.and("o"), as...)
	t := e.commitFiles(base.and("t"), as[2], as[0], as[1])
	tx, m := e.mergeCommits(o, t)
	e.wantFiles("base", m.Base, base)
	tx.wantFiles(base.and("o", "t"))
}

func crissCrossAtCommit(e *env) {
	r := e.commitFiles(files{"f": normal("root"), "g": normal("root")})
	a := e.commitFiles(files{"f": normal("a"), "g": normal("root")}, r)
	b := e.commitFiles(files{"f": normal("b"), "g": normal("b")}, r)
	head := e.commitFiles(files{"f": normal("o"), "g": normal("o")}, a, b)
	branch := e.branchOf(a)
	tx := e.begin(branch)
	e.ok(tx.SetParents(e.ctx, []datakit.Hash{b, a}))
	tx.put(files{"f": normal("t"), "g": normal("b")})
	e.ok(e.db.Branch(branch).FastForward(e.ctx, head))
	e.wantConflict(tx.Commit(e.ctx, "m"), datakit.MergeConflict{Path: "f", Reason: changedOnBoth})
	tx.write("f", "o")
	tx.commit("m")
	e.wantFiles(branch, e.tree(branch), files{"f": normal("o"), "g": normal("o")})
}
