package cli

import (
	"strings"
	"testing"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/memdb"
)

// TestCL119_StandardInputIsKept: a put that has to be done again, as somebody
// else was faster, has all that it had the first time.
func TestCL119_StandardInputIsKept(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	db := memdb.New(nil)
	defer db.Close()
	b := db.Branch("master")
	c := &copier{target: &target{stdio: &stdio{in: strings.NewReader("all of it")}}}
	tries := 0
	err := b.Update(ctx, "put", func(tx *datakit.Tx) error {
		if tries++; tries == 1 {
			err := b.Update(ctx, "faster", func(tx *datakit.Tx) error { return tx.WriteFile(ctx, "f", []byte("other")) })
			if err != nil {
				return err
			}
		}
		c.tx = tx
		return c.sources(ctx, "f", false, []string{"-"})
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.close(); err != nil {
		t.Error(err)
	}
	tree, err := b.Tree(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := tree.ReadFile(ctx, "f"); string(got) != "all of it" || tries != 2 || err != nil {
		t.Errorf("after %d tries f is %q, error %v", tries, got, err)
	}
}
