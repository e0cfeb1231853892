package localgit

import (
	"bytes"
	"log/slog"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/github"
	"github.com/datakit/datakit/github/layout"
)

// TestGH214_LostBranch has others change what the bridge owns, while nothing
// changes in its repositories.
func TestGH214_LostBranch(t *testing.T) {
	t.Parallel()
	dir, c := newRepo(t)
	git(t, dir, "branch", "feature/x")
	dir2, d := newRepo(t)
	db := newDB(t)
	branch := db.Branch(layout.DefaultBranch)
	start(t, Options{DB: db, Repositories: []Repository{{here, dir}, {there, dir2}}, Poll: time.Hour})
	want := func(what string) {
		t.Helper()
		eventually(t, what, func() bool {
			return maps.Equal(refsOf(t, db, here), map[string]string{"heads/master": c, "heads/feature/x": c}) &&
				maps.Equal(refsOf(t, db, there), map[string]string{"heads/master": d})
		})
	}
	want("the start")
	if err := branch.Remove(t.Context()); err != nil {
		t.Fatal(err)
	}
	want("the branch is back")
	err := branch.Update(t.Context(), "by another", func(tx *datakit.Tx) error {
		return layout.Remove(t.Context(), tx, github.RefID{Repo: here, Name: "heads/feature/x"})
	})
	if err != nil {
		t.Fatal(err)
	}
	want("the ref is back")
	write(t, db, github.Ref{Commit: github.Commit{Repo: there, Hash: "1"}, Name: "tags/other"})
	want("the foreign ref is gone")
}

// TestGH213_OthersChange has others change what the bridge does not own: that
// is no reason to sync.
func TestGH213_OthersChange(t *testing.T) {
	t.Parallel()
	dir, c := newRepo(t)
	db := newDB(t)
	reports := start(t, Options{DB: db, Repositories: []Repository{{here, dir}}, Poll: time.Hour})
	next(t, reports)
	foreign := github.Commit{Repo: here, Hash: c}
	write(t, db, github.NewStatus(foreign, "ci", github.Success, "", ""))
	write(t, db, github.Ref{Commit: foreign, Name: "heads/foreign"})
	if r := next(t, reports); !strings.HasPrefix(r.Message, github.Subject(0, 1)) {
		t.Errorf("the second sync made %q: another was needless", r.Message)
	}
}

// TestGH214_TwoBridges mirrors what another bridge seems to mirror, too: it
// warns once, and what the other writes goes with the next change.
func TestGH214_TwoBridges(t *testing.T) {
	t.Parallel()
	dir, c := newRepo(t)
	db := newDB(t)
	write(t, db, here, github.Ref{Commit: github.Commit{Repo: here, Hash: c}, Name: "heads/foreign"})
	var log bytes.Buffer
	opts := Options{DB: db, Repositories: []Repository{{here, dir}}, Log: slog.New(slog.NewTextHandler(&log, nil))}
	onceWith(t, opts, map[string]string{"heads/master": c})
	if n := strings.Count(log.String(), "another bridge mirrors this repository"); n != 1 {
		t.Errorf("%d warnings in\n%s", n, log.String())
	}
	if monitored, err := layout.Monitored(t.Context(), tree(t, db), here); !monitored || err != nil {
		t.Errorf("monitored %v, %v", monitored, err)
	}
	log.Reset()
	opts.Repositories[0].Name = there
	onceWith(t, opts, map[string]string{"heads/master": c})
	if strings.Contains(log.String(), "another bridge") {
		t.Errorf("a warning about a repository that no other bridge mirrors:\n%s", log.String())
	}
}

// TestGH214_NoQuarrel lets another bridge write to the same repository.
func TestGH214_NoQuarrel(t *testing.T) {
	t.Parallel()
	dir, c := newRepo(t)
	db := newDB(t)
	write(t, db, here)
	reports := start(t, Options{DB: db, Repositories: []Repository{{here, dir}}, Poll: time.Hour})
	next(t, reports)
	write(t, db, github.Ref{Commit: github.Commit{Repo: here, Hash: c}, Name: "heads/foreign"})
	time.Sleep(2 * undoInterval) // in which it could be removed
	if got := refsOf(t, db, here); got["heads/foreign"] != c {
		t.Errorf("what the other bridge wrote was removed: %v", got)
	}
	c2 := commitTo(t, dir)
	eventually(t, "the repository counts", func() bool {
		return maps.Equal(refsOf(t, db, here), map[string]string{"heads/master": c2})
	})
}
