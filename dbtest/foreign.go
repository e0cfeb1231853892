package dbtest

import (
	"fmt"
	"strings"

	"github.com/datakit/datakit"
)

var foreignChecks = []check{
	{"FS13_SubmoduleIsNotShown", submoduleIsNotShown},
	{"FS13_SubmoduleIsKept", submoduleIsKept},
	{"FS13_SubmoduleInMerge", submoduleInMerge},
	{"FS20_RefusedNamesAreKept", refusedNamesAreKept},
	{"FS12_UnusualModes", unusualModes},
	{"FS225_ShallowHistory", shallowHistory},
	{"FS22_ForeignCommit", foreignCommit},
	{"FS226_EmptyTreeAsEntry", emptyTreeAsEntry},
	{"CL42_HeadPutByAnother", headPutByAnother},
}

// store adds an object that another program made.
func (e *env) store(kind, content string) datakit.Hash {
	e.Helper()
	if e.cfg.Put == nil {
		e.Skip("no objects can be put into the database")
	}
	h := e.cfg.Put(e.t, e.db, kind, []byte(content))
	if want := objectHash(kind, content); h != want {
		e.Fatalf("a %s is stored as %v, want %v", kind, h, want)
	}
	return h
}

// A rawEntry is an entry of a tree as Git stores it.
type rawEntry struct {
	mode, name string
	hash       datakit.Hash
}

// storeTree adds a tree with these entries, in this order.
func (e *env) storeTree(entries ...rawEntry) datakit.Hash {
	e.Helper()
	return e.store("tree", rawTree(entries...))
}

func rawTree(entries ...rawEntry) string {
	var s strings.Builder
	for _, entry := range entries {
		fmt.Fprintf(&s, "%s %s\x00%s", entry.mode, entry.name, entry.hash[:])
	}
	return s.String()
}

// storeCommit adds a commit of a tree.
func (e *env) storeCommit(tree datakit.Hash, parents ...datakit.Hash) datakit.Hash {
	e.Helper()
	var s strings.Builder
	fmt.Fprintf(&s, "tree %v\n", tree)
	for _, h := range parents {
		fmt.Fprintf(&s, "parent %v\n", h)
	}
	s.WriteString("author A B <a@example.org> 1400000000 +0200\ncommitter C D <c@example.org> 1400000001 -0300\n\nforeign\n")
	return e.store("commit", s.String())
}

// submodule is the commit that submodules of tests name. It is nowhere.
var submodule = datakit.Hash{1, 2, 3}

// forkSubmodules makes master: files d/f and g, and a submodule in the root
// and one in d.
func forkSubmodules(e *env) (d, head datakit.Hash) {
	blob := e.store("blob", "x")
	d = e.storeTree(rawEntry{"100644", "f", blob}, rawEntry{"160000", "sub", submodule})
	head = e.storeCommit(e.storeTree(rawEntry{"40000", "d", d}, rawEntry{"100644", "g", blob}, rawEntry{"160000", "module", submodule}))
	e.fork("master", head)
	return d, head
}

func submoduleIsNotShown(e *env) {
	forkSubmodules(e)
	for _, t := range []*datakit.Tree{e.tree("master"), &e.begin("master").Tree} {
		e.wantFiles("master", t, files{"d/f": normal("x"), "g": normal("x")})
		for _, path := range []datakit.Path{"module", "d/sub", "module/x"} {
			e.fails("Lookup of "+string(path), second(t.Lookup(e.ctx, path)), datakit.NotExist)
			e.fails("Open of "+string(path), second(t.Open(e.ctx, path)), datakit.NotExist)
		}
	}
}

func submoduleIsKept(e *env) {
	d, _ := forkSubmodules(e)
	h := e.put("master", files{"g": normal("y")})
	y := blobHash("y")
	want := objectHash("tree", rawTree(rawEntry{"40000", "d", d}, rawEntry{"100644", "g", y}, rawEntry{"160000", "module", submodule}))
	if got := e.commitOf(h).TreeID; got != want {
		e.Errorf("the tree is %v, want %v with the submodule", got, want)
	}
	h = e.put("master", files{"d/f": normal("y")})
	d = objectHash("tree", rawTree(rawEntry{"100644", "f", y}, rawEntry{"160000", "sub", submodule}))
	want = objectHash("tree", rawTree(rawEntry{"40000", "d", d}, rawEntry{"100644", "g", y}, rawEntry{"160000", "module", submodule}))
	if got := e.commitOf(h).TreeID; got != want {
		e.Errorf("the tree is %v, want %v with both submodules", got, want)
	}
}

// submoduleInMerge: one side moves a submodule, both move another.
func submoduleInMerge(e *env) {
	commit := func(one, both byte, parents ...datakit.Hash) datakit.Hash {
		return e.storeCommit(e.storeTree(
			rawEntry{"160000", "both", datakit.Hash{both}}, rawEntry{"160000", "one", datakit.Hash{one}},
		), parents...)
	}
	b := commit(1, 1)
	o, t := commit(1, 2, b), commit(9, 3, b)
	tx, m := e.mergeCommits(o, t)
	e.same("conflicts", m.Conflicts, []datakit.Path{"both"})
	tx.wantFiles(files{"both": marker(changedOnBoth)})
	tx.remove("both")
	tx.commit("m")
	want := objectHash("tree", rawTree(rawEntry{"160000", "one", datakit.Hash{9}}))
	heads, err := e.db.Branches(e.ctx)
	e.ok(err)
	if got := e.commitOf(e.head(heads[len(heads)-1])).TreeID; got != want {
		e.Errorf("the tree is %v, want %v with the submodule that one side moved", got, want)
	}
}

