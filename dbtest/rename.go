package dbtest

import "github.com/datakit/datakit"

var renameChecks = []check{
	{"FS112_RenameFile", renameFile},
	{"FS112_RenameDirectory", renameDirectory},
	{"FS112_RenameReplaces", renameReplaces},
	{"FST9_RenameToDirectory", renameToDirectory},
	{"FS112_RenameOverEmptyDirectory", renameOverEmptyDirectory},
	{"FS112_RenameDirectoryOverFile", renameDirectoryOverFile},
	{"FS112_RenameToItself", renameToItself},
	{"FS112_RenameIntoItself", renameIntoItself},
	{"FS112_RenameOfNothing", renameOfNothing},
	{"FS112_RenameAfterEdits", renameAfterEdits},
	{"FS112_SwapByRenames", swapByRenames},
}

func renameFile(e *env) {
	fs := files{"n": normal("1"), "x": executable("2"), "l": symlink("3"), "d/k": normal("4")}
	e.put("master", fs)
	for _, branch := range []string{"master", "new"} { // stored files, and new ones
		tx := e.begin(branch)
		tx.put(fs)
		tx.rename("n", "n2")
		tx.rename("x", "d/x2")
		tx.rename("l", "d/l2")
		tx.rename("d/k", "k2")
		want := files{"n2": normal("1"), "d/x2": executable("2"), "d/l2": symlink("3"), "k2": normal("4")}
		tx.wantFiles(want)
		tx.commit("m")
		e.wantFiles(branch, e.tree(branch), want)
	}
}

func renameDirectory(e *env) {
	e.put("master", files{"d/a": normal("1"), "d/e/f": executable("2"), "d.x": normal("3"), "other/g": normal("4")})
	tx := e.begin("master")
	tx.mkdir("d/empty")
	tx.write("d/e/new", "5")
	tx.rename("d", "other/moved")
	tx.wantFiles(files{
		"other/moved/a": normal("1"), "other/moved/e/f": executable("2"), "other/moved/e/new": normal("5"),
		"other/moved/empty": directory, "d.x": normal("3"), "other/g": normal("4"),
	})
	tx.rename("other/moved/e", "e")
	tx.remove("other")
	tx.wantFiles(files{"e/f": executable("2"), "e/new": normal("5"), "d.x": normal("3")})
	tx.commit("m")
	e.wantFiles("master", e.tree("master"), files{"e/f": executable("2"), "e/new": normal("5"), "d.x": normal("3")})
}

func renameReplaces(e *env) {
	kinds := []file{normal("1"), executable("22"), symlink("333")}
	for _, from := range kinds {
		for _, to := range kinds {
			fs := files{"from": from, "d/to": to}
			for _, tx := range []*txn{e.begin(e.branchOf(e.commitFiles(fs))), e.begin(e.fresh())} {
				tx.put(fs)
				tx.rename("from", "d/to")
				tx.wantFiles(files{"d/to": from})
				tx.Abort()
			}
		}
	}
}

func renameToDirectory(e *env) {
	tx := e.begin("master")
	fs := files{"new": normal("n"), "dir/precious": normal("p"), "dir2/x": normal("x"), "empty": directory}
	tx.put(fs)
	e.fails("Rename of a file to a directory", tx.Rename(e.ctx, "new", "dir"), datakit.IsDir)
	e.fails("Rename of a file to an empty directory", tx.Rename(e.ctx, "new", "empty"), datakit.IsDir)
	e.fails("Rename of a directory to a full one", tx.Rename(e.ctx, "dir2", "dir"), datakit.IsDir)
	e.fails("Rename of an empty directory to a full one", tx.Rename(e.ctx, "empty", "dir"), datakit.IsDir)
	e.fails("Rename to the directory above", tx.Rename(e.ctx, "dir/precious", "dir"), datakit.IsDir)
	tx.wantFiles(fs)
}

func renameOverEmptyDirectory(e *env) {
	e.put("master", files{"full/f": normal("1"), "emptied/f": normal("2")})
	tx := e.begin("master")
	tx.mkdir("empty")
	tx.remove("emptied/f")
	tx.rename("full", "empty")
	tx.wantFiles(files{"empty/f": normal("1"), "emptied": directory})
	tx.rename("empty", "emptied")
	tx.wantFiles(files{"emptied/f": normal("1")})
}

func renameDirectoryOverFile(e *env) {
	tx := e.begin("master")
	tx.put(files{"d/a": normal("1"), "f": normal("2"), "l": symlink("3")})
	tx.rename("d", "f")
	tx.rename("f", "l")
	tx.wantFiles(files{"l/a": normal("1")})
}

func renameToItself(e *env) {
	tx := e.begin("master")
	fs := files{"d/a": normal("1"), "f": normal("2"), "l": symlink("3"), "empty": directory}
	tx.put(fs)
	for _, path := range []datakit.Path{"d", "d/a", "f", "l", "empty"} {
		tx.rename(path, path)
	}
	tx.wantFiles(fs)
}

func renameIntoItself(e *env) {
	tx := e.begin("master")
	fs := files{"d/e/f": normal("1"), "dx/g": normal("2")}
	tx.put(fs)
	for _, to := range []datakit.Path{"d/new", "d/e/new", "d/e"} {
		if err := tx.Rename(e.ctx, "d", to); to != "d/e" {
			e.fails("Rename of d to "+string(to), err, datakit.Invalid)
		} else if err == nil { // IsDir would be true, too
			e.Error("d is renamed to d/e")
		}
	}
	tx.wantFiles(fs)
	tx.rename("d", "dx/d") // no more than the beginning of the names is the same
	tx.wantFiles(files{"dx/d/e/f": normal("1"), "dx/g": normal("2")})
}

func renameOfNothing(e *env) {
	tx := e.begin("master")
	tx.put(files{"f": normal("1"), "gone": normal("2")})
	tx.remove("gone")
	for _, from := range []datakit.Path{"gone", "absent", "absent/x"} {
		e.fails("Rename of "+string(from), tx.Rename(e.ctx, from, "f"), datakit.NotExist)
		e.fails("Rename of "+string(from)+" to itself", tx.Rename(e.ctx, from, from), datakit.NotExist)
	}
	e.fails("Rename from below a file", tx.Rename(e.ctx, "f/x", "g"), datakit.NotDir)
	tx.wantFiles(files{"f": normal("1")})
}

// renameAfterEdits: what was edited keeps its content under the new name, and
// the old name is free.
func renameAfterEdits(e *env) {
	e.put("master", files{"d/f": normal("stored")})
	tx := e.begin("master")
	e.ok(tx.WriteAt(e.ctx, "d/f", []byte("ED"), 4))
	tx.rename("d/f", "g")
	tx.write("d/f", "another")
	e.ok(tx.WriteAt(e.ctx, "g", []byte("!"), 6))
	tx.wantFiles(files{"g": normal("storED!"), "d/f": normal("another")})
	tx.rename("d", "d2")
	tx.mkdir("d")
	tx.wantFiles(files{"g": normal("storED!"), "d2/f": normal("another"), "d": directory})
}

func swapByRenames(e *env) {
	e.put("master", files{"a/f": normal("1"), "b/f": normal("2")})
	h := e.change("master", func(tx *txn) {
		tx.rename("a", "tmp")
		tx.rename("b", "a")
		tx.rename("tmp", "b")
	})
	e.wantFiles("master", e.treeOf(h), files{"a/f": normal("2"), "b/f": normal("1")})
}
