package refdb

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/datakit/datakit"
)

// TestFS2_SymbolicReferences reads and changes branches that are symbolic.
func TestFS2_SymbolicReferences(t *testing.T) {
	t.Parallel()
	dir, c := newRepo(t)
	for i := range 7 {
		to := "refs/heads/s" + string(rune('0'+i))
		git(t, dir, "symbolic-ref", "refs/heads/s"+string(rune('1'+i)), to)
	}
	git(t, dir, "symbolic-ref", "refs/heads/loop", "refs/heads/loop")
	db := openDB(t, dir)
	mustApply(t, db, up("s3", zero, c[0])) // makes s0, where it leads to
	for i, want := range []datakit.Hash{c[0], c[0], c[0], c[0], c[0], zero, zero, zero} {
		name := "s" + string(rune('0'+i))
		if got := head(t, db, name); got != want {
			t.Errorf("head of %s is %s, want %s", name, got, want)
		}
	}
	if got, want := heads(t, db), gitHeads(t, dir); !reflect.DeepEqual(got, want) {
		t.Errorf("branches are %v, git has %v", got, want)
	}
	r := record(t, db)
	mustApply(t, db, up("s2", c[0], c[1]))
	var want []move
	for i := range 5 {
		want = append(want, move{"s" + string(rune('0'+i)), c[1]})
	}
	if got := r.take(); !sameMoves(got, want) {
		t.Errorf("told of %v, want %v", got, want)
	}
	if got, err := os.ReadFile(db.path("s2")); err != nil || string(got) != "ref: refs/heads/s1\n" {
		t.Errorf("s2 is %q now, %v", got, err)
	}
	if err := apply(t, db, up("loop", zero, c[0]))[0]; err == nil {
		t.Error("a reference that leads to itself can be changed")
	}
	errs := apply(t, db, up("s0", c[1], c[2]), up("s1", c[1], c[3]))
	if errs[0] != nil || !errors.Is(errs[1], datakit.Locked) {
		t.Errorf("two updates of one branch: %v, want nil and %v", errs, datakit.Locked)
	}
	mustApply(t, db, up("s1", c[2], zero))
	if got := head(t, db, "s0"); got != c[2] {
		t.Errorf("after the removal of a symbolic reference its target is at %s, want %s", got, c[2])
	}
	if got, want := heads(t, db), gitHeads(t, dir); !reflect.DeepEqual(got, want) {
		t.Errorf("branches are %v, git has %v", got, want)
	}
	db.Close()
	noLocks(t, dir)
}

// TestFS6_SymbolicReferenceOutside shows what a symbolic reference to another
// place leads to, and does not change it.
func TestFS6_SymbolicReferenceOutside(t *testing.T) {
	bothWays(t, func(t *testing.T, polling bool) {
		dir, c := newRepo(t)
		git(t, dir, "update-ref", "refs/remotes/o/m", c[0].String())
		git(t, dir, "symbolic-ref", "refs/heads/s", "refs/remotes/o/m")
		git(t, dir, "pack-refs", "--all")
		db := openDB(t, dir)
		r := record(t, db)
		if got := head(t, db, "s"); got != c[0] {
			t.Errorf("head is %s, want %s", got, c[0])
		}
		if err := apply(t, db, up("s", c[0], c[1]))[0]; !errors.Is(err, datakit.Invalid) {
			t.Errorf("update: %v, want %v", err, datakit.Invalid)
		}
		git(t, dir, "update-ref", "refs/remotes/o/m", c[2].String())
		r.waitFor(t, "s", c[2])
		mustApply(t, db, up("s", c[2], zero))
		if got := git(t, dir, "rev-parse", "refs/remotes/o/m"); got != c[2].String() {
			t.Errorf("the other reference is at %s, want %s", got, c[2])
		}
		db.Close()
		noLocks(t, dir)
	})
}

// TestFS2_FileLinks reads symbolic links of the file system.
func TestFS2_FileLinks(t *testing.T) {
	t.Parallel()
	dir, c := newRepo(t)
	git(t, dir, "update-ref", "refs/heads/a", c[0].String())
	refs := filepath.Join(dir, "refs", "heads")
	for name, to := range map[string]string{"old": "refs/heads/a", "file": "a", "nowhere": "b"} {
		if err := os.Symlink(to, filepath.Join(refs, name)); err != nil {
			t.Skip(err)
		}
	}
	db := openDB(t, dir)
	for name, want := range map[string]datakit.Hash{"a": c[0], "old": c[0], "file": c[0]} {
		if got := head(t, db, name); got != want {
			t.Errorf("head of %s is %s, want %s", name, got, want)
		}
	}
	if h, err := db.Head(t.Context(), "nowhere"); err == nil {
		t.Errorf("head of a link to nowhere is %s", h)
	}
	// Git does not list the one whose file leads nowhere, and still resolves it.
	if got, want := git(t, dir, "rev-parse", "refs/heads/old"), c[0].String(); got != want {
		t.Errorf("git has old at %s, want %s", got, want)
	}
}

// TestFS2_DamagedFiles passes over what git passes over.
func TestFS2_DamagedFiles(t *testing.T) {
	t.Parallel()
	dir, c := newRepo(t)
	git(t, dir, "update-ref", "refs/heads/ok", c[0].String())
	refs := filepath.Join(dir, "refs", "heads")
	for name, text := range map[string]string{
		"empty": "", "short": "abc\n", "zero": zero.String() + "\n", "junk": c[0].String() + "x\n",
		"ref": "ref: HEAD\n", "up": "ref: refs/heads/../../x\n", "bad name": c[0].String() + "\n",
		"after": c[1].String() + " and more\n", "upper": "ABCDEF" + c[2].String()[6:] + "\n",
	} {
		if err := os.WriteFile(filepath.Join(refs, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	db := openDB(t, dir)
	got := heads(t, db)
	want := map[string]datakit.Hash{"ok": c[0], "after": c[1], "upper": hash(t, "abcdef"+c[2].String()[6:])}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("branches are %v, want %v", got, want)
	}
	for _, name := range []string{"empty", "short", "zero", "junk", "ref", "up"} {
		if h, err := db.Head(t.Context(), name); !errors.Is(err, datakit.Internal) {
			t.Errorf("head of damaged %s is %s, %v", name, h, err)
		}
		if err := apply(t, db, up(name, zero, c[0]))[0]; !errors.Is(err, datakit.Internal) {
			t.Errorf("update of damaged %s: %v", name, err)
		}
	}
	if err := os.WriteFile(filepath.Join(refs, "empty"), []byte(c[3].String()), 0o666); err != nil {
		t.Fatal(err)
	}
	eventually(t, "repaired", func() bool {
		h, err := db.Head(t.Context(), "empty")
		return err == nil && h == c[3]
	})
}
