package packfile

import (
	"encoding/binary"
	"fmt"
	"testing"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/internal/object"
)

// FuzzIndex looks up names in indexes that are none.
func FuzzIndex(f *testing.F) {
	rows := []Row{{Hash: datakit.Hash{1}, Off: 12}, {Hash: datakit.Hash{1, 2}, Off: 1 << 40}, {Hash: datakit.Hash{0xff}, Off: 99}}
	f.Add(EncodeIndex(rows, make([]byte, hashSize)))
	v1 := make([]byte, fanoutSize+2*(4+hashSize)+2*hashSize)
	for b := range 256 {
		v1[4*b+3] = 2
	}
	f.Add(v1)
	f.Fuzz(func(t *testing.T, raw []byte) {
		x, err := ParseIndex(raw)
		if err != nil {
			return
		}
		if x.N > len(raw) {
			t.Fatalf("%d objects in %d bytes", x.N, len(raw))
		}
		for i := range x.N {
			h := datakit.Hash(x.Name(i))
			if row, ok := x.Find(&h); ok {
				x.Offset(row)
				if !x.V1 {
					x.CRC(row)
				}
			}
		}
		for b := range 256 {
			x.Find(&datakit.Hash{byte(b), 7})
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
		b := AppendEntry(nil, 3, int64(size))
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

func TestIndexOfLargePacks(t *testing.T) {
	t.Parallel()
	var rows []Row
	for i := range 1000 {
		rows = append(rows, Row{object.Name(object.BlobType, fmt.Append(nil, i)), uint32(i), int64(i) << 24})
	}
	x, err := ParseIndex(EncodeIndex(rows, make([]byte, hashSize)))
	if err != nil {
		t.Fatal(err)
	}
	for i := range rows {
		row, ok := x.Find(&rows[i].Hash)
		if !ok || x.Offset(row) != rows[i].Off || x.CRC(row) != rows[i].CRC {
			t.Fatalf("row %d: found %v, offset %d, want %d", i, ok, x.Offset(row), rows[i].Off)
		}
	}
}
