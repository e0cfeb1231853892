package odb

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/internal/odb/packfile"
)

// A mergeRow is an object on the way into a merged pack.
type mergeRow struct {
	hash     datakit.Hash
	crc      uint32
	source   int
	off, end int64 // of its entry in the source
}

var errCRC = errors.New("checksum of an entry differs from that of the index")

// mergePacks makes a durable pack of all objects of others, by copying their
// entries as they are, and publishes it. The others stay, so whatever happens
// nothing is lost.
func (s *Store) mergePacks(ctx context.Context, packs []*pack) (_ *staged, err error) {
	n := 0
	for _, p := range packs {
		n += p.idx.N
	}
	rows := make([]mergeRow, 0, n)
	for i, p := range packs {
		if rows, err = p.mergeRows(rows, i); err != nil {
			return nil, p.failed(err)
		}
	}
	seen := make(map[datakit.Hash]struct{}, n)
	rows = slices.DeleteFunc(rows, func(r mergeRow) bool {
		had := len(seen)
		seen[r.hash] = struct{}{}
		return len(seen) == had
	})
	st, err := s.writePack(len(rows), func(w *packWriter) error { return copyRows(ctx, w, packs, rows) })
	if err != nil {
		return nil, err
	}
	return st, st.Publish()
}

// mergeRows appends the objects of a pack to rows, in the order in which they
// are there.
func (p *pack) mergeRows(rows []mergeRow, source int) ([]mergeRow, error) {
	first := len(rows)
	err := p.idxMap.guard(func() error {
		for i := range p.idx.N {
			rows = append(rows, mergeRow{datakit.Hash(p.idx.Name(i)), p.idx.CRC(i), source, p.idx.Offset(i), 0})
		}
		return nil
	})
	if err != nil {
		return rows, err
	}
	mine := rows[first:]
	slices.SortFunc(mine, func(a, b mergeRow) int { return cmp.Compare(a.off, b.off) })
	end := p.size - hashSize64
	for i := len(mine) - 1; i >= 0; i-- {
		if mine[i].off < packfile.HeaderSize || mine[i].off >= end {
			return rows, packfile.ErrIndex
		}
		mine[i].end, end = end, mine[i].off
	}
	return rows, nil
}

// copyRows copies rows, which are in the order of their sources.
func copyRows(ctx context.Context, w *packWriter, packs []*pack, rows []mergeRow) error {
	for len(rows) > 0 {
		n := 1
		for n < len(rows) && rows[n].source == rows[0].source {
			n++
		}
		p := packs[rows[0].source]
		if err := p.copyRows(ctx, w, rows[:n]); err != nil {
			p.unfit.Store(errors.Is(err, errCRC))
			return fmt.Errorf("%s: %w", p.name(), err)
		}
		rows = rows[n:]
	}
	return nil
}

func (p *pack) copyRows(ctx context.Context, w *packWriter, rows []mergeRow) error {
	f, err := p.openFile()
	if err != nil {
		return err
	}
	defer f.Close()
	at := rows[0].off
	r := newFileReader(f, at, p.size)
	for _, row := range rows {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := skip(r, row.off-at); err != nil {
			return err
		}
		w.begin()
		if err := w.copy(r, row.end-row.off); err != nil {
			return unexpected(err)
		}
		if w.crc != row.crc {
			return errCRC
		}
		w.end(row.hash)
		at = row.end
	}
	return nil
}

func skip(r *bufio.Reader, n int64) error {
	_, err := r.Discard(int(n))
	return unexpected(err)
}

// isPlain reports whether entries of the pack can be copied one by one: none
// is a delta, and the index has checksums.
func (p *pack) isPlain() bool {
	if p.idx.V1 || p.unfit.Load() {
		return false
	}
	if p.plain.Load() {
		return true
	}
	ok, err := p.hasNoDelta()
	p.plain.Store(ok && err == nil)
	p.unfit.Store(!ok || err != nil)
	return p.plain.Load()
}

func (p *pack) hasNoDelta() (ok bool, err error) {
	m, err := p.open()
	if err != nil {
		return false, err
	}
	ok = true
	err = m.guard(func() error {
		return p.idxMap.guard(func() error {
			for i := 0; i < p.idx.N && ok; i++ {
				e, err := packfile.ParseEntry(m.data, p.idx.Offset(i))
				if err != nil {
					return err
				}
				ok = !e.IsDelta()
			}
			return nil
		})
	})
	return ok, err
}
