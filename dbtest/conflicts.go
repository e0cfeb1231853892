package dbtest

import (
	"fmt"
	"strings"

	"github.com/datakit/datakit"
)

var conflictChecks = []check{
	{"FS126_Resolving", resolving},
	{"FS126_RenameOfDirectory", renameOfConflicts},
	{"FS126_NotResolving", notResolving},
	{"FS126_ReadingDoesNotResolve", readingDoesNotResolve},
	{"FS126_EditsOfOtherPaths", editsOfOtherPaths},
	{"FS126_FailedEditsDoNotResolve", failedEditsDoNotResolve},
	{"FS132_MarkerReplacesDirectory", markerReplacesDirectory},
	{"FS133_MergeWhileUnresolved", mergeWhileUnresolved},
	{"FS123_UnknownComesBeforeUnresolved", unknownBeforeUnresolved},
	{"FS103_ConflictsAreSorted", conflictsAreSorted},
	{"FS121_AbortWithConflicts", abortWithConflicts},
	{"FS96_ConflictsOfOneTransaction", conflictsOfOneTransaction},
}

// conflicting starts a transaction with conflicts at d/f and d/g, and with an
// other file and an empty directory beside them.
func (e *env) conflicting() *txn {
	e.Helper()
	fs := func(content string) files {
		return files{"d/f": normal(content), "d/g": normal(content), "other": normal("x")}
	}
	tx, m := e.merge3(fs("base"), fs("ours"), fs("theirs"))
	e.same("conflicts", m.Conflicts, []datakit.Path{"d/f", "d/g"})
	tx.mkdir("empty")
	return tx
}

func resolving(e *env) {
	for name, tt := range map[string]struct {
		edit func(tx *txn) error
		left []datakit.Path
	}{
		"WriteFile":               {func(tx *txn) error { return tx.WriteFile(e.ctx, "d/f", []byte("x")) }, []datakit.Path{"d/g"}},
		"WriteFile of the marker": {func(tx *txn) error { return tx.WriteFile(e.ctx, "d/f", []byte(marker(changedOnBoth).data)) }, []datakit.Path{"d/g"}},
		"Create":                  {func(tx *txn) error { return tx.Create(e.ctx, "d/f", datakit.Executable, nil) }, []datakit.Path{"d/g"}},
		"Replace":                 {func(tx *txn) error { return tx.Replace(e.ctx, "d/f", []byte("x")) }, []datakit.Path{"d/g"}},
		"ReadFrom":                {func(tx *txn) error { return second(tx.ReadFrom(e.ctx, "d/f", strings.NewReader("x"))) }, []datakit.Path{"d/g"}},
		"WriteAt":                 {func(tx *txn) error { return tx.WriteAt(e.ctx, "d/f", []byte("x"), 3) }, []datakit.Path{"d/g"}},
		"Truncate":                {func(tx *txn) error { return tx.Truncate(e.ctx, "d/f", 3) }, []datakit.Path{"d/g"}},
		"Symlink":                 {func(tx *txn) error { return tx.Symlink(e.ctx, "d/f", "t") }, []datakit.Path{"d/g"}},
		"Remove":                  {func(tx *txn) error { return tx.Remove(e.ctx, "d/f") }, []datakit.Path{"d/g"}},
		"Remove of the directory": {func(tx *txn) error { return tx.Remove(e.ctx, "d") }, nil},
		"Rename away":             {func(tx *txn) error { return tx.Rename(e.ctx, "d/f", "elsewhere") }, []datakit.Path{"d/g"}},
		"Rename over":             {func(tx *txn) error { return tx.Rename(e.ctx, "other", "d/f") }, []datakit.Path{"d/g"}},
		"Rename of one to other":  {func(tx *txn) error { return tx.Rename(e.ctx, "d/f", "d/g") }, nil},
		"Rename directory over":   {func(tx *txn) error { return tx.Rename(e.ctx, "empty", "d/f") }, []datakit.Path{"d/g"}},
	} {
		if name == "Symlink" && e.cfg.NoSymlinks {
			continue
		}
		e.step(name, func() {
			tx := e.conflicting()
			e.ok(tt.edit(tx))
			tx.wantConflicts(tt.left...)
			for _, path := range tt.left {
				tx.remove(path)
			}
			tx.commit("resolved")
		})
	}
}

// renameOfConflicts: the paths at which the merge failed are gone with their
// directory. Whether their new paths are conflicts is left open.
func renameOfConflicts(e *env) {
	tx := e.conflicting()
	tx.rename("d", "elsewhere")
	paths, err := tx.Conflicts(e.ctx)
	e.ok(err)
	for _, path := range paths {
		if path.Within("d") {
			e.Errorf("%s is a conflict after its directory was renamed", path)
		}
	}
	tx.remove("elsewhere")
	tx.wantConflicts()
	tx.commit("resolved")
}

