package odb

import (
	"errors"
	"hash"

	"sync"
	"sync/atomic"

	"github.com/datakit/datakit"
)

// errLayout is returned for content that does not lie in its pack as
// writeStored puts it there.
var errLayout = errors.New("not stored in blocks of one size")

// A storedBlob reads content that writeStored has written, anywhere.
type storedBlob struct {
	src     packSource
	size    int64
	checked atomic.Int64 // a block that begins as it should
	broken  atomic.Bool  // another layout showed up

	trusted bool                 // the content is known to have its name
	found   func(h datakit.Hash) // is told when it is

	mu  sync.Mutex // guards what follows
	sum hash.Hash  // of the content before off
	off int64
}

// openStored returns nil if the content has obviously another layout: its
// begin, its first block or its last are not what they would be.
func openStored(src packSource, size int64) *storedBlob {
	if size == 0 || src.off+storedSize(size) > src.end {
		return nil
	}
	b := &storedBlob{src: src, size: size, sum: blobSum(size)}
	b.checked.Store(-1)
	var start [len(storedHeader)]byte
	if _, err := src.ReadAt(start[:], src.off); err != nil || string(start[:]) != storedHeader {
		return nil
	}
	if b.check(0) != nil || b.check((size-1)/storedBlock) != nil {
		return nil
	}
	return b
}

// prefix returns where in the pack a block begins.
func (b *storedBlob) prefix(block int64) int64 {
	return b.src.off + int64(len(storedHeader)) + block*(storedPrefix+storedBlock)
}

// check reads the prefix of a block.
func (b *storedBlob) check(block int64) error {
	if b.checked.Load() == block {
		return nil
	}
	var got [storedPrefix]byte
	if _, err := b.src.ReadAt(got[:], b.prefix(block)); err != nil {
		return unexpected(err)
	}
	if got != blockPrefix(b.size, block*storedBlock) {
		return errLayout
	}
	b.checked.Store(block)
	return nil
}

// read fills p, which lies within the content.
func (b *storedBlob) read(p []byte, off int64, h datakit.Hash) error {
	if b.broken.Load() {
		return errLayout
	}
	for n := 0; n < len(p); {
		at := off + int64(n)
		block, in := at/storedBlock, at%storedBlock
		if err := b.check(block); err != nil {
			b.broken.Store(err == errLayout)
			return err
		}
		piece := p[n:min(int64(len(p)), int64(n)+storedBlock-in)]
		if _, err := b.src.ReadAt(piece, b.prefix(block)+storedPrefix+in); err != nil {
			return unexpected(err)
		}
		n += len(piece)
	}
	if b.trusted {
		return nil
	}
	return b.verify(p, off, h)
}

// verify adds what was read to the checksum, if it follows what was read
// before, and compares that with the name at the end.
func (b *storedBlob) verify(p []byte, off int64, h datakit.Hash) error {
	if !b.mu.TryLock() {
		return nil
	}
	defer b.mu.Unlock()
	if off != b.off {
		return nil
	}
	b.sum.Write(p)
	b.off += int64(len(p))
	if b.off < b.size {
		return nil
	}
	if datakit.Hash(b.sum.Sum(nil)) != h {
		return errName
	}
	b.found(h)
	return nil
}
