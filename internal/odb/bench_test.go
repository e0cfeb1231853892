package odb

import (
	"fmt"
	"testing"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/internal/store"
)

// benchStore returns a store with many small blobs in one pack of git's making.
func benchStore(b *testing.B, cacheBytes int) (*Store, []datakit.Hash) {
	dir := newRepo(b)
	r := seeded(b)
	s := openStore(b, dir, &Options{CacheBytes: cacheBytes})
	var objs []store.Object
	var hashes []datakit.Hash
	for i := range 20_000 {
		obj := blobOf(fmt.Appendf(nil, "%d %s", i, text(r, 200)))
		objs = append(objs, obj)
		hashes = append(hashes, obj.Hash)
	}
	put(b, s, objs...)
	return s, hashes
}

func BenchmarkReadCached(b *testing.B) {
	s, hashes := benchStore(b, 64<<20)
	for i := 0; b.Loop(); i++ {
		if _, _, err := s.Read(hashes[i%1000]); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkReadUncached(b *testing.B) {
	s, hashes := benchStore(b, 1000)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if _, _, err := s.Read(hashes[i%len(hashes)]); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkHeader(b *testing.B) {
	s, hashes := benchStore(b, 1000)
	for i := 0; b.Loop(); i++ {
		if _, _, err := s.Header(hashes[i%len(hashes)]); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkMissing(b *testing.B) {
	s, _ := benchStore(b, 1000)
	var h datakit.Hash
	for i := 0; b.Loop(); i++ {
		h[i%20]++
		if _, _, err := s.Header(h); err == nil {
			b.Fatal("found")
		}
	}
}

func benchCommits(b *testing.B, opts *Options) {
	s := openStore(b, newRepo(b), opts)
	blobs := []store.Object{blobOf([]byte("a")), blobOf([]byte("b")), blobOf([]byte("c"))}
	for i := 0; b.Loop(); i++ {
		blobs[0] = blobOf(fmt.Append(nil, "version ", i))
		tree := treeOf(blobs...)
		commit := commitOf(tree, "message")
		st, err := s.Stage(b.Context(), []store.Object{blobs[0], blobs[1], blobs[2], tree, commit})
		if err != nil {
			b.Fatal(err)
		}
		if err := st.Publish(); err != nil {
			b.Fatal(err)
		}
		st.Release()
	}
}

func BenchmarkStagePublish(b *testing.B)       { benchCommits(b, nil) }
func BenchmarkStagePublishNoSync(b *testing.B) { benchCommits(b, &Options{NoSync: true}) }

// BenchmarkMerge merges packs of a single commit each, and of many objects,
// small or large: fewer than are merged in the background.
func BenchmarkMerge(b *testing.B) {
	for _, m := range []struct{ packs, objects, size int }{{24, 5, 100}, {24, 2500, 200}, {8, 20, 1 << 20}} {
		b.Run(fmt.Sprintf("packs=%d/objects=%d/size=%d", m.packs, m.objects, m.size), func(b *testing.B) {
			s := openStore(b, newRepo(b), &Options{NoSync: true})
			r := seeded(b)
			total := int64(0)
			for i := range m.packs {
				var objs []store.Object
				for j := range m.objects {
					objs = append(objs, blobOf(fmt.Appendf(nil, "%d %d %s", i, j, text(r, m.size))))
				}
				put(b, s, objs...)
			}
			packs, err := s.packs().mergeable()
			if err != nil || len(packs) < m.packs {
				b.Fatalf("%d packs, %v", len(packs), err)
			}
			defer func() {
				for _, p := range packs {
					p.release()
				}
			}()
			for _, p := range packs {
				total += p.size
			}
			b.SetBytes(total)
			b.ReportAllocs()
			for b.Loop() {
				st, err := s.mergePacks(b.Context(), packs)
				if err != nil {
					b.Fatal(err)
				}
				st.Release()
			}
		})
	}
}
