package cli

import (
	"bytes"
	"context"
	"errors"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/fsapi"
	"github.com/datakit/datakit/memdb"
	"github.com/datakit/datakit/p9"
	"github.com/datakit/datakit/vfs"
)

// A hooked database calls atCommit before each commit.
type hooked struct {
	datakit.Driver
	atCommit func(ctx context.Context)
}

func (d hooked) Begin(ctx context.Context, branch string) (datakit.TxDriver, error) {
	tx, err := d.Driver.Begin(ctx, branch)
	return hookedTx{tx, d}, err
}

type hookedTx struct {
	datakit.TxDriver
	d hooked
}

func (tx hookedTx) Commit(ctx context.Context, msg string) error {
	tx.d.atCommit(ctx)
	return tx.TxDriver.Commit(ctx, msg)
}

// serveHooked serves a database that calls atCommit, and returns it and its
// address.
func serveHooked(t *testing.T, atCommit func(ctx context.Context)) (db *datakit.DB, addr string) {
	t.Helper()
	db = datakit.New(hooked{memdb.New(nil).Driver(), atCommit})
	path := filepath.Join(t.TempDir(), "s")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	fs := fsapi.New(db, nil)
	s := &p9.Server{NewSession: func() (vfs.Dir, func(), error) {
		session := fs.NewSession()
		return session.Root(), session.Close, nil
	}}
	ctx, cancel := context.WithCancel(context.Background())
	var served sync.WaitGroup
	served.Go(func() { s.Serve(ctx, l) })
	t.Cleanup(func() {
		cancel()
		served.Wait()
		db.Close()
	})
	return db, "unix://" + path
}

// runPut runs "datakit put" with a text to be put, and returns what it prints.
func runPut(ctx context.Context, addr, place string) (string, error) {
	var out bytes.Buffer
	for _, cmd := range Commands(strings.NewReader("text"), &out, &bytes.Buffer{}) {
		if cmd.Name() == "put" {
			cmd.SilenceErrors, cmd.SilenceUsage = true, true
			cmd.SetArgs([]string{"--addr", addr, place, "-"})
			err := cmd.ExecuteContext(ctx)
			return strings.TrimSpace(out.String()), err
		}
	}
	return "", errors.New("no put")
}

// TestPutInterruptedAtCommit: a commit that is made is no failure.
func TestPutInterruptedAtCommit(t *testing.T) {
	t.Parallel()
	ctx, interrupt := context.WithCancel(t.Context())
	db, addr := serveHooked(t, func(context.Context) { interrupt() })
	out, err := runPut(ctx, addr, "master:f")
	head, herr := db.Branch("master").Head(t.Context())
	if err != nil || herr != nil || out != head.String() {
		t.Errorf("put prints %q, error %v; the head is %s, error %v", out, err, head, herr)
	}
}

// TestPutInterruptedWithoutAnswer: what is not known is said to be so.
func TestPutInterruptedWithoutAnswer(t *testing.T) {
	t.Parallel()
	ctx, interrupt := context.WithCancel(t.Context())
	_, addr := serveHooked(t, func(ctx context.Context) {
		interrupt()
		<-ctx.Done()
	})
	out, err := runPut(ctx, addr, "master:f")
	if !errors.Is(err, datakit.ErrUncertain) || Status(err) != StatusError || out != "" {
		t.Errorf("put prints %q, error %v, status %d", out, err, Status(err))
	}
}

// TestPutInterruptedBefore: nothing is committed.
func TestPutInterruptedBefore(t *testing.T) {
	t.Parallel()
	ctx, interrupt := context.WithCancel(t.Context())
	db, addr := serveHooked(t, func(context.Context) {})
	c := &target{stdio: &stdio{}}
	err := c.update(ctx, db, "put", "master", "m", func(*datakit.Tx) error { interrupt(); return nil })
	if head, herr := db.Branch("master").Head(t.Context()); Status(err) != StatusInterrupted || !head.IsZero() || herr != nil {
		t.Errorf("error %v; the head is %s, error %v", err, head, herr)
	}
	if _, err := runPut(ctx, addr, "master:f"); Status(err) != StatusInterrupted {
		t.Errorf("put after a signal: %v", err)
	}
}
