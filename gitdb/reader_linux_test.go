package gitdb_test

import (
	"bufio"
	"context"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/gitdb"
)

// readerDir tells TestReader that it is the reader, and of which repository.
const readerDir = "DATAKIT_TEST_READER_DIR"

const (
	readerUser = 65534    // in tests by root, who may write everywhere
	largeFile  = 17 << 20 // made from a delta it needs temporary files
)

// TestReader is run by TestFS2_CL53_MayOnlyBeRead in a process of its own. It
// prints what it sees, a line each.
func TestReader(t *testing.T) {
	path := os.Getenv(readerDir)
	if path == "" {
		t.Skip("only as a process of TestFS2_CL53_MayOnlyBeRead")
	}
	db, err := gitdb.Open(path, &gitdb.Options{MustExist: true})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	w, err := db.Branch("master").Watch(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	if _, err := w.Next(t.Context()); err != nil {
		t.Fatal(err)
	}
	fmt.Println("small", read(t, db, "master", "small"))
	fmt.Println("large", len(read(t, db, "master", "large")))
	next, err := w.Next(t.Context())
	fmt.Println("moved", next, err)
	orders := bufio.NewReader(os.Stdin)
	orders.ReadString('\n') // it may be written to until then
	put := func(tx *datakit.Tx) error {
		return tx.WriteFile(t.Context(), "mine", make([]byte, 1<<20))
	}
	fmt.Println("refused", db.Branch("master").Update(t.Context(), "m", put))
	fmt.Println("no branch", db.Branch("other").FastForward(t.Context(), next))
	orders.ReadString('\n')
	fmt.Println("written", db.Branch("master").Update(t.Context(), "m", put))
}

// TestFS2_CL53_MayOnlyBeRead reads a repository without the right to write to
// it, and writes to it when there is one.
func TestFS2_CL53_MayOnlyBeRead(t *testing.T) {
	t.Parallel()
	path := filepath.Join(publicDir(t), "repo")
	git(t, ".", "init", "-q", "-b", "master", path)
	text := make([]byte, largeFile+1000)
	rand.NewChaCha8([32]byte{}).Read(text)
	commitFile(t, path, "large", string(text))
	commitFile(t, path, "large", string(text[:largeFile]))
	commitFile(t, path, "small", "text")
	git(t, path, "repack", "-adfq")
	base := git(t, path, "cat-file", "--batch-check=%(deltabase)", "--batch-all-objects")
	if !strings.Contains(strings.ReplaceAll(base, strings.Repeat("0", 40), ""), git(t, path, "rev-parse", "HEAD~2:large")) {
		t.Fatal("git has made no delta")
	}
	setWritable(t, path, false)
	t.Cleanup(func() { setWritable(t, path, true) })

	r := startReader(t, path)
	r.expect("small text")
	r.expect(fmt.Sprint("large ", largeFile))
	if left, err := os.ReadDir(r.temp); len(left) > 0 || err != nil {
		t.Errorf("in the folder for temporary files: %v, %v", left, err)
	}
	setWritable(t, path, true)
	head := commitFile(t, path, "small", "moved")
	setWritable(t, path, false)
	r.expect("moved " + head + " <nil>")
	fmt.Fprintln(r.in)
	for _, want := range []string{"refused", "no branch"} {
		got := r.line()
		if !strings.HasPrefix(got, want) || !strings.Contains(got, path) || !strings.HasSuffix(got, ": permission denied") {
			t.Errorf("a write: %q, want the repository and the cause", got)
		}
	}
	if now := git(t, path, "rev-parse", "HEAD"); now != head {
		t.Errorf("the head is %s after a write in vain, want %s", now, head)
	}
	if _, err := os.Stat(filepath.Join(path, ".git", "datakit")); err == nil {
		t.Error("the reader has left something in the repository")
	}

	setWritable(t, path, true)
	giveTo(t, path, readerUser)
	fmt.Fprintln(r.in)
	r.expect("written <nil>")
	r.end()
	giveTo(t, path, os.Getuid())
	if parent := git(t, path, "rev-parse", "master^"); parent != head {
		t.Errorf("the parent of what was written is %s, want %s", parent, head)
	}
	git(t, path, "fsck", "--strict")
	if left, _ := filepath.Glob(filepath.Join(path, ".git", "datakit", "*", "*")); len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
}

// publicDir returns a folder that the reader can reach: those above the usual ones
// of tests may be closed to other users.
func publicDir(t testing.TB) string {
	t.Helper()
	if os.Getuid() != 0 {
		return t.TempDir()
	}
	dir, err := os.MkdirTemp("/var/tmp", "datakit-test-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// setWritable gives the owner the right to write to all that is below path, or
// takes it away.
func setWritable(t testing.TB, path string, writable bool) {
	t.Helper()
	walkAll(t, path, func(name string, info fs.FileInfo) error {
		mode := info.Mode().Perm() &^ 0o222
		if writable {
			mode |= 0o200
		}
		return os.Chmod(name, mode)
	})
}

// giveTo makes a user the owner of all that is below path, if we are root.
func giveTo(t testing.TB, path string, uid int) {
	t.Helper()
	if os.Getuid() != 0 {
		return
	}
	walkAll(t, path, func(name string, _ fs.FileInfo) error { return os.Chown(name, uid, -1) })
}

func walkAll(t testing.TB, path string, f func(name string, info fs.FileInfo) error) {
	t.Helper()
	if err := filepath.Walk(path, func(name string, info fs.FileInfo, err error) error {
		if err == nil {
			err = f(name, info)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
}

// A reader is a process of TestReader.
type reader struct {
	t    testing.TB
	temp string // its folder for temporary files
	cmd  *exec.Cmd
	in   *os.File
	out  *bufio.Reader
}

// startReader starts a reader, as somebody who is not root.
func startReader(t testing.TB, path string) *reader {
	t.Helper()
	exe, err := os.Open("/proc/self/exe") // its folder is closed to other users
	if err != nil {
		t.Fatal(err)
	}
	defer exe.Close()
	in, stdin, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	r := &reader{t: t, temp: publicDir(t), in: stdin}
	if err := os.Chmod(r.temp, 0o777); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	t.Cleanup(cancel)
	r.cmd = exec.CommandContext(ctx, "/proc/self/fd/3", "-test.run=^TestReader$")
	r.cmd.ExtraFiles = []*os.File{exe}
	r.cmd.Env = append(os.Environ(), readerDir+"="+path, "TMPDIR="+r.temp)
	r.cmd.Stdin, r.cmd.Stderr = in, os.Stderr
	if os.Getuid() == 0 {
		r.cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: readerUser, Gid: readerUser}}
	}
	out, err := r.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	r.out = bufio.NewReader(out)
	if err := r.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		stdin.Close()
		r.cmd.Process.Kill()
		r.cmd.Wait()
	})
	return r
}

// line returns the next line.
func (r *reader) line() string {
	r.t.Helper()
	line, err := r.out.ReadString('\n')
	if err != nil {
		r.t.Fatalf("the reader says %q, %v", line, err)
	}
	return strings.TrimSuffix(line, "\n")
}

func (r *reader) expect(want string) {
	r.t.Helper()
	if got := r.line(); got != want {
		r.cmd.Process.Kill()
		why, _ := r.out.ReadString('\n') // of a test that fails
		r.t.Fatalf("the reader says %q, want %q\n%s", got, want, why)
	}
}

// end waits for the reader, which has nothing more to say but that all is well.
func (r *reader) end() {
	r.t.Helper()
	r.expect("PASS")
	for line, err := r.out.ReadString('\n'); err == nil; line, err = r.out.ReadString('\n') {
		r.t.Logf("the reader says %q", line)
	}
	if err := r.cmd.Wait(); err != nil {
		r.t.Errorf("the reader: %v", err)
	}
}

// TestFS2_ReadingWritesNothing: an administrator who looks at a repository leaves
// nothing in it that its owner could not write to.
func TestFS2_ReadingWritesNothing(t *testing.T) {
	t.Parallel()
	path := gitRepo(t)
	commitFile(t, path, "file", "text")
	files := func() (names []string) {
		walkAll(t, path, func(name string, _ fs.FileInfo) error {
			names = append(names, name)
			return nil
		})
		return names
	}
	before := files()
	db := open(t, path, &gitdb.Options{MustExist: true})
	if got := read(t, db, "master", "file"); got != "text" {
		t.Errorf("read %q", got)
	}
	if after := files(); !slices.Equal(after, before) {
		t.Errorf("there are %q, before there were %q", after, before)
	}
}
