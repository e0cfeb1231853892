package remote

import (
	"bufio"
	"context"
	"crypto/sha1"
	"encoding/binary"
	"fmt"
	"io"

	"github.com/klauspost/compress/zlib"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/internal/object"
	"github.com/datakit/datakit/internal/store"
)

// writePack writes objects as a pack (gitformat-pack(5)), without deltas: what
// is pushed are small changes, and blobs of any size must pass in pieces.
func writePack(ctx context.Context, w io.Writer, objs store.Objects, hashes []datakit.Hash) error {
	sum := sha1.New()
	out := bufio.NewWriter(io.MultiWriter(w, sum))
	p := &packWriter{Writer: out, z: zlib.NewWriter(out), objs: objs}
	out.WriteString("PACK")
	binary.Write(out, binary.BigEndian, [2]uint32{2, uint32(len(hashes))})
	for _, h := range hashes {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := p.object(ctx, h); err != nil {
			return fmt.Errorf("pack %s: %w", h, err)
		}
	}
	if err := out.Flush(); err != nil { // tells of all failures before
		return err
	}
	_, err := w.Write(sum.Sum(nil))
	return err
}

// A packWriter writes entries of a pack.
type packWriter struct {
	*bufio.Writer
	z    *zlib.Writer
	objs store.Objects
}

func (p *packWriter) object(ctx context.Context, h datakit.Hash) error {
	t, size, err := p.objs.Header(h)
	if err != nil {
		return err
	}
	p.header(t, size)
	p.z.Reset(p.Writer)
	if t == object.BlobType {
		err = p.blob(ctx, h, size)
	} else {
		err = p.whole(h)
	}
	if err != nil {
		return err
	}
	return p.z.Close()
}

// header writes type and size: four bits of the size beside the type, then
// seven in each byte, of which all but the last have the highest bit set.
func (p *packWriter) header(t object.Type, size int64) {
	b := byte(t)<<4 | byte(size&15)
	for size >>= 4; size != 0; size >>= 7 {
		p.WriteByte(b | 0x80)
		b = byte(size & 0x7f)
	}
	p.WriteByte(b)
}

func (p *packWriter) whole(h datakit.Hash) error {
	_, raw, err := p.objs.Read(h)
	if err != nil {
		return err
	}
	_, err = p.z.Write(raw)
	return err
}

func (p *packWriter) blob(ctx context.Context, h datakit.Hash, size int64) error {
	b, err := p.objs.OpenBlob(h)
	if err != nil {
		return err
	}
	defer b.Close()
	n, err := io.Copy(p.z, datakit.NewReader(ctx, b))
	if err == nil && n != size {
		err = io.ErrUnexpectedEOF
	}
	return err
}
