package refdb

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/internal/store"
)

// TestFS2_WorkTree opens the Git directory of an additional work tree, whose
// branches are those of the repository.
func TestFS2_WorkTree(t *testing.T) {
	t.Parallel()
	dir, c := newRepo(t)
	git(t, dir, "update-ref", "refs/heads/a", c[0].String())
	git(t, dir, "worktree", "add", "-q", "--no-checkout", filepath.Join(t.TempDir(), "wt"), "a")
	db := openDB(t, filepath.Join(dir, "worktrees", "wt"))
	mustApply(t, db, up("a", c[0], c[1]), up("b", zero, c[2]))
	git(t, dir, "pack-refs", "--all")
	mustApply(t, db, up("b", c[2], zero))
	want := map[string]datakit.Hash{"a": c[1]}
	if got := gitHeads(t, dir); !reflect.DeepEqual(got, want) {
		t.Errorf("git has %v, want %v", got, want)
	}
	if got := heads(t, db); !reflect.DeepEqual(got, want) {
		t.Errorf("branches are %v, want %v", got, want)
	}
}

// TestFS2_LinkedPackedRefs follows packed-refs where it is a symbolic link.
func TestFS2_LinkedPackedRefs(t *testing.T) {
	t.Parallel()
	dir, c := newRepo(t)
	git(t, dir, "update-ref", "refs/heads/a", c[0].String())
	git(t, dir, "pack-refs", "--all")
	elsewhere := filepath.Join(t.TempDir(), "packed")
	packs := filepath.Join(dir, "packed-refs")
	if err := os.Rename(packs, elsewhere); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(elsewhere, packs); err != nil {
		t.Skip(err)
	}
	db := openDB(t, dir)
	mustApply(t, db, up("a", c[0], zero))
	if info, err := os.Lstat(packs); err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("packed-refs is no link any more: %v, %v", info, err)
	}
	if got := gitHeads(t, dir); len(got) != 0 {
		t.Errorf("git has %v, want nothing", got)
	}
}

// TestOpenRefuses opens what is no repository, or none of this kind.
func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	reftable := t.TempDir()
	if err := os.MkdirAll(filepath.Join(reftable, "refs"), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(reftable, "refs", "heads"), []byte("this repository uses the reftable format\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{reftable, filepath.Join(t.TempDir(), "none")} {
		if db, err := Open(dir, nil); datakit.KindOf(err) != datakit.IO {
			t.Errorf("Open(%q) = %v, %v, want an error of kind IO", dir, db, err)
		}
	}
}

// TestClosed uses a DB after Close.
func TestClosed(t *testing.T) {
	t.Parallel()
	dir, c := newRepo(t)
	db := openDB(t, dir)
	mustApply(t, db, up("a", zero, c[0]))
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Head(t.Context(), "a"); !errors.Is(err, datakit.Closed) {
		t.Errorf("Head: %v, want %v", err, datakit.Closed)
	}
	if _, err := db.Branches(t.Context()); !errors.Is(err, datakit.Closed) {
		t.Errorf("Branches: %v, want %v", err, datakit.Closed)
	}
	if err := apply(t, db, up("a", c[0], c[1]))[0]; !errors.Is(err, datakit.Closed) {
		t.Errorf("Apply: %v, want %v", err, datakit.Closed)
	}
	if err := db.Close(); err != nil {
		t.Errorf("second Close: %v", err)
	}
}

// TestContexts has the context of a call end before it.
func TestContexts(t *testing.T) {
	t.Parallel()
	dir, c := newRepo(t)
	db := openDB(t, dir)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	p := db.Prepare(ctx, []store.Update{up("a", zero, c[0])})
	if errs := p.Apply(); !errors.Is(errs[0], context.Canceled) {
		t.Errorf("Apply: %v, want %v", errs, context.Canceled)
	}
	if h := head(t, db, "a"); !h.IsZero() {
		t.Errorf("head is %s, want none", h)
	}
	db.Close()
	noLocks(t, dir)
}

