package dbtest

import (
	"cmp"
	"maps"
	"slices"

	"github.com/datakit/datakit"
)

var diffChecks = []check{
	{"CLT9_CL24_DiffOfCommits", diffOfCommits},
	{"CLT10_CLT11_DiffOfTransaction", diffOfTransaction},
	{"FS68_EveryChange", everyChange},
	{"FS68_SortedByteByByte", diffSorted},
	{"FS69_FileBecomesDirectory", diffFileDirectory},
	{"FS68_EqualTrees", diffOfEqualTrees},
	{"FS55_DiffOfBranch", diffOfBranch},
	{"FS102_DiffDuringMerge", diffDuringMerge},
	{"FS152_UnknownCommit", diffOfUnknownCommit},
	{"FS68_LargeTrees", diffOfLargeTrees},
}

// modelDiff returns the changes on the way from one tree to another.
func modelDiff(from, to files) []datakit.Change {
	from, to = from.stored(), to.stored()
	var changes []datakit.Change
	for path, f := range from {
		switch g, kept := to[path]; {
		case !kept:
			changes = append(changes, datakit.Change{Path: path, Op: datakit.Removed})
		case f != g:
			changes = append(changes, datakit.Change{Path: path, Op: datakit.Updated})
		}
	}
	for path := range to {
		if _, old := from[path]; !old {
			changes = append(changes, datakit.Change{Path: path, Op: datakit.Added})
		}
	}
	slices.SortFunc(changes, func(a, b datakit.Change) int { return cmp.Compare(a.Path, b.Path) })
	return changes
}

// wantDiff reports a difference of two commits, asked for in every way, that
// is not want.
func (e *env) wantDiff(from, to datakit.Hash, want []datakit.Change) {
	e.Helper()
	got, err := e.db.Diff(e.ctx, from, to)
	e.ok(err)
	e.same("DB.Diff", got, want)
	got, err = e.commitOf(to).Diff(e.ctx, from)
	e.ok(err)
	e.same("Commit.Diff", got, want)
	branch := e.branchOf(to)
	got, err = e.db.Branch(branch).Diff(e.ctx, from)
	e.ok(err)
	e.same("Branch.Diff", got, want)
	got, err = e.begin(branch).Diff(e.ctx, from)
	e.ok(err)
	e.same("Tx.Diff", got, want)
}

func added(path datakit.Path) datakit.Change { return datakit.Change{Path: path, Op: datakit.Added} }
func removed(path datakit.Path) datakit.Change {
	return datakit.Change{Path: path, Op: datakit.Removed}
}
func updated(path datakit.Path) datakit.Change {
	return datakit.Change{Path: path, Op: datakit.Updated}
}

// twoCommits makes the commits h1 and h2 of CLT-9 on master.
func twoCommits(e *env) (h1, h2 datakit.Hash) {
	h1 = e.put("master", files{"file": normal("from-master"), "src/Makefile": normal("all: build")})
	h2 = e.put("master", files{"file": normal("from-master+pr"), "foo": normal("foo")})
	return h1, h2
}

func diffOfCommits(e *env) {
	h1, h2 := twoCommits(e)
	e.wantDiff(h1, h2, []datakit.Change{updated("file"), added("foo")})
	e.wantDiff(h2, h1, []datakit.Change{updated("file"), removed("foo")})
}

func diffOfTransaction(e *env) {
	h1, h2 := twoCommits(e)
	tx := e.begin("master")
	diff := func(from datakit.Hash, want ...datakit.Change) {
		e.Helper()
		got, err := tx.Diff(e.ctx, from)
		e.ok(err)
		e.same("Tx.Diff", got, want)
	}
	tx.write("file", "from-master")
	diff(h1, added("foo"))
	tx.write("file", "from-master+pr") // CLT-11
	diff(h2)
	tx.mkdir("empty")
	diff(h2)
	tx.remove("src")
	tx.rename("foo", "d")
	tx.write("e/f", "x")
	diff(h2, added("d"), added("e/f"), removed("foo"), removed("src/Makefile"))
	tx.write("d", "edited")
	e.ok(tx.SetMode(e.ctx, "file", datakit.Executable))
	diff(h1, added("d"), added("e/f"), updated("file"), removed("src/Makefile"))
}

