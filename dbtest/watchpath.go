package dbtest

import (
	"context"

	"github.com/datakit/datakit"
)

var watchPathChecks = []check{
	{"FST5_RootOfEmptyBranch", rootOfEmptyBranch},
	{"FST6_WatchFile", watchFile},
	{"FST7_WatchRoot", watchRoot},
	{"FS59_CL46_EveryState", everyState},
	{"FS57_PathThatCannotBe", pathThatCannotBe},
	{"FS60_RootOfRemovedBranch", rootOfRemovedBranch},
	{"FS61_OtherPathsDeliverNothing", otherPathsDeliverNothing},
	{"FS78_PathChangedBack", pathChangedBack},
	{"FS78_FirstPathIsStateAtCall", firstPathIsStateAtCall},
	{"CLT16_CLT17_WaitForPaths", waitForPaths},
	{"CLT18_FileBecomesSymlink", fileBecomesSymlink},
	{"CL51_AnnouncedStateCanBeRead", announcedStateCanBeRead},
	{"FS82_CancelledPathNextLosesNothing", cancelledPathNext},
	{"FS83_ClosePathWatch", closePathWatch},
	{"CL16_WatchOfMalformedPath", watchOfMalformedPath},
}

// watchPath follows a path of master until the check ends.
func (e *env) watchPath(path datakit.Path) datakit.Watch[datakit.Entry] {
	e.Helper()
	w, err := e.db.Branch("master").WatchPath(e.ctx, path)
	return closing(e, w, err)
}

// nextID reports a next state other than want.
func (e *env) nextID(w datakit.Watch[datakit.Entry], want datakit.TreeID) {
	e.Helper()
	got, err := w.Next(e.ctx)
	e.ok(err)
	if got.ID() != want {
		e.Errorf("Next returns %v %q, want %v %q", got.Mode, got.ID(), want.Mode, want)
	}
	if want := (datakit.Entry{Mode: got.Mode, Hash: got.Hash}); got != want {
		e.Errorf("Next returns %+v, want only Mode and Hash to be set", got)
	}
}

// nextState reports a next state other than that of path in fs.
func (e *env) nextState(w datakit.Watch[datakit.Entry], fs files, path datakit.Path) {
	e.Helper()
	e.nextID(w, idOf(fs, path))
}

func rootOfEmptyBranch(e *env) {
	w := e.watchPath(datakit.Root)
	e.nextID(w, datakit.TreeID{Mode: datakit.Dir, Hash: datakit.EmptyTree})
}

func watchFile(e *env) {
	e.put("master", files{"src/Makefile": normal("all: build")})
	got, err := e.watchPath("src/Makefile").Next(e.ctx)
	e.ok(err)
	e.same("state", got.ID().String(), "F-d81e367f87ee314bcd3e449b1c6641efda5bc269")
}

func watchRoot(e *env) {
	w := e.watchPath(datakit.Root)
	for _, step := range []struct {
		fs   files
		want string
	}{
		{files{}, "D-4b825dc642cb6eb9a060e54bf8d69288fbee4904"},
		{files{"src/Makefile": normal("all: build")}, "D-acaa8ac97706d94e012da475e8a63d647011a72c"},
		{files{"doc/README": normal("Instructions")}, "D-eccca2d529dee833e47546cc2e095cc1c79f1917"},
	} {
		if len(step.fs) > 0 {
			e.put("master", step.fs)
		}
		got, err := w.Next(e.ctx)
		e.ok(err)
		e.same("state", got.ID().String(), step.want)
	}
}

// everyState takes a path from each state to each other one.
func everyState(e *env) {
	w := e.watchPath("d/f")
	e.nextID(w, datakit.TreeID{})
	for _, first := range e.states() {
		for _, second := range e.states() {
			for _, state := range []any{first, second} {
				fs := files{"x": normal("x")}.with("d/f", state)
				before := e.tree("master")
				e.change("master", func(tx *txn) { tx.replaceAll(fs) })
				want := datakit.TreeID{}
				if state != any(absent) {
					want = idOf(fs, "d/f")
				}
				if e.idIn(before, "d/f") != want {
					e.nextID(w, want)
				}
			}
		}
	}
}

// idIn names what is at path, computed from its content.
func (e *env) idIn(t *datakit.Tree, path datakit.Path) datakit.TreeID {
	e.Helper()
	mode, err := t.Mode(e.ctx, path)
	e.ok(err)
	switch mode {
	case datakit.Absent:
		return datakit.TreeID{}
	case datakit.Dir:
		return datakit.TreeID{Mode: mode, Hash: treeHash(e.files(t.Sub(path)))}
	}
	return datakit.TreeID{Mode: mode, Hash: blobHash(e.content(t, path))}
}

// pathThatCannotBe: a path may go through a file, or have a name that Git
// refuses. Nothing is there, until something is.
func pathThatCannotBe(e *env) {
	e.put("master", files{"file": normal("x"), "link": symlink("file")})
	for _, path := range []datakit.Path{".git", "link/x", "file/x/y", "absent/x"} {
		e.nextID(e.watchPath(path), datakit.TreeID{})
	}
	w := e.watchPath("file/x/y")
	e.nextID(w, datakit.TreeID{})
	e.put("master", files{"file": absent, "file/x/y": normal("y")})
	e.nextID(w, datakit.TreeID{Mode: datakit.Normal, Hash: blobHash("y")})
	e.change("master", func(tx *txn) { tx.remove("file"); tx.write("file", "x") })
	e.nextID(w, datakit.TreeID{})
}

