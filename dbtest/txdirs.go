package dbtest

import (
	"strings"

	"github.com/datakit/datakit"
)

var txDirChecks = []check{
	{"FS109_Mkdir", makeDir},
	{"CLT6_MkdirAll", makeDirs},
	{"CL32_MkdirAllThroughFile", makeDirsThroughFile},
	{"FST17_ListNewDirectory", listNewDirectory},
	{"FS109_DirectoryStaysWhenEmptied", directoryStays},
	{"FS110_RemoveDirectory", removeDirectory},
	{"FS110_RemovedDirectoryMadeAgain", removedDirectoryMadeAgain},
	{"CLT21_RemoveStepByStep", removeStepByStep},
	{"FS109_EmptiedDirectoryOfCommit", emptiedDirectoryOfCommit},
}

func makeDir(e *env) {
	e.put("master", sample)
	tx := e.begin("master")
	tx.mkdir("new")
	tx.mkdir("new/below")
	tx.mkdir("src/new")
	for _, path := range []datakit.Path{"new", "src", "file", "bin/run", "bin/to", "lost"} {
		e.fails("Mkdir "+string(path), tx.Mkdir(e.ctx, path), datakit.Exist)
	}
	want := files{"new/below": directory, "src/new": directory}
	for path, f := range sample {
		want[path] = f
	}
	tx.wantFiles(want)
}

func makeDirs(e *env) {
	tx := e.begin("master")
	for _, path := range []datakit.Path{datakit.Root, "foo/bar/baz", "foo/bar/baz/new", "foo/bar/baz", "foo"} {
		e.ok(tx.MkdirAll(e.ctx, path))
		if mode, err := tx.Mode(e.ctx, path); mode != datakit.Dir || err != nil {
			e.Errorf("after MkdirAll %q is %v, %v", path, mode, err)
		}
	}
	tx.commit("m")
	e.wantFiles("master", e.tree("master"), files{})
}

func makeDirsThroughFile(e *env) {
	e.put("master", sample)
	tx := e.begin("master")
	for _, path := range []datakit.Path{"file", "file/x", "bin/run/x/y", "up", "up/src", "bin/to/x"} {
		e.fails("MkdirAll "+string(path), tx.MkdirAll(e.ctx, path), datakit.NotDir)
	}
	tx.wantFiles(sample)
}

func listNewDirectory(e *env) {
	tx := e.begin("master")
	tx.write("foo", "")
	tx.mkdir("sub")
	tx.mkdir("sub/bar")
	e.ok(tx.Create(e.ctx, "sub/bar/baz", datakit.Normal, nil))
	e.same("names", e.names(&tx.Tree, datakit.Root), "foo sub")
	e.same("names in sub", e.names(&tx.Tree, "sub"), "bar")
}

// names returns the names in a directory, with spaces between.
func (e *env) names(t *datakit.Tree, dir datakit.Path) string {
	e.Helper()
	entries, err := t.ReadDir(e.ctx, dir)
	e.ok(err)
	var names []string
	for _, entry := range entries {
		names = append(names, entry.Name)
	}
	return strings.Join(names, " ")
}

func directoryStays(e *env) {
	e.put("master", files{"d/only": normal("x"), "f": normal("y")})
	tx := e.begin("master")
	tx.write("new/only", "z")
	tx.remove("d/only")
	tx.remove("new/only")
	tx.wantFiles(files{"d": directory, "new": directory, "f": normal("y")})
	tx.write("d/again", "1")
	tx.rename("d/again", "new/moved")
	tx.wantFiles(files{"d": directory, "new/moved": normal("1"), "f": normal("y")})
}

func removeDirectory(e *env) {
	e.put("master", files{"d/a": normal("1"), "d/e/f": normal("2"), "dx": normal("3"), "d.x": normal("4")})
	tx := e.begin("master")
	tx.write("d/new/file", "5")
	tx.mkdir("empty")
	tx.remove("d")
	tx.remove("empty")
	tx.wantFiles(files{"dx": normal("3"), "d.x": normal("4")})
	for _, path := range []datakit.Path{"d", "d/a", "d/e", "d/e/f", "d/new/file"} {
		e.fails("Lookup of "+string(path), second(tx.Lookup(e.ctx, path)), datakit.NotExist)
		e.fails("Remove of "+string(path), tx.Remove(e.ctx, path), datakit.NotExist)
	}
	tx.commit("m")
	e.wantFiles("master", e.tree("master"), files{"dx": normal("3"), "d.x": normal("4")})
}

// removedDirectoryMadeAgain: nothing of the former contents comes back.
func removedDirectoryMadeAgain(e *env) {
	e.put("master", files{"d/a": normal("1"), "d/e/f": normal("2")})
	tx := e.begin("master")
	tx.remove("d")
	tx.mkdir("d")
	tx.wantFiles(files{"d": directory})
	tx.write("d/e/g", "3")
	tx.wantFiles(files{"d/e/g": normal("3")})
	tx.remove("d")
	tx.write("d", "a file now")
	tx.wantFiles(files{"d": normal("a file now")})
	tx.remove("d")
	tx.write("d/x", "4")
	tx.commit("m")
	e.wantFiles("master", e.tree("master"), files{"d/x": normal("4")})
}

func removeStepByStep(e *env) {
	tx := e.begin("master")
	for range 2 {
		e.ok(tx.MkdirAll(e.ctx, "a/b/c"))
		tx.wantFiles(files{"a/b/c": directory})
		for _, path := range []datakit.Path{"a/b/c", "a/b", "a"} {
			tx.remove(path)
		}
		tx.wantFiles(files{})
	}
}

func emptiedDirectoryOfCommit(e *env) {
	e.put("master", files{"d/e/f": normal("1"), "g": normal("2")})
	h := e.change("master", func(tx *txn) { tx.remove("d/e/f") })
	want := files{"g": normal("2")}
	e.wantFiles("master", e.treeOf(h), want)
	if got := e.commitOf(h).TreeID; got != treeHash(want) {
		e.Errorf("the tree is %v, want %v", got, treeHash(want))
	}
}
