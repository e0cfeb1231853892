package odb

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/internal/object"
	"github.com/datakit/datakit/internal/store"
)

// gitHistory has git itself make commits of files that change a little each
// time, and a tag, and returns all objects.
func gitHistory(t testing.TB, dir string, commits, size int) []store.Object {
	t.Helper()
	r := seeded(t)
	file := text(r, size)
	random := randomBytes(r, 5000)
	var script bytes.Buffer
	for i := range commits {
		copy(file[r.IntN(size-100):], fmt.Sprint("change ", i))
		fmt.Fprintf(&script, "commit refs/heads/master\ncommitter C <c@example.com> %d +0000\ndata 4\nm%03d\n", 1700000000+i, i)
		if i == 0 {
			fmt.Fprintf(&script, "M 100644 inline dir/random\ndata %d\n%s\n", len(random), random)
		}
		fmt.Fprintf(&script, "M 100644 inline dir/file\ndata %d\n%s\n", len(file), file)
	}
	script.WriteString("tag v1\nfrom refs/heads/master\ntagger C <c@example.com> 1700000000 +0000\ndata 3\ntag\n")
	git(t, dir, script.Bytes(), "fast-import", "--quiet", "--force")
	return gitObjects(t, dir)
}

// gitObjects returns all objects of a repository as git reads them.
func gitObjects(t testing.TB, dir string) (objs []store.Object) {
	t.Helper()
	out := git(t, dir, nil, "cat-file", "--batch", "--batch-all-objects") + "\n"
	for len(out) > 0 {
		var name, kind string
		var size int
		head, rest, _ := strings.Cut(out, "\n")
		if _, err := fmt.Sscan(head, &name, &kind, &size); err != nil {
			t.Fatalf("%q: %v", head, err)
		}
		typ, _ := object.ParseType(kind)
		objs = append(objs, store.Object{Hash: mustHash(t, name), Type: typ, Data: []byte(rest[:size])})
		out = rest[size+1:]
	}
	return objs
}

func checkAll(t testing.TB, s *Store, objs []store.Object) {
	t.Helper()
	for _, obj := range objs {
		checkObject(t, s, obj)
	}
}

// TestFS2_WhatGitWrites reads a repository that git keeps in many ways.
func TestFS2_WhatGitWrites(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		args []string
	}{
		{"fast-import", nil},
		{"loose", []string{"unpack"}},
		{"offset deltas", []string{"repack", "-adfq", "--depth=50", "--window=10"}},
		{"reference deltas", []string{"-c", "repack.useDeltaBaseOffset=false", "repack", "-adfq", "--depth=50"}},
		{"long chains", []string{"repack", "-adfq", "--depth=1000", "--window=20"}},
		{"index version 1", []string{"-c", "pack.indexVersion=1", "repack", "-adfq"}},
		{"not compressed", []string{"-c", "core.compression=0", "-c", "pack.compression=0", "repack", "-adFq"}},
		{"several packs", []string{"repack", "-adfq", "--max-pack-size=1m"}},
		{"multi-pack index", []string{"repack", "-adfq", "--write-midx"}},
		{"large offsets", []string{"large"}},
		{"gc", []string{"gc", "-q"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := newRepo(t)
			objs := gitHistory(t, dir, 100, 20_000)
			switch {
			case tt.args == nil:
			case tt.args[0] == "unpack":
				unpackAll(t, dir)
			case tt.args[0] == "large":
				useLargeOffsets(t, dir)
			default:
				git(t, dir, nil, tt.args...)
			}
			checkAll(t, openStore(t, dir, nil), objs)
			small := openStore(t, dir, &Options{CacheBytes: 1000})
			checkAll(t, small, objs)
		})
	}
}

// unpackAll turns all packs into loose objects.
func unpackAll(t testing.TB, dir string) {
	t.Helper()
	for _, p := range packFiles(t, dir, ".pack") {
		data, err := os.ReadFile(p)
		if err != nil {
			t.Fatal(err)
		}
		for _, ext := range []string{".pack", ".idx", ".rev"} {
			os.Remove(strings.TrimSuffix(p, ".pack") + ext)
		}
		git(t, dir, data, "unpack-objects", "-q")
	}
}

