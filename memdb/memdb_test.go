package memdb_test

import (
	"errors"
	"os/exec"
	"strings"
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

// TestFS205_Fetch fetches a branch of a repository that git has made.
func TestFS205_Fetch(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	script := `git init -q -b master && echo foo > foo && echo x > x && git add . &&
		git -c user.name=n -c user.email=e commit -q -m first`
	cmd := exec.CommandContext(t.Context(), "sh", "-c", script)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("git: %v\n%s", err, out)
	}
	db := memdb.New(nil)
	defer db.Close()
	for _, url := range []string{dir, "file://" + dir, "file://" + dir + "#master"} {
		branch := "master"
		if strings.HasSuffix(url, "#master") {
			branch = "other"
		}
		h, err := db.Fetch(t.Context(), url, branch)
		if err != nil {
			t.Fatalf("fetch %s: %v", url, err)
		}
		c, err := db.Commit(t.Context(), h)
		if err != nil {
			t.Fatal(err)
		}
		tree, err := c.Tree(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if data, err := tree.ReadFile(t.Context(), "foo"); string(data) != "foo\n" || err != nil {
			t.Errorf("foo = %q, %v", data, err)
		}
	}
	if _, err := db.Fetch(t.Context(), dir, "none"); !errors.Is(err, datakit.NotExist) {
		t.Errorf("fetch of a branch that does not exist: %v", err)
	}
	if _, err := db.Fetch(t.Context(), dir+"/none", "master"); err == nil || errors.Is(err, datakit.NotExist) {
		t.Errorf("fetch of a repository that does not exist: %v", err)
	}
}