func notResolving(e *env) {
	tx := e.conflicting()
	e.ok(tx.SetMode(e.ctx, "d/f", datakit.Executable))
	tx.wantConflicts("d/f", "d/g")
	e.ok(tx.SetParents(e.ctx, tx.parents()))
	e.ok(tx.MkdirAll(e.ctx, "d"))
	tx.wantConflicts("d/f", "d/g")
	e.fails("Commit", tx.Commit(e.ctx, "m"), datakit.Unresolved)
	tx.wantFile("d/f", file{datakit.Executable, marker(changedOnBoth).data})
}

func readingDoesNotResolve(e *env) {
	tx := e.conflicting()
	for _, r := range treeReads {
		r.call(e, &tx.Tree, "d/f") // whether it fails is the matter of others
	}
	tx.wantConflicts("d/f", "d/g")
}

func editsOfOtherPaths(e *env) {
	tx := e.conflicting()
	tx.write("d/new", "x")
	tx.write("other", "y")
	tx.remove("empty")
	tx.rename("d/new", "d/f.x")
	tx.wantConflicts("d/f", "d/g")
	tx.write("d/f", "resolved")
	tx.write("d/f", "twice")
	tx.wantConflicts("d/g")
}

func failedEditsDoNotResolve(e *env) {
	tx := e.conflicting()
	e.fails("Mkdir", tx.Mkdir(e.ctx, "d/f"), datakit.Exist)
	e.fails("MkdirAll", tx.MkdirAll(e.ctx, "d/f"), datakit.NotDir)
	e.fails("Rename into nothing", tx.Rename(e.ctx, "d/f", "absent/x"), datakit.NotExist)
	e.fails("Rename of nothing", tx.Rename(e.ctx, "absent", "d/f"), datakit.NotExist)
	e.fails("Symlink without target", tx.Symlink(e.ctx, "d/f", ""), datakit.Invalid)
	e.fails("Truncate to -1", tx.Truncate(e.ctx, "d/f", -1), datakit.Invalid)
	e.fails("Truncate to 2^40", tx.Truncate(e.ctx, "d/f", 1<<40), datakit.TooLarge)
	e.fails("WriteAt 2^40", tx.WriteAt(e.ctx, "d/f", []byte("x"), 1<<40), datakit.TooLarge)
	tx.wantConflicts("d/f", "d/g")
	tx.wantFile("d/f", marker(changedOnBoth))
}

func markerReplacesDirectory(e *env) {
	tx, m := e.merge3(
		files{"d": normal("0")},
		files{"d/e/f": normal("1"), "d/g": normal("2")},
		files{"d": normal("3")},
	)
	tx.wantFiles(files{"d": marker(fileVsDir)})
	e.wantFiles("ours", m.Ours, files{"d/e/f": normal("1"), "d/g": normal("2")})
	tx.remove("d")
	tx.write("d/new", "x")
	tx.commit("m")
}

func mergeWhileUnresolved(e *env) {
	tx := e.conflicting()
	parents := tx.parents()
	other := e.commitFiles(files{"more": normal("x")})
	_, err := tx.Merge(e.ctx, other)
	e.fails("Merge", err, datakit.Unresolved)
	e.same("parents", tx.parents(), parents)
	tx.wantConflicts("d/f", "d/g")
	if ok, err := tx.Exists(e.ctx, "more"); ok || err != nil {
		e.Errorf("the refused merge has brought a file: %v, %v", ok, err)
	}
	last, err := tx.LastMerge(e.ctx)
	e.ok(err)
	e.wantFile(last.Theirs, "d/f", normal("theirs"))
	tx.write("d/f", "x")
	tx.remove("d/g")
	tx.merge(other)
	tx.wantFile("more", normal("x"))
}

func unknownBeforeUnresolved(e *env) {
	tx := e.conflicting()
	_, err := tx.Merge(e.ctx, unknown)
	e.fails("Merge of an unknown commit", err, datakit.NotExist)
	e.ok(tx.SetParents(e.ctx, []datakit.Hash{unknown}))
	e.fails("Commit", tx.Commit(e.ctx, "m"), datakit.Unresolved)
}

func conflictsAreSorted(e *env) {
	fs := func(content string) files {
		all := files{}
		for _, path := range []datakit.Path{"a/b", "a.b", "a-b", "a0", "A", "é", "z"} {
			all[path] = normal(content)
		}
		return all
	}
	tx, m := e.merge3(fs("0"), fs("1"), fs("2"))
	want := []datakit.Path{"A", "a-b", "a.b", "a/b", "a0", "z", "é"}
	e.same("conflicts of the merge", m.Conflicts, want)
	tx.wantConflicts(want...)
	m.Conflicts[0] = "changed by the caller"
	tx.wantConflicts(want...)
}

func abortWithConflicts(e *env) {
	tx, _ := e.mergeTable()
	h := e.head("master")
	tx.Abort()
	e.wantHead("master", h)
	e.begin("master").wantConflicts()
}

func conflictsOfOneTransaction(e *env) {
	var txs []*txn
	for range 3 {
		txs = append(txs, e.conflicting())
	}
	txs[1].remove("d")
	for i, tx := range txs {
		e.step(fmt.Sprintf("transaction %d", i), func() {
			if i == 1 {
				tx.wantConflicts()
			} else {
				tx.wantConflicts("d/f", "d/g")
			}
		})
	}
}
