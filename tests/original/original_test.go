// Package original tests that clients work with the DataKit server 1.0.0: with our
// server behind a session that takes away what the original did not have, and
// puts in what it did otherwise, as the specification of the filesystem says
// where it speaks of the original.
package original

import (
	"context"
	"errors"
	"os"
	"slices"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/datakit/datakit"
	bindings "github.com/datakit/datakit/api/go-datakit"
	"github.com/datakit/datakit/dbtest"
	"github.com/datakit/datakit/p9db"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// all is whether every check runs, and not some that are others in each dialect.
// SOAK asks for all.
var all = os.Getenv("SOAK") != ""

func suite(t *testing.T, version string, noSymlinks bool, some int) {
	if all {
		some = 0
	}
	dbtest.Config{
		Light:      true,
		Some:       some,
		NoSymlinks: noSymlinks,
		Without: map[string]string{
			"FS108_Symlink": "a target of 20,000 bytes is longer than a message of the original",
		},
		Open: func(tb testing.TB) *datakit.DB {
			return dial(tb, version)
		},
	}.Run(t)
}

// TestCL2_Original: the best dialect is proposed, and answered with plain 9P2000.
func TestCL2_Original(t *testing.T) { suite(t, "", true, 2) }

// TestCL2_OriginalUnix: the original knew 9P2000.u, too.
func TestCL2_OriginalUnix(t *testing.T) { suite(t, "9P2000.u", false, 3) }

func dial(tb testing.TB, version string) *datakit.DB {
	tb.Helper()
	db, err := p9db.Dial(tb.Context(), "unix", serve(tb), &p9db.Options{Version: version})
	if err != nil {
		tb.Fatal(err)
	}
	return db
}

// each runs f with a database at the original in each dialect that it knew.
func each(t *testing.T, f func(t *testing.T, db *datakit.DB)) {
	for _, version := range []string{"9P2000", "9P2000.u"} {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			db := dial(t, version)
			defer db.Close()
			f(t, db)
		})
	}
}