// useLargeOffsets has the index use 64 bits for all but the first offsets.
func useLargeOffsets(t testing.TB, dir string) {
	t.Helper()
	for _, p := range packFiles(t, dir, ".pack") {
		os.Remove(strings.TrimSuffix(p, ".pack") + ".idx")
		git(t, dir, nil, "index-pack", "--index-version=2,0x40", p)
	}
}

// TestFS212_LargeBlobs reads blobs beyond what is held in memory, in all forms
// that git keeps them in, in order and not.
func TestFS212_LargeBlobs(t *testing.T) {
	t.Parallel()
	for _, form := range []string{"loose", "deltas", "not compressed"} {
		t.Run(form, func(t *testing.T) {
			t.Parallel()
			dir := newRepo(t)
			objs := gitHistory(t, dir, 3, 1<<20)
			switch form {
			case "loose":
				unpackAll(t, dir)
			case "deltas":
				git(t, dir, nil, "-c", "repack.useDeltaBaseOffset=false", "repack", "-adfq")
			case "not compressed":
				git(t, dir, nil, "-c", "core.compression=0", "-c", "pack.compression=0", "repack", "-adFq", "--window=0")
			}
			s := openStore(t, dir, nil)
			checkAll(t, s, objs)
			for _, obj := range objs {
				if obj.Type == object.BlobType && len(obj.Data) > smallObject {
					readAnywhere(t, s, obj)
				}
			}
			if left, _ := filepath.Glob(filepath.Join(s.TempDir(), "*")); len(left) > 0 {
				t.Errorf("left behind: %q", left)
			}
		})
	}
}

func TestFS212_LargeBlobsOfOurs(t *testing.T) {
	t.Parallel()
	s := openStore(t, newRepo(t), nil)
	r := seeded(t)
	for _, data := range [][]byte{text(r, 2<<20), randomBytes(r, 1<<20+1), randomBytes(r, 10*storedBlock)} {
		obj := blobOf(data)
		put(t, s, obj)
		readAnywhere(t, s, obj)
	}
}

// readAnywhere reads pieces of a blob from two goroutines.
func readAnywhere(t testing.TB, s *Store, obj store.Object) {
	t.Helper()
	b, err := s.OpenBlob(obj.Hash)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	var wg sync.WaitGroup
	defer wg.Wait()
	for range 2 {
		r := seeded(t)
		wg.Go(func() {
			for range 20 {
				off := r.IntN(len(obj.Data) + 10)
				p := make([]byte, r.IntN(300_000))
				n, err := b.ReadAt(t.Context(), p, int64(off))
				want := obj.Data[min(off, len(obj.Data)):min(off+len(p), len(obj.Data))]
				if !bytes.Equal(p[:n], want) || (err == nil) != (n == len(p)) {
					t.Errorf("ReadAt %d of %d at %d = %d, %v", len(p), len(obj.Data), off, n, err)
					return
				}
			}
		})
	}
}

func TestFS2_Alternates(t *testing.T) {
	t.Parallel()
	first, second := newRepo(t), newRepo(t)
	objs := gitHistory(t, first, 10, 1000)
	more := blobOf([]byte("only here"))
	put(t, openStore(t, second, nil), more)
	third := newRepo(t)
	alternatesOf(t, second, "# comment\n"+filepath.Join(first, "objects")+"\n/does/not/exist\n")
	rel, err := filepath.Rel(filepath.Join(third, "objects"), filepath.Join(second, "objects"))
	if err != nil {
		t.Fatal(err)
	}
	alternatesOf(t, third, rel+"\n")
	alternatesOf(t, first, fmt.Sprintf("%q\n", filepath.Join(third, "objects"))) // round in a circle
	s := openStore(t, third, nil)
	checkAll(t, s, append(objs, more))
	unpackAll(t, first)
	checkAll(t, s, objs)
	if n := len(s.dirs); n != 3 {
		t.Errorf("%d directories, want 3", n)
	}
}

