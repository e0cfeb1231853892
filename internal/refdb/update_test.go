package refdb

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/internal/store"
)

// TestFS32_Updates makes, moves and removes branches, loose and packed, and
// compares with git after each step.
func TestFS32_Updates(t *testing.T) {
	t.Parallel()
	dir, c := newRepo(t)
	db := openDB(t, dir)
	pack := func() { git(t, dir, "pack-refs", "--all") }
	steps := []struct {
		name    string
		before  func()
		updates []store.Update
	}{
		{"create", nil, []store.Update{up("a", zero, c[0]), up("b/c", zero, c[1]), up("b/d/e", zero, c[2])}},
		{"move", nil, []store.Update{up("a", c[0], c[1]), up("b/c", c[1], c[2])}},
		{"move packed", pack, []store.Update{up("a", c[1], c[0]), up("b/d/e", c[2], c[3])}},
		{"remove loose and packed", nil, []store.Update{up("a", c[0], zero)}},
		{"remove packed", pack, []store.Update{up("b/d/e", c[3], zero)}},
		{"nothing", nil, []store.Update{up("b/c", c[2], c[2]), up("z", zero, zero)}},
		{"rename", nil, []store.Update{up("y", zero, c[2]), up("b/c", c[2], zero)}},
		{"file where a directory was", nil, []store.Update{up("b", zero, c[4])}},
		{"directory where a file was", func() { mustApply(t, db, up("b", c[4], zero)) },
			[]store.Update{up("b/x/y", zero, c[4])}},
		{"none", nil, nil},
	}
	for _, s := range steps {
		if s.before != nil {
			s.before()
		}
		mustApply(t, db, s.updates...)
		if got, want := heads(t, db), gitHeads(t, dir); !reflect.DeepEqual(got, want) {
			t.Fatalf("%s: branches are %v, git has %v", s.name, got, want)
		}
		for _, u := range s.updates {
			if got := head(t, db, u.Branch); got != u.New {
				t.Errorf("%s: head of %s is %s, want %s", s.name, u.Branch, got, u.New)
			}
		}
	}
	git(t, dir, "fsck", "--strict")
	db.Close()
	noLocks(t, dir)
}

// TestFS32_Moved compares with the value on disk, not with what is cached.
func TestFS32_Moved(t *testing.T) {
	t.Parallel()
	dir, c := newRepo(t)
	db := openDB(t, dir)
	mustApply(t, db, up("a", zero, c[0]))
	git(t, dir, "update-ref", "refs/heads/a", c[1].String())
	git(t, dir, "update-ref", "refs/heads/p", c[2].String())
	git(t, dir, "pack-refs", "--all")
	for _, tt := range []struct {
		u   store.Update
		now datakit.Hash
	}{
		{up("a", c[0], c[3]), c[1]},
		{up("a", c[0], zero), c[1]},
		{up("a", zero, c[3]), c[1]},
		{up("p", zero, c[3]), c[2]},
		{up("none", c[0], c[3]), zero},
		{up("none", c[0], zero), zero},
		{up("a/b", c[0], zero), zero},
		{up("a/b", c[0], c[1]), zero},
	} {
		var moved *store.MovedError
		err := apply(t, db, tt.u)[0]
		if !errors.As(err, &moved) || moved.Now != tt.now || moved.Branch != tt.u.Branch {
			t.Errorf("update %v: %v, want a MovedError to %s", tt.u, err, tt.now)
		}
		if got := head(t, db, tt.u.Branch); got != tt.now {
			t.Errorf("head of %s is %s, want %s", tt.u.Branch, got, tt.now)
		}
	}
	db.Close()
	noLocks(t, dir)
}

