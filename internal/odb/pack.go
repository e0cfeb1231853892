package odb

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/internal/odb/packfile"
)

const hashSize = len(datakit.Hash{})

// errGone is returned where a pack that its index promises has been removed by
// somebody.
var errGone = errors.New("the pack has been removed")

// packIDs numbers packs for the cache of delta bases.
var packIDs atomic.Uint64

// A pack is a pack file with its index. It is closed when the last reference
// is dropped: one is that of the packDir which lists it, others are those of
// readers.
type pack struct {
	id   uint64
	base string // the path without its extension
	idx  *packfile.Index
	size int64 // of the pack file

	plain atomic.Bool // known to have no deltas
	unfit atomic.Bool // not to be merged

	refs   atomic.Int64
	idxMap *mapping

	mu     sync.Mutex // taken to map the pack
	mapped atomic.Pointer[mapping]
}

// openPack opens the pack whose files are at base. The pack file itself is
// opened when it is read first.
func openPack(base string) (*pack, error) {
	size, err := fileSize(base + ".pack")
	if err != nil {
		return nil, err
	}
	m, err := openMapping(base + ".idx")
	if err != nil {
		return nil, fmt.Errorf("%s.idx: %w", filepath.Base(base), err)
	}
	var idx *packfile.Index
	err = m.guard(func() (err error) {
		idx, err = packfile.ParseIndex(m.data)
		return err
	})
	if err != nil {
		m.close()
		return nil, fmt.Errorf("%s.idx: %w", filepath.Base(base), err)
	}
	return newPack(base, idx, m, size), nil
}

func fileSize(path string) (int64, error) {
	st, err := os.Stat(path)
	if err != nil {
		return 0, err
	}
	return st.Size(), nil
}

func newPack(base string, idx *packfile.Index, m *mapping, size int64) *pack {
	p := &pack{id: packIDs.Add(1), base: base, idx: idx, idxMap: m, size: size}
	p.refs.Store(1)
	return p
}

// name returns the name of the pack without its extension.
func (p *pack) name() string { return filepath.Base(p.base) }

// acquire takes a reference, unless the last one has been dropped.
func (p *pack) acquire() bool {
	for {
		n := p.refs.Load()
		if n == 0 {
			return false
		}
		if p.refs.CompareAndSwap(n, n+1) {
			return true
		}
	}
}

// release drops a reference.
func (p *pack) release() {
	if p.refs.Add(-1) > 0 {
		return
	}
	p.idxMap.close()
	if m := p.mapped.Load(); m != nil {
		m.close()
	}
}

// find returns where in the pack an object is.
func (p *pack) find(h *datakit.Hash) (off int64, ok bool) {
	err := p.idxMap.guard(func() error {
		var row int
		if row, ok = p.idx.Find(h); ok {
			off = p.idx.Offset(row)
		}
		return nil
	})
	return off, ok && err == nil
}

// open returns the content of the pack, mapped. The caller holds a reference
// to p for as long as it uses it.
func (p *pack) open() (*mapping, error) {
	if m := p.mapped.Load(); m != nil {
		return m, nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if m := p.mapped.Load(); m != nil {
		return m, nil
	}
	m, err := openMapping(p.base + ".pack")
	if errors.Is(err, fs.ErrNotExist) {
		return nil, errGone
	}
	if err != nil {
		return nil, p.failed(err)
	}
	if err := m.guard(func() error { return p.check(m.data) }); err != nil {
		m.close()
		return nil, p.failed(err)
	}
	p.mapped.Store(m)
	return m, nil
}

func (p *pack) failed(err error) error { return fmt.Errorf("%s.pack: %w", p.name(), err) }

// check reports whether data is the pack that the index is for, as far as both
// of its ends tell.
func (p *pack) check(data []byte) error {
	if int64(len(data)) != p.size || len(data) < packfile.HeaderSize+hashSize {
		return errTruncated
	}
	version := binary.BigEndian.Uint32(data[4:])
	switch {
	case string(data[:4]) != packfile.Magic, version != 2 && version != 3:
		return errors.New("not a pack of version 2 or 3")
	case int64(binary.BigEndian.Uint32(data[8:])) != int64(p.idx.N):
		return errors.New("number of objects differs from that of the index")
	}
	return p.idxMap.guard(func() error {
		if !bytes.Equal(data[len(data)-hashSize:], p.idx.PackSum()) {
			return errors.New("checksum differs from that of the index")
		}
		return nil
	})
}

// openFile opens the pack for reading with system calls, as suits what is
// large: mapped pages count as memory of the process.
func (p *pack) openFile() (*os.File, error) {
	f, err := openShared(p.base + ".pack")
	if errors.Is(err, fs.ErrNotExist) {
		return nil, errGone
	}
	if err != nil {
		return nil, p.failed(err)
	}
	return f, nil
}
