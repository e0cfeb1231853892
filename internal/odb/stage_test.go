package odb

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/internal/object"
	"github.com/datakit/datakit/internal/store"
)

// history returns the objects of a commit with a tree of random blobs.
func history(t testing.TB) []store.Object {
	r := seeded(t)
	var blobs []store.Object
	for _, n := range []int{0, 1, 15, 16, 64, 65, 1000, 65_534, 65_535, 65_536, 3 * 65_535, 1<<20 + 17} {
		blobs = append(blobs, blobOf(text(r, n)), blobOf(randomBytes(r, n)))
	}
	tree := treeOf(blobs...)
	return append(blobs, tree, commitOf(tree, "first"))
}

func TestFS1_GitReadsWhatIsWritten(t *testing.T) {
	t.Parallel()
	dir := newRepo(t)
	s := openStore(t, dir, nil)
	objs := history(t)
	put(t, s, objs...)
	last := objs[len(objs)-1]
	git(t, dir, nil, "update-ref", "refs/heads/master", last.Hash.String())
	if out := git(t, dir, nil, "fsck", "--strict", "--full", "--no-dangling"); out != "" {
		t.Errorf("git fsck: %s", out)
	}
	for _, p := range packFiles(t, dir, ".idx") {
		git(t, dir, nil, "verify-pack", p)
		git(t, dir, nil, "index-pack", "--strict", "--verify", strings.TrimSuffix(p, ".idx")+".pack")
	}
	for _, obj := range objs {
		got := git(t, dir, nil, "cat-file", obj.Type.String(), obj.Hash.String())
		if got != strings.TrimSuffix(string(obj.Data), "\n") {
			t.Errorf("git cat-file %s differs: %d bytes, want %d", obj.Hash, len(got), len(obj.Data))
		}
	}
}

// packFiles returns the files in objects/pack with an extension.
func packFiles(t testing.TB, dir, ext string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "objects", "pack", "*"+ext))
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestFS8_ObjectsAppearWhenPublished(t *testing.T) {
	t.Parallel()
	dir := newRepo(t)
	s := openStore(t, dir, nil)
	objs := history(t)
	st, err := s.Stage(t.Context(), objs)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.Read(objs[0].Hash); !errors.Is(err, datakit.NotExist) {
		t.Fatalf("read before Publish: %v, want NotExist", err)
	}
	if err := st.Publish(); err != nil {
		t.Fatal(err)
	}
	for _, obj := range objs {
		checkObject(t, s, obj)
	}
	st.Release()
	again := openStore(t, dir, nil)
	for _, obj := range objs {
		checkObject(t, again, obj)
	}
}

func TestFS8_ContentIsStreamed(t *testing.T) {
	t.Parallel()
	s := openStore(t, newRepo(t), nil)
	r := seeded(t)
	for _, data := range [][]byte{text(r, 3<<20), randomBytes(r, 3<<20), {}} {
		obj := blobOf(data)
		put(t, s, store.Object{Hash: obj.Hash, Type: obj.Type, Content: bytes.NewReader(data), Size: int64(len(data))})
		checkObject(t, s, obj)
	}
}

func TestFS9_KeptUntilReleased(t *testing.T) {
	t.Parallel()
	dir := newRepo(t)
	s := openStore(t, dir, nil)
	obj := blobOf([]byte("unreachable"))
	st, err := s.Stage(t.Context(), []store.Object{obj})
	if err != nil {
		t.Fatal(err)
	}
	if err := st.Publish(); err != nil {
		t.Fatal(err)
	}
	git(t, dir, nil, "repack", "-adq")
	git(t, dir, nil, "prune", "--expire=now")
	if err := s.Confirm([]datakit.Hash{obj.Hash}); err != nil {
		t.Fatalf("before Release: %v", err)
	}
	st.Release()
	if n := len(packFiles(t, dir, ".keep")); n != 0 {
		t.Fatalf("%d .keep files are left", n)
	}
	git(t, dir, nil, "repack", "-adq")
	if err := s.Confirm([]datakit.Hash{obj.Hash}); !errors.Is(err, datakit.NotExist) {
		t.Fatalf("Confirm of a pruned object: %v, want NotExist", err)
	}
}

func TestFS9_TwoUsersOfOnePack(t *testing.T) {
	t.Parallel()
	dir := newRepo(t)
	s := openStore(t, dir, nil)
	objs := []store.Object{blobOf([]byte("same"))}
	var both [2]store.Staged
	for i := range both {
		var err error
		if both[i], err = s.Stage(t.Context(), objs); err != nil {
			t.Fatal(err)
		}
	}
	for _, st := range both {
		if err := st.Publish(); err != nil {
			t.Fatal(err)
		}
	}
	both[0].Release()
	if n := len(packFiles(t, dir, ".keep")); n != 1 {
		t.Fatalf("%d .keep files while one user is left, want 1", n)
	}
	both[1].Release()
	if n := len(packFiles(t, dir, ".keep")); n != 0 {
		t.Fatalf("%d .keep files are left", n)
	}
	checkObject(t, s, objs[0])
}

