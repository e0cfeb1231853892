package p9db_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/memdb"
	"github.com/datakit/datakit/p9db"
)

// TestCL34_WhichCommit commits at the same time, from the same head, with the
// same message: each is told its own commit.
func TestCL34_WhichCommit(t *testing.T) {
	t.Parallel()
	network, addr := serve(t, memdb.New(nil))
	dbs := map[string]*datakit.DB{
		"memory": memdb.New(nil),
		"9P":     must[*datakit.DB](t)(p9db.Dial(t.Context(), network, addr, nil)),
	}
	for name, db := range dbs {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			defer db.Close()
			write(t, db, "start", "")
			commitTogether(t, db.Branch("master"), db, 20)
		})
	}
}

func commitTogether(t *testing.T, b *datakit.Branch, db *datakit.DB, n int) {
	t.Helper()
	var txs []*datakit.Tx
	for i := range n {
		tx := must[*datakit.Tx](t)(b.Begin(t.Context()))
		defer tx.Abort()
		if err := tx.WriteFile(t.Context(), datakit.Path(fmt.Sprint("f", i)), nil); err != nil {
			t.Fatal(err)
		}
		txs = append(txs, tx)
	}
	made := make([]datakit.Hash, n)
	var wg sync.WaitGroup
	for i, tx := range txs {
		wg.Go(func() {
			var err error
			if made[i], err = tx.CommitHash(t.Context(), "same"); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	seen := make(map[datakit.Hash]bool)
	for i, h := range made {
		c, err := db.Commit(t.Context(), h)
		if err != nil || seen[h] {
			t.Errorf("commit %d is %s, which is another's: %t, error %v", i, h, seen[h], err)
			continue
		}
		seen[h] = true
		changes, err := c.Diff(t.Context(), c.Parents[0])
		if err != nil || len(changes) != 1 || changes[0].Path != datakit.Path(fmt.Sprint("f", i)) {
			t.Errorf("commit %d changes %v, error %v", i, changes, err)
		}
	}
}

// A stuckDB has commits that nobody sees the end of.
type stuckDB struct {
	datakit.Driver
	atCommit func()
}

func (d stuckDB) Begin(ctx context.Context, branch string) (datakit.TxDriver, error) {
	tx, err := d.Driver.Begin(ctx, branch)
	return stuckTx{tx, d}, err
}

type stuckTx struct {
	datakit.TxDriver
	d stuckDB
}

func (tx stuckTx) Commit(ctx context.Context, _ string) error {
	tx.d.atCommit()
	<-ctx.Done()
	return ctx.Err()
}

// TestCL111_UncertainCommit gives a commit up, and loses the connection of one.
func TestCL111_UncertainCommit(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]error{"given up": context.Canceled, "lost": datakit.IO} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			begun := make(chan struct{}, 1)
			s := newServer(t)
			s.stop()
			s.db, s.grace = datakit.New(stuckDB{s.db.Driver(), func() { begun <- struct{}{} }}), 1
			s.start()
			db := must[*datakit.DB](t)(p9db.Dial(t.Context(), "unix", s.path, nil))
			defer db.Close()
			tx := must[*datakit.Tx](t)(db.Branch("master").Begin(t.Context()))
			defer tx.Abort()
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			end := cancel
			if want != context.Canceled {
				end = s.stop
			}
			go func() { <-begun; end() }()
			if err := tx.Commit(ctx, "m"); !errors.Is(err, datakit.ErrUncertain) || !errors.Is(err, want) {
				t.Errorf("error %v, want %v and %v", err, datakit.ErrUncertain, want)
			}
		})
	}
}
