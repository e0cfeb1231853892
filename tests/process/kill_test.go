package process

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/connect"
	"github.com/datakit/datakit/p9"
	"github.com/datakit/datakit/p9db"
	"github.com/datakit/datakit/tests/daemon"
)

// patience is how long a test waits for what should happen at once.
const patience = 60 * time.Second

// A victim is a server that is killed and started again.
type victim struct {
	t          *testing.T
	repo, addr string
	d          *daemon.Daemon
}

func newVictim(t *testing.T) *victim {
	dir, err := os.MkdirTemp("", "dk") // short: the path of a socket is limited
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	v := &victim{t: t, repo: filepath.Join(dir, "repo"), addr: filepath.Join(dir, "s")}
	v.start()
	t.Cleanup(func() {
		if err := v.d.Stop(); err != nil {
			t.Error(err)
		}
	})
	return v
}

func (v *victim) start() {
	v.t.Helper()
	d, err := daemon.Launch(v.repo, v.addr)
	if err != nil {
		v.t.Fatal(err)
	}
	v.d = d
}

// open opens the database of the server, or one that connects again.
func (v *victim) open(ctx context.Context, opts *connect.Options) *datakit.DB {
	v.t.Helper()
	db, err := connect.Open(ctx, "unix://"+v.addr, opts)
	if err != nil {
		v.t.Fatal(err)
	}
	v.t.Cleanup(func() { db.Close() })
	return db
}

func commitFile(ctx context.Context, db *datakit.DB, n int64) error {
	return db.Branch("master").Update(ctx, fmt.Sprint("commit ", n), func(tx *datakit.Tx) error {
		return tx.WriteFile(ctx, datakit.Path(fmt.Sprintf("f%d", n)), make([]byte, 2000))
	})
}

// readFiles reads all files of the head.
func readFiles(ctx context.Context, db *datakit.DB) (int, error) {
	tree, err := db.Branch("master").Tree(ctx)
	if err != nil {
		return 0, err
	}
	entries, err := tree.ReadDir(ctx, datakit.Root)
	for _, e := range entries {
		if err == nil {
			_, err = tree.ReadFile(ctx, datakit.Path(e.Name))
		}
	}
	return len(entries), err
}

// untilFails calls f until it returns an error.
func untilFails(f func() error) error {
	for {
		if err := f(); err != nil {
			return err
		}
	}
}

// TestCL11_CL49_ServerIsKilled: whatever runs when the server is killed fails with
// IO, nothing waits for ever, and what was acknowledged is there afterwards.
func TestCL11_CL49_ServerIsKilled(t *testing.T) {
	v := newVictim(t)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var acknowledged atomic.Int64
	for range 3 {
		db := v.open(ctx, nil)
		head, err := db.Branch("other").Watch(ctx)
		if err != nil {
			t.Fatal(err)
		}
		tx, err := db.Branch("master").Begin(ctx)
		if err != nil {
			t.Fatal(err)
		}
		enough, before := make(chan struct{}), acknowledged.Load()
		var wg sync.WaitGroup
		for name, f := range map[string]func() error{
			"commit": func() error {
				err := commitFile(ctx, db, acknowledged.Load()+1)
				if err == nil && acknowledged.Add(1) == before+10 {
					close(enough)
				}
				return err
			},
			"read":     func() error { _, err := readFiles(ctx, db); return err },
			"watch":    func() error { _, err := head.Next(ctx); return err },
			"write":    func() error { return tx.WriteFile(ctx, "big", make([]byte, 1<<20)) },
			"branches": func() error { _, err := db.Branches(ctx); return err },
		} {
			wg.Go(func() {
				if err := untilFails(f); !errors.Is(err, datakit.IO) || !errors.Is(err, p9.ErrConnection) {
					t.Errorf("%s: error %v, want one of kind %v", name, err, datakit.IO)
				}
			})
		}
		select {
		case <-enough:
		case <-ctx.Done():
			t.Fatal("there are no ten commits")
		}
		v.d.Kill()
		wg.Wait()
		if err := tx.Commit(ctx, "m"); !errors.Is(err, datakit.IO) {
			t.Errorf("Commit of a lost transaction: error %v, want one of kind %v", err, datakit.IO)
		}
		tx.Abort()
		head.Close()
		db.Close()

		v.start()
		n, err := readFiles(ctx, v.open(ctx, nil))
		if last := int(acknowledged.Load()); err != nil || n < last {
			t.Errorf("after the server was killed there are %d files of %d, error %v", n, last, err)
		}
		acknowledged.Store(int64(n)) // with a commit that was not acknowledged
	}
}

// TestCL49_ServiceGoesOn: a program that connects again reads, watches and
// commits as if the server had only been slow, but for commits that are lost.
func TestCL49_ServiceGoesOn(t *testing.T) {
	v := newVictim(t)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	db := v.open(ctx, &connect.Options{Reconnect: &p9db.ReconnectOptions{MinDelay: time.Millisecond, MaxDelay: 20 * time.Millisecond}})
	w, err := db.Branch("master").Watch(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	seen := datakit.Hash{1} // by the watch, none at first
	for n := int64(1); n <= 5; n++ {
		for err := errors.New("not tried"); err != nil; {
			if err = commitFile(ctx, db, n); err != nil && !errors.Is(err, p9.ErrConnection) {
				t.Fatalf("commit %d: %v", n, err)
			}
		}
		head, err := db.Branch("master").Head(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for was := seen; seen != head; was = seen {
			if seen, err = w.Next(ctx); err != nil || seen == was {
				t.Fatalf("the watch has returned %v after %v, error %v; want %v", seen, was, err, head)
			}
		}
		v.d.Kill()
		v.start()
		if got, err := readFiles(ctx, db); err != nil || got < int(n) {
			t.Fatalf("%d files are read of %d, error %v", got, n, err)
		}
	}
}
