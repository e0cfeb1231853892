package p9

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"sync"
	"testing"

	"github.com/datakit/datakit/vfs"
)

// readEach reads small files of a directory, of which the sizes are known, and
// returns what is in those that are there.
func readEach(ctx context.Context, dir *Fid, names []string, size int) (map[string]string, error) {
	got := make(map[string]string)
	for len(names) > 0 {
		fids, missing := dir.WalkEach(ctx, names)
		stats, notStat := StatEach(ctx, fids)
		notOpen := OpenEach(ctx, fids, ReadOnly)
		p := make([][]byte, len(fids))
		for i := range p {
			p[i] = make([]byte, size)
		}
		n, notRead := ReadOnceEach(ctx, fids, p)
		ReleaseEach(fids)
		for i, f := range fids {
			err := errors.Join(missing[i], notStat[i], notOpen[i], notRead[i])
			switch {
			case err == nil && stats[i].Size == uint64(n[i]):
				got[names[i]] = string(p[i][:n[i]])
			case f != nil || !errors.Is(err, fs.ErrNotExist):
				return nil, fmt.Errorf("%s: %d bytes of %d, %w", names[i], n[i], stats[i].Size, err)
			}
		}
		names = names[len(fids):]
	}
	return got, nil
}

// TestCL6_SeveralFidsAtOnce: all files of a directory are read, whatever the
// limit and how many do so, and no fid is lost.
func TestCL6_SeveralFidsAtOnce(t *testing.T) {
	eachDialect(t, func(t *testing.T, d Dialect) {
		tree := newMemTree()
		var names []string
		want := make(map[string]string)
		for i := range 50 {
			name := fmt.Sprintf("f%d", i)
			want[name] = name
			tree.put(name, name)
			names = append(names, name, "absent"+name)
		}
		for _, limit := range []int{3, 1000} {
			c := newTestClient(t, serveTree(tree), &Options{Version: d.String(), MaxFids: limit})
			var wg sync.WaitGroup
			for range 10 {
				wg.Go(func() {
					got, err := readEach(t.Context(), c.Root(), names, 10)
					if err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
						t.Errorf("at most %d fids: read %v, %v", limit, got, err)
					}
				})
			}
			wg.Wait()
			wantNoFids(t, c)
		}
	})
}

func TestCL8_SeveralFidsCancelled(t *testing.T) {
	t.Parallel()
	tree := newMemTree()
	tree.put("f", "content")
	c := newTestClient(t, serveTree(tree), nil)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if fids, errs := c.Root().WalkEach(ctx, []string{"f", "f"}); fids[0] != nil || errs[0] != context.Canceled {
		t.Errorf("WalkEach = %v, %v", fids, errs)
	}
	fids, _ := c.Root().WalkEach(t.Context(), []string{"f", "f"})
	if errs := OpenEach(ctx, fids, ReadOnly); errs[0] != context.Canceled || errs[1] != context.Canceled {
		t.Errorf("OpenEach = %v", errs)
	}
	ReleaseEach(fids)
	wantNoFids(t, c)
}

// TestSeveralFidsOfStrangeNames: one that no message can carry does not keep the
// others from being found, and the target of a symlink is told.
func TestSeveralFidsOfStrangeNames(t *testing.T) {
	eachClient(t, func(t *testing.T, tree *memTree, c *Client) {
		tree.put("f", "content")
		link := tree.put("l", "")
		link.symlink, link.target = true, "target"
		long := string(bytes.Repeat([]byte("x"), 60_000))
		small := newTestClient(t, serveTree(tree), &Options{Version: c.Dialect().String(), Msize: 8192})
		fids, errs := small.Root().WalkEach(t.Context(), []string{"f", long, "l"})
		if fids[0] == nil || fids[1] != nil || fids[2] == nil || errs[1] == nil {
			t.Fatalf("WalkEach = %v, %v", fids, errs)
		}
		stats, errs := StatEach(t.Context(), fids)
		if stats[0].Size != 7 || c.Dialect() != Plain && (stats[2].Qid.Kind != vfs.KindSymlink || stats[2].Target != "target") {
			t.Errorf("StatEach = %+v, %v", stats, errs)
		}
		ReleaseEach(fids)
	})
}