// TestHeadBeforeAllIsRead asks for heads while the first reading is held up.
func TestHeadBeforeAllIsRead(t *testing.T) {
	t.Parallel()
	dir, c := newRepo(t)
	git(t, dir, "update-ref", "refs/heads/p", c[0].String())
	git(t, dir, "pack-refs", "--all")
	git(t, dir, "update-ref", "refs/heads/l/l", c[1].String())
	git(t, dir, "symbolic-ref", "refs/heads/s", "refs/heads/l/l")
	hold := make(chan struct{})
	db, err := open(dir, &Options{}, &disk{before: func(op, path string) error {
		if op == "readdir" {
			<-hold
		}
		return nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for name, want := range map[string]datakit.Hash{"p": c[0], "l/l": c[1], "s": c[1], "x": zero, "a b": zero} {
		if got := head(t, db, name); got != want {
			t.Errorf("head of %s is %s, want %s", name, got, want)
		}
	}
	mustApply(t, db, up("p", c[0], c[2]), up("s", c[1], c[3]))
	if got := head(t, db, "l/l"); got != c[3] {
		t.Errorf("head of l/l is %s, want %s", got, c[3])
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if got, err := db.Branches(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Branches while it waits: %v, %v", got, err)
	}
	close(hold)
	if got, want := heads(t, db), gitHeads(t, dir); !reflect.DeepEqual(got, want) {
		t.Errorf("branches are %v, git has %v", got, want)
	}
}

// TestFS2_DamagedPackedRefs refuses to guess until the file is repaired.
func TestFS2_DamagedPackedRefs(t *testing.T) {
	t.Parallel()
	dir, c := newRepo(t)
	git(t, dir, "update-ref", "refs/heads/p", c[0].String())
	git(t, dir, "pack-refs", "--all")
	git(t, dir, "update-ref", "refs/heads/l", c[0].String())
	packs := filepath.Join(dir, "packed-refs")
	good, err := os.ReadFile(packs)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(packs, []byte("junk\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	db := openDB(t, dir)
	if _, err := db.Branches(t.Context()); err == nil {
		t.Error("Branches without packed-refs: no error")
	}
	if h, err := db.Head(t.Context(), "p"); err == nil {
		t.Errorf("head of a branch that may be packed is %s", h)
	}
	if h, err := db.Head(t.Context(), "l"); err != nil || h != c[0] {
		t.Errorf("head of a loose branch is %s, %v", h, err)
	}
	if err := apply(t, db, up("q", zero, c[0]))[0]; !errors.Is(err, datakit.Internal) {
		t.Errorf("creation of a branch that may be packed: %v, want %v", err, datakit.Internal)
	}
	repaired := packs + ".new"
	if err := os.WriteFile(repaired, good, 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(repaired, packs); err != nil {
		t.Fatal(err)
	}
	eventually(t, "repaired", func() bool {
		_, err := db.Branches(t.Context())
		return err == nil
	})
	if got, want := heads(t, db), gitHeads(t, dir); !reflect.DeepEqual(got, want) {
		t.Errorf("branches are %v, git has %v", got, want)
	}
	db.Close()
	noLocks(t, dir)
}

// TestFS5_InitHead makes HEAD where there is none, and only there.
func TestFS5_InitHead(t *testing.T) {
	t.Parallel()
	const made = "ref: refs/heads/master\n"
	read := func(dir string) string {
		b, err := os.ReadFile(filepath.Join(dir, "HEAD"))
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	dir := t.TempDir()
	for range 2 {
		if err := InitHead(dir, "master"); err != nil || read(dir) != made {
			t.Fatalf("InitHead: %v, HEAD is %q", err, read(dir))
		}
	}
	other := "ref: refs/heads/other\n"
	if err := os.WriteFile(filepath.Join(dir, "HEAD"), []byte(other), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := InitHead(dir, "master"); err != nil || read(dir) != other {
		t.Errorf("InitHead with a HEAD: %v, HEAD is %q", err, read(dir))
	}
	dangling := t.TempDir()
	if err := os.Symlink("refs/heads/x", filepath.Join(dangling, "HEAD")); err == nil {
		if err := InitHead(dangling, "master"); err != nil {
			t.Error(err)
		}
		if to, err := os.Readlink(filepath.Join(dangling, "HEAD")); err != nil || to != "refs/heads/x" {
			t.Errorf("HEAD leads to %q, %v", to, err)
		}
	}
	for n := 1; ; n++ { // every operation fails
		dir, count := t.TempDir(), 0
		err := initHead(dir, "master", &disk{before: func(string, string) error {
			if count++; count == n {
				return errInjected
			}
			return nil
		}})
		if count < n {
			return
		}
		entries, _ := os.ReadDir(dir)
		for _, e := range entries {
			if e.Name() == "HEAD" && read(dir) != made || err == nil && read(dir) != made {
				t.Errorf("operation %d fails: %v, HEAD is %q", n, err, read(dir))
			}
			if e.Name() != "HEAD" && !strings.HasPrefix(e.Name(), "HEAD-") {
				t.Errorf("operation %d fails: %s is left behind", n, e.Name())
			}
		}
	}
}
