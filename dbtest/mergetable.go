package dbtest

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/datakit/datakit"
)

var mergeTableChecks = []check{
	{"FS129_RulesOneByOne", rulesOneByOne},
	{"FS129_EveryCase", everyCase},
	{"FS129_EveryCaseInOldDirectory", everyCaseInOldDirectory},
	{"FS128_EveryCaseAtCommit", everyCaseAtCommit},
	{"FS130_EveryCaseExchanged", everyCaseExchanged},
	{"FS127_EveryCaseWithUndefinedBase", everyCaseUndefined},
}

// in makes a tree that has f under the name x, or for a directory what it has.
func in(f any) files {
	switch f := f.(type) {
	case file:
		if f == absent {
			return files{}
		}
		return files{"x": f}
	case files:
		below := files{}
		for path, g := range f {
			below["x/"+path] = g
		}
		return below
	}
	panic(fmt.Sprintf("neither a file nor files: %T", f))
}

// rules are the lines of the specification's table 5.2 but for rule 4, each
// with examples. Files stand for directories with these contents.
var rules = []struct {
	rule               int
	base, ours, theirs any
	want               any    // the result, where there is no conflict
	reason             string // of the conflict
}{
	{1, normal("0"), normal("1"), normal("1"), normal("1"), ""},
	{1, normal("0"), absent, absent, absent, ""},
	{1, absent, executable("1"), executable("1"), executable("1"), ""},
	{1, symlink("0"), files{"a": normal("1")}, files{"a": normal("1")}, files{"a": normal("1")}, ""},
	{2, normal("0"), normal("0"), normal("1"), normal("1"), ""},
	{2, normal("0"), normal("0"), absent, absent, ""},
	{2, absent, absent, symlink("1"), symlink("1"), ""},
	{2, files{"a": normal("0")}, files{"a": normal("0")}, normal("1"), normal("1"), ""},
	{2, normal("0"), normal("0"), files{"a": normal("1")}, files{"a": normal("1")}, ""},
	{3, normal("0"), executable("0"), normal("0"), executable("0"), ""},
	{3, symlink("0"), absent, symlink("0"), absent, ""},
	{3, files{"a": normal("0")}, symlink("1"), files{"a": normal("0")}, symlink("1"), ""},
	{5, files{"a": normal("0"), "b": normal("0")}, files{"a": normal("1"), "b": normal("0")}, files{"a": normal("0"), "c": normal("2")},
		files{"a": normal("1"), "c": normal("2")}, ""},
	{5, normal("0"), files{"a": normal("1")}, files{"b": normal("2")}, files{"a": normal("1"), "b": normal("2")}, ""},
	{5, absent, files{"a": normal("1")}, files{"b": normal("2")}, files{"a": normal("1"), "b": normal("2")}, ""},
	{5, files{"a": normal("0")}, files{"a": normal("0"), "b": normal("1")}, absent, files{"b": normal("1")}, ""},
	{5, symlink("0"), files{"a": normal("1")}, absent, files{"a": normal("1")}, ""},
	{5, files{"a": normal("0"), "b": normal("0")}, files{"a": normal("0")}, files{"b": normal("0")}, absent, ""},
	{6, files{"a": normal("0")}, normal("1"), files{"a": normal("2")}, nil, fileVsDir},
	{6, normal("0"), files{"a": normal("1")}, symlink("2"), nil, fileVsDir},
	{6, absent, files{"a": normal("1")}, normal("2"), nil, fileVsDir},
	{7, normal("0"), absent, normal("1"), nil, addDel},
	{7, normal("0"), executable("0"), absent, nil, addDel},
	{7, symlink("0"), absent, symlink("1"), nil, addDel},
	{8, files{"a": normal("0")}, normal("1"), absent, normal("1"), ""},
	{8, files{"a": normal("0")}, absent, symlink("1"), symlink("1"), ""},
	{9, absent, normal("1"), normal("2"), nil, addAdd},
	{9, absent, normal("1"), executable("1"), nil, addAdd},
	{9, absent, symlink("1"), normal("1"), nil, addAdd},
	{9, files{"a": normal("0")}, normal("1"), normal("2"), nil, addAdd},
	{10, normal("0"), normal("1"), executable("0"), executable("1"), ""},
	{10, executable("0"), executable("1"), normal("0"), normal("1"), ""},
	{10, normal("0"), executable("1"), executable("0"), executable("1"), ""},
	{10, normal("0"), executable("1"), normal("1"), executable("1"), ""},
	{10, normal("0"), normal("1"), normal("2"), nil, changedOnBoth},
	{10, normal("0"), executable("1"), normal("2"), nil, changedOnBoth},
	{11, symlink("0"), symlink("1"), symlink("2"), nil, changedOnBoth},
	{11, normal("0"), symlink("0"), executable("0"), nil, changedOnBoth},
	{11, symlink("0"), normal("0"), executable("0"), nil, changedOnBoth},
}

