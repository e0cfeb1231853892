package localgit

import (
	"context"
	"errors"
	"maps"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fsnotify/fsnotify"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/github"
	"github.com/datakit/datakit/github/layout"
)

// A faulty is a Driver whose transactions fail to begin while down is set, and
// that calls before, if set, before each commit.
type faulty struct {
	datakit.Driver
	down   atomic.Bool
	before func(ctx context.Context) error
}

func (f *faulty) Begin(ctx context.Context, branch string) (datakit.TxDriver, error) {
	if f.down.Load() {
		return nil, errors.New("connection refused")
	}
	tx, err := f.Driver.Begin(ctx, branch)
	return &faultyTx{tx, f}, err
}

type faultyTx struct {
	datakit.TxDriver
	f *faulty
}

func (tx *faultyTx) CommitHash(ctx context.Context, msg string) (datakit.Hash, error) {
	if tx.f.before != nil {
		if err := tx.f.before(ctx); err != nil {
			return datakit.Hash{}, err
		}
	}
	return tx.TxDriver.(datakit.HashCommitter).CommitHash(ctx, msg)
}

func TestGH219_DatabaseComesBack(t *testing.T) {
	t.Parallel()
	dir, c := newRepo(t)
	db := newDB(t)
	f := &faulty{Driver: db.Driver()}
	f.down.Store(true)
	opts := Options{DB: datakit.New(f), Repositories: []Repository{{here, dir}}, Poll: 10 * time.Millisecond}
	if r, err := Once(t.Context(), opts); err == nil || r.Err == nil {
		t.Errorf("Once without a database: %v, %v", r.Err, err)
	}
	reports := start(t, opts)
	if r := next(t, reports); r.Err == nil || r.Message != "" {
		t.Errorf("the first sync: %v, %q", r.Err, r.Message)
	}
	f.down.Store(false)
	eventually(t, "the branch is mirrored", func() bool { return refsOf(t, db, here)["heads/master"] == c })
}

// TestGH212_Conflict has another program move the same ref during each of the
// first syncs.
func TestGH212_Conflict(t *testing.T) {
	t.Parallel()
	dir, c := newRepo(t)
	db := newDB(t)
	write(t, db, github.Ref{Commit: github.Commit{Repo: here, Hash: "0"}, Name: "heads/master"})
	left := 2
	f := &faulty{Driver: db.Driver(), before: func(ctx context.Context) error {
		if left--; left < 0 {
			return nil
		}
		return db.Branch(layout.DefaultBranch).Update(ctx, "by another", func(tx *datakit.Tx) error {
			return tx.WriteFile(ctx, "me/here/ref/heads/master/head", []byte{'a' + byte(left), '\n'})
		})
	}}
	onceWith(t, Options{DB: datakit.New(f), Repositories: []Repository{{here, dir}}}, map[string]string{"heads/master": c})
	if left >= 0 {
		t.Errorf("no conflict: %d are left", left)
	}
}

// TestGH216_ChangeDuringASync moves a branch while the sync of an earlier move
// is being committed.
func TestGH216_ChangeDuringASync(t *testing.T) {
	t.Parallel()
	dir, _ := newRepo(t)
	db := newDB(t)
	var during string
	commits := 0
	f := &faulty{Driver: db.Driver(), before: func(ctx context.Context) (err error) {
		if commits++; commits != 2 {
			return nil
		}
		if _, err := tryGit(ctx, dir, "commit", "-q", "--allow-empty", "-m", "during the sync"); err != nil {
			return err
		}
		during, err = tryGit(ctx, dir, "rev-parse", "HEAD")
		return err
	}}
	reports := start(t, Options{DB: datakit.New(f), Repositories: []Repository{{here, dir}}, Poll: time.Hour})
	next(t, reports)
	commitTo(t, dir)
	next(t, reports)
	eventually(t, "the second move is mirrored", func() bool {
		return maps.Equal(refsOf(t, db, here), map[string]string{"heads/master": during})
	})
}

func TestGH38_GH209_Branch(t *testing.T) {
	t.Parallel()
	dir, c := newRepo(t)
	db := newDB(t)
	once(t, db, map[string]string{"heads/master": c}, Repository{here, dir})
	if _, err := Once(t.Context(), Options{DB: db, Branch: "other", Repositories: []Repository{{here, dir}}}); err != nil {
		t.Fatal(err)
	}
	if got, err := db.Branches(t.Context()); err != nil || len(got) != 2 || got[0] != "github-metadata" || got[1] != "other" {
		t.Errorf("branches %v, %v", got, err)
	}
}

// TestGH216_LostNotifications moves a branch without a notification, and says
// that some were lost.
func TestGH216_LostNotifications(t *testing.T) {
	t.Parallel()
	dir, _ := newRepo(t)
	reports := make(chan Report, 10)
	opts := Options{DB: newDB(t), Repositories: []Repository{{here, dir}}, Poll: time.Hour, deaf: true,
		Observe: func(r Report) { reports <- r }}
	if err := opts.check(); err != nil {
		t.Fatal(err)
	}
	w := newWatcher(opts)
	b := newBridge(opts, w)
	b.scanAll()
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { b.run(ctx) })
	defer running.Wait()
	defer cancel()
	next(t, reports)
	commitTo(t, dir)
	w.errs <- fsnotify.ErrEventOverflow
	if r := next(t, reports); r.Message == "" || r.Err != nil {
		t.Errorf("the second sync: %q, %v", r.Message, r.Err)
	}
}
