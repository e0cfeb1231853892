package dbtest

import (
	"slices"
	"strings"
	"time"

	"github.com/datakit/datakit"
)

var txChecks = []check{
	{"FS93_ChangesAreInvisible", changesAreInvisible},
	{"FS93_SeesNothingFromElsewhere", seesNothingFromElsewhere},
	{"FS94_StartsFromHead", startsFromHead},
	{"CL120_RootCannotBeChanged", rootCannotBeChanged},
	{"CL15_CL16_MalformedPathOfEdits", malformedPathOfEdits},
	{"FS19_RefusedNames", refusedNames},
	{"CL32_MissingDirectory", missingDirectory},
	{"CL32_FileOnTheWay", fileOnTheWay},
	{"CL114_ContentBelongsToCaller", contentBelongsToCaller},
	{"FS176_RevDiffersWithContent", revDiffers},
	{"FS167_ChangedTellsWhen", changedTellsWhen},
	{"FS115_SubSeesChanges", subSeesChanges},
}

func changesAreInvisible(e *env) {
	h := e.put("master", files{"f": normal("x")})
	tx := e.begin("master")
	tx.put(files{"f": absent, "g": normal("y")})
	e.wantHead("master", h)
	e.wantFiles("master", e.tree("master"), files{"f": normal("x")})
	e.begin("master").wantFiles(files{"f": normal("x")})
}

func seesNothingFromElsewhere(e *env) {
	h := e.put("master", files{"f": normal("x"), "d/g": normal("y")})
	tx := e.begin("master")
	e.put("master", files{"f": normal("changed"), "d": absent, "new": normal("z")})
	tx.wantFiles(files{"f": normal("x"), "d/g": normal("y")})
	tx.write("d/h", "mine")
	e.ok(e.db.Branch("master").Remove(e.ctx))
	tx.wantFiles(files{"f": normal("x"), "d/g": normal("y"), "d/h": normal("mine")})
	e.same("parents", tx.parents(), []datakit.Hash{h})
}

func startsFromHead(e *env) {
	h := e.put("master", sample)
	tx := e.begin("master")
	tx.wantFiles(sample)
	tx.wantConflicts()
	e.same("parents", tx.parents(), []datakit.Hash{h})
	m, err := tx.LastMerge(e.ctx)
	e.ok(err)
	if m != nil {
		e.Errorf("a new transaction has the merge %+v", m)
	}
	if tx.Ended() {
		e.Error("a new transaction has ended")
	}
}

// An edit is one way to change what is at a path.
type edit struct {
	name    string
	creates bool // makes an entry where none is
	call    func(e *env, tx *datakit.Tx, path datakit.Path) error
}

// edits are all ways to change what is at a path.
var edits = []edit{
	{"Create", true, func(e *env, tx *datakit.Tx, p datakit.Path) error {
		return tx.Create(e.ctx, p, datakit.Normal, []byte("new"))
	}},
	{"Symlink", true, func(e *env, tx *datakit.Tx, p datakit.Path) error { return tx.Symlink(e.ctx, p, "target") }},
	{"WriteFile", true, func(e *env, tx *datakit.Tx, p datakit.Path) error { return tx.WriteFile(e.ctx, p, []byte("new")) }},
	{"ReadFrom", true, func(e *env, tx *datakit.Tx, p datakit.Path) error {
		_, err := tx.ReadFrom(e.ctx, p, strings.NewReader("new"))
		return err
	}},
	{"Mkdir", true, func(e *env, tx *datakit.Tx, p datakit.Path) error { return tx.Mkdir(e.ctx, p) }},
	{"Rename to", true, func(e *env, tx *datakit.Tx, p datakit.Path) error { return tx.Rename(e.ctx, "file", p) }},
	{"Rename", false, func(e *env, tx *datakit.Tx, p datakit.Path) error { return tx.Rename(e.ctx, p, "elsewhere") }},
	{"Replace", false, func(e *env, tx *datakit.Tx, p datakit.Path) error { return tx.Replace(e.ctx, p, []byte("new")) }},
	{"WriteAt", false, func(e *env, tx *datakit.Tx, p datakit.Path) error { return tx.WriteAt(e.ctx, p, []byte("new"), 0) }},
	{"Truncate", false, func(e *env, tx *datakit.Tx, p datakit.Path) error { return tx.Truncate(e.ctx, p, 1) }},
	{"SetMode", false, func(e *env, tx *datakit.Tx, p datakit.Path) error { return tx.SetMode(e.ctx, p, datakit.Executable) }},
	{"Remove", false, func(e *env, tx *datakit.Tx, p datakit.Path) error { return tx.Remove(e.ctx, p) }},
}

