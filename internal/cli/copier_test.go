package cli

import (
	"os"
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

// TestCL58_PutDeepFolder copies files whose paths are longer than the system
// takes them.
func TestCL58_PutDeepFolder(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	source := t.TempDir()
	root, err := os.OpenRoot(source)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	deep := strings.Repeat(strings.Repeat("d", 200)+"/", 30)
	if err := root.MkdirAll(deep, 0o777); err != nil {
		t.Fatal(err)
	}
	if err := root.WriteFile(deep+"f", []byte("text"), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := root.Symlink("f", deep+"link"); err != nil {
		t.Fatal(err)
	}
	db := memdb.New(nil)
	defer db.Close()
	b := db.Branch("master")
	if err := b.Update(ctx, "put", func(tx *datakit.Tx) error {
		c := &copier{target: &target{stdio: &stdio{}}, tx: tx}
		return c.sources(ctx, "x", false, []string{source})
	}); err != nil {
		t.Fatal(err)
	}
	tree, err := b.Tree(ctx)
	if err != nil {
		t.Fatal(err)
	}
	at := datakit.Path("x/" + deep)
	if got, err := tree.ReadFile(ctx, at+"f"); string(got) != "text" || err != nil {
		t.Errorf("the file is %q, error %v", got, err)
	}
	if mode, err := tree.Mode(ctx, at+"f"); mode != datakit.Executable || err != nil {
		t.Errorf("the mode of the file is %v, error %v", mode, err)
	}
	if got, err := tree.Readlink(ctx, at+"link"); got != "f" || err != nil {
		t.Errorf("the symlink leads to %q, error %v", got, err)
	}
}
