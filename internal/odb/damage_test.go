package odb

import (
	"bytes"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/internal/object"
	"github.com/datakit/datakit/internal/odb/packfile"
	"github.com/datakit/datakit/internal/store"
)

// readDamaged reads an object in all ways from a repository that is damaged
// somewhere: each gives the right content or a decent error.
func readDamaged(t testing.TB, s *Store, want store.Object) (failed bool) {
	t.Helper()
	if _, _, err := s.Header(want.Hash); err != nil {
		checkDamage(t, want.Hash, err)
	}
	kind, data, err := s.Read(want.Hash)
	if err != nil {
		checkDamage(t, want.Hash, err)
		failed = true
	} else if kind != want.Type || !bytes.Equal(data, want.Data) {
		t.Fatalf("Read(%s) gives %d wrong bytes", want.Hash, len(data))
	}
	if want.Type != object.BlobType {
		return failed
	}
	b, err := s.OpenBlob(want.Hash)
	if err != nil {
		checkDamage(t, want.Hash, err)
		return true
	}
	defer b.Close()
	got, err := readBlob(b, 60_000)
	if err != nil {
		checkDamage(t, want.Hash, err)
		return true
	}
	if !bytes.Equal(got, want.Data) {
		t.Fatalf("blob %s gives %d wrong bytes", want.Hash, len(got))
	}
	return failed
}

func checkDamage(t testing.TB, h datakit.Hash, err error) {
	t.Helper()
	kind := datakit.KindOf(err)
	if kind != datakit.Internal && kind != datakit.NotExist && kind != datakit.TooLarge || !strings.Contains(err.Error(), h.String()) {
		t.Fatalf("damage shows as %v: %v", kind, err)
	}
}

// rounds is how often each file is damaged.
const rounds = 40 / (1 + 4*raceEnabled)

// TestFS2_FlippedBytes flips bytes of pack and index one after the other.
func TestFS2_FlippedBytes(t *testing.T) {
	t.Parallel()
	dir := newRepo(t)
	objs := gitHistory(t, dir, 6, 600)
	git(t, dir, nil, "repack", "-adfq", "--depth=50")
	r := seeded(t)
	large := blobOf(append(text(r, smallObject), randomBytes(r, smallObject)...))
	stored := blobOf(randomBytes(r, smallObject+1))
	put(t, openStore(t, dir, nil), large, stored)
	objs = append(objs, large, stored)
	for _, file := range append(packFiles(t, dir, ".pack"), packFiles(t, dir, ".idx")...) {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for range rounds {
			at := r.IntN(min(len(data), 5000))
			if r.IntN(4) == 0 {
				at = r.IntN(len(data))
			}
			bad := bytes.Clone(data)
			bad[at] ^= 1 << r.IntN(8)
			replaceFile(t, file, bad)
			s := openStore(t, dir, nil)
			for _, obj := range objs {
				readDamaged(t, s, obj)
			}
			s.Close()
		}
		replaceFile(t, file, data)
	}
}

func TestFS2_RestStaysReadable(t *testing.T) {
	t.Parallel()
	dir := newRepo(t)
	good := blobOf(text(seeded(t), 5000))
	var log bytes.Buffer
	s := openStore(t, dir, &Options{Log: slog.New(slog.NewTextHandler(&log, nil))})
	put(t, s, good)
	bad := filepath.Join(dir, "objects", "pack", "pack-"+strings.Repeat("0", 40))
	for ext, text := range map[string]string{".idx": "nonsense", ".pack": "nonsense"} {
		if err := os.WriteFile(bad+ext, []byte(text), 0o444); err != nil {
			t.Fatal(err)
		}
	}
	again := openStore(t, dir, nil)
	checkObject(t, again, good)
	_, _, err := again.Read(datakit.Hash{1})
	if !errors.Is(err, datakit.Internal) || !strings.Contains(err.Error(), filepath.Base(bad)) {
		t.Errorf("an object that may be in the damaged pack: %v, want Internal with its name", err)
	}
	os.Remove(bad + ".idx")
	if _, _, err = again.Read(datakit.Hash{1}); !errors.Is(err, datakit.NotExist) {
		t.Errorf("after the damaged index is gone: %v, want NotExist", err)
	}
	s.Read(datakit.Hash{1})
}

