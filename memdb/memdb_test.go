package memdb_test

import (
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/memdb"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestFS24_Vector commits the test vector of the specification.
func TestFS24_Vector(t *testing.T) {
	t.Parallel()
	db := memdb.New(&memdb.Options{Now: func() time.Time { return time.Unix(1500000000, 0) }})
	defer db.Close()
	err := db.Branch("master").Update(t.Context(), "My commit", func(tx *datakit.Tx) error {
		if err := tx.Mkdir(t.Context(), "src"); err != nil {
			return err
		}
		return tx.WriteFile(t.Context(), "src/Makefile", []byte("all: build test"))
	})
	if err != nil {
		t.Fatal(err)
	}
	head, err := db.Branch("master").Head(t.Context())
	if want := "3949d3927d46db289735fecdc1e6ce8aad7ced88"; head.String() != want || err != nil {
		t.Fatalf("head = %v, %v, want %v", head, err, want)
	}
}
