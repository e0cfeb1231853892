package dbtest

import (
	"strconv"
	"strings"

	"github.com/datakit/datakit"
)

var treeChecks = []check{
	{"CL19_CL21_Lookup", lookUp},
	{"CL19_Stat", stat},
	{"CL19_ReadDir", readDir},
	{"CL19_ReadFile", readFile},
	{"CL19_Readlink", readLink},
	{"CL20_ModeAndExists", modeAndExists},
	{"FS12_SymlinksAreNotFollowed", symlinksAreNotFollowed},
	{"CL120_Root", rootOfTree},
	{"CL32_SubTree", subTree},
	{"CL16_MalformedPath", malformedPath},
	{"FS20_RefusedNamesAreNotThere", refusedNamesAreNotThere},
	{"CL121_LargeDirectory", largeDirectory},
	{"CL16_DeepTree", deepTree},
}

// sample has one of everything.
var sample = files{
	"bin/run": executable("#!/bin/sh\n"),
	"bin/to":  symlink("run"),
	"empty":   normal(""),
	"file":    normal("content"),
	"lost":    symlink("/no/where"),
	"src/a/b": normal("deep"),
	"up":      symlink(".."),
}

// onTrees runs f on all sorts of readable trees that hold sample.
func onTrees(e *env, f func(t *datakit.Tree)) {
	e.Helper()
	h := e.put("master", sample)
	byID, err := e.db.Tree(e.ctx, datakit.TreeID{Mode: datakit.Dir, Hash: treeHash(sample)})
	e.ok(err)
	merging := e.begin("other")
	m := merging.merge(h)
	edited := e.begin("new")
	edited.put(sample)
	for name, t := range map[string]*datakit.Tree{
		"of a commit": e.treeOf(h), "by its TreeID": byID, "of a transaction": &e.begin("master").Tree,
		"that was merged": m.Theirs, "of a merge's result": &merging.Tree, "of new files": &edited.Tree,
	} {
		e.step("tree "+name, func() { f(t) })
	}
}

// step runs f, and tells if it was in it that something failed.
func (e *env) step(name string, f func()) {
	e.Helper()
	failed := e.Failed()
	defer func() {
		if !failed && e.Failed() {
			e.Logf("that was: %s", name)
		}
	}()
	f()
}

func lookUp(e *env) {
	onTrees(e, func(t *datakit.Tree) {
		for path, want := range sample.withDirs() {
			entry, err := t.Lookup(e.ctx, path)
			e.ok(err)
			e.wantEntry(entry, path, want)
			if entry.Size != 0 {
				e.Errorf("Lookup of %s tells a size", path)
			}
		}
		for path, kind := range map[datakit.Path]datakit.Kind{
			"absent": datakit.NotExist, "src/absent": datakit.NotExist, "src/absent/b": datakit.NotExist, "absent/b": datakit.NotExist,
			"FILE": datakit.NotExist, "file/x": datakit.NotDir, "file/x/y": datakit.NotDir, "bin/run/x": datakit.NotDir, "bin/to/x": datakit.NotDir,
		} {
			_, err := t.Lookup(e.ctx, path)
			e.fails("Lookup of "+string(path), err, kind)
		}
	})
}

// wantEntry reports an entry with another name or mode, or with a Hash that is
// not that of sample. A Hash may be left out.
func (e *env) wantEntry(entry datakit.Entry, path datakit.Path, want file) {
	e.Helper()
	if entry.Name != path.Base() || entry.Mode != want.mode {
		e.Errorf("the entry at %q is %v %q, want %v", path, entry.Mode, entry.Name, want.mode)
	}
	if id := idOf(sample, path); !entry.Hash.IsZero() && entry.ID() != id {
		e.Errorf("the entry at %q is %v, want %v", path, entry.ID(), id)
	}
}

func stat(e *env) {
	onTrees(e, func(t *datakit.Tree) {
		for path, want := range sample.withDirs() {
			entry, err := t.Stat(e.ctx, path)
			e.ok(err)
			e.wantEntry(entry, path, want)
			if entry.Size != int64(len(want.data)) {
				e.Errorf("%s has size %d, want %d", path, entry.Size, len(want.data))
			}
		}
		_, err := t.Stat(e.ctx, "src/absent")
		e.fails("Stat of src/absent", err, datakit.NotExist)
		_, err = t.Stat(e.ctx, "file/x")
		e.fails("Stat of file/x", err, datakit.NotDir)
	})
}

