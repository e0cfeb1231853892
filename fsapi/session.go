package fsapi

import (
	"context"
	"io"
	"sync"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/vfs"
)

// A Session is the tree as one connection sees it, with what belongs to that
// connection alone: transactions, branches without a head, remotes, and the
// results of commands.
type Session struct {
	fs   *FS
	db   *datakit.DB
	root *rootDir

	// names is held by what gives, changes or takes away the name of a branch
	// or makes a transaction, so that each finds the others done.
	names vfs.Turns

	mu      sync.Mutex // guards the fields below, and the names and states of branches
	closed  bool
	held    registry[branch]
	kept    map[string]*branch // the branches that have transactions or are empty
	remotes map[string]*remote
	streams map[io.Closer]struct{}
}

// NewSession returns the tree for a new connection. Close it.
func (fs *FS) NewSession() *Session {
	s := &Session{
		fs:      fs,
		db:      fs.db,
		kept:    make(map[string]*branch),
		remotes: make(map[string]*remote),
		streams: make(map[io.Closer]struct{}),
	}
	s.root = newRoot(s)
	fs.mu.Lock()
	fs.sessions[s] = struct{}{}
	fs.mu.Unlock()
	return s
}

// Root returns the root of the tree.
func (s *Session) Root() vfs.Dir { return s.root }

// Close ends the transactions, streams and remotes of the session, with
// nothing published, and cancels fetches. The tree must not be used any more.
func (s *Session) Close() {
	s.fs.mu.Lock()
	delete(s.fs.sessions, s)
	s.fs.mu.Unlock()

	s.mu.Lock()
	s.closed = true
	var txs []*transaction
	for _, b := range s.kept {
		for _, t := range b.txs {
			txs = append(txs, t)
		}
	}
	var open []io.Closer
	for c := range s.streams {
		open = append(open, c)
	}
	for _, r := range s.remotes {
		open = append(open, r)
	}
	s.mu.Unlock()

	for _, t := range txs {
		t.end()
	}
	for _, c := range open {
		c.Close()
	}
}

// addStream makes c be closed with the session.
func (s *Session) addStream(c io.Closer) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return vfs.ErrInterrupted
	}
	s.streams[c] = struct{}{}
	s.fs.streams.Add(1)
	return nil
}

// dropStream undoes addStream.
func (s *Session) dropStream(c io.Closer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.streams[c]; ok {
		delete(s.streams, c)
		s.fs.streams.Add(-1)
	}
}

// parseCommit reads the name of a commit, which need not exist.
func parseCommit(text string) (datakit.Hash, error) {
	h, err := datakit.ParseHash(text)
	if err != nil {
		return h, badHash(text)
	}
	return h, nil
}

// commit finds the commit with the given name.
func (s *Session) commit(ctx context.Context, text string) (*datakit.Commit, error) {
	h, err := parseCommit(text)
	if err != nil {
		return nil, err
	}
	c, err := s.db.Commit(ctx, h)
	return c, wireError(err)
}
