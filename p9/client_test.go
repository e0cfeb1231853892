package p9

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/datakit/datakit/vfs"
)

// newTestClient returns a client of srv that is closed when the test ends.
func newTestClient(t testing.TB, srv *Server, opts *Options) *Client {
	t.Helper()
	c, err := NewClient(t.Context(), connect(t, srv), opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// eachClient runs fn with a client of each dialect.
func eachClient(t *testing.T, fn func(t *testing.T, tree *memTree, c *Client)) {
	eachDialect(t, func(t *testing.T, d Dialect) {
		tree := newMemTree()
		c := newTestClient(t, serveTree(tree), &Options{Version: d.String()})
		if c.Dialect() != d {
			t.Fatalf("dialect is %v, want %v", c.Dialect(), d)
		}
		fn(t, tree, c)
	})
}

// wantNoFids checks that c has given back all fids but that of the root.
func wantNoFids(t testing.TB, c *Client) {
	t.Helper()
	check(t, c.Ping(t.Context())) // which is answered after all that was released
	if n := len(c.slots); n != 0 {
		t.Errorf("%d fids are in use at the end", n)
	}
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestClientPaths(t *testing.T) {
	eachClient(t, func(t *testing.T, tree *memTree, c *Client) {
		ctx := t.Context()
		check(t, c.Mkdir(ctx, "dir", 0o775))
		check(t, c.WriteFile(ctx, "dir/file", []byte("hello"), 0o775))
		got, err := c.ReadFile(ctx, "dir/file")
		if err != nil || string(got) != "hello" {
			t.Errorf("ReadFile = %q, %v", got, err)
		}
		check(t, c.WriteFile(ctx, "dir/file", []byte("bye"), 0o664))
		st, err := c.Stat(ctx, "dir/file")
		want := vfs.Stat{Qid: st.Qid, Name: "file", Perm: 0o775, Size: 3, ModTime: testTime}
		if err != nil || st != want {
			t.Errorf("Stat = %+v, %v, want %+v", st, err, want)
		}
		check(t, c.Truncate(ctx, "dir/file", 1))
		check(t, c.Chmod(ctx, "dir/file", vfs.Mode{Perm: 0o644}))
		st, err = c.Stat(ctx, "dir/file")
		if err != nil || st.Size != 1 || st.Perm != 0o664 {
			t.Errorf("after Truncate and Chmod: %+v, %v", st, err)
		}
		check(t, c.Rename(ctx, "dir/file", "dir/new"))
		list, err := c.ReadDir(ctx, "dir")
		if err != nil || len(list) != 1 || list[0].Name != "new" {
			t.Errorf("ReadDir = %v, %v", list, err)
		}
		check(t, c.Remove(ctx, "dir"))
		if _, err := c.Stat(ctx, "dir/new"); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("Stat of what was removed: %v", err)
		}
	})
}

func TestClientSymlinks(t *testing.T) {
	eachClient(t, func(t *testing.T, tree *memTree, c *Client) {
		ctx := t.Context()
		if c.Dialect() == Plain {
			if _, err := tree.root.Symlink(ctx, "link", "target"); err != nil {
				t.Fatal(err)
			}
		} else {
			check(t, c.Symlink(ctx, "link", "target"))
		}
		st, err := c.Stat(ctx, "link")
		if err != nil || st.Qid.Kind != vfs.KindSymlink || st.Target != "target" {
			t.Errorf("Stat = %+v, %v", st, err)
		}
		target, err := c.Readlink(ctx, "link")
		if err != nil || target != "target" {
			t.Errorf("Readlink = %q, %v", target, err)
		}
		list, err := c.Root().ReadDirStats(ctx)
		if err != nil || len(list) != 1 || list[0].Target != "target" {
			t.Errorf("ReadDirStats = %+v, %v", list, err)
		}
	})
}

// TestFS43_DamagedEntry lists a directory one entry of which cannot be described.
func TestFS43_DamagedEntry(t *testing.T) {
	eachClient(t, func(t *testing.T, tree *memTree, c *Client) {
		ctx := t.Context()
		tree.put("dir/a", "text")
		tree.put("dir/b", "text").damaged = true
		tree.put("dir/c", "text")
		err := c.Root().with(ctx, []string{"dir"}, func(d *Fid) error {
			list, err := d.ReadDirStats(ctx)
			for i, want := range []vfs.Stat{{Name: "a", Size: 4}, {Name: "b"}, {Name: "c", Size: 4}} {
				if err == nil && (len(list) != 3 || list[i].Name != want.Name || list[i].Size != want.Size) {
					t.Fatalf("ReadDirStats = %+v", list)
				}
			}
			return err
		})
		if err != nil {
			t.Errorf("ReadDirStats: %v", err)
		}
		if _, err := c.Stat(ctx, "dir/b"); err == nil {
			t.Error("Stat of the damaged entry succeeded")
		}
		if st, err := c.Stat(ctx, "dir/c"); err != nil || st.Size != 4 {
			t.Errorf("Stat of the entry beside it = %+v, %v", st, err)
		}
	})
}

func TestClientUnlink(t *testing.T) {
	eachClient(t, func(t *testing.T, tree *memTree, c *Client) {
		ctx := t.Context()
		tree.put("dir/file", "")
		tree.put("file", "")
		for _, tt := range []struct {
			name string
			dir  bool
			want *vfs.Error
		}{
			{"dir", false, vfs.ErrIsDir},
			{"dir", true, vfs.ErrNotEmpty},
			{"file", true, vfs.ErrNotDir},
			{"none", false, vfs.ErrNotExist},
			{"file", false, nil},
		} {
			err := c.Root().Unlink(ctx, tt.name, tt.dir)
			var e *Error
			if tt.want == nil && err != nil || tt.want != nil && (!errors.As(err, &e) || e.Errno != tt.want.Errno) {
				t.Errorf("Unlink(%q, %v) = %v, want %v", tt.name, tt.dir, err, tt.want)
			}
		}
	})
}

func TestCL3_LargeReadsAndWrites(t *testing.T) {
	eachDialect(t, func(t *testing.T, d Dialect) {
		tree := newMemTree()
		tree.put("f", "")
		c := newTestClient(t, serveTree(tree), &Options{Version: d.String(), Msize: 1000})
		data := make([]byte, 100_000)
		rand.NewChaCha8([32]byte{}).Read(data)
		check(t, c.WriteFile(t.Context(), "f", data, 0o664))
		got, err := c.ReadFile(t.Context(), "f")
		if err != nil || !bytes.Equal(got, data) {
			t.Errorf("ReadFile = %d bytes, %v", len(got), err)
		}
		f, err := c.Open(t.Context(), "f", ReadOnly)
		check(t, err)
		part := make([]byte, 50_000)
		if n, err := f.ReadAt(t.Context(), part, 12345); n != len(part) || err != nil || !bytes.Equal(part, data[12345:][:n]) {
			t.Errorf("ReadAt = %d, %v", n, err)
		}
		check(t, f.Close())
	})
}

func TestCL5_ManyGoroutines(t *testing.T) {
	eachClient(t, func(t *testing.T, tree *memTree, c *Client) {
		ctx := t.Context()
		var wg sync.WaitGroup
		for i := range 50 {
			wg.Go(func() {
				name := fmt.Sprintf("file%d", i)
				for j := range 20 {
					want := fmt.Sprintf("%d %d", i, j)
					if err := c.WriteFile(ctx, name, []byte(want), 0o664); err != nil {
						t.Errorf("WriteFile: %v", err)
						return
					}
					if got, err := c.ReadFile(ctx, name); err != nil || string(got) != want {
						t.Errorf("ReadFile = %q, %v, want %q", got, err, want)
					}
				}
			})
		}
		wg.Wait()
		eventually(t, "closing of all files", func() bool { return tree.open.Load() == 0 })
	})
}

// waitingFile makes f a file whose reads wait for a line, and each of which
// says that it has begun.
func waitingFile(f *memFile) (lines chan<- string, begun <-chan struct{}) {
	in, start := make(chan string), make(chan struct{}, 100)
	f.maxRead = 64
	f.onRead = func(ctx context.Context, p []byte, _ uint64) (int, error) {
		vfs.MayWait(ctx)
		start <- struct{}{}
		select {
		case line := <-in:
			return copy(p, line), nil
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	}
	return in, start
}

func TestCL8_CancelledReadLosesNothing(t *testing.T) {
	eachClient(t, func(t *testing.T, tree *memTree, c *Client) {
		lines, begun := waitingFile(tree.put("live", ""))
		s, err := c.OpenStream(t.Context(), "live")
		check(t, err)
		ctx, cancel := context.WithCancel(t.Context())
		go func() { <-begun; cancel() }()
		if _, err := s.Next(ctx); err != context.Canceled {
			t.Errorf("cancelled Next: %v", err)
		}
		go func() { <-begun; lines <- "one\n" }()
		if line, err := s.Next(t.Context()); line != "one" || err != nil {
			t.Errorf("Next = %q, %v", line, err)
		}
		check(t, s.Close())
	})
}

func TestCL11_LostConnection(t *testing.T) {
	eachClient(t, func(t *testing.T, tree *memTree, c *Client) {
		_, begun := waitingFile(tree.put("live", ""))
		s, err := c.OpenStream(t.Context(), "live")
		check(t, err)
		go func() { <-begun; c.Close() }()
		if _, err := s.Next(t.Context()); !errors.Is(err, ErrConnection) {
			t.Errorf("Next on a lost connection: %v", err)
		}
		if _, err := c.Stat(t.Context(), "live"); !errors.Is(err, ErrConnection) {
			t.Errorf("Stat on a lost connection: %v", err)
		}
		if err := s.Close(); !errors.Is(err, ErrConnection) {
			t.Errorf("Close on a lost connection: %v", err)
		}
		check(t, c.Close())
	})
}