func rulesOneByOne(e *env) {
	for _, r := range rules {
		want, conflicts := files(nil), []datakit.Path{}
		if r.reason != "" {
			want, conflicts = in(marker(r.reason)), []datakit.Path{"x"}
		} else {
			want = in(r.want)
		}
		for _, side := range [][2]any{{r.ours, r.theirs}, {r.theirs, r.ours}} {
			e.step(fmt.Sprintf("rule %d with base %v, ours %v, theirs %v", r.rule, r.base, side[0], side[1]), func() {
				tx, m := e.merge3(in(r.base), in(side[0]), in(side[1]))
				e.same("conflicts", m.Conflicts, conflicts)
				tx.wantFiles(want)
				tx.Abort()
			})
		}
	}
}

// states are what can be at one path, in all ways that make a difference.
var states = []any{
	absent, normal("1"), normal("2"), normal("3"), executable("1"), executable("2"), symlink("1"), symlink("2"),
	files{"a": normal("1")}, files{"a": normal("2")}, files{"b": executable("1")}, files{"a/c": normal("1")},
}

// states returns all states, or some that meet each other in every way.
func (e *env) states() []any {
	if e.light() {
		return []any{absent, normal("1"), normal("2"), executable("1"), symlink("1"), files{"a": normal("1")}}
	}
	return states
}

// allCases makes three trees that have every combination of three states, each
// under a name of its own below dir.
func (e *env) allCases(dir datakit.Path) (base, ours, theirs files) {
	base, ours, theirs = files{}, files{}, files{}
	for i, b := range e.states() {
		for j, o := range e.states() {
			for k, t := range e.states() {
				name := dir.Join(datakit.Path(fmt.Sprintf("%d-%d-%d", i, j, k)))
				base.addState(name, b)
				ours.addState(name, o)
				theirs.addState(name, t)
			}
		}
	}
	return base, ours, theirs
}

// addState adds a file, or all of a directory, at path.
func (fs files) addState(path datakit.Path, state any) {
	for below, f := range in(state) {
		fs[path+below[len("x"):]] = f
	}
}

// wantMerged reports a merge in tx that is not that of the model.
func (e *env) wantMerged(tx *txn, m *datakit.Merge, ours, theirs, base *node) {
	e.Helper()
	want, conflicts := modelMerge(ours, theirs, base)
	e.same("conflicts", m.Conflicts, pathsOf(conflicts))
	tx.wantFiles(want)
}

func pathsOf(conflicts []datakit.MergeConflict) []datakit.Path {
	var paths []datakit.Path
	for _, c := range conflicts {
		paths = append(paths, c.Path)
	}
	return paths
}

func everyCase(e *env) {
	base, ours, theirs := e.allCases(datakit.Root)
	tx, m := e.merge3(base, ours, theirs)
	e.wantMerged(tx, m, nodeOf(ours), nodeOf(theirs), nodeOf(base))
}

