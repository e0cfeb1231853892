package dbtest

import (
	"strings"
	"time"

	"github.com/datakit/datakit"
)

var commitChecks = []check{
	{"CLT1_FirstCommit", firstCommit},
	{"CLT2_CreateAgain", createAgain},
	{"CLT12_CL25_UnknownCommit", unknownCommit},
	{"FS21_AuthorAndDate", authorAndDate},
	{"FS22_Message", message},
	{"FS22_MessageWithNUL", messageWithNUL},
	{"FS24_TestVector", testVector},
	{"FS14_TreesInGitOrder", treesInGitOrder},
	{"FS15_EmptyDirectories", emptyDirectories},
	{"FS15_EmptyRoot", emptyRoot},
	{"FS16_NamesByteForByte", namesByteForByte},
	{"CL23_CommitFields", commitFields},
}

func firstCommit(e *env) {
	tx := e.begin("master")
	tx.mkdir("src")
	e.ok(tx.Create(e.ctx, "src/Makefile", datakit.Normal, []byte("all: build test")))
	tx.commit("My commit")
	h := e.head("master")
	entry, err := e.treeOf(h).Stat(e.ctx, "src/Makefile")
	e.ok(err)
	if entry.Mode != datakit.Normal || entry.Size != 15 {
		e.Errorf("src/Makefile is %v of %d bytes, want a normal file of 15", entry.Mode, entry.Size)
	}
	c := e.commitOf(h)
	e.same("parents", c.Parents, []datakit.Hash{})
	if c.Message != "My commit" {
		e.Errorf("the message is %q, want My commit", c.Message)
	}
}

func createAgain(e *env) {
	former := e.put("master", files{"file": normal("from-master")})
	tx := e.begin("master")
	e.ok(tx.Create(e.ctx, "file", datakit.Normal, []byte("other")))
	tx.commit("again")
	h := e.head("master")
	e.same("parents", e.parents(h), []datakit.Hash{former})
	e.wantFiles("master", e.treeOf(h), files{"file": normal("other")})
}

func unknownCommit(e *env) {
	h := e.put("master", files{"f": normal("x")})
	for name, bad := range map[string]datakit.Hash{
		"unknown": unknown, "zero": {}, "a tree": e.commitOf(h).TreeID, "a file": blobHash("x"), "the empty tree": datakit.EmptyTree,
	} {
		c, err := e.db.Commit(e.ctx, bad)
		e.fails("Commit of a name that is "+name, err, datakit.NotExist)
		if c != nil {
			e.Errorf("Commit of a name that is %s returns %+v beside its error", name, c)
		}
	}
}

func authorAndDate(e *env) {
	before := time.Now().Truncate(time.Second)
	c := e.commitOf(e.put("master", files{"f": normal("x")}))
	after := time.Now()
	if c.Author != "datakit" {
		e.Errorf("the author is %q, want datakit", c.Author)
	}
	if c.Date.Before(before) || c.Date.After(after) || c.Date.Nanosecond() != 0 {
		e.Errorf("the date is %v, want a whole second between %v and %v", c.Date, before, after)
	}
}

// message: none of these is changed in any way.
func message(e *env) {
	for _, msg := range []string{
		"plain", "a line\n", "\n", "  spaces \t", "subject\n\nbody\n\n\n", "# not a comment", "caf\xe9 \xff", "été",
		"tree 4b825dc642cb6eb9a060e54bf8d69288fbee4904\nparent x\n", strings.Repeat("long ", 20_000),
	} {
		tx := e.begin("master")
		tx.commit(msg)
		if got := e.commitOf(e.head("master")).Message; got != msg {
			e.Errorf("the message %.40q is stored as %.40q", msg, got)
		}
	}
	tx := e.begin("master")
	tx.commit("")
	if got, want := e.commitOf(e.head("master")).Message, "(no commit message)"; got != want {
		e.Errorf("an empty message is stored as %q, want %q", got, want)
	}
}

func messageWithNUL(e *env) {
	tx := e.begin("master")
	tx.write("f", "x")
	e.fails("Commit", tx.Commit(e.ctx, "a\x00b"), datakit.Invalid)
	e.wantBranches()
	tx.commit("ab")
	e.wantFiles("master", e.tree("master"), files{"f": normal("x")})
}

