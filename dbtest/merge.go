package dbtest

import "github.com/datakit/datakit"

var mergeChecks = []check{
	{"FST22_MergeOfFork", mergeOfFork},
	{"CLT13_MergeInputs", mergeInputs},
	{"CLT14_MergeModes", mergeModes},
	{"FST24_MergeIntoEmptyBranch", mergeIntoEmptyBranch},
	{"FST25_ChangedOnBothSides", changedOnBothSides},
	{"FST26_AddedOnBothSides", addedOnBothSides},
	{"FST27_ResolveAndCommit", resolveAndCommit},
	{"CLT15_ConflictsPreventCommit", conflictsPreventCommit},
	{"FS123_MergeAppendsParent", mergeAppendsParent},
	{"FS123_MergeOfUnknownCommit", mergeOfUnknownCommit},
	{"FS123_MergeOfUncommittedChanges", mergeOfUncommittedChanges},
	{"FS124_EmptyDirectoriesStay", emptyDirectoriesStay},
	{"FS125_SeveralMerges", severalMerges},
	{"FS104_InputsDoNotChange", inputsDoNotChange},
	{"FS131_DirectoryLeftEmpty", directoryLeftEmpty},
	{"CL38_LastMerge", lastMerge},
}

func mergeOfFork(e *env) {
	e.put("master", files{"file": normal("from-master")})
	e.fork("pr", e.head("master"))
	pr := e.put("pr", files{"file": normal("from-master+pr")})
	former := e.head("master")
	h := e.change("master", func(tx *txn) {
		tx.write("mine", "m")
		tx.merge(pr)
	})
	e.wantFiles("master", e.treeOf(h), files{"file": normal("from-master+pr"), "mine": normal("m")})
	e.same("parents", e.parents(h), []datakit.Hash{former, pr})
}

func mergeInputs(e *env) {
	e.put("master", files{"file": normal("from-master")})
	e.fork("pr", e.head("master"))
	pr := e.put("pr", files{"file": normal("from-master+pr")})
	tx := e.begin("master")
	tx.write("mine", "pre-merge")
	m := tx.merge(pr)
	e.same("conflicts", m.Conflicts, []datakit.Path{})
	e.wantFiles("ours", m.Ours, files{"file": normal("from-master"), "mine": normal("pre-merge")})
	e.wantFiles("theirs", m.Theirs, files{"file": normal("from-master+pr")})
	e.wantFiles("base", m.Base, files{"file": normal("from-master")})
	tx.wantFiles(files{"file": normal("from-master+pr"), "mine": normal("pre-merge")})
}

func mergeModes(e *env) {
	e.put("master", files{"a": executable("1"), "b": symlink("from-master"), "c": executable("3")})
	pr := e.change("pr", func(tx *txn) {
		tx.merge(e.head("master"))
		e.ok(tx.SetMode(e.ctx, "b", datakit.Executable))
		tx.remove("c")
		e.ok(tx.Symlink(e.ctx, "c", "foo"))
	})
	tx := e.begin("master")
	e.ok(tx.SetMode(e.ctx, "c", datakit.Normal))
	m := tx.merge(pr)
	e.wantFile(m.Ours, "a", executable("1"))
	e.wantFile(m.Ours, "b", symlink("from-master"))
	e.wantFile(m.Theirs, "b", executable("from-master"))
	tx.wantFiles(files{"a": executable("1"), "b": executable("from-master"), "c": marker(changedOnBoth)})
	e.same("conflicts", m.Conflicts, []datakit.Path{"c"})
}

func mergeIntoEmptyBranch(e *env) {
	h := e.put("master", files{"file": normal("x")})
	tx := e.begin("new")
	m := tx.merge(h)
	e.wantFiles("ours", m.Ours, files{})
	e.wantFiles("base", m.Base, files{})
	tx.commit("m")
	e.wantFiles("new", e.tree("new"), files{"file": normal("x")})
	e.same("parents", e.parents(e.head("new")), []datakit.Hash{h})
}

