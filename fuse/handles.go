//go:build linux || darwin

package fuse

import (
	"sync"

	"github.com/datakit/datakit/vfs"
)

// handles are the open files and directories, by their numbers.
type handles struct {
	mu   sync.Mutex // guards what follows
	open map[uint64]*handle
	last uint64
}

// A handle is an open file or directory.
type handle struct {
	node    vfs.Node
	file    vfs.File // nil for a directory
	listing *listing // nil for a file
	waits   bool     // file is a vfs.WaitingFile
	whole   bool     // reads must be answered in full, as the kernel keeps what it reads
	appends bool     // file writes at the end
}

// add gives h a number.
func (hs *handles) add(h *handle) uint64 {
	hs.mu.Lock()
	defer hs.mu.Unlock()
	if hs.open == nil {
		hs.open = make(map[uint64]*handle)
	}
	hs.last++
	hs.open[hs.last] = h
	return hs.last
}

// find returns what has a number, or nil.
func (hs *handles) find(n uint64) *handle {
	hs.mu.Lock()
	defer hs.mu.Unlock()
	return hs.open[n]
}

// drop closes what has a number.
func (hs *handles) drop(n uint64) {
	hs.mu.Lock()
	h := hs.open[n]
	delete(hs.open, n)
	hs.mu.Unlock()
	h.close()
}

// closeAll closes everything.
func (hs *handles) closeAll() {
	hs.mu.Lock()
	open := hs.open
	hs.open = nil
	hs.mu.Unlock()
	for _, h := range open {
		h.close()
	}
}

// close closes what is open. Nobody is told of failures.
func (h *handle) close() {
	if h != nil && h.file != nil {
		h.file.Close()
	}
}
