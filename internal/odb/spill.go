package odb

import (
	"context"
	"errors"
	"io"
	"os"
	"sync"

	"github.com/datakit/datakit"
)

// spills are temporary files of the content of large blobs, which all who have
// the same blob open share.
type spills struct {
	mu    sync.Mutex
	files map[datakit.Hash]*spill
}

// A spill is one of them, which may not be there yet.
type spill struct {
	hash  datakit.Hash
	users int           // guarded by spills.mu
	turn  chan struct{} // holds one value while the file is used, made or removed
	f     *os.File      // nil until made; guarded by turn
}

// get returns the spill of a blob. Give it back with put.
func (s *spills) get(h datakit.Hash) *spill {
	s.mu.Lock()
	defer s.mu.Unlock()
	sp := s.files[h]
	if sp == nil {
		sp = &spill{hash: h, turn: make(chan struct{}, 1)}
		if s.files == nil {
			s.files = make(map[datakit.Hash]*spill)
		}
		s.files[h] = sp
	}
	sp.users++
	return sp
}

// put gives a spill back. The last one removes the file.
func (s *spills) put(sp *spill) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if sp.users--; sp.users > 0 {
		return
	}
	delete(s.files, sp.hash)
	if sp.f != nil {
		sp.f.Close()
		os.Remove(sp.f.Name())
	}
}

// file returns the file, after having fill write it if that was not done yet.
func (sp *spill) file(ctx context.Context, dir string, fill func(io.Writer) error) (*os.File, error) {
	select {
	case sp.turn <- struct{}{}:
		defer func() { <-sp.turn }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if sp.f != nil {
		return sp.f, nil
	}
	f, err := os.CreateTemp(dir, "blob-")
	if err != nil {
		return nil, err
	}
	if err := fill(f); err != nil {
		return nil, errors.Join(err, f.Close(), os.Remove(f.Name()))
	}
	sp.f = f
	return f, nil
}
