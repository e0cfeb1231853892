package refdb

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/internal/store"
)

func TestMain(m *testing.M) {
	if os.Getenv(killEnv) != "" {
		beKilled()
	}
	goleak.VerifyTestMain(m)
}

// patience is how long a test waits for what must happen.
const patience = 10 * time.Second

// git runs git in dir and returns what it prints.
func git(t testing.TB, dir string, args ...string) string {
	t.Helper()
	out, err := tryGit(t, dir, "", args...)
	if err != nil {
		t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(out)
}

func tryGit(t testing.TB, dir, stdin string, args ...string) (string, error) {
	t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir = dir
	cmd.Stdin = strings.NewReader(stdin)
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_NOSYSTEM=1",
		"GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@b", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@b")
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// newRepo makes a bare repository with some commits.
func newRepo(t testing.TB) (dir string, commits []datakit.Hash) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "repo.git")
	git(t, "", "init", "-q", "--bare", dir)
	tree, err := tryGit(t, dir, "", "hash-object", "-t", "tree", "-w", os.DevNull)
	if err != nil {
		t.Fatal(err, tree)
	}
	var b strings.Builder
	for i := range 8 {
		fmt.Fprintf(&b, "commit refs/tags/c%d\ncommitter a <a@b> %d +0000\ndata 1\n%d\n\n", i, 1000+i, i)
	}
	if out, err := tryGit(t, dir, b.String(), "fast-import", "--quiet"); err != nil {
		t.Fatal(err, out)
	}
	for line := range strings.Lines(git(t, dir, "for-each-ref", "--format=%(objectname)", "refs/tags")) {
		commits = append(commits, hash(t, strings.TrimSpace(line)))
	}
	return dir, commits
}

func hash(t testing.TB, s string) datakit.Hash {
	t.Helper()
	h, err := datakit.ParseHash(s)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// openDB opens a repository until the test ends.
func openDB(t testing.TB, dir string) *DB {
	t.Helper()
	db, err := Open(dir, &Options{PollInterval: 50 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

// apply makes updates and returns the errors.
func apply(t testing.TB, db *DB, updates ...store.Update) []error {
	t.Helper()
	return db.Prepare(t.Context(), updates).Apply()
}

// mustApply makes updates.
func mustApply(t testing.TB, db *DB, updates ...store.Update) {
	t.Helper()
	for i, err := range apply(t, db, updates...) {
		if err != nil {
			t.Fatalf("update %v: %v", updates[i], err)
		}
	}
}

func up(branch string, old, new datakit.Hash) store.Update {
	return store.Update{Branch: branch, Old: old, New: new}
}

var zero datakit.Hash

// heads returns all branches with their heads, as db has them.
func heads(t testing.TB, db *DB) map[string]datakit.Hash {
	t.Helper()
	names, err := db.Branches(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if !slices.IsSorted(names) {
		t.Fatalf("Branches() = %q, which is not sorted", names)
	}
	m := make(map[string]datakit.Hash)
	for _, n := range names {
		h, err := db.Head(t.Context(), n)
		if err != nil {
			t.Fatal(err)
		}
		m[n] = h
	}
	return m
}

// gitHeads returns all branches with their heads, as git has them.
func gitHeads(t testing.TB, dir string) map[string]datakit.Hash {
	t.Helper()
	m := make(map[string]datakit.Hash)
	for line := range strings.Lines(git(t, dir, "for-each-ref", "--format=%(objectname) %(refname)", "refs/heads/")) {
		h, name, _ := strings.Cut(strings.TrimSpace(line), " ")
		m[strings.TrimPrefix(name, headsPrefix)] = hash(t, h)
	}
	return m
}

// eventually waits until ok.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("still not: %s", what)
		}
	}
}

// noLocks fails the test if there is a lock file, or a trace of one.
func noLocks(t testing.TB, dir string) {
	t.Helper()
	filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(path, lockSuffix) {
			t.Errorf("%s is left behind", path)
		}
		if rel, _ := filepath.Rel(filepath.Join(dir, "datakit", "locks"), filepath.Dir(path)); err == nil && rel != "." && !strings.HasPrefix(rel, "..") {
			t.Errorf("%s is left behind", path)
		}
		return nil
	})
}

// A recorder keeps what a subscriber is told.
type recorder struct {
	mu    sync.Mutex
	moves []move
}

// record subscribes until the test ends.
func record(t testing.TB, db *DB) *recorder {
	r := &recorder{}
	t.Cleanup(db.Subscribe(func(branch string, head datakit.Hash) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.moves = append(r.moves, move{branch, head})
	}))
	return r
}

// String returns the branch and the beginning of its head.
func (m move) String() string { return m.branch + " at " + m.head.String()[:8] }

// take returns what has been told since the last call.
func (r *recorder) take() []move {
	r.mu.Lock()
	defer r.mu.Unlock()
	m := r.moves
	r.moves = nil
	return m
}

// waitFor waits until the newest move of branch is to head, and returns all
// moves up to now.
func (r *recorder) waitFor(t testing.TB, branch string, head datakit.Hash) []move {
	t.Helper()
	var all []move
	eventually(t, fmt.Sprintf("told that %s is at %s", branch, head), func() bool {
		all = append(all, r.take()...)
		for _, m := range slices.Backward(all) {
			if m.branch == branch {
				return m.head == head
			}
		}
		return false
	})
	return all
}

func head(t testing.TB, db *DB, branch string) datakit.Hash {
	t.Helper()
	h, err := db.Head(context.Background(), branch)
	if err != nil {
		t.Fatal(err)
	}
	return h
}
