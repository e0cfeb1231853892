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