// TestFS29_Conflicts asks for branches that Git cannot hold together.
func TestFS29_Conflicts(t *testing.T) {
	t.Parallel()
	for _, packed := range []bool{false, true} {
		dir, c := newRepo(t)
		db := openDB(t, dir)
		mustApply(t, db, up("a", zero, c[0]), up("d/e/f", zero, c[0]))
		if packed {
			git(t, dir, "pack-refs", "--all")
		}
		for _, tt := range []struct{ branch, other string }{
			{"a/b", "a"}, {"a/b/c", "a"}, {"d", "d/e/f"}, {"d/e", "d/e/f"}, {"d/e/f/g/h", "d/e/f"},
		} {
			var conflict *datakit.BranchConflictError
			err := apply(t, db, up(tt.branch, zero, c[1]))[0]
			if !errors.Is(err, datakit.Exist) || !errors.As(err, &conflict) || conflict.Other != tt.other {
				t.Errorf("create %s, packed %v: %v, want a conflict with %s", tt.branch, packed, err, tt.other)
			}
		}
		// Renaming into a conflict with itself is one as well.
		errs := apply(t, db, up("a/b", zero, c[0]), up("x", zero, c[0]))
		if !errors.Is(errs[0], datakit.Exist) || errs[1] != nil {
			t.Errorf("a/b and x: %v, want that only the first fails", errs)
		}
		db.Close()
		noLocks(t, dir)
	}
}

// TestFS29_InOneGroup makes two branches that conflict with each other. One is
// made; which says the other's error in the next attempt.
func TestFS29_InOneGroup(t *testing.T) {
	t.Parallel()
	dir, c := newRepo(t)
	for _, names := range [][2]string{{"a", "a/b"}, {"b/c", "b"}} {
		db := openDB(t, dir)
		updates := []store.Update{up(names[0], zero, c[0]), up(names[1], zero, c[0])}
		errs := apply(t, db, updates...)
		if (errs[0] == nil) == (errs[1] == nil) {
			t.Fatalf("%q: %v, want exactly one error", names, errs)
		}
		for i, u := range updates {
			if errs[i] == nil {
				continue
			}
			if err := apply(t, db, u)[0]; !errors.Is(err, datakit.Exist) {
				t.Errorf("%s on its own: %v, want a conflict", u.Branch, err)
			}
		}
		db.Close()
		noLocks(t, dir)
	}
}