// The situation of the table in the specification, 9.7.
var (
	tableBase = files{
		"a": normal("a-from-base"), "b": normal("b-from-base"), "c": normal("c-from-base"), "d": normal("d-from-base"),
		"e": normal("e-from-base"), "f": normal("f-from-base"), "dir/a": normal("a-from-base"), "dir2/b": normal("b-from-base"),
	}
	tableOurs = files{
		"a": normal("a-ours"), "b": normal("b-from-base"), "c": normal("c-ours"),
		"e": normal("e-from-base"), "g": normal("g-same"), "h": normal("h-ours"), "dir": normal("ours-now-file"), "dir2/b": normal("b-theirs"),
	}
	tableTheirs = files{
		"a": normal("a-theirs"), "b": normal("b-theirs"), "c": normal("c-from-base"), "d": normal("d-from-base"),
		"f": normal("f-theirs"), "g": normal("g-same"), "h": normal("h-theirs"), "dir/a": normal("a-theirs"), "dir2": normal("theirs-now-file"),
	}
	tableMerged = files{
		"a": marker(changedOnBoth), "b": normal("b-theirs"), "c": normal("c-ours"),
		"f": marker(addDel), "g": normal("g-same"), "h": marker(addAdd), "dir": marker(fileVsDir), "dir2": marker(fileVsDir),
	}
	tableConflicts = []datakit.Path{"a", "dir", "dir2", "f", "h"}
)

// fork3 makes three commits with these contents, ours and theirs with base as
// their parent.
func (e *env) fork3(base, ours, theirs files) (b, o, t datakit.Hash) {
	e.Helper()
	b = e.commitFiles(base)
	return b, e.commitFiles(ours, b), e.commitFiles(theirs, b)
}

// merge3 starts a transaction with the contents ours, and merges theirs.
func (e *env) merge3(base, ours, theirs files) (*txn, *datakit.Merge) {
	e.Helper()
	_, o, t := e.fork3(base, ours, theirs)
	tx := e.begin(e.branchOf(o))
	return tx, tx.merge(t)
}

// mergeTable starts a transaction on master with the situation of 9.7.
func (e *env) mergeTable() (*txn, *datakit.Merge) {
	e.Helper()
	_, o, t := e.fork3(tableBase, tableOurs, tableTheirs)
	e.fork("master", o)
	e.fork("theirs", t)
	tx := e.begin("master")
	return tx, tx.merge(t)
}

func changedOnBothSides(e *env) {
	tx, _ := e.mergeTable()
	tx.wantFile("a", marker(changedOnBoth))
	tx.wantFile("b", normal("b-theirs"))
	tx.wantFile("c", normal("c-ours"))
}

func addedOnBothSides(e *env) {
	tx, _ := e.mergeTable()
	tx.wantFile("g", normal("g-same"))
	tx.wantFile("h", normal("** Conflict **\ndefault: add/add and no common ancestor\n"))
}

func resolveAndCommit(e *env) {
	tx, m := e.mergeTable()
	for _, path := range []datakit.Path{"a", "dir", "dir2"} {
		tx.remove(path)
	}
	e.ok(tx.Truncate(e.ctx, "f", 0))
	e.ok(tx.WriteAt(e.ctx, "f", []byte(e.content(m.Theirs, "f")), 0))
	tx.wantConflicts("h")
	tx.remove("h")
	tx.wantConflicts()
	tx.commit("resolved")
	e.wantFiles("master", e.tree("master"), files{
		"b": normal("b-theirs"), "c": normal("c-ours"), "f": normal("f-theirs"), "g": normal("g-same"),
	})
}

func conflictsPreventCommit(e *env) {
	tx, m := e.mergeTable()
	h := e.head("master")
	e.fails("Commit", tx.Commit(e.ctx, "m"), datakit.Unresolved)
	e.wantHead("master", h)
	tx.wantFiles(tableMerged)
	e.same("names", e.names(&tx.Tree, datakit.Root), "a b c dir dir2 f g h")
	e.same("conflicts", m.Conflicts, tableConflicts)
	tx.wantConflicts(tableConflicts...)
}

func mergeAppendsParent(e *env) {
	b, o, t := e.fork3(files{"f": normal("0")}, files{"f": normal("0"), "o": normal("1")}, files{"f": normal("0"), "t": normal("2")})
	tx := e.begin(e.branchOf(o))
	tx.merge(t)
	e.same("parents", tx.parents(), []datakit.Hash{o, t})
	tx.merge(t) // for the second time, and what is in the history anyway
	tx.merge(o)
	e.same("parents, after merging them again", tx.parents(), []datakit.Hash{o, t})
	tx.merge(b)
	e.same("parents, after merging the base", tx.parents(), []datakit.Hash{o, t, b})
	tx.wantFiles(files{"f": normal("0"), "o": normal("1"), "t": normal("2")})
}

func mergeOfUnknownCommit(e *env) {
	h := e.put("master", files{"f": normal("x")})
	tx := e.begin("master")
	tx.write("g", "y")
	for _, bad := range []datakit.Hash{unknown, {}, datakit.EmptyTree, e.commitOf(h).TreeID, blobHash("x")} {
		m, err := tx.Merge(e.ctx, bad)
		e.fails("Merge of "+bad.String(), err, datakit.NotExist)
		if m != nil {
			e.Errorf("Merge of %v returns a merge beside its error", bad)
		}
	}
	e.same("parents", tx.parents(), []datakit.Hash{h})
	tx.wantFiles(files{"f": normal("x"), "g": normal("y")})
	if m, err := tx.LastMerge(e.ctx); m != nil || err != nil {
		e.Errorf("after failed merges LastMerge is %v, %v", m, err)
	}
}