// refusedNamesAreKept: names that nobody may create are not shown, and not
// lost either.
func refusedNamesAreKept(e *env) {
	blob := e.store("blob", "x")
	bad := []rawEntry{{"100644", ".GIT", blob}, {"40000", ".git", e.storeTree(rawEntry{"100644", "config", blob})}, {"100644", strings.Repeat("n", 256), blob}}
	all := func(f datakit.Hash) []rawEntry {
		return []rawEntry{bad[0], bad[1], {"100644", "f", f}, bad[2]}
	}
	e.fork("master", e.storeCommit(e.storeTree(all(blob)...)))
	e.wantFiles("master", e.tree("master"), files{"f": normal("x")})
	for _, entry := range bad {
		e.fails("Lookup of "+entry.name, second(e.tree("master").Lookup(e.ctx, datakit.Path(entry.name))), datakit.NotExist)
		e.fails("Lookup in a transaction", second(e.begin("master").Lookup(e.ctx, datakit.Path(entry.name))), datakit.NotExist)
	}
	e.fails("Lookup below .git", second(e.tree("master").Lookup(e.ctx, ".git/config")), datakit.NotExist)
	h := e.put("master", files{"f": normal("y")})
	want := objectHash("tree", rawTree(all(blobHash("y"))...))
	if got := e.commitOf(h).TreeID; got != want {
		e.Errorf("the tree is %v, want %v with the refused names", got, want)
	}
}

func unusualModes(e *env) {
	blob := e.store("blob", "x")
	e.fork("master", e.storeCommit(e.storeTree(
		rawEntry{"100600", "a", blob}, rawEntry{"100664", "b", blob}, rawEntry{"100700", "c", blob}, rawEntry{"100775", "d", blob}, rawEntry{"120000", "e", blob},
	)))
	want := files{"a": normal("x"), "b": normal("x"), "c": executable("x"), "d": executable("x"), "e": symlink("x")}
	e.wantFiles("master", e.tree("master"), want)
	e.begin("master").wantFiles(want)
}

// shallowHistory: a missing parent is listed, and ends the history.
func shallowHistory(e *env) {
	blob := e.store("blob", "x")
	base := e.storeCommit(e.storeTree(rawEntry{"100644", "f", blob}), unknown)
	e.fork("master", base)
	e.fork("other", base)
	e.same("parents", e.parents(base), []datakit.Hash{unknown})
	e.fails("Commit of the missing parent", second(e.db.Commit(e.ctx, unknown)), datakit.NotExist)
	other := e.put("other", files{"g": normal("y")})
	tx := e.begin("master")
	tx.write("h", "z")
	m := tx.merge(other)
	e.wantFiles("base", m.Base, files{"f": normal("x")})
	tx.commit("m")
	e.wantFiles("master", e.tree("master"), files{"f": normal("x"), "g": normal("y"), "h": normal("z")})
	stranger := e.commitFiles(files{"s": normal("1")})
	e.fails("FastForward to a stranger", e.db.Branch("master").FastForward(e.ctx, stranger), datakit.NotFastForward)
	alone := e.begin("master")
	e.wantFiles("base with a stranger", alone.merge(stranger).Base, files{})
}

// foreignCommit has what programs of the world put into commits.
func foreignCommit(e *env) {
	tree := e.storeTree()
	h := e.store("commit", fmt.Sprintf("tree %v\nauthor J. R. \"Bob\" <> 1234567890 +0530\ncommitter X <x@y> 1 -0000\n"+
		"encoding ISO-8859-1\ngpgsig -----BEGIN-----\n \n line\n -----END-----\n\ncaf\xe9\n\n\nbody", tree))
	c := e.commitOf(h)
	if c.Author != `J. R. "Bob"` || c.Date.Unix() != 1234567890 || c.Message != "caf\xe9\n\n\nbody" || c.TreeID != datakit.EmptyTree || len(c.Parents) != 0 {
		e.Errorf("the commit is read as %+v", c)
	}
	e.fork("master", h)
	e.same("parents", e.parents(e.put("master", files{"f": normal("x")})), []datakit.Hash{h})
}

// emptyTreeAsEntry: the original stored directories that had become empty.
func emptyTreeAsEntry(e *env) {
	blob, empty := e.store("blob", "x"), e.storeTree()
	d := e.storeTree(rawEntry{"40000", "empty", empty}, rawEntry{"100644", "f", blob})
	e.fork("master", e.storeCommit(e.storeTree(rawEntry{"40000", "d", d})))
	e.wantFiles("master", e.tree("master"), files{"d/f": normal("x"), "d/empty": directory})
	h := e.put("master", files{"d/f": normal("y")})
	e.wantFile(e.treeOf(h), "d/f", normal("y"))
	h = e.put("master", files{"d/empty/now": normal("z")})
	e.wantFiles("master", e.treeOf(h), files{"d/f": normal("y"), "d/empty/now": normal("z")})
}

// headPutByAnother: what another program stored is used like our own.
func headPutByAnother(e *env) {
	blob := e.store("blob", "content")
	h := e.storeCommit(e.storeTree(rawEntry{"100644", "f", blob}))
	log := e.reflog("master")
	e.fork("master", h)
	e.next(log, h)
	e.wantFiles("master", e.tree("master"), files{"f": normal("content")})
	if c := e.commitOf(h); c.Author != "A B" || c.Date.Unix() != 1400000000 || c.Message != "foreign\n" {
		e.Errorf("the commit is read as %+v", c)
	}
	e.put("other", files{"g": normal("y")})
	tx := e.begin("master")
	tx.merge(e.head("other"))
	tx.commit("m")
	e.wantFiles("master", e.tree("master"), files{"f": normal("content"), "g": normal("y")})
}