func write(t *testing.T, db *datakit.DB, branch string, path datakit.Path, text string) datakit.Hash {
	t.Helper()
	b := db.Branch(branch)
	err := b.Update(t.Context(), "m", func(tx *datakit.Tx) error { return tx.WriteFile(t.Context(), path, []byte(text)) })
	if err != nil {
		t.Fatal(err)
	}
	h, err := b.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// TestCL12_ConflictOfTheOriginal: which paths are in conflict is told, although the
// original told no path.
func TestCL12_ConflictOfTheOriginal(t *testing.T) {
	each(t, func(t *testing.T, db *datakit.DB) {
		write(t, db, "master", "f", "0")
		tx, err := db.Branch("master").Begin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer tx.Abort()
		write(t, db, "master", "f", "1")
		if err := tx.WriteFile(t.Context(), "f", []byte("2")); err != nil {
			t.Fatal(err)
		}
		var m *datakit.MergeError
		err = tx.Commit(t.Context(), "m")
		if !errors.Is(err, datakit.Conflict) || !errors.As(err, &m) || len(m.Conflicts) != 1 || m.Conflicts[0].Path != "f" {
			t.Errorf("Commit: error %v, want a conflict at f", err)
		}
	})
}

// TestCL40_BranchesOfTheOriginal: which listed names with "/" in them.
func TestCL40_BranchesOfTheOriginal(t *testing.T) {
	each(t, func(t *testing.T, db *datakit.DB) {
		h := write(t, db, "feature/x/y", "f", "1")
		names, err := db.Branches(t.Context())
		if err != nil || !slices.Equal(names, []string{"feature/x/y"}) {
			t.Errorf("branches %q, error %v", names, err)
		}
		log, err := db.Branch("feature/x/y").Reflog(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer log.Close()
		next := write(t, db, "feature/x/y", "f", "2")
		if got, err := log.Next(t.Context()); err != nil || got != next || got == h {
			t.Errorf("the reflog begins with %v, error %v; want %v", got, err, next)
		}
	})
}

// TestCL63_BindingsAtTheOriginal: the package for existing programs works there,
// too.
func TestCL63_BindingsAtTheOriginal(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	c, err := bindings.Dial(ctx, "unix", serve(t))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(ctx)
	commit := func(text string) {
		t.Helper()
		tx, err := bindings.NewTransaction(ctx, c, "feature/x")
		if err != nil {
			t.Fatal(err)
		}
		defer tx.Abort(ctx)
		if err := errors.Join(tx.Write(ctx, []string{"d", "f"}, text), tx.Commit(ctx, "m")); err != nil {
			t.Fatal(err)
		}
	}
	commit("1")
	head, err := bindings.Head(ctx, c, "feature/x")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := bindings.NewSnapshot(ctx, c, bindings.COMMIT, head).Read(ctx, []string{"d", "f"}); err != nil || got != "1" {
		t.Errorf("the snapshot has %q, error %v", got, err)
	}
	w, err := bindings.NewWatch(ctx, c, "feature/x", []string{"d"})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close(ctx)
	for _, text := range []string{"1", "2"} {
		if text != "1" {
			commit(text)
		}
		s, err := w.Next(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := s.Read(ctx, []string{"f"}); err != nil || got != text {
			t.Errorf("the watch has %q, error %v, want %q", got, err, text)
		}
	}
	r, err := bindings.NewRecord(ctx, c, []string{"master", "defaults"}, "defaults", "state", []string{"config"})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close(ctx)
	n := r.IntField("n", 7)
	if err := r.Seal(ctx); err != nil {
		t.Fatal(err)
	}
	if got, _ := n.Get(); got != 7 {
		t.Errorf("the field is %d, want 7", got)
	}
}

// TestCL8_CancelledWaitAtTheOriginal: although the original loses what a wait that
// is given up was waiting for, the next one returns it. Only a reflog, which
// skips nothing, has to tell that it has.
func TestCL8_CancelledWaitAtTheOriginal(t *testing.T) {
	each(t, func(t *testing.T, db *datakit.DB) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		first := write(t, db, "master", "f", "0")
		b := db.Branch("master")
		heads, err := b.Watch(ctx)
		if err != nil {
			t.Fatal(err)
		}
		defer heads.Close()
		files, err := b.WatchPath(ctx, "f")
		if err != nil {
			t.Fatal(err)
		}
		defer files.Close()
		log, err := b.Reflog(ctx)
		if err != nil {
			t.Fatal(err)
		}
		defer log.Close()
		was, err := files.Next(ctx)
		if got, herr := heads.Next(ctx); got != first || errors.Join(err, herr) != nil {
			t.Fatalf("at first the head is %v, errors %v and %v; want %v", got, err, herr, first)
		}
		for _, text := range []string{"1", "2", "3"} {
			err1, err2, err3 := giveUp(ctx, heads), giveUp(ctx, files), giveUp(ctx, log)
			if !errors.Is(err1, context.DeadlineExceeded) || !errors.Is(err2, context.DeadlineExceeded) {
				t.Fatalf("waits that were given up: errors %v and %v", err1, err2)
			}
			h := write(t, db, "master", "f", text)
			if got, err := heads.Next(ctx); err != nil || got != h {
				t.Fatalf("the head is %v, error %v, want %v", got, err, h)
			}
			got, err := files.Next(ctx)
			if err != nil || got == was {
				t.Fatalf("the file is %v after %v, error %v", got, was, err)
			}
			was = got
			if got, err := log.Next(ctx); got != h && !errors.Is(errors.Join(err, err3), datakit.Overflow) {
				t.Fatalf("the reflog has %v, error %v, want %v or an error of kind %v", got, err, h, datakit.Overflow)
			}
		}
	})
}

// giveUp waits for a short time, within which the wait begins.
func giveUp[T any](ctx context.Context, w datakit.Watch[T]) error {
	ctx, cancel := context.WithTimeout(ctx, 50*time.Millisecond)
	defer cancel()
	_, err := w.Next(ctx)
	return err
}
