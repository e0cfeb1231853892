package odb

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/datakit/datakit/internal/cache"
	"github.com/datakit/datakit/internal/odb/packfile"
)

// streamDelta returns what a delta makes of a base, by way of files.
func streamDelta(t testing.TB, base, delta []byte) ([]byte, error) {
	t.Helper()
	f, err := os.Create(filepath.Join(t.TempDir(), "base"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.Write(base); err != nil {
		t.Fatal(err)
	}
	r, size, err := newDeltaReader(tempFile{f}, int64(len(base)), bytes.NewReader(delta))
	if err != nil {
		return nil, err
	}
	out := make([]byte, min(size, 1<<20))
	if _, err := io.ReadFull(r, out); err != nil {
		return nil, err
	}
	return out, ended(r)
}

// FuzzPack decodes whatever is at any place of a pack that is none.
func FuzzPack(f *testing.F) {
	dir := newRepo(f)
	gitHistory(f, dir, 3, 300)
	git(f, dir, nil, "repack", "-adfq")
	for _, base := range packFiles(f, dir, ".pack") {
		data, err := os.ReadFile(base)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data, uint32(3))
		f.Add(data[:len(data)/2], uint32(300))
	}
	f.Fuzz(func(t *testing.T, data []byte, n uint32) {
		if len(data) < packfile.HeaderSize+hashSize {
			return
		}
		data = bytes.Clone(data)
		rows := make([]packfile.Row, n%100)
		for i := range rows {
			rows[i].Off = int64(packfile.HeaderSize + i)
			rows[i].Hash[0] = byte(i)
		}
		copy(data, packfile.AppendHeader(nil, len(rows)))
		idx, err := packfile.ParseIndex(packfile.EncodeIndex(rows, data[len(data)-hashSize:]))
		if err != nil {
			t.Fatal(err)
		}
		p := newPack("fuzz", idx, &mapping{data: idx.Raw}, int64(len(data)))
		p.mapped.Store(&mapping{data: data})
		u := unpacker{bases: cache.New[baseKey, content](1 << 20)}
		for off := range int64(min(len(data), 500)) {
			p.header(off)
			u.read(p, off, 64<<10)
		}
	})
}

// FuzzDelta compares the two ways to apply a delta.
func FuzzDelta(f *testing.F) {
	f.Add([]byte("0123456789"), []byte("\x0a\x06\x91\x02\x03\x03abc"))
	f.Fuzz(func(t *testing.T, base, delta []byte) {
		want, err := packfile.ApplyDelta(base, delta, 1<<20)
		if err != nil {
			return
		}
		got, err := streamDelta(t, base, delta)
		if err != nil || !bytes.Equal(got, want) {
			t.Fatalf("the stream gives %d bytes, %v, want %d", len(got), err, len(want))
		}
	})
}

// FuzzMultiPack reads the names of packs from what is no index of them.
func FuzzMultiPack(f *testing.F) {
	dir := newRepo(f)
	gitHistory(f, dir, 3, 300)
	git(f, dir, nil, "repack", "-adq")
	git(f, dir, nil, "multi-pack-index", "write")
	data, err := os.ReadFile(filepath.Join(dir, "objects", "pack", "multi-pack-index"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Fuzz(func(t *testing.T, data []byte) {
		path := filepath.Join(t.TempDir(), "midx")
		if err := os.WriteFile(path, data, 0o644); err != nil {
			t.Fatal(err)
		}
		multiPackNames(path)
	})
}
