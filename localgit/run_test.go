package localgit

import (
	"bytes"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/datakit/datakit/gitdb"
	"github.com/datakit/datakit/github"
	"github.com/datakit/datakit/github/layout"
)

// trail plays changes of a repository and waits for each to be mirrored.
func trail(t *testing.T, opts Options) {
	dir, c1 := newRepo(t)
	opts.DB, opts.Repositories = newDB(t), []Repository{{here, dir}}
	start(t, opts)
	want := func(what string, refs map[string]string) {
		t.Helper()
		eventually(t, what, func() bool { return maps.Equal(refsOf(t, opts.DB, here), refs) })
	}
	want("the start", map[string]string{"heads/master": c1})
	git(t, dir, "branch", "a/b/c")
	want("a new branch in new directories", map[string]string{"heads/master": c1, "heads/a/b/c": c1})
	git(t, dir, "branch", "a/b/d")
	want("a new branch in a known directory", map[string]string{"heads/master": c1, "heads/a/b/c": c1, "heads/a/b/d": c1})
	git(t, dir, "pack-refs", "--all")
	c2 := commitTo(t, dir)
	want("a moved branch", map[string]string{"heads/master": c2, "heads/a/b/c": c1, "heads/a/b/d": c1})
	git(t, dir, "branch", "-D", "a/b/c")
	want("a deleted branch that was packed", map[string]string{"heads/master": c2, "heads/a/b/d": c1})
	git(t, dir, "branch", "-D", "a/b/d")
	git(t, dir, "branch", "a")
	want("a branch in the place of a directory", map[string]string{"heads/master": c2, "heads/a": c2})
}

func TestGH216_Notifications(t *testing.T) {
	t.Parallel()
	trail(t, Options{Poll: time.Hour})
}

func TestGH216_Polling(t *testing.T) {
	t.Parallel()
	trail(t, Options{Poll: 20 * time.Millisecond, deaf: true})
}

func TestGH276_OnlyWhenABranchMoved(t *testing.T) {
	t.Parallel()
	dir, _ := newRepo(t)
	db := newDB(t)
	reports := start(t, Options{DB: db, Repositories: []Repository{{here, dir}}, Poll: 10 * time.Millisecond})
	next(t, reports)
	git(t, dir, "pack-refs", "--all")
	git(t, dir, "tag", "v1")
	git(t, dir, "checkout", "-q", "--detach")
	commitTo(t, dir)
	git(t, dir, "branch", "new")
	r := next(t, reports)
	if want := github.Subject(1, 0); len(r.Message) < len(want) || r.Message[:len(want)] != want {
		t.Errorf("the second sync made %q, want %q: the others were needless", r.Message, want)
	}
}

// TestGH213_OwnRepository mirrors the repository in which the database is: what
// the bridge commits is no change to be mirrored.
func TestGH213_OwnRepository(t *testing.T) {
	t.Parallel()
	dir, c := newRepo(t)
	db, err := gitdb.Open(filepath.Join(dir, ".git"), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	start(t, Options{DB: db, Repositories: []Repository{{here, dir}}, Poll: 5 * time.Millisecond})
	const changes = 10
	for i := range changes {
		if i > 0 {
			c = commitTo(t, dir)
		}
		eventually(t, "the branch is mirrored, and it alone", func() bool {
			return maps.Equal(refsOf(t, db, here), map[string]string{"heads/master": c})
		})
	}
	n, err := strconv.Atoi(git(t, dir, "rev-list", "--count", layout.DefaultBranch))
	if most := changes + 3; err != nil || n > most { // some before it is noticed whose branch it is
		t.Errorf("%d commits for %d changes, want at most %d (%v)", n, changes, most, err)
	}
}

func TestGH219_GH275_UnreadableRepository(t *testing.T) {
	t.Parallel()
	dir, c := newRepo(t)
	dir2, d := newRepo(t)
	db := newDB(t)
	reports := start(t, Options{DB: db, Repositories: []Repository{{here, dir}, {there, dir2}}, Poll: 10 * time.Millisecond})
	next(t, reports)
	away := filepath.Join(t.TempDir(), "away")
	if err := os.Rename(filepath.Join(dir, ".git"), away); err != nil {
		t.Fatal(err)
	}
	d2 := commitTo(t, dir2)
	eventually(t, "the other repository is mirrored", func() bool { return refsOf(t, db, there)["heads/master"] == d2 })
	if got := refsOf(t, db, here); !maps.Equal(got, map[string]string{"heads/master": c}) || d == d2 {
		t.Errorf("a repository that cannot be read has become %v", got)
	}
	git(t, away, "branch", "new", "master")
	if err := os.Rename(away, filepath.Join(dir, ".git")); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it is read again", func() bool { return refsOf(t, db, here)["heads/new"] == c })
}

func TestGH219_BrokenReference(t *testing.T) {
	t.Parallel()
	dir, c := newRepo(t)
	git(t, dir, "branch", "other")
	db := newDB(t)
	once(t, db, map[string]string{"heads/master": c, "heads/other": c}, Repository{here, dir})
	heads := filepath.Join(dir, ".git", "refs", "heads")
	for name, text := range map[string]string{"other": "", "new": "garbage", "unborn": "ref: refs/heads/none", "link": "ref: refs/heads/master"} {
		if err := os.WriteFile(filepath.Join(heads, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	var log bytes.Buffer
	opts := Options{DB: db, Repositories: []Repository{{here, dir}}, Log: slog.New(slog.NewTextHandler(&log, nil))}
	if err := opts.check(); err != nil {
		t.Fatal(err)
	}
	b := newBridge(opts, nil)
	for range 2 {
		b.scanAll()
	}
	if r := b.sync(t.Context()); r.Err != nil {
		t.Fatal(r.Err)
	}
	if got := refsOf(t, db, here); !maps.Equal(got, map[string]string{"heads/master": c, "heads/other": c, "heads/link": c}) {
		t.Errorf("refs %v", got)
	}
	told := map[string]int{}
	for line := range strings.Lines(log.String()) {
		told[filepath.Base(strings.Trim(line, "\"\n"))]++
	}
	if !maps.Equal(told, map[string]int{"other": 1, "new": 1}) {
		t.Errorf("the log tells of %v:\n%s", told, log.String())
	}
}
