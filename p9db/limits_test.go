package p9db_test

import (
	"errors"
	"fmt"
	"io"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/memdb"
	"github.com/datakit/datakit/p9"
	"github.com/datakit/datakit/p9db"
)

// TestCL113_StreamsTakeNoMemory: a file is written and read in pieces, and no
// more of it is in memory at a time. It is not parallel, as it measures.
func TestCL113_StreamsTakeNoMemory(t *testing.T) {
	const size, limit = 128 << 20, 32 << 20
	network, addr := serve(t, memdb.New(nil)) // a transaction keeps what is large in a file
	db := dial(t, network, addr, 0, 0)
	tx := must[*datakit.Tx](t)(db.Branch("master").Begin(t.Context()))
	defer tx.Abort()
	heap := func() uint64 {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	runtime.GC()
	before, peak := heap(), uint64(0)
	sample := writerFunc(func(p []byte) (int, error) {
		peak = max(peak, heap())
		return len(p), nil
	})
	zeros := io.LimitReader(readerFunc(func(p []byte) (int, error) { clear(p); return len(p), nil }), size)
	if n, err := tx.ReadFrom(t.Context(), "f", io.TeeReader(zeros, sample)); n != size || err != nil {
		t.Fatalf("ReadFrom: %d, %v", n, err)
	}
	b := must[datakit.Blob](t)(tx.Open(t.Context(), "f"))
	defer b.Close()
	if n, err := io.CopyBuffer(sample, struct{ io.Reader }{datakit.NewReader(t.Context(), b)}, make([]byte, 1<<20)); n != size || err != nil {
		t.Fatalf("reading: %d, %v", n, err)
	}
	if peak > before+limit {
		t.Errorf("a file of %d bytes took %d bytes of memory", size, peak-before)
	}
}

type readerFunc func(p []byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

type writerFunc func(p []byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

// TestCL121_HugeDirectory lists 100,000 entries, in each dialect if there is time.
func TestCL121_HugeDirectory(t *testing.T) {
	t.Parallel()
	const count = 100_000
	versions := []string{"9P2000.u", "9P2000.L", "9P2000"}
	if light {
		versions = versions[:1]
	}
	mem := memdb.New(nil)
	network, addr := serve(t, mem)
	err := mem.Branch("master").Update(t.Context(), "m", func(tx *datakit.Tx) error {
		for i := range count {
			if err := tx.Create(t.Context(), datakit.Path(fmt.Sprintf("f%d", i)), datakit.Executable, nil); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, version := range versions {
		db := must[*datakit.DB](t)(p9db.Dial(t.Context(), network, addr, &p9db.Options{Version: version}))
		defer db.Close()
		tree := must[*datakit.Tree](t)(db.Branch("master").Tree(t.Context()))
		entries := must[[]datakit.Entry](t)(tree.ReadDir(t.Context(), datakit.Root))
		if n := len(entries); n != count || entries[n-1].Name != "f99999" || entries[n-1].Mode != datakit.Executable {
			t.Errorf("%s: %d entries are listed, want %d", version, n, count)
		}
	}
}

// TestCL110_NoFidOfADatabaseIsLost: operations that fail leave nothing in use at
// the server.
func TestCL110_NoFidOfADatabaseIsLost(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	network, addr, srv := serveAt(t, memdb.New(nil))
	db := dial(t, network, addr, 0, 16)
	write(t, db, "d", "a file")
	b := db.Branch("master")
	tree := must[*datakit.Tree](t)(b.Tree(ctx))
	tx := must[*datakit.Tx](t)(b.Begin(ctx))
	defer tx.Abort()
	fails := []func() error{
		func() error { return tx.Mkdir(ctx, "d") },
		func() error { return tx.Create(ctx, "d/x", datakit.Normal, nil) },
		func() error { return tx.Create(ctx, "no/x", datakit.Normal, nil) },
		func() error { return tx.Rename(ctx, "no", "yes") },
		func() error { return tx.Remove(ctx, "no") },
		func() error { _, err := tx.ReadAt(ctx, "no", make([]byte, 1), 0); return err },
		func() error { _, err := tx.ReadDir(ctx, "d"); return err },
		func() error { _, err := tree.ReadFile(ctx, "d/x"); return err },
		func() error { _, err := tree.ReadDir(ctx, "no"); return err },
		func() error { _, err := db.Commit(ctx, datakit.Hash{1}); return err },
		func() error { return b.FastForward(ctx, datakit.Hash{1}) },
		func() error { _, err := tx.Merge(ctx, datakit.Hash{1}); return err },
		func() error { _, err := tx.Diff(ctx, datakit.Hash{1}); return err },
	}
	settled := func() int { // what was released in the background is done soon
		n, last := srv.Fids(), -1
		for deadline := time.Now().Add(30 * time.Second); n != last && time.Now().Before(deadline); n = srv.Fids() {
			last = n
			must[[]string](t)(db.Branches(ctx)) // which is answered after it
		}
		return n
	}
	before := settled()
	var wg sync.WaitGroup
	for range 10 {
		wg.Go(func() {
			for range 20 {
				for i, f := range fails {
					if err := f(); err == nil {
						t.Errorf("operation %d succeeds", i)
					}
				}
			}
		})
	}
	wg.Wait()
	if after := settled(); after > before {
		t.Errorf("%d fids are in use, want %d as before", after, before)
	}
}

// TestCL35_AbortOfALostTransaction: it succeeds when there is no connection.
func TestCL35_AbortOfALostTransaction(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	db := must[*datakit.DB](t)(p9db.Dial(t.Context(), "unix", s.path, nil))
	defer db.Close()
	tx := must[*datakit.Tx](t)(db.Branch("master").Begin(t.Context()))
	s.stop()
	if err := tx.WriteFile(t.Context(), "f", nil); !errors.Is(err, p9.ErrConnection) || !errors.Is(err, datakit.IO) {
		t.Errorf("write: error %v, want %v of kind %v", err, p9.ErrConnection, datakit.IO)
	}
	tx.Abort()
	if !tx.Ended() {
		t.Error("the transaction has not ended")
	}
	s.start()
}