func everyCaseExchanged(e *env) {
	base, ours, theirs := e.allCases(datakit.Root)
	tx, m := e.merge3(base, theirs, ours)
	e.wantMerged(tx, m, nodeOf(ours), nodeOf(theirs), nodeOf(base)) // not exchanged here
}

func everyCaseInOldDirectory(e *env) {
	base, ours, theirs := e.allCases("d/e")
	for _, fs := range []files{base, ours, theirs} {
		fs["d/other"] = normal("the same everywhere")
	}
	tx, m := e.merge3(base, ours, theirs)
	e.wantMerged(tx, m, nodeOf(ours), nodeOf(theirs), nodeOf(base))
}

// everyCaseAtCommit has commits merge: first all cases, which conflict, then
// those that do not.
func everyCaseAtCommit(e *env) {
	base, ours, theirs := e.allCases(datakit.Root)
	_, conflicts := modelMerge(nodeOf(ours), nodeOf(theirs), nodeOf(base))
	tx, branch, before := e.commitBeside(base, ours, theirs)
	e.wantConflict(tx.Commit(e.ctx, "theirs"), conflicts...)
	e.wantHead(branch, before)
	tx.wantFiles(theirs)

	conflicting := map[string]bool{}
	for _, c := range conflicts {
		conflicting[firstStep(c.Path)] = true
	}
	for _, fs := range []files{base, ours, theirs} {
		maps.DeleteFunc(fs, func(path datakit.Path, _ file) bool { return conflicting[firstStep(path)] })
	}
	tx, branch, before = e.commitBeside(base, ours, theirs)
	tx.commit("theirs")
	e.wantMerge(branch, before, "theirs", e.parents(before)...)
	want, _ := modelMerge(nodeOf(ours), nodeOf(theirs), nodeOf(base))
	e.wantFiles(branch, e.tree(branch), want)
}

func firstStep(path datakit.Path) string {
	first, _, _ := strings.Cut(string(path), "/")
	return first
}

// commitBeside starts a transaction from base that has the contents theirs,
// and then moves the head of its branch to a commit with the contents ours.
func (e *env) commitBeside(base, ours, theirs files) (tx *txn, branch string, head datakit.Hash) {
	e.Helper()
	b := e.commitFiles(base)
	head = e.commitFiles(ours, b)
	branch = e.branchOf(b)
	tx = e.begin(branch)
	tx.replaceAll(theirs)
	e.ok(e.db.Branch(branch).FastForward(e.ctx, head))
	return tx, branch, head
}

// replaceAll makes fs the contents of the transaction.
func (tx *txn) replaceAll(fs files) {
	tx.e.Helper()
	entries, err := tx.ReadDir(tx.e.ctx, datakit.Root)
	tx.e.ok(err)
	for _, entry := range entries {
		tx.remove(datakit.Path(entry.Name))
	}
	tx.put(fs)
}

// everyCaseUndefined merges every pair of states where two best common
// ancestors did not merge at that path.
func everyCaseUndefined(e *env) {
	first, second, ours, theirs := files{}, files{}, files{}, files{}
	for j, o := range e.states() {
		for k, t := range e.states() {
			name := datakit.Path(fmt.Sprintf("%d-%d", j, k))
			first[name], second[name] = normal("first"), normal("second")
			ours.addState(name, o)
			theirs.addState(name, t)
		}
	}
	a, b := e.commitFiles(first), e.commitFiles(second)
	base := modelBase(nodeOf(first), nodeOf(second), nodeOf(files{}))
	o, t := e.commitFiles(ours, a, b), e.commitFiles(theirs, b, a)
	tx := e.begin(e.branchOf(o))
	m := tx.merge(t)
	e.wantMerged(tx, m, nodeOf(ours), nodeOf(theirs), base)
	for _, path := range slices.Sorted(maps.Keys(first)) {
		e.wantFile(m.Base, path, marker(addAdd))
	}
}