// TestFS7_LockedByOthers has git locks in the way.
func TestFS7_LockedByOthers(t *testing.T) {
	t.Parallel()
	dir, c := newRepo(t)
	db := openDB(t, dir)
	mustApply(t, db, up("a", zero, c[0]), up("b", zero, c[0]), up("c", zero, c[0]))
	lock := filepath.Join(db.heads, "a.lock")
	packedLock := filepath.Join(dir, "packed-refs.lock")
	for _, path := range []string{lock, packedLock} {
		if err := os.WriteFile(path, nil, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	errs := apply(t, db, up("a", c[0], c[1]), up("b", c[0], c[1]), up("c", c[0], zero), up("a", c[0], zero))
	for i, want := range []string{"refs/heads/a.lock", "", "packed-refs.lock", "refs/heads/a.lock"} {
		var locked *datakit.LockedError
		switch {
		case want == "" && errs[i] != nil:
			t.Errorf("update %d: %v, want none", i, errs[i])
		case want != "" && (!errors.As(errs[i], &locked) || !errors.Is(errs[i], datakit.Locked) || locked.File != want):
			t.Errorf("update %d: %v, want that %s is in the way", i, errs[i], want)
		}
	}
	for _, path := range []string{lock, packedLock} {
		if err := os.Remove(path); err != nil {
			t.Errorf("a lock of another program is gone: %v", err)
		}
	}
	mustApply(t, db, up("a", c[0], c[1]), up("c", c[0], zero))
	db.Close()
	noLocks(t, dir)
}

// TestFS7_Abort gives up what was prepared.
func TestFS7_Abort(t *testing.T) {
	t.Parallel()
	dir, c := newRepo(t)
	db := openDB(t, dir)
	mustApply(t, db, up("a", zero, c[0]))
	git(t, dir, "pack-refs", "--all")
	before := gitHeads(t, dir)
	p := db.Prepare(t.Context(), []store.Update{up("a", c[0], zero), up("n/e/w", zero, c[1])})
	if out, err := tryGit(t, dir, "", "update-ref", "refs/heads/a", c[2].String()); err == nil {
		t.Errorf("git changes a branch that is locked: %s", out)
	}
	p.Abort()
	if got := gitHeads(t, dir); !reflect.DeepEqual(got, before) {
		t.Errorf("branches after Abort: %v, want %v", got, before)
	}
	if _, err := os.Stat(filepath.Join(db.heads, "n")); err == nil {
		t.Error("Abort leaves a directory")
	}
	git(t, dir, "update-ref", "refs/heads/a", c[2].String())
	db.Close()
	noLocks(t, dir)
}

// TestFS7_LockTakenAway removes our lock by hand, and makes another in its
// place, which must stay.
func TestFS7_LockTakenAway(t *testing.T) {
	t.Parallel()
	dir, c := newRepo(t)
	db := openDB(t, dir)
	p := db.Prepare(t.Context(), []store.Update{up("a", zero, c[0])})
	lock := filepath.Join(db.heads, "a.lock")
	if err := os.Remove(lock); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(lock, []byte("theirs"), 0o666); err != nil {
		t.Fatal(err)
	}
	if errs := p.Apply(); !errors.Is(errs[0], errTaken) {
		t.Errorf("Apply without the lock: %v, want %v", errs[0], errTaken)
	}
	if b, err := os.ReadFile(lock); err != nil || string(b) != "theirs" {
		t.Errorf("the lock of another program is %q, %v", b, err)
	}
}

// TestFS27_InvalidNames are refused.
func TestFS27_InvalidNames(t *testing.T) {
	t.Parallel()
	dir, c := newRepo(t)
	db := openDB(t, dir)
	for _, name := range []string{"", "../x", "a..b", "a.lock", "a b", "/a", "a/", "a\nb"} {
		if err := apply(t, db, up(name, zero, c[0]))[0]; !errors.Is(err, datakit.Invalid) {
			t.Errorf("create %q: %v, want %v", name, err, datakit.Invalid)
		}
		if h, err := db.Head(t.Context(), name); err != nil || !h.IsZero() {
			t.Errorf("head of %q is %s, %v", name, h, err)
		}
	}
}

// TestFS6_OthersUntouched keeps tags and remote branches out.
func TestFS6_OthersUntouched(t *testing.T) {
	t.Parallel()
	dir, c := newRepo(t)
	git(t, dir, "update-ref", "refs/remotes/o/m", c[0].String())
	git(t, dir, "update-ref", "refs/heads/a", c[0].String())
	git(t, dir, "tag", "-a", "-m", "x", "v1", c[0].String())
	git(t, dir, "pack-refs", "--all")
	before := git(t, dir, "for-each-ref")
	peeled := git(t, dir, "show-ref", "-d", "v1")
	db := openDB(t, dir)
	if got := heads(t, db); len(got) != 1 || got["a"] != c[0] {
		t.Errorf("branches are %v, want only a", got)
	}
	mustApply(t, db, up("b", zero, c[0]))
	mustApply(t, db, up("b", c[0], zero), up("a", c[0], zero))
	mustApply(t, db, up("a", zero, c[0]))
	if after := git(t, dir, "for-each-ref"); after != before {
		t.Errorf("references are\n%s\nwant\n%s", after, before)
	}
	if after := git(t, dir, "show-ref", "-d", "v1"); after != peeled {
		t.Errorf("the tag is\n%s\nwant\n%s", after, peeled)
	}
}

// TestFS7_ReflogGoesWithTheBranch removes the history that git keeps of a
// branch, which would be in the way of others.
func TestFS7_ReflogGoesWithTheBranch(t *testing.T) {
	t.Parallel()
	dir, c := newRepo(t)
	git(t, dir, "config", "core.logAllRefUpdates", "true")
	git(t, dir, "update-ref", "refs/heads/x/y", c[0].String())
	log := filepath.Join(dir, "logs", "refs", "heads", "x")
	if _, err := os.Stat(log); err != nil {
		t.Fatal(err)
	}
	db := openDB(t, dir)
	mustApply(t, db, up("x/y", c[0], zero))
	git(t, dir, "update-ref", "refs/heads/x", c[0].String())
	if info, err := os.Stat(log); err != nil || info.IsDir() {
		t.Errorf("history of the new branch: %v", err)
	}
}
