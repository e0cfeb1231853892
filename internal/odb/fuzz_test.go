package odb

import (
	"bytes"
	"encoding/binary"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/internal/cache"
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

// FuzzIndex looks up names in indexes that are none.
func FuzzIndex(f *testing.F) {
	rows := []indexRow{{hash: datakit.Hash{1}, off: 12}, {hash: datakit.Hash{1, 2}, off: 1 << 40}, {hash: datakit.Hash{0xff}, off: 99}}
	f.Add(encodeIndex(rows, make([]byte, hashSize)))
	v1 := make([]byte, fanoutSize+2*(4+hashSize)+2*hashSize)
	for b := range 256 {
		v1[4*b+3] = 2
	}
	f.Add(v1)
	f.Fuzz(func(t *testing.T, raw []byte) {
		x, err := parseIndex(raw)
		if err != nil {
			return
		}
		if x.n > len(raw) {
			t.Fatalf("%d objects in %d bytes", x.n, len(raw))
		}
		for i := range x.n {
			h := datakit.Hash(x.name(i))
			if row, ok := x.find(&h); ok {
				x.offset(row)
				if !x.v1 {
					x.crc(row)
				}
			}
		}
		for b := range 256 {
			x.find(&datakit.Hash{byte(b), 7})
		}
	})
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
		if len(data) < packHeader+hashSize {
			return
		}
		data = bytes.Clone(data)
		rows := make([]indexRow, n%100)
		for i := range rows {
			rows[i].off = int64(packHeader + i)
			rows[i].hash[0] = byte(i)
		}
		copy(data, appendPackHeader(nil, len(rows)))
		idx, err := parseIndex(encodeIndex(rows, data[len(data)-hashSize:]))
		if err != nil {
			t.Fatal(err)
		}
		p := newPack("fuzz", idx, &mapping{data: idx.raw}, int64(len(data)))
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
		want, err := applyDelta(base, delta, 1<<20)
		if err != nil {
			return
		}
		got, err := streamDelta(t, base, delta)
		if err != nil || !bytes.Equal(got, want) {
			t.Fatalf("the stream gives %d bytes, %v, want %d", len(got), err, len(want))
		}
	})
}

// FuzzEntry checks that sizes survive.
func FuzzEntry(f *testing.F) {
	f.Add(uint64(0))
	f.Add(uint64(15))
	f.Add(uint64(1 << 35))
	f.Fuzz(func(t *testing.T, size uint64) {
		size >>= 4
		b := appendEntry(nil, 3, int64(size))
		kind, got, n := parseSize(b)
		if kind != 3 || uint64(got) != size || n != len(b) {
			t.Fatalf("%d becomes %v, %d in %d of %d bytes", size, kind, got, n, len(b))
		}
		v := binary.AppendUvarint(nil, size)
		if got, n := parseVarint(v); uint64(got) != size || n != len(v) {
			t.Fatalf("%d becomes %d in %d of %d bytes", size, got, n, len(v))
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
