package refdb

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/internal/store"
)

var errInjected = errors.New("injected")

// badDay prepares a repository, and returns updates of all sorts to be made in
// it, one of them a renaming.
func badDay(t *testing.T, dir string, c []datakit.Hash) []store.Update {
	t.Helper()
	db := openDB(t, dir)
	mustApply(t, db, up("set", zero, c[0]), up("packed", zero, c[0]), up("both", zero, c[1]),
		up("loose", zero, c[0]), up("from/here", zero, c[5]))
	git(t, dir, "pack-refs", "--all")
	mustApply(t, db, up("both", c[1], c[0]), up("loose", c[0], c[1]), up("late", zero, c[0]))
	db.Close()
	return []store.Update{
		up("set", c[0], c[2]), up("new/branch", zero, c[2]), up("packed", c[0], zero), up("both", c[0], zero),
		up("late", c[0], zero), up("to/there", zero, c[5]), up("from/here", c[5], zero),
	}
}

// checkBadDay checks that each branch has its old or its new head.
func checkBadDay(t *testing.T, what string, got map[string]datakit.Hash, updates []store.Update) {
	t.Helper()
	for _, u := range updates {
		if h := got[u.Branch]; h != u.Old && h != u.New {
			t.Errorf("%s: %s is at %s, want %s or %s", what, u.Branch, h, u.Old, u.New)
		}
	}
	if got["to/there"].IsZero() && got["from/here"].IsZero() {
		t.Errorf("%s: the renamed branch is lost", what)
	}
}

// TestFS7_EveryOperationFails has one operation on files after the other fail.
func TestFS7_EveryOperationFails(t *testing.T) {
	t.Parallel()
	template, c := newRepo(t)
	updates := badDay(t, template, c)
	for n := int64(1); ; n++ {
		dir := filepath.Join(t.TempDir(), "repo.git")
		copyTree(t, template, dir)
		if what := failNth(t, dir, updates, n); what == "" {
			if n < 30 {
				t.Errorf("only %d operations, where are the others?", n)
			}
			return
		}
	}
}

