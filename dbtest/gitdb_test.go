package dbtest_test

import (
	"bytes"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/dbtest"
	"github.com/datakit/datakit/gitdb"
)

// repositories knows where the databases of a run are.
type repositories struct {
	mu      sync.Mutex
	paths   map[*datakit.DB]string
	foreign map[string]bool // have objects that git fsck complains about
}

// TestGitDB runs the suite on repositories on disk, and has git check each
// when its check is done.
func TestCL53_GitDB(t *testing.T) {
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("git is not installed")
	}
	r := &repositories{paths: map[*datakit.DB]string{}, foreign: map[string]bool{}}
	dbtest.Config{
		Open: func(tb testing.TB) *datakit.DB { return r.create(tb, nil) },
		OpenAt: func(tb testing.TB, now func() time.Time) *datakit.DB {
			return r.create(tb, now)
		},
		Reopen: r.reopen,
		Put:    r.put,
	}.Run(t)
}

func (r *repositories) create(tb testing.TB, now func() time.Time) *datakit.DB {
	tb.Helper()
	path := filepath.Join(tb.TempDir(), "repository")
	db := r.open(tb, path, now)
	tb.Cleanup(func() { r.fsck(tb, path) }) // after the check has closed it
	return db
}

// open opens a repository without waiting for the disk, which no check can
// tell from one that does.
func (r *repositories) open(tb testing.TB, path string, now func() time.Time) *datakit.DB {
	tb.Helper()
	db, err := gitdb.Open(path, &gitdb.Options{NoSync: true, Now: now})
	if err != nil {
		tb.Fatal(err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.paths[db] = path
	return db
}

func (r *repositories) pathOf(db *datakit.DB) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.paths[db]
}

func (r *repositories) reopen(tb testing.TB, db *datakit.DB) *datakit.DB {
	tb.Helper()
	if err := db.Close(); err != nil {
		tb.Fatal(err)
	}
	return r.open(tb, r.pathOf(db), nil)
}

// put stores an object with git itself.
func (r *repositories) put(tb testing.TB, db *datakit.DB, kind string, content []byte) datakit.Hash {
	tb.Helper()
	path := r.pathOf(db)
	r.mu.Lock()
	r.foreign[path] = true
	r.mu.Unlock()
	out := git(tb, path, content, "hash-object", "-w", "--stdin", "--literally", "-t", kind)
	h, err := datakit.ParseHash(out)
	if err != nil {
		tb.Fatal(err)
	}
	return h
}

func (r *repositories) fsck(tb testing.TB, path string) {
	tb.Helper()
	r.mu.Lock()
	foreign := r.foreign[path]
	r.mu.Unlock()
	if foreign {
		return
	}
	if out := git(tb, path, nil, "fsck", "--strict", "--no-dangling", "--no-progress"); out != "" {
		tb.Errorf("git fsck: %s", out)
	}
}

// git runs git on a repository and returns what it prints.
func git(tb testing.TB, path string, stdin []byte, args ...string) string {
	tb.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir = path
	cmd.Env = append(cmd.Environ(), "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null")
	cmd.Stdin = bytes.NewReader(stdin)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		tb.Errorf("git %s: %v\n%s", strings.Join(args, " "), err, &stderr)
	}
	return strings.TrimSpace(string(out))
}
