package datakit_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/memdb"
)

// A mkdirDriver counts the directories that are made, or tried to be.
type mkdirDriver struct {
	datakit.Driver
	made *int
}

func (d mkdirDriver) Begin(ctx context.Context, branch string) (datakit.TxDriver, error) {
	tx, err := d.Driver.Begin(ctx, branch)
	return mkdirTx{tx, d.made}, err
}

type mkdirTx struct {
	datakit.TxDriver
	made *int
}

func (tx mkdirTx) Mkdir(ctx context.Context, path datakit.Path) error {
	*tx.made++
	return tx.TxDriver.Mkdir(ctx, path)
}

// TestMkdirAllBelowDirectory makes one directory after the other, each in the
// last: that is one call of the driver for each.
func TestMkdirAllBelowDirectory(t *testing.T) {
	t.Parallel()
	made := 0
	db := datakit.New(mkdirDriver{memdb.New(nil).Driver(), &made})
	defer db.Close()
	tx, err := db.Branch("master").Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Abort()
	const depth = 50
	for i := range depth {
		path := datakit.Path("d" + strings.Repeat("/d", i))
		if err := tx.MkdirAll(t.Context(), path); err != nil {
			t.Fatal(err)
		}
	}
	if made != depth {
		t.Errorf("%d calls for %d directories", made, depth)
	}
	if err := tx.WriteFile(t.Context(), "d/f", nil); err != nil {
		t.Fatal(err)
	}
	err = tx.MkdirAll(t.Context(), "d/f/x/y")
	if !errors.Is(err, datakit.NotDir) || !strings.Contains(err.Error(), "d/f") {
		t.Errorf("below a file: %v", err)
	}
	if err := tx.MkdirAll(t.Context(), datakit.Root); err != nil {
		t.Errorf("the root: %v", err)
	}
}
