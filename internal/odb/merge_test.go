package odb

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/internal/store"
)

// commitMany makes n commits of a file each and returns all their objects, the
// last commit at the end.
func commitMany(t testing.TB, s *Store, n int) (objs []store.Object) {
	t.Helper()
	var parents []datakit.Hash
	for i := range n {
		blob := blobOf(fmt.Append(nil, "content of version ", i))
		tree := treeOf(blob)
		commit := commitOf(tree, fmt.Sprint("version ", i), parents...)
		put(t, s, blob, tree, commit)
		parents = []datakit.Hash{commit.Hash}
		objs = append(objs, blob, tree, commit)
	}
	return objs
}

// waitFor polls until ok returns true.
func waitFor(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("timeout: %s", what)
		}
	}
}

func TestFS220_PacksStayFew(t *testing.T) {
	t.Parallel()
	n := 10_000
	if testing.Short() || raceEnabled == 1 {
		n = 1000
	}
	dir := newRepo(t)
	s := openStore(t, dir, &Options{NoSync: true, CacheBytes: 1 << 20})
	objs := commitMany(t, s, n)
	waitFor(t, "the number of packs falls", func() bool { return len(packFiles(t, dir, ".idx")) <= mergeAt+2*mergeStep })
	if got, want := s.packs().count(), len(packFiles(t, dir, ".idx")); got > 2*want {
		t.Errorf("%d packs are open, and there are %d", got, want)
	}
	for i := range objs {
		if i%7 == 0 || n < 10_000 {
			checkObject(t, s, objs[i])
		}
	}
	git(t, dir, nil, "update-ref", "refs/heads/master", objs[len(objs)-1].Hash.String())
	if out := git(t, dir, nil, "fsck", "--strict", "--full"); out != "" {
		t.Errorf("git fsck: %s", out)
	}
	if out := git(t, dir, nil, "count-objects", "-v"); !strings.Contains(out, fmt.Sprintf("in-pack: %d\n", len(objs))) {
		t.Errorf("want each of %d objects once: %s", len(objs), out)
	}
}

// mergeNow merges packs as the Store's goroutine does.
func mergeNow(t testing.TB, s *Store) {
	t.Helper()
	if err := s.mergeOnce(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestFS2_SpecialPacksAreNotMerged(t *testing.T) {
	t.Parallel()
	dir := newRepo(t)
	s := openStore(t, dir, &Options{NoSync: true})
	s.released.Store(-1 << 60) // the goroutine leaves it to the test
	commitMany(t, s, 20)
	git(t, dir, nil, "multi-pack-index", "write")
	indexed := packFiles(t, dir, ".idx")
	commitMany(t, s, 60)
	if err := os.WriteFile(newest(t, dir, indexed)+".keep", nil, 0o644); err != nil {
		t.Fatal(err)
	}
	before := packFiles(t, dir, ".idx")
	mergeNow(t, s)
	if after := packFiles(t, dir, ".idx"); len(after) != len(indexed)+2 {
		t.Errorf("of %d packs %d are left, want the %d of the multi-pack index, a kept and a new one",
			len(before), len(after), len(indexed))
	}
	git(t, dir, nil, "multi-pack-index", "verify")
}

// newest returns the base of a pack that is not among old.
func newest(t testing.TB, dir string, old []string) string {
	t.Helper()
	for _, f := range packFiles(t, dir, ".idx") {
		if !strings.Contains(strings.Join(old, " "), f) {
			return strings.TrimSuffix(f, ".idx")
		}
	}
	t.Fatal("no new pack")
	return ""
}

func TestFS2_DamagedPacksAreNotMerged(t *testing.T) {
	t.Parallel()
	dir := newRepo(t)
	s := openStore(t, dir, &Options{NoSync: true})
	s.released.Store(-1 << 60)
	objs := commitMany(t, s, 40)
	bad := packFiles(t, dir, ".pack")[7]
	data, err := os.ReadFile(bad)
	if err != nil {
		t.Fatal(err)
	}
	data[len(data)/2] ^= 1
	replaceFile(t, bad, data)
	if err := s.mergeOnce(t.Context()); err == nil {
		t.Error("merging a damaged pack succeeds")
	}
	mergeNow(t, s) // the others
	if n := len(packFiles(t, dir, ".pack")); n != 2 {
		t.Errorf("%d packs are left, want the damaged one and a new one", n)
	}
	missing := 0
	for _, obj := range objs {
		if _, _, err := s.Read(obj.Hash); err != nil {
			missing++
		}
	}
	if missing > 1 {
		t.Errorf("%d objects cannot be read, want one at most", missing)
	}
}

// replaceFile gives a file, which may be read-only, another content.
func replaceFile(t testing.TB, path string, data []byte) {
	t.Helper()
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o444); err != nil {
		t.Fatal(err)
	}
}

func TestFS8_MergeFailsAnywhere(t *testing.T) {
	t.Parallel()
	for n := 0; ; n++ {
		dir := newRepo(t)
		var f faults
		s := openStore(t, dir, &Options{files: f.ops()})
		s.released.Store(-1 << 60)
		objs := commitMany(t, s, mergeAt)
		f.arm(n)
		err := s.mergeOnce(t.Context())
		if left := packFiles(t, dir, ".idx"); err != nil && len(left) != mergeAt || err == nil && len(left) != 1 {
			t.Fatalf("after %d operations: %v, and %d packs", n, err, len(left))
		}
		again := openStore(t, dir, nil)
		for _, obj := range objs {
			checkObject(t, s, obj)
			checkObject(t, again, obj)
		}
		if err == nil {
			return
		}
	}
}

// TestFS2_MergeOfContainedPack merges packs one of which has all objects.
func TestFS2_MergeOfContainedPack(t *testing.T) {
	t.Parallel()
	dir := newRepo(t)
	s := openStore(t, dir, &Options{NoSync: true, files: &osFiles})
	s.released.Store(-1 << 60)
	var objs []store.Object
	for i := range mergeAt + 1 {
		objs = append(objs, blobOf(bytes.Repeat([]byte{byte(i)}, i+1)))
	}
	put(t, s, objs...)
	for _, obj := range objs {
		put(t, s, obj)
	}
	mergeNow(t, s)
	git(t, dir, nil, "fsck", "--strict")
	again := openStore(t, dir, nil)
	for _, obj := range objs {
		checkObject(t, s, obj)
		checkObject(t, again, obj)
	}
	if left, _ := filepath.Glob(filepath.Join(s.own.dir, "new-*")); len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
}
