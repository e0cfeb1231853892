package p9

import (
	"fmt"
	"sync"
	"testing"
)

// BenchmarkFile walks to a small file, opens, reads and clunks it over a Unix
// socket, with a number of goroutines on one connection.
func BenchmarkFile(b *testing.B) {
	tree := newMemTree()
	tree.put("a/b/file", "content")
	for _, n := range []int{1, 16} {
		for _, d := range []Dialect{DotU, DotL} {
			b.Run(fmt.Sprintf("%v/%d", d, n), func(b *testing.B) {
				c := newTestClient(b, serveTree(tree), &Options{Version: d.String()})
				inParallel(b, n, func() {
					f, err := c.Open(b.Context(), "a/b/file", ReadOnly)
					if err != nil {
						b.Error(err)
						return
					}
					var p [64]byte
					if _, err := f.ReadOnce(b.Context(), p[:], 0); err != nil {
						b.Error(err)
					}
					if err := f.Close(); err != nil {
						b.Error(err)
					}
				})
			})
		}
	}
}

// BenchmarkStat measures one round trip.
func BenchmarkStat(b *testing.B) {
	tree := newMemTree()
	tree.put("file", "content")
	for _, n := range []int{1, 16} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			c := newTestClient(b, serveTree(tree), nil)
			f, err := c.Walk(b.Context(), "file")
			if err != nil {
				b.Fatal(err)
			}
			inParallel(b, n, func() {
				if _, err := f.Stat(b.Context()); err != nil {
					b.Error(err)
				}
			})
		})
	}
}

// BenchmarkTransfer reads and writes large files.
func BenchmarkTransfer(b *testing.B) {
	const size = 8 << 20
	tree := newMemTree()
	tree.put("file", string(make([]byte, size)))
	for _, msize := range []uint32{64 << 10, 1 << 20} {
		c := newTestClient(b, serveTree(tree), &Options{Msize: msize})
		f, err := c.Open(b.Context(), "file", ReadWrite)
		if err != nil {
			b.Fatal(err)
		}
		p := make([]byte, size)
		b.Run(fmt.Sprintf("read/%dK", msize>>10), func(b *testing.B) {
			b.SetBytes(size)
			for b.Loop() {
				if _, err := f.ReadAt(b.Context(), p, 0); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(fmt.Sprintf("write/%dK", msize>>10), func(b *testing.B) {
			b.SetBytes(size)
			for b.Loop() {
				if _, err := f.WriteAt(b.Context(), p, 0); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkList lists a directory of 1000 files.
func BenchmarkList(b *testing.B) {
	tree := newMemTree()
	for i := range 1000 {
		tree.put(fmt.Sprintf("dir/file%d", i), "")
	}
	for _, d := range allDialects {
		b.Run(d.String(), func(b *testing.B) {
			c := newTestClient(b, serveTree(tree), &Options{Version: d.String()})
			b.ReportAllocs()
			for b.Loop() {
				if list, err := c.ReadDir(b.Context(), "dir"); err != nil || len(list) != 1000 {
					b.Fatal(len(list), err)
				}
			}
		})
	}
}

// inParallel runs fn b.N times on n goroutines.
func inParallel(b *testing.B, n int, fn func()) {
	b.ReportAllocs()
	var wg sync.WaitGroup
	work := make(chan struct{}, b.N)
	for range b.N {
		work <- struct{}{}
	}
	close(work)
	for range n {
		wg.Go(func() {
			for range work {
				fn()
			}
		})
	}
	wg.Wait()
}
