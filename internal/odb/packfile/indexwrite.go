package packfile

import (
	"bytes"
	"cmp"
	"crypto/sha1"
	"encoding/binary"
	"math"
	"slices"

	"github.com/datakit/datakit"
)

// A Row is an object of a pack, as its index has it.
type Row struct {
	Hash datakit.Hash
	CRC  uint32 // of the entry as it is in the pack
	Off  int64  // of the entry in the pack
}

// compareRows compares names, most of which differ at their beginning.
func compareRows(a, b Row) int {
	x, y := binary.BigEndian.Uint64(a.Hash[:]), binary.BigEndian.Uint64(b.Hash[:])
	if x != y {
		return cmp.Compare(x, y)
	}
	return bytes.Compare(a.Hash[:], b.Hash[:])
}

// EncodeIndex returns the index, version 2, of a pack with the given checksum.
// It sorts rows.
func EncodeIndex(rows []Row, packSum []byte) []byte {
	slices.SortFunc(rows, compareRows)
	b := make([]byte, 0, len(indexMagic)+fanoutSize+len(rows)*(hashSize+8)+2*hashSize)
	b = append(b, indexMagic...)
	at := 0
	for first := range 256 {
		for at < len(rows) && int(rows[at].Hash[0]) == first {
			at++
		}
		b = binary.BigEndian.AppendUint32(b, uint32(at))
	}
	for i := range rows {
		b = append(b, rows[i].Hash[:]...)
	}
	for i := range rows {
		b = binary.BigEndian.AppendUint32(b, rows[i].CRC)
	}
	b = appendOffsets(b, rows)
	b = append(b, packSum...)
	sum := sha1.Sum(b)
	return append(b, sum[:]...)
}

func appendOffsets(b []byte, rows []Row) []byte {
	var large []byte
	for i := range rows {
		off := rows[i].Off
		if off > math.MaxInt32 {
			row := uint32(len(large) / 8)
			large = binary.BigEndian.AppendUint64(large, uint64(off))
			off = 1<<31 | int64(row)
		}
		b = binary.BigEndian.AppendUint32(b, uint32(off))
	}
	return append(b, large...)
}
