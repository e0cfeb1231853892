package p9db_test

import (
	"testing"
	"time"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/memdb"
	"github.com/datakit/datakit/p9db"
)

// TestCL110_RetargetBesideOwnBranch has transactions go on, again and again, on a
// branch that takes another connection, as one that only this connection knows is
// in its way. The other connections end with the transactions.
func TestCL110_RetargetBesideOwnBranch(t *testing.T) {
	t.Parallel()
	network, addr, srv := serveAt(t, memdb.New(nil))
	db := must[*datakit.DB](t)(p9db.Dial(t.Context(), network, addr, nil))
	defer db.Close()
	own := must[*datakit.Tx](t)(db.Branch("own").Begin(t.Context()))
	defer own.Abort()
	retarget := func(tx *datakit.Tx, branch string) {
		t.Helper()
		if err := tx.Retarget(t.Context(), branch); err != nil {
			t.Fatal(err)
		}
	}
	for _, commits := range []bool{false, true, false, false, false} {
		tx := must[*datakit.Tx](t)(db.Branch("zm").Begin(t.Context()))
		if err := tx.WriteFile(t.Context(), "f", nil); err != nil {
			t.Fatal(err)
		}
		retarget(tx, "own/x")
		retarget(tx, "own/y")
		retarget(tx, "zm")
		retarget(tx, "own/x")
		retarget(tx, "zz")
		if commits {
			if err := tx.Commit(t.Context(), "m"); err != nil {
				t.Error(err)
			}
		}
		aside := must[*datakit.Tx](t)(db.Branch("own/x").Begin(t.Context()))
		retarget(aside, "own/y")
		aside.Abort()
		tx.Abort()
	}
	for end := time.Now().Add(30 * time.Second); srv.Connections() != 1; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%d connections stay, want 1", srv.Connections())
		}
	}
}
