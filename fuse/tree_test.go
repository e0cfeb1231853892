//go:build linux || darwin

package fuse

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"syscall"
	"testing"
	"time"

	gofuse "github.com/hanwen/go-fuse/v2/fuse"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/fsapi"
	"github.com/datakit/datakit/memdb"
)

// discard is a log that nobody reads.
var discard = slog.New(slog.DiscardHandler)

// newTestTree returns a tree without a mount, with branch b, which holds f and
// dir/g, and its head.
func newTestTree(t *testing.T) (*tree, string) {
	t.Helper()
	db := memdb.New(nil)
	ctx := context.Background()
	err := db.Branch("b").Update(ctx, "m", func(tx *datakit.Tx) error {
		if err := tx.Mkdir(ctx, "dir"); err != nil {
			return err
		}
		for _, name := range []datakit.Path{"f", "dir/g"} {
			if err := tx.Create(ctx, name, datakit.Normal, []byte("text")); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	head, err := db.Branch("b").Head(ctx)
	if err != nil {
		t.Fatal(err)
	}
	s := fsapi.New(db, nil).NewSession()
	m := &Mount{draining: newSignal(), canceled: newSignal()}
	tr := newTree(m, s.Root(), discard)
	t.Cleanup(func() {
		m.Cancel()
		tr.watchers.Wait()
		tr.handles.closeAll()
		s.Close()
		db.Close()
	})
	return tr, head.String()
}

// lookup walks to a path.
func (t *tree) lookup(path string) (out gofuse.EntryOut, status gofuse.Status) {
	out.NodeId = gofuse.FUSE_ROOT_ID
	for name := range strings.SplitSeq(path, "/") {
		up := out.NodeId
		out = gofuse.EntryOut{}
		if status := t.Lookup(nil, &gofuse.InHeader{NodeId: up}, name, &out); status != gofuse.OK {
			return out, status
		}
	}
	return out, gofuse.OK
}

// TestFS54_FS63_WhatTheKernelKeeps: what cannot change, and nothing else.
func TestFS54_FS63_WhatTheKernelKeeps(t *testing.T) {
	t.Parallel()
	tr, head := newTestTree(t)
	snapshot := "snapshots/" + head
	tree := "trees/D-" + treeOf(t, tr)
	for _, tt := range []struct {
		path       string
		name, attr time.Duration
	}{
		{"branch", 0, 0}, {"branch/b", 0, 0}, {"branch/b/head", 0, 0}, {"branch/b/head.live", 0, 0}, {"branch/b/ro", 0, 0},
		{"branch/b/ro/f", 0, keep}, {"branch/b/watch/x.node", 0, 0}, {"snapshots", 0, 0}, {snapshot + "/diff", 0, 0},
		{snapshot + "/diff/" + head, 0, 0}, {"debug/src", 0, 0},
		{snapshot, keep, keep}, {snapshot + "/hash", keep, keep}, {snapshot + "/ro", keep, keep}, {snapshot + "/ro/f", keep, keep},
		{snapshot + "/ro/dir", keep, keep}, {snapshot + "/ro/dir/g", keep, keep}, {"commits/" + head, keep, keep},
		{tree, keep, keep}, {tree + "/dir", keep, keep}, {tree + "/dir/g", keep, keep},
	} {
		out, status := tr.lookup(tt.path)
		if status != gofuse.OK || out.EntryTimeout() != tt.name || out.AttrTimeout() != tt.attr {
			t.Errorf("%s: %v, kept for %v and %v, want %v and %v", tt.path, status, out.EntryTimeout(), out.AttrTimeout(), tt.name, tt.attr)
		}
		var attr gofuse.AttrOut
		in := &gofuse.GetAttrIn{InHeader: gofuse.InHeader{NodeId: out.NodeId}}
		if status := tr.GetAttr(nil, in, &attr); status != gofuse.OK || attr.Timeout() != tt.attr {
			t.Errorf("attributes of %s: %v, kept for %v", tt.path, status, attr.Timeout())
		}
	}
	// That there is no such name is kept only where none can come.
	if out, status := tr.lookup(tree + "/none"); status != gofuse.OK || out.NodeId != 0 || out.EntryTimeout() != keep {
		t.Errorf("no such name in a tree: %v, %d, %v", status, out.NodeId, out.EntryTimeout())
	}
	for _, path := range []string{"branch/b/ro/none", "snapshots/" + strings.Repeat("0", 40), "trees/D-" + strings.Repeat("0", 40)} {
		if _, status := tr.lookup(path); status != gofuse.ENOENT {
			t.Errorf("%s: %v", path, status)
		}
	}
}

// treeOf returns the tree of branch b.
func treeOf(t *testing.T, tr *tree) string {
	t.Helper()
	line := tr.readAll(t, "branch/b/watch/tree.live")
	return strings.TrimSuffix(strings.TrimPrefix(line, "D-"), "\n")
}

// readAll returns what one read of a file yields.
func (t *tree) readAll(tb testing.TB, path string) string {
	tb.Helper()
	fh, _ := t.openPath(tb, path)
	return t.readOpen(tb, fh)
}

// readOpen reads once from an open file, and closes it.
func (t *tree) readOpen(tb testing.TB, fh uint64) string {
	tb.Helper()
	defer t.Release(nil, &gofuse.ReleaseIn{Fh: fh})
	buf := make([]byte, 1000)
	result, status := t.Read(nil, &gofuse.ReadIn{Fh: fh}, buf)
	if status != gofuse.OK {
		tb.Fatal(status)
	}
	text, _ := result.Bytes(nil)
	return string(text)
}

func (t *tree) openPath(tb testing.TB, path string) (fh uint64, flags uint32) {
	tb.Helper()
	entry, status := t.lookup(path)
	if status != gofuse.OK {
		tb.Fatalf("look up %s: %v", path, status)
	}
	return t.openNode(tb, entry.NodeId)
}

func (t *tree) openNode(tb testing.TB, id uint64) (fh uint64, flags uint32) {
	tb.Helper()
	var out gofuse.OpenOut
	in := &gofuse.OpenIn{InHeader: gofuse.InHeader{NodeId: id}, Flags: syscall.O_RDONLY}
	if status := t.Open(nil, in, &out); status != gofuse.OK {
		tb.Fatal(status)
	}
	return out.Fh, out.OpenFlags
}

// TestFS40_Versions: a file of a branch that has changed is another inode. The
// former one stays what it was, also for who opens it, as the change came between
// the look-up and the open.
func TestFS40_Versions(t *testing.T) {
	t.Parallel()
	tr, _ := newTestTree(t)
	old, _ := tr.lookup("branch/b/ro/f")
	other, _ := tr.lookup("branch/b/ro/dir/g")
	put(t, tr, "f", "changed")
	var attr gofuse.AttrOut
	in := &gofuse.GetAttrIn{InHeader: gofuse.InHeader{NodeId: old.NodeId}}
	if status := tr.GetAttr(nil, in, &attr); status != gofuse.OK || attr.Size != uint64(len("text")) {
		t.Errorf("the former content: %v, %d bytes", status, attr.Size)
	}
	fh, flags := tr.openNode(t, old.NodeId)
	if got := tr.readOpen(t, fh); got != "text" || flags != gofuse.FOPEN_KEEP_CACHE {
		t.Errorf("the former content is %q, flags %#x", got, flags)
	}
	now, _ := tr.lookup("branch/b/ro/f")
	if now.NodeId == old.NodeId || now.Ino != old.Ino || now.Size != uint64(len("changed")) {
		t.Errorf("the file is inode %d, %x, %d bytes; it was %d, %x", now.NodeId, now.Ino, now.Size, old.NodeId, old.Ino)
	}
	if got := tr.readAll(t, "branch/b/ro/f"); got != "changed" {
		t.Errorf("read %q", got)
	}
	if same, _ := tr.lookup("branch/b/ro/dir/g"); same.NodeId != other.NodeId {
		t.Error("a file that has not changed is another inode")
	}
}

// put commits a file to branch b.
func put(tb testing.TB, tr *tree, name, text string) {
	tb.Helper()
	make := func(dir, name string) {
		up, _ := tr.lookup(dir)
		in := &gofuse.MkdirIn{InHeader: gofuse.InHeader{NodeId: up.NodeId}}
		if status := tr.Mkdir(nil, in, name, new(gofuse.EntryOut)); status != gofuse.OK {
			tb.Fatal(status)
		}
	}
	write := func(path, text string) {
		fh, _ := tr.openPath(tb, path)
		defer tr.Release(nil, &gofuse.ReleaseIn{Fh: fh})
		if _, status := tr.Write(nil, &gofuse.WriteIn{Fh: fh}, []byte(text)); status != gofuse.OK {
			tb.Fatal(status)
		}
	}
	make("branch/b/transactions", "put")
	write("branch/b/transactions/put/rw/"+name, text)
	write("branch/b/transactions/put/ctl", "commit")
}

func TestFS40_FS54_DirectIO(t *testing.T) {
	t.Parallel()
	tr, head := newTestTree(t)
	for path, want := range map[string]uint32{
		"branch/b/ro/f":               gofuse.FOPEN_KEEP_CACHE,
		"branch/b/head":               gofuse.FOPEN_DIRECT_IO,
		"branch/b/head.live":          gofuse.FOPEN_DIRECT_IO,
		"snapshots/" + head + "/ro/f": gofuse.FOPEN_KEEP_CACHE,
	} {
		fh, flags := tr.openPath(t, path)
		if flags != want {
			t.Errorf("%s is opened with %#x, want %#x", path, flags, want)
		}
		tr.Release(nil, &gofuse.ReleaseIn{Fh: fh})
	}
}

// TestFS175_Inodes: a name leads to the same inode as long as it is known.
func TestFS175_Inodes(t *testing.T) {
	t.Parallel()
	tr, _ := newTestTree(t)
	a, _ := tr.lookup("branch/b/ro/f")
	b, _ := tr.lookup("branch/b/ro/f")
	if a.NodeId != b.NodeId || a.Ino != b.Ino {
		t.Errorf("two looks find %d, %x and %d, %x", a.NodeId, a.Ino, b.NodeId, b.Ino)
	}
	other, _ := tr.lookup("branch/b/ro/dir/g")
	if other.NodeId == a.NodeId || other.Ino == a.Ino {
		t.Error("two files are one inode")
	}
}

// TestFS211_Forgotten: what the kernel forgets is gone.
func TestFS211_Forgotten(t *testing.T) {
	t.Parallel()
	tr, head := newTestTree(t)
	known := map[uint64]uint64{}
	for range 3 {
		for _, path := range []string{"branch/b/ro/f", "snapshots/" + head + "/ro/dir/g"} {
			steps := strings.Split(path, "/")
			for i := range steps {
				out, status := tr.lookup(strings.Join(steps[:i+1], "/"))
				if status != gofuse.OK {
					t.Fatal(status)
				}
				known[out.NodeId]++
			}
		}
	}
	tr.inodes.mu.Lock()
	for _, n := range tr.inodes.byID {
		known[n.id] = n.known // each walk has looked up the steps before, too
	}
	tr.inodes.mu.Unlock()
	for id, n := range known {
		tr.Forget(id, n)
	}
	if n := len(tr.inodes.byID); n != 1 || len(tr.inodes.byID[gofuse.FUSE_ROOT_ID].below) != 0 {
		t.Errorf("%d inodes are left: %v", n, tr.inodes.byID)
	}
	if out, status := tr.lookup("branch/b/ro/f"); status != gofuse.OK || known[out.NodeId] != 0 {
		t.Errorf("after that: %v, inode %d", status, out.NodeId)
	}
}

// TestFS82_Interrupts: one that waits ends at once, another a moment later.
func TestFS82_Interrupts(t *testing.T) {
	t.Parallel()
	tr, _ := newTestTree(t)
	interrupted := make(chan struct{})
	close(interrupted)

	r := tr.begin(interrupted)
	r.waits = true
	if r.Err() == nil {
		t.Error("a read that waits goes on when it is interrupted")
	}
	<-r.Done()
	r.finish()

	r = tr.begin(interrupted)
	if err := r.Err(); err != nil {
		t.Errorf("another request ends at once with %v", err)
	}
	<-r.Done() // which takes a second
	if r.Err() == nil {
		t.Error("it is done without an error")
	}
	r.finish()

	r = tr.begin(interrupted)
	r.Done()
	r.finish() // in time
	if r.Err() != nil {
		t.Errorf("a request that is answered has failed: %v", r.Err())
	}

	r = tr.begin(nil)
	tr.m.Cancel()
	<-r.Done()
	r.finish()
	tr.watchers.Wait()
}

func TestFS82_FlushedReadLosesNothing(t *testing.T) {
	t.Parallel()
	tr, head := newTestTree(t)
	fh, _ := tr.openPath(t, "branch/b/head.live")
	buf := make([]byte, 100)
	interrupted := make(chan struct{})
	close(interrupted)
	if _, status := tr.Read(interrupted, &gofuse.ReadIn{Fh: fh}, buf); status != gofuse.EINTR {
		t.Errorf("an interrupted read: %v, want EINTR", status)
	}
	result, status := tr.Read(nil, &gofuse.ReadIn{Fh: fh}, buf)
	if status != gofuse.OK || result.Size() != len(head)+1 {
		t.Fatalf("the read after it: %v", status)
	}
	ended := make(chan gofuse.Status)
	go func() {
		_, status := tr.Read(nil, &gofuse.ReadIn{Fh: fh, Offset: uint64(len(head) + 1)}, buf)
		ended <- status
	}()
	tr.m.Drain()
	if status := <-ended; status != gofuse.EIO {
		t.Errorf("a read that waits as the mount ends: %v, want EIO", status)
	}
}

// TestFS43_Listing: what vanished is left out, and rewinding lists anew.
func TestFS43_Listing(t *testing.T) {
	t.Parallel()
	tr, _ := newTestTree(t)
	for _, name := range []string{"x", "y"} {
		branch, _ := tr.lookup("branch")
		in := &gofuse.MkdirIn{InHeader: gofuse.InHeader{NodeId: branch.NodeId}}
		if status := tr.Mkdir(nil, in, name, new(gofuse.EntryOut)); status != gofuse.OK {
			t.Fatal(status)
		}
	}
	branch, _ := tr.lookup("branch")
	header := gofuse.InHeader{NodeId: branch.NodeId}
	var open gofuse.OpenOut
	if status := tr.OpenDir(nil, &gofuse.OpenIn{InHeader: header}, &open); status != gofuse.OK {
		t.Fatal(status)
	}
	if got := tr.names(t, open.Fh, 0); got != "[. .. b x y]" {
		t.Errorf("listed %s", got)
	}
	if status := tr.Rmdir(nil, &header, "x"); status != gofuse.OK {
		t.Fatal(status)
	}
	if got := tr.names(t, open.Fh, 1); got != "[.. b y]" {
		t.Errorf("listed %s after an entry has vanished", got)
	}
	if got := tr.names(t, open.Fh, 0); got != "[. .. b y]" {
		t.Errorf("listed %s after rewinding", got)
	}
	tr.ReleaseDir(&gofuse.ReleaseIn{Fh: open.Fh})
}

// names lists an open directory from an offset on.
func (t *tree) names(tb testing.TB, fh, off uint64) string {
	tb.Helper()
	var names []string
	for {
		out := gofuse.NewDirEntryList(make([]byte, 80), off) // few at a time
		if status := t.ReadDir(nil, &gofuse.ReadIn{Fh: fh, Offset: off}, out); status != gofuse.OK {
			tb.Fatal(status)
		}
		list, err := gofuse.ParseDirEntries(out.Bytes())
		if err != nil && err != io.EOF {
			tb.Fatal(err)
		}
		if len(list) == 0 {
			return fmt.Sprint(names)
		}
		for _, e := range list {
			names = append(names, e.Name)
			off = e.Off
		}
	}
}