// edits returns the edits that the database can make.
func (e *env) edits() []edit {
	return slices.DeleteFunc(slices.Clone(edits), func(ed edit) bool { return e.cfg.NoSymlinks && ed.name == "Symlink" })
}

// everyEditFails reports an edit at one of the paths that does not fail with
// kind, or that changes something.
func everyEditFails(e *env, which func(edit) bool, kind datakit.Kind, paths ...datakit.Path) {
	e.Helper()
	if e.head("master").IsZero() {
		e.put("master", sample)
	}
	for _, path := range paths {
		tx := e.begin("master")
		for _, ed := range e.edits() {
			if which(ed) {
				e.fails(ed.name+" "+string(path), ed.call(e, tx.Tx, path), kind)
			}
		}
		tx.wantFiles(sample)
		tx.Abort()
	}
}

func rootCannotBeChanged(e *env) {
	everyEditFails(e, func(edit) bool { return true }, datakit.Invalid, datakit.Root)
}

func malformedPathOfEdits(e *env) {
	everyEditFails(e, func(edit) bool { return true }, datakit.Invalid, malformed...)
	tx := e.begin("master")
	for _, path := range malformed {
		e.fails("MkdirAll "+string(path), tx.MkdirAll(e.ctx, path), datakit.Invalid)
	}
	tx.wantFiles(sample)
}

func refusedNames(e *env) {
	bad := []datakit.Path{".git", ".GIT", "src/.Git", "git~1", ".git ", ".git.", ".git::$DATA", ".g\u200cit", "a\x00b", "src/\x00"}
	long := datakit.Path(strings.Repeat("n", datakit.MaxName+1))
	paths := append(bad, long, "src/"+long)
	everyEditFails(e, func(ed edit) bool { return ed.creates }, datakit.Invalid, paths...)
	everyEditFails(e, func(ed edit) bool { return !ed.creates }, datakit.NotExist, bad...)
	tx := e.begin("master")
	for _, path := range paths {
		e.fails("MkdirAll "+string(path), tx.MkdirAll(e.ctx, path), datakit.Invalid)
		e.fails("MkdirAll below new directories", tx.MkdirAll(e.ctx, "x/y/"+path), datakit.Invalid)
	}
	tx.wantFiles(sample)
}

func missingDirectory(e *env) {
	everyEditFails(e, func(edit) bool { return true }, datakit.NotExist, "absent/f", "src/absent/f", "absent/x/y")
	everyEditFails(e, func(ed edit) bool { return !ed.creates }, datakit.NotExist, "absent", "src/absent")
}

func fileOnTheWay(e *env) {
	everyEditFails(e, func(edit) bool { return true }, datakit.NotDir, "file/f", "bin/run/x/y", "up/file", "bin/to/x")
}

// contentBelongsToCaller: what is passed may be changed after the call, and
// what is returned is not shared.
func contentBelongsToCaller(e *env) {
	tx := e.begin("master")
	p := []byte("content")
	calls := files{}
	for path, write := range map[datakit.Path]func(datakit.Path) error{
		"created": func(path datakit.Path) error { return tx.Create(e.ctx, path, datakit.Normal, p) },
		"written": func(path datakit.Path) error { return tx.WriteFile(e.ctx, path, p) },
		"pieces":  func(path datakit.Path) error { tx.write(path, ""); return tx.WriteAt(e.ctx, path, p, 0) },
	} {
		copy(p, "content")
		e.ok(write(path))
		copy(p, "CHANGED")
		calls[path] = normal("content")
	}
	tx.wantFiles(calls)
	data, err := tx.ReadFile(e.ctx, "created")
	e.ok(err)
	copy(data, "CHANGED")
	entries, err := tx.ReadDir(e.ctx, datakit.Root)
	e.ok(err)
	entries[0].Name = "changed"
	tx.wantFiles(calls)
	tx.commit("m")
	data, err = e.tree("master").ReadFile(e.ctx, "created")
	e.ok(err)
	copy(data, "CHANGED")
	e.wantFiles("master", e.tree("master"), calls)
}