// mergeOfUncommittedChanges: ours are the present contents, whatever the head
// has.
func mergeOfUncommittedChanges(e *env) {
	b, o, t := e.fork3(files{"f": normal("base"), "g": normal("base")}, files{"f": normal("ours"), "g": normal("base")}, files{"f": normal("theirs"), "g": normal("theirs")})
	tx := e.begin(e.branchOf(o))
	tx.put(files{"f": normal("theirs"), "g": absent, "h/new": executable("n")})
	m := tx.merge(t)
	ours := files{"f": normal("theirs"), "h/new": executable("n")}
	e.wantFiles("ours", m.Ours, ours)
	e.wantFiles("base", m.Base, e.files(e.treeOf(b)))
	tx.wantFiles(files{"f": normal("theirs"), "g": marker(addDel), "h/new": executable("n")})
	e.same("conflicts", m.Conflicts, []datakit.Path{"g"})
}

func emptyDirectoriesStay(e *env) {
	_, o, t := e.fork3(files{"f": normal("0")}, files{"f": normal("0"), "d/a": normal("1")}, files{"f": normal("1")})
	tx := e.begin(e.branchOf(o))
	tx.mkdir("empty")
	tx.mkdir("d/empty")
	e.ok(tx.MkdirAll(e.ctx, "deep/er"))
	m := tx.merge(t)
	e.wantFile(m.Ours, "f", normal("0"))
	tx.wantFiles(files{"f": normal("1"), "d/a": normal("1"), "d/empty": directory, "empty": directory, "deep/er": directory})
}

func severalMerges(e *env) {
	b := e.commitFiles(files{"f": normal("0")})
	t1 := e.commitFiles(files{"f": normal("1"), "a": normal("a")}, b)
	t2 := e.commitFiles(files{"f": normal("2"), "a": normal("a"), "b": normal("b")}, t1)
	t3 := e.commitFiles(files{"f": normal("0"), "c": normal("c")}, b)
	branch := e.branchOf(b)
	tx := e.begin(branch)
	tx.merge(t1)
	m := tx.merge(t2)
	e.wantFiles("base of the second merge", m.Base, files{"f": normal("1"), "a": normal("a")}) // t1 counts as history
	e.wantFiles("ours of the second merge", m.Ours, files{"f": normal("1"), "a": normal("a")})
	m = tx.merge(t3)
	e.wantFiles("base of the third merge", m.Base, files{"f": normal("0")})
	e.wantFiles("theirs of the third merge", m.Theirs, files{"f": normal("0"), "c": normal("c")})
	tx.wantFiles(files{"f": normal("2"), "a": normal("a"), "b": normal("b"), "c": normal("c")})
	tx.commit("all")
	e.same("parents", e.parents(e.head(branch)), []datakit.Hash{b, t1, t2, t3})
}

func inputsDoNotChange(e *env) {
	tx, m := e.mergeTable()
	for _, path := range tableConflicts {
		tx.remove(path)
	}
	tx.write("dir/new", "x")
	tx.write("b", "changed")
	e.wantFiles("ours", m.Ours, tableOurs)
	e.wantFiles("theirs", m.Theirs, tableTheirs)
	e.wantFiles("base", m.Base, tableBase)
	last, err := tx.LastMerge(e.ctx)
	e.ok(err)
	e.wantFiles("ours of LastMerge", last.Ours, tableOurs)
}

func directoryLeftEmpty(e *env) {
	tx, _ := e.merge3(
		files{"d/a": normal("1"), "d/b": normal("2"), "e/f/g": normal("3"), "h": normal("4")},
		files{"d/a": normal("1"), "h": normal("4"), "e/f/g": normal("3")},
		files{"d/b": normal("2"), "h": normal("4")},
	)
	tx.wantFiles(files{"h": normal("4")})
}

func lastMerge(e *env) {
	tx, m := e.mergeTable()
	e.same("conflicts at first", m.Conflicts, tableConflicts)
	tx.write("a", "resolved")
	tx.remove("h")
	last, err := tx.LastMerge(e.ctx)
	e.ok(err)
	e.same("conflicts left", last.Conflicts, []datakit.Path{"dir", "dir2", "f"})
	e.wantFiles("theirs", last.Theirs, tableTheirs)
}