func readDir(e *env) {
	onTrees(e, func(t *datakit.Tree) {
		for dir, want := range map[datakit.Path]string{
			"": "bin empty file lost src up", "bin": "run to", "src": "a", "src/a": "b",
		} {
			entries, err := t.ReadDir(e.ctx, dir)
			e.ok(err)
			var names []string
			for _, entry := range entries {
				names = append(names, entry.Name)
				path := dir.Join(datakit.Path(entry.Name))
				e.wantEntry(entry, path, sample.withDirs()[path])
			}
			e.same("names in "+string(dir), strings.Join(names, " "), want)
		}
		for path, kind := range map[datakit.Path]datakit.Kind{
			"absent": datakit.NotExist, "file": datakit.NotDir, "bin/to": datakit.NotDir, "up": datakit.NotDir, "file/x": datakit.NotDir,
		} {
			_, err := t.ReadDir(e.ctx, path)
			e.fails("ReadDir of "+string(path), err, kind)
		}
	})
}

func readFile(e *env) {
	onTrees(e, func(t *datakit.Tree) {
		for _, path := range []datakit.Path{"file", "empty", "bin/run", "src/a/b"} {
			data, err := t.ReadFile(e.ctx, path)
			e.ok(err)
			e.same(string(path), string(data), sample[path].data)
		}
		for path, kind := range map[datakit.Path]datakit.Kind{
			"absent": datakit.NotExist, "file/x": datakit.NotDir, "src": datakit.NotFile, "bin/to": datakit.NotFile, "": datakit.NotFile,
		} {
			_, err := t.ReadFile(e.ctx, path)
			e.fails("ReadFile of "+string(path), err, kind)
		}
	})
}

func readLink(e *env) {
	onTrees(e, func(t *datakit.Tree) {
		for _, path := range []datakit.Path{"bin/to", "lost", "up"} {
			target, err := t.Readlink(e.ctx, path)
			e.ok(err)
			e.same(string(path), target, sample[path].data)
		}
		for path, kind := range map[datakit.Path]datakit.Kind{
			"absent": datakit.NotExist, "file/x": datakit.NotDir, "src": datakit.NotLink, "file": datakit.NotLink, "": datakit.NotLink,
		} {
			_, err := t.Readlink(e.ctx, path)
			e.fails("Readlink of "+string(path), err, kind)
		}
	})
}

func modeAndExists(e *env) {
	onTrees(e, func(t *datakit.Tree) {
		for path, want := range map[datakit.Path]datakit.Mode{
			"": datakit.Dir, "file": datakit.Normal, "bin/run": datakit.Executable, "bin/to": datakit.Symlink, "src/a": datakit.Dir,
			"absent": datakit.Absent, "absent/x": datakit.Absent, "file/x": datakit.Absent, "up/file": datakit.Absent,
		} {
			mode, err := t.Mode(e.ctx, path)
			e.ok(err)
			exists, err := t.Exists(e.ctx, path)
			e.ok(err)
			if mode != want || exists != (want != datakit.Absent) {
				e.Errorf("%q is %v, and exists: %v; want %v", path, mode, exists, want)
			}
		}
	})
}

func symlinksAreNotFollowed(e *env) {
	onTrees(e, func(t *datakit.Tree) {
		for _, path := range []datakit.Path{"bin/to", "up", "lost"} {
			e.wantFile(t, path, sample[path])
			_, err := t.Open(e.ctx, path+"/file")
			e.fails("Open through "+string(path), err, datakit.NotDir)
		}
	})
}

func rootOfTree(e *env) {
	onTrees(e, func(t *datakit.Tree) {
		for _, f := range []func() (datakit.Entry, error){
			func() (datakit.Entry, error) { return t.Lookup(e.ctx, datakit.Root) },
			func() (datakit.Entry, error) { return t.Stat(e.ctx, datakit.Root) },
		} {
			entry, err := f()
			e.ok(err)
			e.wantEntry(entry, datakit.Root, directory)
			if entry.Size != 0 {
				e.Errorf("the root has size %d", entry.Size)
			}
		}
		_, err := t.Open(e.ctx, datakit.Root)
		e.fails("Open of the root", err, datakit.IsDir)
	})
}

