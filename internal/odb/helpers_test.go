package odb

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/internal/object"
	"github.com/datakit/datakit/internal/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// newRepo makes a bare repository and returns its directory.
func newRepo(t testing.TB) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "repo.git")
	git(t, ".", nil, "init", "-q", "--bare", dir)
	git(t, dir, nil, "config", "gc.auto", "0")
	return dir
}

// git runs git in dir and returns what it prints, without the last LF.
func git(t testing.TB, dir string, stdin []byte, args ...string) string {
	t.Helper()
	out, err := tryGit(dir, stdin, args...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func tryGit(dir string, stdin []byte, args ...string) (string, error) {
	cmd := exec.Command("git", args...)
	cmd.Dir = dir
	cmd.Stdin = bytes.NewReader(stdin)
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_NOSYSTEM=1",
		"GIT_AUTHOR_NAME=A", "GIT_AUTHOR_EMAIL=a@example.com", "GIT_COMMITTER_NAME=C", "GIT_COMMITTER_EMAIL=c@example.com",
		"GIT_AUTHOR_DATE=1700000000 +0000", "GIT_COMMITTER_DATE=1700000000 +0000")
	var out, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &stderr
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("git %s: %w: %s", strings.Join(args, " "), err, stderr.String())
	}
	return strings.TrimSuffix(out.String(), "\n"), nil
}

// openStore opens a repository until the test ends.
func openStore(t testing.TB, dir string, opts *Options) *Store {
	t.Helper()
	s, err := Open(dir, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func mustHash(t testing.TB, s string) datakit.Hash {
	t.Helper()
	h, err := datakit.ParseHash(s)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func blobOf(data []byte) store.Object {
	return store.Object{Hash: object.Name(object.BlobType, data), Type: object.BlobType, Data: data}
}

func treeOf(blobs ...store.Object) store.Object {
	var b []byte
	for i, blob := range blobs {
		b = fmt.Appendf(b, "100644 file%06d\x00", i)
		b = append(b, blob.Hash[:]...)
	}
	return store.Object{Hash: object.Name(object.TreeType, b), Type: object.TreeType, Data: b}
}

func commitOf(tree store.Object, msg string, parents ...datakit.Hash) store.Object {
	var b bytes.Buffer
	fmt.Fprintf(&b, "tree %s\n", tree.Hash)
	for _, p := range parents {
		fmt.Fprintf(&b, "parent %s\n", p)
	}
	fmt.Fprintf(&b, "author A <a@example.com> 1700000000 +0000\ncommitter A <a@example.com> 1700000000 +0000\n\n%s\n", msg)
	return store.Object{Hash: object.Name(object.CommitType, b.Bytes()), Type: object.CommitType, Data: b.Bytes()}
}

// put writes objects and releases them.
func put(t testing.TB, s *Store, objs ...store.Object) {
	t.Helper()
	st, err := s.Stage(context.Background(), objs)
	if err != nil {
		t.Fatal(err)
	}
	if err := st.Publish(); err != nil {
		t.Fatal(err)
	}
	st.Release()
}

// seeded returns a source of random numbers, whose seed a failed test prints.
func seeded(t testing.TB) *rand.Rand {
	seed := rand.Uint64()
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("seed %d", seed)
		}
	})
	return rand.New(rand.NewPCG(seed, 0))
}

func randomBytes(r *rand.Rand, n int) []byte {
	b := make([]byte, 0, n+8)
	for len(b) < n {
		b = binary.LittleEndian.AppendUint64(b, r.Uint64())
	}
	return b[:n]
}

// text returns compressible bytes.
func text(r *rand.Rand, n int) []byte {
	words := strings.Fields("the of tree blob commit hash and object pack delta index is a store branch merge in")
	b := make([]byte, 0, n+128)
	for len(b) < n {
		bits := r.Uint64()
		for range 8 {
			b = append(append(b, words[bits%16]...), ' ')
			bits >>= 8
		}
	}
	return b[:n]
}

// readBlob reads a blob to its end by pieces.
func readBlob(b datakit.Blob, piece int) ([]byte, error) {
	var all []byte
	buf := make([]byte, piece)
	for off := int64(0); ; {
		n, err := b.ReadAt(context.Background(), buf, off)
		all = append(all, buf[:n]...)
		off += int64(n)
		if err == io.EOF {
			return all, nil
		}
		if err != nil {
			return all, err
		}
	}
}

// checkObject checks all ways to read an object.
func checkObject(t testing.TB, s *Store, want store.Object) {
	t.Helper()
	kind, size, err := s.Header(want.Hash)
	if err != nil || kind != want.Type || size != int64(len(want.Data)) {
		t.Fatalf("Header(%s) = %v, %d, %v, want %v, %d", want.Hash, kind, size, err, want.Type, len(want.Data))
	}
	kind, data, err := s.Read(want.Hash)
	if err != nil || kind != want.Type || !bytes.Equal(data, want.Data) {
		t.Fatalf("Read(%s) = %v, %d bytes, %v, want %v, %d bytes", want.Hash, kind, len(data), err, want.Type, len(want.Data))
	}
	checkBlob(t, s, want)
	if err := s.Confirm([]datakit.Hash{want.Hash}); err != nil {
		t.Fatal(err)
	}
}

func checkBlob(t testing.TB, s *Store, want store.Object) {
	t.Helper()
	b, err := s.OpenBlob(want.Hash)
	if want.Type != object.BlobType {
		if !errors.Is(err, datakit.NotExist) {
			t.Fatalf("OpenBlob of a %v: %v, want NotExist", want.Type, err)
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	got, err := readBlob(b, 100_000)
	if err != nil || !bytes.Equal(got, want.Data) {
		t.Fatalf("blob %s: %d bytes, %v, want %d", want.Hash, len(got), err, len(want.Data))
	}
}