// failNth makes the updates while operation n fails, and returns which that
// was.
func failNth(t *testing.T, dir string, updates []store.Update, n int64) (what string) {
	t.Helper()
	var count atomic.Int64
	var failed atomic.Value
	failed.Store("")
	var armed atomic.Bool
	db, err := open(dir, &Options{PollInterval: 20 * time.Millisecond}, &disk{deaf: true, before: func(op, path string) error {
		if !armed.Load() || count.Add(1) != n {
			return nil
		}
		failed.Store(op + " " + path)
		return errInjected
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	heads(t, db) // all is read
	armed.Store(true)
	errs := applyAll(t, db, updates)
	what = failed.Load().(string)
	got := gitHeads(t, dir)
	checkBadDay(t, what, got, updates)
	for i, u := range updates {
		if errs[i] == nil && got[u.Branch] != u.New {
			t.Errorf("%s: no error, and %s is at %s, want %s", what, u.Branch, got[u.Branch], u.New)
		}
		eventually(t, what+": "+u.Branch+" is where git has it", func() bool {
			h, err := db.Head(t.Context(), u.Branch)
			return err == nil && h == got[u.Branch]
		})
	}
	if op, path, _ := strings.Cut(what, " "); op != "remove" || !strings.HasSuffix(path, lockSuffix) {
		noGitLocks(t, what, dir)
	}
	db.Close()
	reopen(t, what, dir, updates)
	return what
}

// applyAll makes updates if all can be made, as is proper for a renaming.
func applyAll(t *testing.T, db *DB, updates []store.Update) []error {
	t.Helper()
	p := db.Prepare(t.Context(), updates)
	errs := p.Errs()
	for _, err := range errs {
		if err != nil {
			p.Abort()
			for i := range errs {
				errs[i] = err
			}
			return errs
		}
	}
	return p.Apply()
}

// noGitLocks fails the test if git would find a lock.
func noGitLocks(t *testing.T, what, dir string) {
	t.Helper()
	filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(path, lockSuffix) {
			t.Errorf("%s: %s is left behind", what, path)
		}
		return nil
	})
}

// reopen checks that all updates that were not made can be made after opening
// the branches again.
func reopen(t *testing.T, what, dir string, updates []store.Update) {
	t.Helper()
	db := openDB(t, dir)
	defer db.Close()
	got := heads(t, db)
	if want := gitHeads(t, dir); !reflect.DeepEqual(got, want) {
		t.Errorf("%s: branches are %v, git has %v", what, got, want)
	}
	checkBadDay(t, what, got, updates)
	var again []store.Update
	for _, u := range updates {
		again = append(again, up(u.Branch, got[u.Branch], u.New))
	}
	for i, err := range apply(t, db, again...) {
		if err != nil {
			t.Errorf("%s: afterwards %v: %v", what, again[i], err)
		}
	}
	db.Close()
	noLocks(t, dir)
}

// TestFS8_CrashAtEveryMoment looks at what is on disk before every operation,
// as if the process were killed then.
func TestFS8_CrashAtEveryMoment(t *testing.T) {
	t.Parallel()
	dir, c := newRepo(t)
	updates := badDay(t, dir, c)
	type crash struct{ what, dir string }
	var crashes []crash
	var armed atomic.Bool
	turn := make(chan struct{}, 1) // one operation at a time
	db, err := open(dir, &Options{PollInterval: time.Hour}, &disk{deaf: true, before: func(op, path string) error {
		if !armed.Load() || op == "open" || op == "stat" || op == "sync" || op == "syncdir" {
			return nil
		}
		turn <- struct{}{}
		defer func() { <-turn }()
		to := filepath.Join(t.TempDir(), "repo.git")
		copyTree(t, dir, to)
		crashes = append(crashes, crash{"before " + op + " " + path, to})
		return nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	heads(t, db)
	armed.Store(true)
	mustApply(t, db, updates...)
	for _, x := range crashes {
		checkBadDay(t, x.what, gitHeads(t, x.dir), updates)
		reopen(t, x.what, x.dir, updates)
	}
	if len(crashes) < 30 {
		t.Errorf("only %d moments, where are the others?", len(crashes))
	}
}

// copyTree copies a directory with the hard links in it. What vanishes while
// it is copied was not there.
func copyTree(t *testing.T, from, to string) {
	t.Helper()
	type name struct {
		info fs.FileInfo
		path string
	}
	var links []name
	err := filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if absent(err) {
			return nil
		} else if err != nil {
			return err
		}
		rel, _ := filepath.Rel(from, path)
		target := filepath.Join(to, rel)
		if d.IsDir() {
			return os.MkdirAll(target, 0o777)
		}
		info, err := d.Info()
		if absent(err) {
			return nil
		} else if err != nil {
			return err
		}
		for _, l := range links {
			if os.SameFile(l.info, info) {
				return os.Link(l.path, target)
			}
		}
		links = append(links, name{info, target})
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(target, b, 0o666)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestFS7_WithoutHardLinks makes locks where there are no hard links.
func TestFS7_WithoutHardLinks(t *testing.T) {
	t.Parallel()
	dir, c := newRepo(t)
	d := &disk{before: func(op, path string) error {
		if op == "link" {
			return errors.ErrUnsupported
		}
		return nil
	}}
	db, err := open(dir, &Options{}, d)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	mustApply(t, db, up("a/b", zero, c[0]))
	mustApply(t, db, up("a/b", c[0], c[1]), up("c", zero, c[2]))
	mustApply(t, db, up("a/b", c[1], zero))
	git(t, dir, "update-ref", "refs/heads/d", c[0].String())
	if err := os.WriteFile(db.path("d")+lockSuffix, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if err := apply(t, db, up("d", c[0], c[1]))[0]; !errors.Is(err, datakit.Locked) {
		t.Errorf("update of a locked branch: %v, want %v", err, datakit.Locked)
	}
	os.Remove(db.path("d") + lockSuffix)
	db.Close()
	noLocks(t, dir)
}

// TestFS7_ReadOnlyRepository reads where nothing can be written.
func TestFS7_ReadOnlyRepository(t *testing.T) {
	t.Parallel()
	dir, c := newRepo(t)
	git(t, dir, "update-ref", "refs/heads/a", c[0].String())
	d := &disk{before: func(op, path string) error {
		switch op {
		case "create", "link", "mkdir", "remove", "rmdir", "rename", "write":
			return fs.ErrPermission
		}
		return nil
	}}
	db, err := open(dir, &Options{}, d)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if got := head(t, db, "a"); got != c[0] {
		t.Errorf("head is %s, want %s", got, c[0])
	}
	if err := apply(t, db, up("a", c[0], c[1]))[0]; datakit.KindOf(err) != datakit.IO {
		t.Errorf("update: %v, want an error of kind IO", err)
	}
}

// TestFS224_PanicWhilePreparing panics when some of the locks are held, which
// must leave none.
func TestFS224_PanicWhilePreparing(t *testing.T) {
	t.Parallel()
	dir, c := newRepo(t)
	var fault atomic.Bool
	db, err := open(dir, &Options{PollInterval: time.Hour}, &disk{deaf: true, before: func(op, path string) error {
		if filepath.Base(path) == "packed-refs.lock" && fault.CompareAndSwap(true, false) {
			panic("test")
		}
		return nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	mustApply(t, db, up("a", zero, c[0]), up("b", zero, c[0]))
	updates := []store.Update{up("a", c[0], c[1]), up("b", c[0], zero)}
	fault.Store(true)
	func() {
		defer func() {
			if recover() == nil {
				t.Error("no panic")
			}
		}()
		db.Prepare(t.Context(), updates).Abort()
	}()
	mustApply(t, db, updates...)
}
