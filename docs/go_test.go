package docs

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/datakit/datakit"
	bindings "github.com/datakit/datakit/api/go-datakit"
	"github.com/datakit/datakit/connect"
	"github.com/datakit/datakit/fsapi"
	"github.com/datakit/datakit/memdb"
	"github.com/datakit/datakit/p9"
	"github.com/datakit/datakit/p9db"
	"github.com/datakit/datakit/record"
	"github.com/datakit/datakit/vfs"
)

// The functions below are those of the page.

func read(ctx context.Context, addr string) error {
	db, err := connect.Open(ctx, addr, nil) // "tcp://HOST", "unix:///run/datakit.sock", "git:///srv/state"
	if err != nil {
		return err
	}
	defer db.Close()

	tree, err := db.Branch("master").Tree(ctx)
	if err != nil {
		return err
	}
	entries, err := tree.ReadDir(ctx, datakit.Root)
	if err != nil {
		return err
	}
	for _, e := range entries {
		fmt.Println(e.Name, e.Mode)
	}
	content, err := tree.ReadFile(ctx, "config/name")
	if errors.Is(err, datakit.NotExist) {
		content, err = []byte("none"), nil
	}
	fmt.Printf("%s\n", content)
	return err
}

func write(ctx context.Context, db *datakit.DB) error {
	return db.Branch("master").Update(ctx, "Name the machine", func(tx *datakit.Tx) error {
		if err := tx.MkdirAll(ctx, "config"); err != nil {
			return err
		}
		return tx.WriteFile(ctx, "config/name", []byte("moby"))
	})
}

func merge(ctx context.Context, db *datakit.DB, from, into string) error {
	theirs, err := db.Branch(from).Head(ctx)
	if err != nil {
		return err
	}
	return db.Branch(into).With(ctx, func(tx *datakit.Tx) error {
		m, err := tx.Merge(ctx, theirs)
		if err != nil {
			return err
		}
		for _, path := range m.Conflicts {
			fmt.Println("conflict at", path)
			content, err := m.Theirs.ReadFile(ctx, path) // or m.Ours, m.Base
			if err != nil {
				return err
			}
			if err := tx.WriteFile(ctx, path, content); err != nil {
				return err
			}
		}
		return tx.Commit(ctx, "Merge "+from)
	})
}

func watch(ctx context.Context, db *datakit.DB, done func(name string) bool) error {
	w, err := db.Branch("master").WatchPath(ctx, "config/name")
	if err != nil {
		return err
	}
	defer w.Close()
	for {
		e, err := w.Next(ctx) // what is there now, and then each time that it is something else
		if err != nil {
			return err
		}
		if e.Mode == datakit.Absent {
			continue
		}
		tree, err := db.Tree(ctx, e.ID())
		if err != nil {
			return err
		}
		name, err := tree.ReadFile(ctx, datakit.Root) // the tree is the one file
		if err != nil {
			return err
		}
		if done(string(name)) {
			return nil
		}
	}
}

func configure(ctx context.Context, db *datakit.DB, use func(name string, idle time.Duration) bool) error {
	r, err := record.Open(ctx, db, record.Config{
		Lookup:   []string{"master", "defaults"}, // the first that has a key counts
		Defaults: "defaults",
		Path:     "config",
	})
	if err != nil {
		return err
	}
	defer r.Close()
	name := record.String(r, "name", "unnamed")
	idle := record.Duration(r, "idle", time.Minute)
	for {
		if err := r.Wait(ctx); err != nil { // until something has changed
			return err
		}
		if !use(name.Value(), idle.Value()) {
			return nil
		}
	}
}

func service(addr string) (*datakit.DB, error) {
	return connect.Open(context.Background(), addr, &connect.Options{
		Reconnect: &p9db.ReconnectOptions{MaxDelay: 10 * time.Second},
		Log:       slog.Default(),
	})
}

func original(ctx context.Context, network, addr string) error {
	client, err := bindings.Dial(ctx, network, addr)
	if err != nil {
		return err
	}
	defer client.Close(ctx)
	t, err := bindings.NewTransaction(ctx, client, "master")
	if err != nil {
		return err
	}
	defer t.Abort(ctx)
	if err := t.Write(ctx, []string{"config", "name"}, "whale"); err != nil {
		return err
	}
	return t.Commit(ctx, "Rename the machine")
}

// From here on it is the test of the page.

// TestCL60_GuideShowsWhatRuns: every block of Go of the page is in this file,
// which is compiled and run.
func TestCL60_GuideShowsWhatRuns(t *testing.T) {
	page, err := os.ReadFile("go.md")
	if err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile("go_test.go")
	if err != nil {
		t.Fatal(err)
	}
	code, _, _ := strings.Cut(string(source), "\n// From here on")
	blocks := strings.Split(string(page), "```go\n")[1:]
	if want := strings.Count(code, "\nfunc "); len(blocks) != want {
		t.Errorf("the page has %d blocks of Go, want the %d functions", len(blocks), want)
	}
	for _, block := range blocks {
		block, _, _ = strings.Cut(block, "```")
		if !strings.Contains(code, "\n"+block) {
			t.Errorf("nobody runs this block of the page:\n%s", block)
		}
	}
}

// serve serves a database until the test ends, and returns where.
func serve(tb testing.TB) (network, addr string) {
	tb.Helper()
	db := memdb.New(nil)
	fs := fsapi.New(db, nil)
	s := &p9.Server{NewSession: func() (vfs.Dir, func(), error) {
		session := fs.NewSession()
		return session.Root(), session.Close, nil
	}}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { s.Serve(ctx, l) })
	tb.Cleanup(func() {
		cancel()
		wg.Wait()
		db.Close()
	})
	return "tcp", l.Addr().String()
}

// TestCL58_GuideStepByStep does what the page says, from the top.
func TestCL58_GuideStepByStep(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	network, hostport := serve(t)
	addr := network + "://" + hostport
	check := func(what string, err error) {
		t.Helper()
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
	}
	db, err := service(addr)
	check("service", err)
	defer db.Close()
	check("write", write(ctx, db))
	check("read", read(ctx, addr))

	head, err := db.Branch("master").Head(ctx)
	check("head", err)
	check("fork", db.Branch("dev").FastForward(ctx, head))
	for branch, name := range map[string]string{"master": "ours", "dev": "theirs"} {
		check("change", db.Branch(branch).Update(ctx, "m", func(tx *datakit.Tx) error {
			return tx.WriteFile(ctx, "config/name", []byte(name))
		}))
	}
	check("merge", merge(ctx, db, "dev", "master"))

	var seen []string
	changed := make(chan error, 1)
	check("watch", watch(ctx, db, func(name string) bool {
		if seen = append(seen, name); len(seen) == 1 {
			go func() { changed <- original(ctx, network, hostport) }()
		}
		return len(seen) == 2
	}))
	check("original", <-changed)
	if strings.Join(seen, " ") != "theirs whale" {
		t.Errorf("the watch has seen %q, want theirs and then whale", seen)
	}
	check("configure", configure(ctx, db, func(name string, idle time.Duration) bool {
		if name != "whale" || idle != time.Minute {
			t.Errorf("the record has name %q and idle %v", name, idle)
		}
		return false
	}))
}

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