func TestFS216_DiscardLeavesNothing(t *testing.T) {
	t.Parallel()
	dir := newRepo(t)
	s := openStore(t, dir, &Options{files: &osFiles})
	st, err := s.Stage(t.Context(), history(t))
	if err != nil {
		t.Fatal(err)
	}
	st.Discard()
	wantNothing(t, s, dir)
}

// wantNothing checks that no file of a pack is there.
func wantNothing(t testing.TB, s *Store, dir string) {
	t.Helper()
	files := packFiles(t, dir, "")
	if s.opts.files != nil { // else spare files are being made
		own, err := filepath.Glob(filepath.Join(s.own.dir, "new-*"))
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, own...)
	}
	if len(files) > 0 {
		t.Fatalf("left behind: %q", files)
	}
}

func TestFS216_EmptyAndRepeated(t *testing.T) {
	t.Parallel()
	dir := newRepo(t)
	s := openStore(t, dir, nil)
	put(t, s)
	wantNothing(t, s, dir)
	obj := blobOf([]byte("twice"))
	put(t, s, obj, obj)
	git(t, dir, nil, "fsck", "--strict")
	if out := git(t, dir, nil, "count-objects", "-v"); !strings.Contains(out, "in-pack: 1\n") {
		t.Errorf("git count-objects: %s", out)
	}
}

func TestFS8_CancelledStage(t *testing.T) {
	t.Parallel()
	dir := newRepo(t)
	s := openStore(t, dir, &Options{files: &osFiles})
	ctx, cancel := contextCancelledBy(t)
	r := &cancelReader{cancel: cancel}
	_, err := s.Stage(ctx, []store.Object{{Type: object.BlobType, Content: r, Size: 1 << 40}})
	if !errors.Is(err, datakit.Aborted) {
		t.Fatalf("Stage = %v, want Aborted", err)
	}
	wantNothing(t, s, dir)
}

// TestFS8_EveryOperationFails cuts writing short after each of its operations
// in turn.
func TestFS8_EveryOperationFails(t *testing.T) {
	t.Parallel()
	r := seeded(t)
	objs := []store.Object{blobOf(text(r, smallObject)), blobOf(randomBytes(r, flushSize+1)), treeOf()}
	for n := 0; ; n++ {
		dir := newRepo(t)
		var f faults
		s := openStore(t, dir, &Options{files: f.ops()})
		f.arm(n)
		st, err := s.Stage(t.Context(), objs)
		if err == nil {
			err = st.Publish()
		}
		if err == nil {
			if n < 8 {
				t.Fatalf("only %d operations", n)
			}
			return
		}
		if !errors.Is(err, errInjected) || datakit.KindOf(err) != datakit.IO {
			t.Fatalf("after %d operations: %v", n, err)
		}
		wantNothing(t, s, dir)
		if _, _, err := s.Read(objs[0].Hash); !errors.Is(err, datakit.NotExist) {
			t.Fatalf("after %d operations: Read = %v, want NotExist", n, err)
		}
	}
}

func TestFS8_ClosedStore(t *testing.T) {
	t.Parallel()
	s, err := Open(newRepo(t), nil)
	if err != nil {
		t.Fatal(err)
	}
	obj := blobOf([]byte("x"))
	put(t, s, obj)
	for range 2 {
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	_, _, readErr := s.Read(obj.Hash)
	_, _, headErr := s.Header(obj.Hash)
	_, openErr := s.OpenBlob(obj.Hash)
	_, stageErr := s.Stage(t.Context(), nil)
	for i, err := range []error{readErr, headErr, openErr, stageErr, s.Confirm([]datakit.Hash{obj.Hash})} {
		if !errors.Is(err, datakit.Closed) {
			t.Errorf("call %d: %v, want Closed", i, err)
		}
	}
}

func TestFS216_NothingLeftAfterClose(t *testing.T) {
	t.Parallel()
	dir := newRepo(t)
	s, err := Open(dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(s.TempDir(), "spill"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	st, err := s.Stage(t.Context(), history(t))
	if err != nil {
		t.Fatal(err)
	}
	if err := st.Publish(); err != nil {
		t.Fatal(err)
	}
	s.Close()
	left, _ := filepath.Glob(filepath.Join(dir, "datakit", "*"))
	if left = append(left, packFiles(t, dir, ".keep")...); len(left) > 0 {
		t.Fatalf("left behind: %q", left)
	}
}
