package record_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/gitdb"
	"github.com/datakit/datakit/memdb"
	"github.com/datakit/datakit/record"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// testTimeout is how long a test waits for what must happen.
const testTimeout = 30 * time.Second

// databases are what every test runs over.
var databases = []struct {
	name string
	open func(t testing.TB) *datakit.DB
}{
	{"memdb", func(testing.TB) *datakit.DB { return memdb.New(nil) }},
	{"gitdb", openGit},
}

func openGit(t testing.TB) *datakit.DB {
	db, err := gitdb.Open(t.TempDir(), &gitdb.Options{NoSync: true})
	if err != nil {
		t.Fatal(err)
	}
	return db
}

// An env is an empty database and a context that ends with the test's patience.
type env struct {
	testing.TB
	ctx context.Context
	db  *datakit.DB
}

// over runs fn as a parallel subtest for each database.
func over(t *testing.T, fn func(e *env)) {
	t.Parallel()
	for _, d := range databases {
		t.Run(d.name, func(t *testing.T) {
			t.Parallel()
			fn(newEnv(t, d.open(t)))
		})
	}
}

// inMemory is over for what does not depend on the database.
func inMemory(t *testing.T, fn func(e *env)) {
	t.Parallel()
	fn(newEnv(t, memdb.New(nil)))
}

func newEnv(t testing.TB, db *datakit.DB) *env {
	t.Cleanup(func() { db.Close() })
	ctx, cancel := context.WithTimeout(context.Background(), testTimeout)
	t.Cleanup(cancel)
	return &env{t, ctx, db}
}

func (e *env) check(err error) {
	e.Helper()
	if err != nil {
		e.Fatal(err)
	}
}

// config is that of the acceptance cases.
func config() record.Config {
	return record.Config{Lookup: []string{"master", "defaults"}, Defaults: "defaults", State: "state", Path: "tests"}
}

// open opens a record that is closed with the test.
func (e *env) open(cfg record.Config) *record.Record {
	e.Helper()
	r, err := record.Open(e.ctx, e.db, cfg)
	e.check(err)
	e.Cleanup(func() { r.Close() })
	return r
}

// put writes pairs of paths and contents to a branch in one commit.
func (e *env) put(branch string, pairs ...string) {
	e.Helper()
	e.check(e.db.Branch(branch).Update(e.ctx, "put", func(tx *datakit.Tx) error {
		for i := 0; i < len(pairs); i += 2 {
			p := datakit.Path(pairs[i])
			if err := tx.MkdirAll(e.ctx, p.Dir()); err != nil {
				return err
			}
			if err := tx.WriteFile(e.ctx, p, []byte(pairs[i+1])); err != nil {
				return err
			}
		}
		return nil
	}))
}

// remove removes a path of a branch.
func (e *env) remove(branch string, path datakit.Path) {
	e.Helper()
	e.check(e.db.Branch(branch).Update(e.ctx, "remove", func(tx *datakit.Tx) error { return tx.Remove(e.ctx, path) }))
}

const absent = "(absent)"

// has fails the test unless a branch has a content at a path, or is absent.
func (e *env) has(branch string, path datakit.Path, want string) {
	e.Helper()
	tree, err := e.db.Branch(branch).Tree(e.ctx)
	e.check(err)
	b, err := tree.ReadFile(e.ctx, path)
	got := string(b)
	if errors.Is(err, datakit.NotExist) {
		got, err = absent, nil
	}
	if err != nil || got != want {
		e.Errorf("%s:%s = %q, %v, want %q", branch, path, got, err, want)
	}
}

// messages returns the messages of the commits of a branch, the newest first.
func (e *env) messages(branch string) []string {
	e.Helper()
	h, err := e.db.Branch(branch).Head(e.ctx)
	e.check(err)
	var list []string
	for !h.IsZero() {
		c, err := e.db.Commit(e.ctx, h)
		e.check(err)
		list = append(list, c.Message)
		h = datakit.Hash{}
		if len(c.Parents) > 0 {
			h = c.Parents[0]
		}
	}
	return list
}

// is fails the test unless a field has a value.
func is[T comparable](e *env, what string, f *record.Field[T], want T) {
	e.Helper()
	if got := f.Value(); got != want {
		e.Errorf("%s = %v, want %v", what, got, want)
	}
}

// waitFor calls Wait until a field has a value.
func waitFor[T comparable](e *env, r *record.Record, f *record.Field[T], want T) {
	e.Helper()
	for f.Value() != want {
		if err := r.Wait(e.ctx); err != nil {
			e.Fatalf("Wait for %v, which is %v: %v", want, f.Value(), err)
		}
	}
}