func testVector(e *env) {
	e = e.at(time.Unix(1500000000, 0))
	tx := e.begin("master")
	tx.write("src/Makefile", "all: build test")
	tx.commit("My commit")
	h := e.head("master")
	if got, want := h.String(), "3949d3927d46db289735fecdc1e6ce8aad7ced88"; got != want {
		e.Errorf("the commit is %s, want %s", got, want)
	}
	c := e.commitOf(h)
	if got, want := c.TreeID.String(), "1017090d30080a90882e8a973558e217acbed520"; got != want {
		e.Errorf("the tree is %s, want %s", got, want)
	}
	if got := c.Date.Unix(); got != 1500000000 {
		e.Errorf("the date is %d, want 1500000000", got)
	}
}

// treesInGitOrder has names that sort differently where a directory's counts
// as if it ended in a slash, and holds the tree against its name in Git.
func treesInGitOrder(e *env) {
	fs := files{
		"a": normal("1"), "a.b": normal("2"), "a-b": executable("3"), "a0": symlink("4"), "ab": normal(""),
		"d/x": normal("5"), "d.x": normal("6"), "d-x/y": normal("7"), "d0": normal("8"), "d/x.y/z": normal("9"),
		"é": normal("10"), "\xff": normal("11"), "A": normal("12"), "big": normal(strings.Repeat("0123456789", 10_000)),
	}
	h := e.put("master", fs)
	if got, want := e.commitOf(h).TreeID, treeHash(fs); got != want {
		e.Errorf("the tree is %v, want %v", got, want)
	}
	e.wantFiles("master", e.treeOf(h), fs)
}

func emptyDirectories(e *env) {
	tx := e.begin("master")
	tx.write("f", "x")
	tx.write("d/only/file", "y")
	tx.mkdir("empty")
	e.ok(tx.MkdirAll(e.ctx, "deep/er/est"))
	tx.remove("d/only/file")
	tx.wantFiles(files{"f": normal("x"), "d/only": directory, "empty": directory, "deep/er/est": directory})
	tx.commit("with empty directories")
	h := e.head("master")
	want := files{"f": normal("x")}
	e.wantFiles("master", e.treeOf(h), want)
	if got := e.commitOf(h).TreeID; got != treeHash(want) {
		e.Errorf("the tree is %v, want %v", got, treeHash(want))
	}
}

func emptyRoot(e *env) {
	e.put("master", files{"d/f": normal("x")})
	h := e.put("master", files{"d": absent})
	if got := e.commitOf(h).TreeID; got != datakit.EmptyTree {
		e.Errorf("the tree without files is %v, want %v", got, datakit.EmptyTree)
	}
	e.wantFiles("master", e.treeOf(h), files{})
	first := e.change("new", func(tx *txn) { tx.mkdir("d") })
	e.wantFiles("a first commit", e.treeOf(first), files{})
}

func namesByteForByte(e *env) {
	fs := files{
		"a*b": normal("1"), "a*+b": normal("2"), `a\b`: normal("3"), "a\nb": normal("4"), " ": normal("5"), "...": normal("6"),
		"é": normal("composed"), "e\u0301": normal("decomposed"), "\xfe\xff": normal("7"), "A": normal("8"), "a": normal("9"),
		datakit.Path(strings.Repeat("n", datakit.MaxName)): normal("longest"), ".gitignore": normal("10"), "%2F": normal("11"),
	}
	e.put("master", fs)
	e.wantFiles("master", e.tree("master"), fs)
}

func commitFields(e *env) {
	h1 := e.put("master", files{"f": normal("1")})
	h2 := e.put("master", files{"f": normal("2")})
	c := e.commitOf(h2)
	if c.Hash != h2 {
		e.Errorf("commit %v has the hash %v", h2, c.Hash)
	}
	e.same("parents", c.Parents, []datakit.Hash{h1})
	if want := treeHash(files{"f": normal("2")}); c.TreeID != want {
		e.Errorf("the tree is %v, want %v", c.TreeID, want)
	}
}