func subTree(e *env) {
	onTrees(e, func(t *datakit.Tree) {
		src := t.Sub("src")
		e.wantFiles("src", src, files{"a/b": normal("deep")})
		e.wantFiles("src/a", src.Sub("a"), files{"b": normal("deep")})
		e.wantFiles("the Sub of the root", t.Sub(datakit.Root), sample)
		_, err := t.Sub("absent").Lookup(e.ctx, "x")
		e.fails("Lookup below absent", err, datakit.NotExist)
		_, err = t.Sub("file").ReadDir(e.ctx, datakit.Root)
		e.fails("ReadDir below file", err, datakit.NotDir)
		_, err = t.Sub("file").Lookup(e.ctx, "x")
		e.fails("Lookup below file", err, datakit.NotDir)
		for _, bad := range malformed {
			if entry, err := t.Sub(bad).Lookup(e.ctx, "file"); err == nil {
				e.Errorf("Lookup of file below the malformed path %q finds %+v", bad, entry)
			}
		}
	})
}

// malformed are paths that no method takes.
var malformed = []datakit.Path{"/", "/file", "file/", "src//a", ".", "..", "./file", "src/./a", "src/../file"}

func malformedPath(e *env) {
	onTrees(e, func(t *datakit.Tree) {
		for _, path := range malformed {
			for _, r := range treeReads {
				e.fails(r.name+" of "+string(path), r.call(e, t, path), datakit.Invalid)
			}
		}
	})
}

// treeReads are all that can be read at a path.
var treeReads = []struct {
	name string
	call func(e *env, t *datakit.Tree, path datakit.Path) error
}{
	{"Lookup", func(e *env, t *datakit.Tree, p datakit.Path) error { _, err := t.Lookup(e.ctx, p); return err }},
	{"Stat", func(e *env, t *datakit.Tree, p datakit.Path) error { _, err := t.Stat(e.ctx, p); return err }},
	{"ReadDir", func(e *env, t *datakit.Tree, p datakit.Path) error { _, err := t.ReadDir(e.ctx, p); return err }},
	{"Open", func(e *env, t *datakit.Tree, p datakit.Path) error { _, err := t.Open(e.ctx, p); return err }},
	{"Mode", func(e *env, t *datakit.Tree, p datakit.Path) error { _, err := t.Mode(e.ctx, p); return err }},
	{"Exists", func(e *env, t *datakit.Tree, p datakit.Path) error { _, err := t.Exists(e.ctx, p); return err }},
	{"ReadFile", func(e *env, t *datakit.Tree, p datakit.Path) error { _, err := t.ReadFile(e.ctx, p); return err }},
	{"Readlink", func(e *env, t *datakit.Tree, p datakit.Path) error { _, err := t.Readlink(e.ctx, p); return err }},
}

func refusedNamesAreNotThere(e *env) {
	onTrees(e, func(t *datakit.Tree) {
		for _, path := range []datakit.Path{".git", ".GIT/config", "src/git~1", "a\x00b", datakit.Path(strings.Repeat("n", 256))} {
			_, err := t.Lookup(e.ctx, path)
			e.fails("Lookup of "+string(path), err, datakit.NotExist)
		}
	})
}

func largeDirectory(e *env) {
	n := e.sized(100_000, 2_000)
	fs := files{}
	for i := range n {
		fs[datakit.Path("f"+strconv.Itoa(i))] = normal("same")
	}
	e.put("master", fs)
	h := e.put("master", files{"f0": normal("changed"), "d/x": normal("new")})
	fs["f0"], fs["d/x"] = normal("changed"), normal("new")
	if got := e.commitOf(h).TreeID; got != treeHash(fs) {
		e.Errorf("the tree is %v, want %v", got, treeHash(fs))
	}
	entries, err := e.treeOf(h).ReadDir(e.ctx, datakit.Root)
	e.ok(err)
	if len(entries) != n+1 {
		e.Errorf("%d entries are listed, want %d", len(entries), n+1)
	}
	e.wantFile(e.treeOf(h), "f0", normal("changed"))
	e.wantFile(e.treeOf(h), "f"+datakit.Path(strconv.Itoa(n-1)), normal("same"))
}

func deepTree(e *env) {
	path := datakit.Path("file")
	for range e.sized(200, 60) {
		path = datakit.Path("d").Join(path)
	}
	fs := files{path: normal("deep"), "d/side": normal("x")}
	h := e.put("master", fs)
	e.wantFiles("master", e.treeOf(h), fs)
	if got := e.commitOf(h).TreeID; got != treeHash(fs) {
		e.Errorf("the tree is %v, want %v", got, treeHash(fs))
	}
}
