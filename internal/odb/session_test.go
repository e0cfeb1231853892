package odb

import (
	"bufio"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/datakit/datakit/internal/store"
)

// killedDir tells TestKilledServer that it is the server, and of which
// repository.
const killedDir = "DATAKIT_TEST_KILLED_DIR"

// TestKilledServer is run by TestFS216_KilledServer in a process of its own.
func TestKilledServer(t *testing.T) {
	dir := os.Getenv(killedDir)
	if dir == "" {
		t.Skip("only as a process of TestFS216_KilledServer")
	}
	s, err := Open(dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(s.TempDir(), "spilled"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	st, err := s.Stage(t.Context(), []store.Object{blobOf([]byte("published"))})
	if err != nil {
		t.Fatal(err)
	}
	if err := st.Publish(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Stage(t.Context(), []store.Object{blobOf([]byte("staged"))}); err != nil {
		t.Fatal(err)
	}
	os.Stdout.WriteString("ready\n")
	io.Copy(io.Discard, os.Stdin) // until killed
}

func TestFS216_KilledServer(t *testing.T) {
	t.Parallel()
	dir := newRepo(t)
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe, "-test.run=^TestKilledServer$")
	cmd.Env = append(os.Environ(), killedDir+"="+dir)
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer stdin.Close()
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(stdout).ReadString('\n'); line != "ready\n" {
		t.Fatalf("the server says %q, %v", line, err)
	}
	files := func() []string {
		sessions, _ := filepath.Glob(filepath.Join(dir, "datakit", "*", "*"))
		return append(sessions, packFiles(t, dir, ".keep")...)
	}
	before := len(files())
	beside, err := Open(dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	beside.Close()
	if after := len(files()); before < 6 || after != before {
		t.Errorf("another server leaves %d of %d files of a living one", after, before)
	}
	cmd.Process.Kill()
	cmd.Wait()
	s := openStore(t, dir, nil)
	for _, file := range files() {
		if !strings.HasPrefix(file, s.own.dir) {
			t.Errorf("left behind: %s", file)
		}
	}
	checkObject(t, s, blobOf([]byte("published")))
	git(t, dir, nil, "fsck", "--strict")
}

func TestFS216_ForeignKeepsStay(t *testing.T) {
	t.Parallel()
	dir := newRepo(t)
	s := openStore(t, dir, nil)
	put(t, s, blobOf([]byte("x")))
	pack := strings.TrimSuffix(packFiles(t, dir, ".pack")[0], ".pack")
	for _, text := range []string{"", "by hand\n", "datakit ../..\n", "datakit \n"} {
		if err := os.WriteFile(pack+".keep", []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		openStore(t, dir, nil)
		if _, err := os.Stat(pack + ".keep"); err != nil {
			t.Errorf("a .keep file with %q is removed", text)
		}
		put(t, s, blobOf([]byte("x"))) // the same pack, kept by somebody else
		if _, err := os.Stat(pack + ".keep"); err != nil {
			t.Errorf("Release removes a .keep file with %q", text)
		}
	}
}

// TestFS216_SessionWithoutLock keeps a session that is just being made, and
// removes an old one.
func TestFS216_SessionWithoutLock(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	fresh, old := filepath.Join(root, "FRESH"), filepath.Join(root, "OLD")
	for _, dir := range []string{fresh, old} {
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	past := time.Now().Add(-2 * unlockedAge)
	if err := os.Chtimes(old, past, past); err != nil {
		t.Fatal(err)
	}
	removeDead(root, slog.New(slog.DiscardHandler))
	if _, err := os.Stat(fresh); err != nil {
		t.Errorf("the fresh one: %v", err)
	}
	if _, err := os.Stat(old); err == nil {
		t.Error("the old one is left")
	}
}

// TestFS8_KilledAnywhere has a server die after each operation of a commit and
// of a merge, and opens the repository again.
func TestFS8_KilledAnywhere(t *testing.T) {
	t.Parallel()
	for n := 0; ; n++ {
		dir := newRepo(t)
		f := faults{dead: true}
		s := openStore(t, dir, &Options{files: f.ops(), NoSync: true})
		s.released.Store(-1 << 60)
		objs := commitMany(t, s, mergeAt)
		f.arm(n)
		st, err := s.Stage(t.Context(), []store.Object{blobOf([]byte("last"))})
		if err == nil {
			err = st.Publish()
		}
		if err == nil {
			st.Release()
			err = s.mergeOnce(t.Context())
		}
		s.own.lock.Close() // as when the process ends
		again := openStore(t, dir, nil)
		for _, obj := range objs {
			checkObject(t, again, obj)
		}
		packs, indexes := packFiles(t, dir, ".pack"), packFiles(t, dir, ".idx")
		if left := packFiles(t, dir, ".keep"); len(left) > 0 || len(packs) != len(indexes) {
			t.Errorf("after %d operations: %d packs, %d indexes, and %q", n, len(packs), len(indexes), left)
		}
		git(t, dir, nil, "fsck", "--strict", "--full")
		if err == nil {
			return
		}
	}
}