// TestFS2_AnotherCopyServes damages one of two copies of an object.
func TestFS2_AnotherCopyServes(t *testing.T) {
	t.Parallel()
	dir := newRepo(t)
	obj := blobOf(text(seeded(t), 5000))
	s := openStore(t, dir, nil)
	put(t, s, obj)
	put(t, s, obj, blobOf([]byte("makes another pack")))
	for _, file := range packFiles(t, dir, ".pack") {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		bad := bytes.Clone(data)
		bad[40] ^= 0x55
		replaceFile(t, file, bad)
		checkObject(t, openStore(t, dir, nil), obj)
		replaceFile(t, file, data)
	}
}

// TestFS2_TruncatedUnderTheMap cuts a pack short while it is mapped.
func TestFS2_TruncatedUnderTheMap(t *testing.T) {
	t.Parallel()
	dir := newRepo(t)
	objs := gitHistory(t, dir, 100, 4000)
	git(t, dir, nil, "repack", "-adfq", "--window=0")
	s := openStore(t, dir, &Options{CacheBytes: 1000})
	checkAll(t, s, objs)
	for _, ext := range []string{".pack", ".idx"} {
		for _, file := range packFiles(t, dir, ext) {
			os.Chmod(file, 0o644)
			if err := os.Truncate(file, 4096); err != nil {
				t.Fatal(err)
			}
		}
		failed := 0
		for _, obj := range objs {
			if readDamaged(t, s, obj) {
				failed++
			}
		}
		if failed == 0 {
			t.Errorf("all objects can be read after the %s was cut short", ext)
		}
	}
}

func TestFS2_DamagedLooseObjects(t *testing.T) {
	t.Parallel()
	dir := newRepo(t)
	r := seeded(t)
	for _, want := range []store.Object{blobOf(text(r, 1000)), blobOf(text(r, 2*smallObject))} {
		git(t, dir, want.Data, "hash-object", "-w", "--stdin")
		file := loosePath(filepath.Join(dir, "objects"), want.Hash)
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for i := range rounds {
			bad := bytes.Clone(data)
			at := r.IntN(min(len(data), 1000))
			bad[at] ^= 1 << r.IntN(8)
			if i%4 == 0 {
				bad = bad[:at]
			}
			replaceFile(t, file, bad)
			s := openStore(t, dir, nil)
			readDamaged(t, s, want)
			s.Close()
		}
		replaceFile(t, file, data)
	}
}

func TestFS2_LooseObjectOfAnotherName(t *testing.T) {
	t.Parallel()
	dir := newRepo(t)
	name := git(t, dir, []byte("content"), "hash-object", "-w", "--stdin")
	h := mustHash(t, name)
	wrong := h
	wrong[19]++
	if err := os.Rename(loosePath(filepath.Join(dir, "objects"), h), loosePath(filepath.Join(dir, "objects"), wrong)); err != nil {
		t.Fatal(err)
	}
	if _, _, err := openStore(t, dir, nil).Read(wrong); !errors.Is(err, datakit.Internal) {
		t.Fatalf("Read = %v, want Internal", err)
	}
}

func TestDeltas(t *testing.T) {
	t.Parallel()
	base := []byte("0123456789")
	for _, tt := range []struct {
		name  string
		delta string
		want  string // "" if the delta is malformed
	}{
		{"copy and insert", "\x0a\x06" + "\x91\x02\x03" + "\x03abc", "234abc"},
		{"whole base", "\x0a\x0a" + "\x90\x0a", "0123456789"},
		{"other base", "\x09\x03" + "\x03abc", ""},
		{"result too short", "\x0a\x04" + "\x03abc", ""},
		{"result too long", "\x0a\x02" + "\x03abc", ""},
		{"copy beyond the base", "\x0a\x03" + "\x91\x08\x03", ""},
		{"reserved instruction", "\x0a\x03" + "\x00\x03abc", ""},
		{"cut in an insertion", "\x0a\x03" + "\x03ab", ""},
		{"cut in a copy", "\x0a\x03" + "\x91\x02", ""},
		{"huge offset", "\x0a\x03" + "\x9f\xff\xff\xff\xff\x03", ""},
		{"no sizes", "\x8a", ""},
	} {
		got, err := packfile.ApplyDelta(base, []byte(tt.delta), 100)
		if string(got) != tt.want || (err == nil) != (tt.want != "") {
			t.Errorf("%s: %q, %v, want %q", tt.name, got, err, tt.want)
		}
		all, err := streamDelta(t, base, []byte(tt.delta))
		if err == nil && string(all) != tt.want || (err == nil) != (tt.want != "") {
			t.Errorf("%s: the stream gives %q, %v, want %q", tt.name, all, err, tt.want)
		}
	}
}