func rootOfRemovedBranch(e *env) {
	fs := files{"f": normal("x")}
	e.put("master", fs)
	root, f := e.watchPath(datakit.Root), e.watchPath("f")
	e.nextState(root, fs, datakit.Root)
	e.nextState(f, fs, "f")
	e.ok(e.db.Branch("master").Remove(e.ctx))
	e.nextID(root, datakit.TreeID{Mode: datakit.Dir, Hash: datakit.EmptyTree})
	e.nextID(f, datakit.TreeID{})
}

func otherPathsDeliverNothing(e *env) {
	fs := files{"d/f": normal("1"), "d/g": normal("1"), "e": normal("1")}
	e.put("master", fs)
	w := e.watchPath("d/f")
	e.nextState(w, fs, "d/f")
	c := nextInBackground(e.ctx, w)
	e.put("master", files{"e": normal("2")})
	e.put("master", files{"d/g": executable("2"), "d/new": normal("3")})
	e.change("master", func(*txn) {})
	fs = files{"d/f": normal("changed")}
	e.put("master", fs)
	got, err := receive(e, c)
	e.ok(err)
	if want := idOf(fs, "d/f"); got.ID() != want {
		e.Errorf("the waiting Next returns %v, want %v", got.ID(), want)
	}
}

func pathChangedBack(e *env) {
	fs := files{"f": normal("1")}
	e.put("master", fs)
	w := e.watchPath("f")
	e.nextState(w, fs, "f")
	e.put("master", files{"f": normal("2")})
	e.put("master", fs)
	e.put("master", files{"f": absent})
	e.put("master", fs)
	c := nextInBackground(e.ctx, w)
	e.put("master", files{"g": normal("other")})
	fs = files{"f": executable("1")}
	e.put("master", fs)
	got, err := receive(e, c)
	e.ok(err)
	if want := idOf(fs, "f"); got.ID() != want {
		e.Errorf("the waiting Next returns %v, want %v", got.ID(), want)
	}
}

func firstPathIsStateAtCall(e *env) {
	w := e.watchPath("f")
	fs := files{"f": normal("1")}
	e.put("master", fs)
	e.nextID(w, datakit.TreeID{})
	e.nextState(w, fs, "f")
}

func waitForPaths(e *env) {
	root, doc := e.watchPath(datakit.Root), e.watchPath("doc")
	e.nextID(root, datakit.TreeID{Mode: datakit.Dir, Hash: datakit.EmptyTree})
	e.nextID(doc, datakit.TreeID{})
	fs := files{"src/Makefile": normal("all: build")}
	e.put("master", fs)
	makefile := e.watchPath("src/Makefile")
	e.nextState(makefile, fs, "src/Makefile")
	e.nextState(root, fs, datakit.Root)
	fs["doc/README"] = normal("Instructions")
	e.put("master", fs)
	e.nextState(doc, fs, "doc")
	e.nextState(root, fs, datakit.Root)
	fs["src/Makefile"] = normal("changed") // the first that makefile is told of
	e.put("master", fs)
	e.nextState(makefile, fs, "src/Makefile")
}

func fileBecomesSymlink(e *env) {
	e.symlinks()
	fs := files{"src/Makefile": normal("all: build")}
	e.put("master", fs)
	w := e.watchPath("src/Makefile")
	e.nextState(w, fs, "src/Makefile")
	e.change("master", func(tx *txn) {
		tx.remove("src/Makefile")
		e.ok(tx.Symlink(e.ctx, "src/Makefile", "my-target"))
	})
	got, err := w.Next(e.ctx)
	e.ok(err)
	t, err := e.db.Tree(e.ctx, got.ID())
	e.ok(err)
	e.wantFile(t, datakit.Root, symlink("my-target"))
}

// announcedStateCanBeRead: what was announced can be read by its TreeID, also
// when the path has changed again.
func announcedStateCanBeRead(e *env) {
	w := e.watchPath("d")
	e.nextID(w, datakit.TreeID{})
	e.put("master", files{"d/f": normal("1"), "d/e/g": executable("2")})
	got, err := w.Next(e.ctx)
	e.ok(err)
	e.put("master", files{"d": absent})
	t, err := e.db.Tree(e.ctx, got.ID())
	e.ok(err)
	e.wantFiles("d", t, files{"f": normal("1"), "e/g": executable("2")})
}

func cancelledPathNext(e *env) {
	w := e.watchPath("f")
	e.nextID(w, datakit.TreeID{})
	ctx, cancel := context.WithCancel(e.ctx)
	c := nextInBackground(ctx, w)
	cancel()
	_, err := receive(e, c)
	e.isCancelled("the waiting Next", err)
	fs := files{"f": normal("1")}
	e.put("master", fs)
	_, err = w.Next(ctx)
	e.isCancelled("Next with news", err)
	e.nextState(w, fs, "f")
}

func closePathWatch(e *env) {
	w := e.watchPath("f")
	e.nextID(w, datakit.TreeID{})
	c := nextInBackground(e.ctx, w)
	e.ok(w.Close())
	_, err := receive(e, c)
	e.fails("the waiting Next", err, datakit.Closed)
	_, err = w.Next(e.ctx)
	e.fails("Next after Close", err, datakit.Closed)
}

func watchOfMalformedPath(e *env) {
	for _, path := range malformed {
		_, err := e.db.Branch("master").WatchPath(e.ctx, path)
		e.fails("WatchPath of "+string(path), err, datakit.Invalid)
	}
}
