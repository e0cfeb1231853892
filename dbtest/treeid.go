package dbtest

import "github.com/datakit/datakit"

var treeIDChecks = []check{
	{"FS65_TreeByID", treeByID},
	{"FS65_SingleFileByID", singleFileByID},
	{"FS65_EmptyTree", emptyTreeByID},
	{"FS65_UnknownTreeID", unknownTreeID},
}

func treeByID(e *env) {
	e.put("master", sample)
	for _, dir := range []datakit.Path{datakit.Root, "bin", "src", "src/a"} {
		t, err := e.db.Tree(e.ctx, idOf(sample, dir))
		e.ok(err)
		e.wantFiles("tree of "+string(dir), t, sample.below(dir))
	}
}

// singleFileByID: one blob is shown in three ways, whatever the tree says that
// has it.
func singleFileByID(e *env) {
	e.put("master", files{"f": normal("content")})
	for _, mode := range []datakit.Mode{datakit.Normal, datakit.Executable, datakit.Symlink} {
		t, err := e.db.Tree(e.ctx, datakit.TreeID{Mode: mode, Hash: blobHash("content")})
		e.ok(err)
		e.wantFile(t, datakit.Root, file{mode, "content"})
		entry, err := t.Stat(e.ctx, datakit.Root)
		e.ok(err)
		if entry.Mode != mode || entry.Name != "" || entry.Size != 7 {
			e.Errorf("the root of a single %v file is %+v", mode, entry)
		}
		_, err = t.Lookup(e.ctx, "x")
		e.fails("Lookup below a single file", err, datakit.NotDir)
		_, err = t.ReadDir(e.ctx, datakit.Root)
		e.fails("ReadDir of a single file", err, datakit.NotDir)
		readSingle(e, t, mode)
	}
}

func readSingle(e *env, t *datakit.Tree, mode datakit.Mode) {
	data, err := t.ReadFile(e.ctx, datakit.Root)
	target, linkErr := t.Readlink(e.ctx, datakit.Root)
	if mode == datakit.Symlink {
		e.fails("ReadFile of a single symlink", err, datakit.NotFile)
		e.ok(linkErr)
		e.same("target", target, "content")
		return
	}
	e.ok(err)
	e.same("content", string(data), "content")
	e.fails("Readlink of a single file", linkErr, datakit.NotLink)
}

func emptyTreeByID(e *env) {
	t, err := e.db.Tree(e.ctx, datakit.TreeID{Mode: datakit.Dir, Hash: datakit.EmptyTree})
	e.ok(err)
	e.wantFiles("the empty tree", t, files{})
	_, err = t.Lookup(e.ctx, "x")
	e.fails("Lookup in the empty tree", err, datakit.NotExist)
}

func unknownTreeID(e *env) {
	h := e.put("master", files{"f": normal("content")})
	tree, blob := treeHash(files{"f": normal("content")}), blobHash("content")
	for _, id := range []datakit.TreeID{
		{Mode: datakit.Dir, Hash: unknown}, {Mode: datakit.Normal, Hash: unknown}, {Mode: datakit.Symlink, Hash: unknown},
		{Mode: datakit.Dir, Hash: blob}, {Mode: datakit.Dir, Hash: h}, {Mode: datakit.Dir},
		{Mode: datakit.Normal, Hash: tree}, {Mode: datakit.Executable, Hash: h}, {Mode: datakit.Symlink, Hash: datakit.EmptyTree},
	} {
		t, err := e.db.Tree(e.ctx, id)
		e.fails("Tree "+id.String(), err, datakit.NotExist)
		if t != nil {
			e.Errorf("Tree %v returns a Tree beside its error", id)
		}
	}
}
