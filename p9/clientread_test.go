package p9

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"sync"
	"testing"
)

// TestCL6_FileInOneRoundTrip reads files of sizes around those of the messages,
// from many goroutines, with fewer fids and tags than they could use.
func TestCL6_FileInOneRoundTrip(t *testing.T) {
	eachDialect(t, func(t *testing.T, d Dialect) {
		tree := newMemTree()
		deep := strings.Repeat("d/", 40)
		want := make(map[string]string)
		for _, size := range []int{0, 1, firstRead - 1, firstRead, firstRead + 1, 10 * firstRead} {
			for _, dir := range []string{"", "dir/", deep} {
				name := fmt.Sprint(dir, "f", size)
				want[name] = strings.Repeat("x", size)
				tree.put(name, want[name])
			}
		}
		for _, o := range []Options{{MaxFids: 3}, {Msize: 1024}, {}} {
			o.Version = d.String()
			c := newTestClient(t, serveTree(tree), &o)
			var wg sync.WaitGroup
			for range 10 {
				wg.Go(func() {
					for name, content := range want {
						if b, err := c.Root().ReadFile(t.Context(), split(name)...); err != nil || string(b) != content {
							t.Errorf("%+v: read %d bytes of %s, %v", o, len(b), name, err)
						}
					}
					for _, name := range []string{"absent", "dir/absent", deep + "absent"} {
						if b, err := c.Root().ReadFile(t.Context(), split(name)...); !errors.Is(err, fs.ErrNotExist) {
							t.Errorf("ReadFile(%s) = %q, %v", name, b, err)
						}
					}
				})
			}
			wg.Wait()
			wantNoFids(t, c)
		}
	})
}

// TestCL6_FileThatCannotBeOpened: a directory, and a file that refuses, leave
// nothing behind.
func TestCL6_FileThatCannotBeOpened(t *testing.T) {
	eachClient(t, func(t *testing.T, tree *memTree, c *Client) {
		refused := errors.New("refused")
		tree.put("dir/f", "content").onOpen = func(context.Context) error { return refused }
		if b, err := c.Root().ReadFile(t.Context(), "dir", "f"); err == nil {
			t.Errorf("ReadFile of what cannot be opened = %q", b)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if b, err := c.Root().ReadFile(ctx, "dir", "f"); err != context.Canceled {
			t.Errorf("cancelled ReadFile = %q, %v", b, err)
		}
		wantNoFids(t, c)
	})
}
