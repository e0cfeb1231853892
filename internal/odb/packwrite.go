package odb

import (
	"context"
	"crypto/sha1"
	"encoding/hex"
	"hash"
	"hash/crc32"
	"io"
	"os"
	"slices"

	"github.com/datakit/datakit/internal/odb/packfile"
	"github.com/datakit/datakit/internal/store"
)

// flushSize is how much of a pack is gathered before it is written. Small
// packs are written by one call.
const flushSize = 1 << 20

// A packWriter writes a pack to a file.
type packWriter struct {
	f     *os.File
	files *fileOps
	level int // of compression of blobs

	buf  []byte // not written yet
	sum  hash.Hash
	off  int64  // of the end of buf in the pack
	crc  uint32 // of the entry so far
	rows []packfile.Row
}

// newPackWriter starts a pack of n objects in an empty file.
func newPackWriter(f *os.File, files *fileOps, level, n int) *packWriter {
	w := &packWriter{f: f, files: files, level: level, sum: sha1.New()}
	w.buf = packfile.AppendHeader(make([]byte, 0, 8<<10), n)
	w.off = packfile.HeaderSize
	w.rows = make([]packfile.Row, 0, n)
	return w
}

// Write appends to the pack.
func (w *packWriter) Write(p []byte) (int, error) {
	w.crc = crc32.Update(w.crc, crc32.IEEETable, p)
	w.off += int64(len(p))
	w.buf = append(w.buf, p...)
	if len(w.buf) >= flushSize {
		return len(p), w.flush()
	}
	return len(p), nil
}

// copy appends the next n bytes of r.
func (w *packWriter) copy(r io.Reader, n int64) error {
	for n > 0 {
		had := len(w.buf)
		piece := int(min(n, int64(max(flushSize-had, 1))))
		w.buf = slices.Grow(w.buf, piece)[:had+piece]
		p := w.buf[had:]
		if m, err := io.ReadFull(r, p); err != nil {
			w.buf = w.buf[:had+m]
			return err
		}
		w.crc = crc32.Update(w.crc, crc32.IEEETable, p)
		w.off += int64(piece)
		n -= int64(piece)
		if len(w.buf) >= flushSize {
			if err := w.flush(); err != nil {
				return err
			}
		}
	}
	return nil
}

func (w *packWriter) flush() error {
	w.sum.Write(w.buf)
	_, err := w.files.write(w.f, w.buf)
	w.buf = w.buf[:0]
	return err
}

// begin starts the entry of an object; its bytes are to be written next.
func (w *packWriter) begin() {
	w.crc = 0
	w.rows = append(w.rows, packfile.Row{Off: w.off})
}

// end ends an entry.
func (w *packWriter) end(h [hashSize]byte) {
	row := &w.rows[len(w.rows)-1]
	row.Hash, row.CRC = h, w.crc
}

// add appends an object.
func (w *packWriter) add(ctx context.Context, obj store.Object) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	w.begin()
	if obj.Data != nil || obj.Content == nil {
		obj.Size = int64(len(obj.Data))
	}
	var head [16]byte
	w.Write(packfile.AppendEntry(head[:0], obj.Type, obj.Size))
	if err := deflateObject(ctx, w, obj, w.level); err != nil {
		return err
	}
	w.end(obj.Hash)
	return nil
}

// finish ends the pack, and returns its checksum, which names it, and its
// index. The file is still open, and not flushed.
func (w *packWriter) finish() (name string, index []byte, err error) {
	w.sum.Write(w.buf)
	sum := w.sum.Sum(nil)
	w.buf = append(w.buf, sum...)
	w.off += hashSize64
	if _, err := w.files.write(w.f, w.buf); err != nil {
		return "", nil, err
	}
	return "pack-" + hex.EncodeToString(sum), packfile.EncodeIndex(w.rows, sum), nil
}

const hashSize64 = int64(hashSize)

var _ io.Writer = (*packWriter)(nil)
