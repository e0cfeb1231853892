package dbtest_test

import (
	"testing"
	"time"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/dbtest"
	"github.com/datakit/datakit/memdb"
)

// TestMemDB runs the suite on a database in memory.
func TestMemDB(t *testing.T) {
	dbtest.Config{
		Open: func(testing.TB) *datakit.DB { return memdb.New(nil) },
		OpenAt: func(_ testing.TB, now func() time.Time) *datakit.DB {
			return memdb.New(&memdb.Options{Now: now})
		},
	}.Run(t)
}
