package treedb

import (
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/internal/cache"
	"github.com/datakit/datakit/internal/memstore"
	"github.com/datakit/datakit/internal/object"
	"github.com/datakit/datakit/internal/store"
)

var errFull = errors.New("no space left on the test's device")

// A faulty store does what the hooks that are set say instead of its work.
type faulty struct {
	store.Objects
	store.Refs

	mu    sync.Mutex // guards what follows
	stage func() error
	read  func() error
	head  func() error
	refs  func()
}

func (f *faulty) set(change func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change()
}

func (f *faulty) Stage(ctx context.Context, objs []store.Object) (store.Staged, error) {
	f.mu.Lock()
	hook := f.stage
	f.mu.Unlock()
	if hook != nil {
		if err := hook(); err != nil {
			return nil, err
		}
	}
	return f.Objects.Stage(ctx, objs)
}

func (f *faulty) Read(h datakit.Hash) (object.Type, []byte, error) {
	f.mu.Lock()
	hook := f.read
	f.mu.Unlock()
	if hook != nil {
		if err := hook(); err != nil {
			return 0, nil, err
		}
	}
	return f.Objects.Read(h)
}

func (f *faulty) Head(ctx context.Context, branch string) (datakit.Hash, error) {
	f.mu.Lock()
	hook := f.head
	f.mu.Unlock()
	if hook != nil {
		if err := hook(); err != nil {
			return datakit.Hash{}, err
		}
	}
	return f.Refs.Head(ctx, branch)
}

func (f *faulty) Prepare(ctx context.Context, updates []store.Update) store.Prepared {
	f.mu.Lock()
	hook := f.refs
	f.mu.Unlock()
	if hook != nil {
		hook()
	}
	return f.Refs.Prepare(ctx, updates)
}

func (f *faulty) Close() error { return nil }

func newFaulty(t *testing.T) (*faulty, *datakit.DB) {
	t.Helper()
	f := &faulty{Objects: memstore.NewObjects(), Refs: memstore.NewRefs()}
	db := datakit.New(New(f, f, Options{TempDir: t.TempDir}))
	t.Cleanup(func() { db.Close() })
	return f, db
}

// begin starts a transaction on a branch and runs edit on it.
func begin(t *testing.T, db *datakit.DB, branch string, edit func(tx *datakit.Tx) error) *datakit.Tx {
	t.Helper()
	tx, err := db.Branch(branch).Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(tx.Abort)
	if err := edit(tx); err != nil {
		t.Fatal(err)
	}
	return tx
}

