package bridge

import (
	"log/slog"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/github"
	"github.com/datakit/datakit/github/capability"
	"github.com/datakit/datakit/github/githubtest"
	"github.com/datakit/datakit/github/layout"
	"github.com/datakit/datakit/memdb"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// An env is a database and a simulated GitHub with a bridge between them.
type env struct {
	t     testing.TB
	world *githubtest.World
	opts  Options
	state *State
	last  Report // of the last sync
}

// newEnv returns an empty database and a GitHub with the given repositories.
func newEnv(t testing.TB, repos ...github.Repo) *env {
	return newEnvOn(t, memdb.New(nil), repos...)
}

func newEnvOn(t testing.TB, db *datakit.DB, repos ...github.Repo) *env {
	t.Cleanup(func() { db.Close() })
	e := &env{t: t, world: githubtest.New(repos...), state: &State{}}
	e.opts = Options{
		DB: db, Branch: layout.DefaultBranch, API: e.world, Capabilities: capability.All(),
		Observe: func(r Report) { e.last = r },
	}
	if testing.Verbose() {
		e.opts.Log = slog.New(slog.NewTextHandler(testWriter{t}, nil))
	}
	return e
}

// A testWriter logs to a test.
type testWriter struct{ t testing.TB }

func (w testWriter) Write(p []byte) (int, error) {
	w.t.Log(strings.TrimSpace(string(p)))
	return len(p), nil
}

// prepared is the situation of that name of section 9.1: one sync was made with
// an empty GitHub, then R was monitored, and the bridge restarts.
func prepared(t testing.TB, caps string) *env {
	e := newEnv(t)
	e.can(caps)
	e.sync()
	e.write("test/test/.monitor", "")
	e.restart()
	e.world.PutRepo(testRepo)
	e.world.ResetCalls()
	return e
}

func (e *env) can(caps string) {
	e.t.Helper()
	set, err := capability.Parse(caps)
	if err != nil {
		e.t.Fatal(err)
	}
	e.opts.Capabilities = set
}

// source gives the bridge webhooks of all changes of the repositories.
func (e *env) source(repos ...github.Repo) *githubtest.Source {
	src := githubtest.NewSource(e.world)
	e.t.Cleanup(src.Close)
	for _, r := range repos {
		src.Watch(e.t.Context(), r)
	}
	e.world.ResetCalls()
	e.opts.Source = src
	return src
}

func (e *env) restart() { e.state = &State{} }

// sync performs one sync.
func (e *env) sync() {
	e.t.Helper()
	if err := Once(e.t.Context(), e.opts, e.state); err != nil {
		e.t.Fatalf("sync: %v", err)
	}
}

// resync performs one sync that reads everything again.
func (e *env) resync() {
	e.t.Helper()
	e.state.resync = true
	e.sync()
}

// write commits files to the branch, given as paths and contents in turn, as a
// user would. The content "-" removes what is there.
func (e *env) write(files ...string) {
	e.t.Helper()
	e.update(func(tx *datakit.Tx) error {
		for i := 0; i < len(files); i += 2 {
			if err := put(e.t, tx, datakit.Path(files[i]), files[i+1]); err != nil {
				return err
			}
		}
		return nil
	})
}

func put(t testing.TB, tx *datakit.Tx, path datakit.Path, content string) error {
	if content == "-" {
		return tx.Remove(t.Context(), path)
	}
	if err := tx.MkdirAll(t.Context(), path.Dir()); err != nil {
		return err
	}
	return tx.WriteFile(t.Context(), path, []byte(content))
}

// put commits elements to the branch, as a user would.
func (e *env) put(elements ...github.Element) {
	e.t.Helper()
	e.update(func(tx *datakit.Tx) error {
		for _, x := range elements {
			if err := layout.Write(e.t.Context(), tx, x); err != nil {
				return err
			}
		}
		return nil
	})
}

func (e *env) remove(ids ...github.ID) {
	e.t.Helper()
	e.update(func(tx *datakit.Tx) error {
		for _, id := range ids {
			if err := layout.Remove(e.t.Context(), tx, id); err != nil {
				return err
			}
		}
		return nil
	})
}

func (e *env) stain(ids ...github.ID) {
	e.t.Helper()
	e.update(func(tx *datakit.Tx) error { return layout.Stain(e.t.Context(), tx, ids...) })
}

func (e *env) update(f func(tx *datakit.Tx) error) {
	e.t.Helper()
	if err := e.branch().Update(e.t.Context(), "a user's change", f); err != nil {
		e.t.Fatal(err)
	}
}

func (e *env) branch() *datakit.Branch { return e.opts.DB.Branch(e.opts.Branch) }

func (e *env) head() datakit.Hash {
	e.t.Helper()
	h, err := e.branch().Head(e.t.Context())
	if err != nil {
		e.t.Fatal(err)
	}
	return h
}

// message returns the message of the newest commit.
func (e *env) message() string {
	e.t.Helper()
	c, err := e.opts.DB.Commit(e.t.Context(), e.head())
	if err != nil {
		e.t.Fatal(err)
	}
	return c.Message
}

// read returns the content of a file, "-" if there is none.
func (e *env) read(path datakit.Path) string {
	e.t.Helper()
	tree, err := e.branch().Tree(e.t.Context())
	if err != nil {
		e.t.Fatal(err)
	}
	data, err := tree.ReadFile(e.t.Context(), path)
	if datakit.KindOf(err) == datakit.NotExist && err != nil {
		return "-"
	}
	if err != nil {
		e.t.Fatal(err)
	}
	return string(data)
}

// list returns the names in a directory with blanks between them, "-" if there
// is no directory.
func (e *env) list(path datakit.Path) string {
	e.t.Helper()
	tree, err := e.branch().Tree(e.t.Context())
	if err != nil {
		e.t.Fatal(err)
	}
	entries, err := tree.ReadDir(e.t.Context(), path)
	if err != nil {
		return "-"
	}
	var names []string
	for _, x := range entries {
		names = append(names, x.Name)
	}
	return strings.Join(names, " ")
}

// wantFiles checks files, given as paths and contents in turn.
func (e *env) wantFiles(files ...string) {
	e.t.Helper()
	for i := 0; i < len(files); i += 2 {
		if got := e.read(datakit.Path(files[i])); got != files[i+1] {
			e.t.Errorf("%s holds %q, want %q", files[i], got, files[i+1])
		}
	}
}

// content returns what the branch says.
func (e *env) content() layout.Content {
	e.t.Helper()
	c, err := layout.ReadCommit(e.t.Context(), e.opts.DB, e.head(), nil)
	if err != nil {
		e.t.Fatal(err)
	}
	return c
}

// calls returns the calls since the last time, as in "list PRs 1, set ref 2".
func (e *env) calls() string {
	calls := e.world.Calls()
	e.world.ResetCalls()
	return callText(calls)
}

func callText(calls map[string]int) string {
	var parts []string
	for _, op := range slices.Sorted(maps.Keys(calls)) {
		if op != github.OpReadComments {
			parts = append(parts, op+" "+strconv.Itoa(calls[op]))
		}
	}
	return strings.Join(parts, ", ")
}

func (e *env) wantCalls(want string) {
	e.t.Helper()
	if got := e.calls(); got != want {
		e.t.Errorf("calls: %q, want %q", got, want)
	}
}

// constantly is the latency of calls that take a while.
func constantly(string) time.Duration { return 2 * time.Millisecond }
