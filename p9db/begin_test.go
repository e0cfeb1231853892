package p9db_test

import (
	"context"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/memdb"
	"github.com/datakit/datakit/p9db"
)

// A counting database counts its transactions.
type counting struct {
	datakit.Driver
	begun, ended *atomic.Int64
}

func (d counting) Begin(ctx context.Context, branch string) (datakit.TxDriver, error) {
	tx, err := d.Driver.Begin(ctx, branch)
	d.begun.Add(1)
	return countedTx{tx, d}, err
}

type countedTx struct {
	datakit.TxDriver
	d counting
}

func (tx countedTx) Abort() error {
	tx.d.ended.Add(1)
	return tx.TxDriver.Abort()
}

// TestCL118_BeginFailsHalfway begins transactions at a server that has no fid
// left for them once they are made: none stays.
func TestCL118_BeginFailsHalfway(t *testing.T) {
	t.Parallel()
	d := counting{memdb.New(nil).Driver(), new(atomic.Int64), new(atomic.Int64)}
	db := datakit.New(d)
	write(t, db, "f", "")
	begun, ended := d.begun.Load(), d.ended.Load()
	addr, srv := serveOn(t, db, "unix", filepath.Join(t.TempDir(), "s"))
	srv.MaxFids = 2 // the root, and one more
	c := must[*datakit.DB](t)(p9db.Dial(t.Context(), "unix", addr, nil))
	defer c.Close()
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(time.Millisecond) {
		if d.begun.Load() == begun {
			if tx, err := c.Branch("master").Begin(t.Context()); err == nil {
				tx.Abort()
				t.Fatal("begun without a fid")
			}
		}
		if b, e := d.begun.Load()-begun, d.ended.Load()-ended; b > 0 && b == e {
			break
		} else if time.Now().After(end) {
			t.Fatalf("%d transactions were begun, and %d have ended", b, e)
		}
	}
}