// read returns the content of a file.
func read(t *testing.T, tx *datakit.Tx, path datakit.Path) string {
	t.Helper()
	b, err := tx.ReadFile(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// A fullSpill is a temporary file on a disk that becomes full: of each write
// only the first half gets there.
type fullSpill struct {
	*os.File
	full bool
}

func (f *fullSpill) WriteAt(p []byte, off int64) (int, error) {
	if !f.full {
		return f.File.WriteAt(p, off)
	}
	f.full = false // what takes back is written over what is there
	n, err := f.File.WriteAt(p[:len(p)/2], off)
	return n, errors.Join(err, errFull)
}

// TestFS106_FS162_WriteOnAFullDisk has writes into the temporary file of a
// content fail, and looks for what they have left.
func TestFS106_FS162_WriteOnAFullDisk(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	db := New(memstore.NewObjects(), memstore.NewRefs(), Options{TempDir: t.TempDir})
	defer db.Close()
	driver, err := db.Begin(ctx, "master")
	if err != nil {
		t.Fatal(err)
	}
	defer driver.Abort()
	tx := driver.(*tx)
	long := strings.Repeat("x", spillSize+1)
	if err := tx.Create(ctx, "f", datakit.Normal, []byte(long)); err != nil {
		t.Fatal(err)
	}
	c := tx.root.dir.child("f").content
	disk := &fullSpill{File: c.file.(*os.File)}
	c.file = disk
	check := func(when, want string) {
		t.Helper()
		got := make([]byte, len(want)+1)
		n, err := c.ReadAt(got, 0)
		if string(got[:n]) != want || err != io.EOF {
			t.Fatalf("%s: %d bytes that end in %q, %v, want %d", when, n, got[max(0, n-30):n], err, len(want))
		}
	}
	size := int64(len(long))
	for _, off := range []int64{size, size + 100, size - 10, 5} {
		disk.full = true
		if err := tx.WriteAt(ctx, "f", []byte("0123456789abcdefghij"), off); !errors.Is(err, errFull) {
			t.Fatalf("write at %d: %v, want %v", off, err, errFull)
		}
		check("after a write that failed", long)
		// A gap is filled with zero bytes, whatever was there for a while.
		if err := tx.Truncate(ctx, "f", size+200); err != nil {
			t.Fatal(err)
		}
		check("extended", long+strings.Repeat("\x00", 200))
		if err := tx.Truncate(ctx, "f", size); err != nil {
			t.Fatal(err)
		}
	}
}

// TestFS162_NoRoomForOtherFiles has writes fail as what is in memory
// cannot be stored.
func TestFS162_NoRoomForOtherFiles(t *testing.T) {
	t.Parallel()
	f, db := newFaulty(t)
	ctx := t.Context()
	tx := begin(t, db, "master", func(tx *datakit.Tx) error { return tx.WriteFile(ctx, "small", []byte("before")) })
	f.set(func() { f.stage = func() error { return errFull } })
	piece := make([]byte, spillSize)
	var err error
	n := 0
	for ; err == nil && n < 20; n++ {
		err = tx.WriteFile(ctx, datakit.Path("big").Join(datakit.Path(strings.Repeat("x", n+1))), piece)
		if n == 0 && errors.Is(err, datakit.NotExist) {
			err = tx.Mkdir(ctx, "big")
		}
	}
	if !errors.Is(err, errFull) {
		t.Fatalf("after %d MiB in memory: %v, want %v", n, err, errFull)
	}
	for range 2 {
		for what, err := range map[string]error{
			"create": tx.WriteFile(ctx, "new", piece),
			"write":  tx.WriteAt(ctx, "small", piece, 3),
		} {
			if !errors.Is(err, errFull) {
				t.Fatalf("%s: %v, want %v", what, err, errFull)
			}
		}
		if got := read(t, tx, "small"); got != "before" {
			t.Fatalf("small is %d bytes after a write that failed", len(got))
		}
		if there, err := tx.Exists(ctx, "new"); err != nil || there {
			t.Fatalf("new exists after a create that failed: %v, %v", there, err)
		}
	}
	f.set(func() { f.stage = nil })
	if err := tx.WriteFile(ctx, "new", piece); err != nil {
		t.Fatalf("once there is room: %v", err)
	}
}

// TestFS123_FailedMergeChangesNothing has a merge fail when it writes, and when
// it makes its result the contents.
func TestFS123_FailedMergeChangesNothing(t *testing.T) {
	t.Parallel()
	f := &faulty{Objects: memstore.NewObjects(), Refs: memstore.NewRefs()}
	driver := New(f, f, Options{TempDir: t.TempDir})
	driver.objs.trees = cache.New[datakit.Hash, *object.Tree](0) // so that all is read
	db := datakit.New(driver)
	defer db.Close()
	ctx := t.Context()
	commit := func(branch string, path datakit.Path, text string) datakit.Hash {
		t.Helper()
		err := db.Branch(branch).Update(ctx, "m", func(tx *datakit.Tx) error {
			if err := tx.MkdirAll(ctx, path.Dir()); err != nil {
				return err
			}
			return tx.WriteFile(ctx, path, []byte(text))
		})
		if err != nil {
			t.Fatal(err)
		}
		h, err := db.Branch(branch).Head(ctx)
		if err != nil {
			t.Fatal(err)
		}
		return h
	}
	commit("master", "dir/g", "g")
	start := commit("master", "f", "ours")
	theirs := commit("other", "f", "theirs")
	tx := begin(t, db, "master", func(tx *datakit.Tx) error { return tx.Mkdir(ctx, "dir/empty") })
	for where, fault := range map[string]func() error{
		"writing": func() error { return errFull },
		"adopting": func() error { // the directory of the empty one must be read
			f.set(func() { f.read = func() error { return errFull } })
			return nil
		},
	} {
		f.set(func() { f.stage = fault })
		if _, err := tx.Merge(ctx, theirs); !errors.Is(err, errFull) {
			t.Fatalf("%s: merge: %v, want %v", where, err, errFull)
		}
		f.set(func() { f.stage, f.read = nil, nil })
		if parents, err := tx.Parents(ctx); err != nil || len(parents) != 1 || parents[0] != start {
			t.Errorf("%s: parents %v, %v, want %v", where, parents, err, start)
		}
		if m, err := tx.LastMerge(ctx); m != nil || err != nil {
			t.Errorf("%s: last merge %v, %v, want none", where, m, err)
		}
		if paths, err := tx.Conflicts(ctx); len(paths) != 0 || err != nil {
			t.Errorf("%s: conflicts %v, %v, want none", where, paths, err)
		}
		if got := read(t, tx, "f"); got != "ours" {
			t.Errorf("%s: f = %q, want what it was", where, got)
		}
		if there, err := tx.Exists(ctx, "dir/empty"); err != nil || !there {
			t.Errorf("%s: the empty directory is gone: %v", where, err)
		}
	}
	m, err := tx.Merge(ctx, theirs)
	if err != nil || len(m.Conflicts) != 1 {
		t.Fatalf("merge when all is well: %v, %v, want a conflict", m, err)
	}
	if there, err := tx.Exists(ctx, "dir/empty"); err != nil || !there {
		t.Errorf("the empty directory is gone: %v", err)
	}
}

// TestFS47_RemoveUnreadableBranch removes a branch whose reference cannot be
// read, which must not look as if it were gone.
func TestFS47_RemoveUnreadableBranch(t *testing.T) {
	t.Parallel()
	f, db := newFaulty(t)
	ctx := t.Context()
	b := db.Branch("master")
	if err := b.Update(ctx, "m", func(tx *datakit.Tx) error { return tx.WriteFile(ctx, "f", nil) }); err != nil {
		t.Fatal(err)
	}
	unreadable := errors.New("unreadable")
	f.set(func() { f.head = func() error { return unreadable } })
	if err := b.Remove(ctx); !errors.Is(err, unreadable) {
		t.Errorf("remove: %v, want %v", err, unreadable)
	}
	f.set(func() { f.head = nil })
	if h, err := b.Head(ctx); err != nil || h.IsZero() {
		t.Errorf("head %v, %v, want the commit", h, err)
	}
}

// TestFS224_PanicInACommit has the stores panic in the middle of a commit, and
// goes on.
func TestFS224_PanicInACommit(t *testing.T) {
	t.Parallel()
	f, db := newFaulty(t)
	ctx := t.Context()
	update := func() error {
		return db.Branch("master").Update(ctx, "m", func(tx *datakit.Tx) error { return tx.WriteFile(ctx, "f", []byte("text")) })
	}
	for name, set := range map[string]func(){
		"objects":    func() { f.stage = func() error { panic("test") } },
		"references": func() { f.refs = func() { panic("test") } },
		"both":       func() { f.stage, f.refs = func() error { panic("test") }, func() { panic("test") } },
		"plan":       func() { f.head = panicInPlan() },
	} {
		f.set(set)
		if err := update(); datakit.KindOf(err) != datakit.Internal {
			t.Errorf("%s: %v, want an internal error", name, err)
		}
		f.set(func() { f.stage, f.refs, f.head = nil, nil, nil })
		if err := update(); err != nil {
			t.Errorf("%s: the next commit: %v", name, err)
		}
	}
}

// panicInPlan panics the second time: the first is when a transaction begins.
func panicInPlan() func() error {
	n := 0
	return func() error {
		if n++; n > 1 {
			panic("test")
		}
		return nil
	}
}

// TestFS214_NotARenaming moves a branch to the head of another that is removed
// at the same time, by somebody else. One failing does not concern the other.
func TestFS214_NotARenaming(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	refs := memstore.NewRefs()
	driver := New(memstore.NewObjects(), refs, Options{})
	db := datakit.New(driver)
	defer db.Close()
	err := db.Branch("b").Update(ctx, "m", func(tx *datakit.Tx) error { return tx.WriteFile(ctx, "f", nil) })
	if err != nil {
		t.Fatal(err)
	}
	head, err := db.Branch("b").Head(ctx)
	if err != nil {
		t.Fatal(err)
	}
	held := refs.Prepare(ctx, []store.Update{{Branch: "b", Old: head}})
	defer held.Abort()
	g := newGroup(driver.commits)
	if err := errors.Join(g.fastForward("a", head), g.remove("b")); err != nil {
		t.Fatal(err)
	}
	if errs := g.commit(); errs["a"] != nil || !errors.Is(errs["b"], datakit.Locked) {
		t.Errorf("errors %v, want that b is locked", errs)
	}
	if got, err := db.Branch("a").Head(ctx); got != head || err != nil {
		t.Errorf("head of a %v, %v, want %v", got, err, head)
	}
}