func alternatesOf(t testing.TB, dir, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, "objects", "info", "alternates"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestFS2_ChangesAreNoticed(t *testing.T) {
	t.Parallel()
	dir := newRepo(t)
	s := openStore(t, dir, &Options{CacheBytes: 1000})
	if _, _, err := s.Read(datakit.Hash{1}); !errors.Is(err, datakit.NotExist) {
		t.Fatalf("Read of nothing: %v, want NotExist", err)
	}
	objs := gitHistory(t, dir, 30, 2000) // a new pack
	checkAll(t, s, objs)
	git(t, dir, nil, "repack", "-adfq") // replaces it
	checkAll(t, s, objs)
	unpackAll(t, dir) // now loose
	checkAll(t, s, objs)
	git(t, dir, nil, "gc", "-q", "--prune=now") // in a pack again
	checkAll(t, s, objs)
	if n := s.packs().count(); n != 1 {
		if err := s.packs().rescan(true); err != nil || s.packs().count() != 1 {
			t.Errorf("%d packs are open, want 1", n)
		}
	}
}

func TestFS2_EmptyTreeIsAlwaysThere(t *testing.T) {
	t.Parallel()
	s := openStore(t, newRepo(t), nil)
	checkObject(t, s, treeOf())
}

// TestFS2_RepackBesideReaders reads and writes while git repacks again and
// again.
func TestFS2_RepackBesideReaders(t *testing.T) {
	t.Parallel()
	dir := newRepo(t)
	objs := gitHistory(t, dir, 30, 5000)
	s := openStore(t, dir, &Options{CacheBytes: 1000, NoSync: true})
	stop := make(chan struct{})
	var wg sync.WaitGroup
	defer wg.Wait()
	defer close(stop)
	running := func() bool {
		select {
		case <-stop:
			return false
		default:
			return true
		}
	}
	for range 2 {
		r := seeded(t)
		wg.Go(func() {
			for running() {
				want := objs[r.IntN(len(objs))]
				_, got, err := s.Read(want.Hash)
				if err != nil || !bytes.Equal(got, want.Data) {
					t.Errorf("Read beside repack: %d bytes, %v", len(got), err)
					return
				}
				if err := s.Confirm([]datakit.Hash{want.Hash}); err != nil {
					t.Errorf("Confirm beside repack: %v", err)
					return
				}
			}
		})
	}
	r := seeded(t)
	head := objs[len(objs)-1]
	for i := range 15 {
		var parents []datakit.Hash
		if i > 0 {
			parents = append(parents, head.Hash)
		}
		blob := blobOf(text(r, 3000))
		tree := treeOf(blob)
		head = commitOf(tree, fmt.Sprint(i), parents...)
		st, err := s.Stage(t.Context(), []store.Object{blob, tree, head})
		if err != nil {
			t.Fatal(err)
		}
		if err := st.Publish(); err != nil {
			t.Fatal(err)
		}
		git(t, dir, nil, "repack", "-adq")
		git(t, dir, nil, "update-ref", "refs/heads/other", head.Hash.String())
		st.Release()
		if err := s.packs().rescan(false); err != nil {
			t.Fatal(err)
		}
	}
	git(t, dir, nil, "repack", "-adfq")
	if out := git(t, dir, nil, "fsck", "--strict", "--no-dangling"); out != "" {
		t.Errorf("git fsck: %s", out)
	}
	checkObject(t, s, head)
}

// TestFS2_BlobOutlivesItsPack reads on after git has deleted the pack.
func TestFS2_BlobOutlivesItsPack(t *testing.T) {
	t.Parallel()
	dir := newRepo(t)
	s := openStore(t, dir, nil)
	r := seeded(t)
	obj := blobOf(text(r, 2<<20))
	put(t, s, obj)
	b, err := s.OpenBlob(obj.Hash)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	git(t, dir, nil, "repack", "-adq")
	if err := s.packs().rescan(true); err != nil {
		t.Fatal(err)
	}
	if _, err := s.OpenBlob(obj.Hash); !errors.Is(err, datakit.NotExist) {
		t.Fatalf("OpenBlob of a pruned blob: %v, want NotExist", err)
	}
	got, err := readBlob(b, 10_000)
	if err != nil || !bytes.Equal(got, obj.Data) {
		t.Fatalf("%d bytes, %v, want %d", len(got), err, len(obj.Data))
	}
}

func TestFS212_ClosedBlob(t *testing.T) {
	t.Parallel()
	s := openStore(t, newRepo(t), nil)
	r := seeded(t)
	for _, data := range [][]byte{text(r, 2<<20), randomBytes(r, 2<<20)} {
		obj := blobOf(data)
		put(t, s, obj)
		b, err := s.OpenBlob(obj.Hash)
		if err != nil {
			t.Fatal(err)
		}
		if err := b.Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := b.ReadAt(t.Context(), make([]byte, 10), 0); !errors.Is(err, datakit.Closed) {
			t.Errorf("ReadAt after Close: %v, want Closed", err)
		}
	}
}