// revDiffers: within a transaction, Hash and Rev together tell two contents of
// a path apart.
func revDiffers(e *env) {
	e.put("master", files{"d/f": normal("x"), "d/g": normal("y")})
	tx := e.begin("master")
	type state struct {
		hash datakit.Hash
		rev  uint64
	}
	look := func(path datakit.Path) state {
		entry, err := tx.Lookup(e.ctx, path)
		e.ok(err)
		return state{entry.Hash, entry.Rev}
	}
	seen := map[datakit.Path]map[state]int{}
	for i, change := range []func(){
		func() {},
		func() { tx.write("d/f", "1") },
		func() { tx.write("d/f", "2") },
		func() { e.ok(tx.WriteAt(e.ctx, "d/f", []byte("3"), 0)) },
		func() { e.ok(tx.Truncate(e.ctx, "d/f", 0)) },
		func() { e.ok(tx.WriteAt(e.ctx, "d/f", []byte("long"), 0)) },
		func() { tx.remove("d/f"); tx.write("d/f", "new") },
		func() { tx.write("other", "moved"); tx.rename("other", "d/f") },
	} {
		change()
		for _, path := range []datakit.Path{"d/f", "d", datakit.Root} {
			if seen[path] == nil {
				seen[path] = map[state]int{}
			}
			s := look(path)
			if before, dup := seen[path][s]; dup {
				e.Errorf("%q has Hash %v and Rev %d after change %d and after change %d", path, s.hash, s.rev, before, i)
			}
			seen[path][s] = i
		}
		if a, b := look("d/f"), look("d/f"); a != b {
			e.Errorf("two looks at d/f without a change: %+v and %+v", a, b)
		}
	}
	entry, err := e.tree("master").Lookup(e.ctx, "d/f")
	e.ok(err)
	if entry.Rev != 0 {
		e.Errorf("an entry of a commit has Rev %d", entry.Rev)
	}
}

func changedTellsWhen(e *env) {
	e.put("master", files{"d/f": normal("x"), "g": normal("y")})
	tx := e.begin("master")
	before := time.Now().Add(-time.Second) // as the database may count in whole seconds
	tx.write("d/f", "changed")
	tx.write("new", "n")
	after := time.Now().Add(time.Second)
	for path, want := range map[datakit.Path]bool{"d/f": true, "new": true, "g": false} {
		entry, err := tx.Stat(e.ctx, path)
		e.ok(err)
		switch t := entry.Changed; {
		case !want && !t.IsZero():
			e.Errorf("%s, which was not changed, has Changed %v", path, t)
		case want && (t.Before(before) || t.After(after)):
			e.Errorf("%s has Changed %v, want it between %v and %v", path, t, before, after)
		}
	}
	entry, err := e.tree("master").Stat(e.ctx, "g")
	e.ok(err)
	if !entry.Changed.IsZero() {
		e.Errorf("an entry of a commit has Changed %v", entry.Changed)
	}
}

func subSeesChanges(e *env) {
	tx := e.begin("master")
	sub := tx.Sub("d/e")
	if exists, err := sub.Exists(e.ctx, datakit.Root); exists || err != nil {
		e.Errorf("the tree below a missing directory exists: %v, %v", exists, err)
	}
	tx.write("d/e/f", "1")
	e.wantFiles("d/e", sub, files{"f": normal("1")})
	tx.write("d/e/f", "2")
	tx.rename("d/e", "d/g")
	tx.write("d/e/x", "3")
	e.wantFiles("d/e", sub, files{"x": normal("3")})
}