// everyChange has every pair of states at a path of its own.
func everyChange(e *env) {
	from, to := files{}, files{}
	for i, f := range states {
		for j, g := range states {
			name := datakit.Path([]byte{'a' + byte(i), '-', 'a' + byte(j)})
			from.addState("d/"+name, f)
			to.addState("d/"+name, g)
		}
	}
	h1, h2 := e.commitFiles(from), e.commitFiles(to)
	e.wantDiff(h1, h2, modelDiff(from, to))
	e.wantDiff(h2, h1, modelDiff(to, from))
}

func diffSorted(e *env) {
	fs := files{}
	for _, path := range []datakit.Path{"a/b", "a.b", "a-b", "a0", "a/b.c/d", "a/b-c", "A", "é", "z/z", "z.z", " "} {
		fs[path] = normal(string(path))
	}
	h := e.commitFiles(fs)
	empty := e.commitFiles(files{})
	var want []datakit.Change
	for _, path := range []datakit.Path{" ", "A", "a-b", "a.b", "a/b", "a/b-c", "a/b.c/d", "a0", "z.z", "z/z", "é"} {
		want = append(want, added(path))
	}
	e.wantDiff(empty, h, want)
}

func diffFileDirectory(e *env) {
	h1 := e.commitFiles(files{"x": normal("1"), "y/a": normal("2"), "y/b/c": normal("3")})
	h2 := e.commitFiles(files{"x/a": normal("1"), "x/b": normal("2"), "y": symlink("3")})
	e.wantDiff(h1, h2, []datakit.Change{removed("x"), added("x/a"), added("x/b"), added("y"), removed("y/a"), removed("y/b/c")})
}

func diffOfEqualTrees(e *env) {
	h1 := e.put("master", sample)
	h2 := e.change("master", func(*txn) {})
	e.wantDiff(h1, h1, nil)
	e.wantDiff(h1, h2, nil)
}

func diffOfBranch(e *env) {
	h := e.put("master", files{"d/f": normal("1"), "g": normal("2")})
	got, err := e.db.Branch("new").Diff(e.ctx, h)
	e.ok(err)
	e.same("Diff of a branch without head", got, []datakit.Change{removed("d/f"), removed("g")})
	e.wantBranches("master")
}

func diffDuringMerge(e *env) {
	b, o, t := e.fork3(files{"f": normal("0"), "g": normal("0")}, files{"f": normal("1"), "g": normal("0")}, files{"f": normal("2"), "h": normal("new")})
	tx := e.begin(e.branchOf(o))
	tx.merge(t)
	got, err := tx.Diff(e.ctx, b)
	e.ok(err)
	e.same("Diff with a conflict", got, []datakit.Change{updated("f"), removed("g"), added("h")})
}

func diffOfUnknownCommit(e *env) {
	h := e.put("master", files{"f": normal("x")})
	for _, bad := range []datakit.Hash{unknown, {}, e.commitOf(h).TreeID, blobHash("x")} {
		what := "Diff from " + bad.String()
		e.fails(what, second(e.db.Diff(e.ctx, bad, h)), datakit.NotExist)
		e.fails("Diff to "+bad.String(), second(e.db.Diff(e.ctx, h, bad)), datakit.NotExist)
		e.fails(what+" to a branch", second(e.db.Branch("master").Diff(e.ctx, bad)), datakit.NotExist)
		e.fails(what+" to a branch without head", second(e.db.Branch("new").Diff(e.ctx, bad)), datakit.NotExist)
		e.fails(what+" to a transaction", second(e.begin("master").Diff(e.ctx, bad)), datakit.NotExist)
	}
}

// diffOfLargeTrees has a few changes in a tree of many directories.
func diffOfLargeTrees(e *env) {
	fs := files{}
	for i := range e.sized(50, 27) { // up to aa/ab, so that what is changed below is there
		for j := range e.sized(50, 27) {
			fs[datakit.Path([]byte{'a' + byte(i%26), 'a' + byte(i/26), '/', 'a' + byte(j%26), 'a' + byte(j/26)})] = normal("same")
		}
	}
	h1 := e.commitFiles(fs)
	to := maps.Clone(fs)
	to["aa/ab"], to["zz/new"], to["ba/da"] = normal("changed"), normal("new"), executable("same")
	delete(to, "xb/xb")
	delete(to, "ca/ca")
	h2 := e.commitFiles(to)
	e.wantDiff(h1, h2, modelDiff(fs, to))
}
