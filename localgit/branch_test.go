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

// TestGH213_OthersChange has the bridge and others commit: only what it owns is
// a reason to sync.
func TestGH213_OthersChange(t *testing.T) {
	t.Parallel()
	dir, c := newRepo(t)
	db := newDB(t)
	opts := Options{DB: db, Repositories: []Repository{{here, dir}}}
	if err := opts.check(); err != nil {
		t.Fatal(err)
	}
	b := newBridge(opts, nil)
	b.scanAll()
	want := func(what string, due bool) {
		t.Helper()
		if b.moved(t.Context()); b.due() != due {
			t.Errorf("after %s a sync is due: %v", what, b.due())
		}
	}
	want("the start", true)
	if r := b.sync(t.Context()); r.Err != nil || r.Message == "" {
		t.Fatalf("the first sync: %v, %q", r.Err, r.Message)
	}
	want("its own commit", false)
	foreign := github.Commit{Repo: here, Hash: c}
	write(t, db, github.NewStatus(foreign, "ci", github.Success, "", ""))
	want("a status", false)
	write(t, db, github.Ref{Commit: github.Commit{Repo: there, Hash: c}, Name: "heads/master"})
	want("a ref of another repository", false)
	write(t, db, github.Ref{Commit: foreign, Name: "heads/foreign"})
	want("a ref of its repository", true)
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

// TestGH214_NoQuarrel lets another bridge write to the same repository, and
// undoes what is done to one that only this bridge mirrors.
func TestGH214_NoQuarrel(t *testing.T) {
	t.Parallel()
	dir, c := newRepo(t)
	dir2, d := newRepo(t)
	db := newDB(t)
	write(t, db, here)
	next(t, start(t, Options{DB: db, Repositories: []Repository{{here, dir}, {there, dir2}}, Poll: time.Hour}))
	write(t, db, github.Ref{Commit: github.Commit{Repo: here, Hash: c}, Name: "heads/foreign"},
		github.Ref{Commit: github.Commit{Repo: there, Hash: c}, Name: "heads/foreign"})
	eventually(t, "the other repository is as it was", func() bool {
		return maps.Equal(refsOf(t, db, there), map[string]string{"heads/master": d})
	})
	if got := refsOf(t, db, here); got["heads/foreign"] != c {
		t.Errorf("what the other bridge wrote was removed: %v", got)
	}
	c2 := commitTo(t, dir)
	eventually(t, "the repository counts", func() bool {
		return maps.Equal(refsOf(t, db, here), map[string]string{"heads/master": c2})
	})
}
