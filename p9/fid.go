package p9

import (
	"sync"

	"github.com/datakit/datakit/vfs"
)

// A session is what lies between two Tversions of a connection.
type session struct {
	srv      *Server
	dialect  Dialect
	msize    uint32
	root     vfs.Dir
	rootPath uint64 // of the qid of root
	release  func()

	mu       sync.Mutex // guards what follows
	fids     map[uint32]*fid
	attached bool
	uid      uint32 // the numeric owner of everything
}

// fid returns a bound fid.
func (s *session) fid(n uint32) (*fid, error) {
	s.mu.Lock()
	f := s.fids[n]
	s.mu.Unlock()
	if f == nil {
		return nil, unknownFid(n)
	}
	return f, nil
}

// mayBind fails if bind would.
func (s *session) mayBind(n uint32) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.checkBind(n)
}

// checkBind is mayBind while mu is held.
func (s *session) checkBind(n uint32) error {
	switch {
	case n == noFid:
		return unknownFid(n)
	case s.fids[n] != nil:
		return fidInUse(n)
	case len(s.fids) >= or(s.srv.MaxFids, DefaultMaxFids):
		return errNoFids
	}
	return nil
}

// bind makes n a fid of node.
func (s *session) bind(n uint32, node vfs.Node) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.checkBind(n); err != nil {
		return err
	}
	s.fids[n] = &fid{handle: handle{node: node}}
	s.srv.fids.Add(1)
	return nil
}

// take unbinds a fid and returns it.
func (s *session) take(n uint32) (*fid, error) {
	f, err := s.fid(n)
	if err != nil || !s.unbind(n, f) {
		return nil, unknownFid(n)
	}
	return f, nil
}

// unbind unbinds f from n, if it is still bound to that.
func (s *session) unbind(n uint32, f *fid) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fids[n] != f {
		return false
	}
	delete(s.fids, n)
	s.srv.fids.Add(-1)
	return true
}

// owner returns the numeric owner of everything.
func (s *session) owner() uint32 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.uid
}

// A fid is a client's handle of a node, and of a file once it is open.
//
// Requests that change something or the fid itself go through the lane changes,
// which alone may set the handle, and reads through the lane reads.
type fid struct {
	mu      sync.Mutex // guards what follows; nothing is called while it is held
	changes lane
	reads   lane
	handle  handle
}

// A handle is what a fid stands for.
type handle struct {
	node          vfs.Node
	file          vfs.File // nil if not open, or a directory
	dir           *listing // nil if not an open directory
	maxRead       int      // of a vfs.WaitingFile; else 0
	removeOnClose bool
}

// now returns what the fid stands for at present.
func (f *fid) now() handle {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.handle
}

// set makes the fid stand for h and returns what it stood for.
func (f *fid) set(h handle) (old handle) {
	f.mu.Lock()
	defer f.mu.Unlock()
	old, f.handle = f.handle, h
	return old
}

// isOpen reports whether there is something to read or write.
func (h *handle) isOpen() bool { return h.file != nil || h.dir != nil }

// close closes what is open and does what was asked for at that moment. Nobody
// is told of failures.
func (h *handle) close(r *request) {
	h.closeFile()
	if h.removeOnClose {
		h.node.Remove(r, true)
	}
}

func (h *handle) closeFile() {
	if h.file != nil {
		h.file.Close()
	}
}

// cancelReads ends the reads that wait.
func (f *fid) cancelReads(c *conn) {
	f.mu.Lock()
	waiting := f.reads.queue
	if f.reads.holder != nil {
		waiting = append([]*request{f.reads.holder}, waiting...)
	}
	f.mu.Unlock()
	if len(waiting) == 0 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, r := range waiting {
		r.cancel()
	}
}
