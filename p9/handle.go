package p9

import (
	"strings"

	"github.com/datakit/datakit/vfs"
)

// handle carries out a request. It leaves the reply in r.out.
func (r *request) handle() error {
	switch r.typ {
	case tversion:
		return r.version()
	case tauth:
		return r.auth()
	case tattach:
		return r.attach()
	case tflush:
		return r.flush()
	case twalk:
		return r.walk()
	case tread:
		return r.read()
	case twrite:
		return r.write()
	case tclunk:
		return r.clunk()
	case tremove:
		return r.remove()
	case topen:
		return r.open()
	case tcreate:
		return r.create()
	case tstat:
		return r.stat()
	case twstat:
		return r.wstat()
	}
	return r.handleL()
}

// done is the reply that says nothing but that the request was carried out.
func (r *request) done() error {
	r.out.b = r.reply()
	return nil
}

// parseVersion returns the dialect that a version string stands for.
func parseVersion(v string) (d Dialect, ok bool) {
	switch {
	case strings.HasPrefix(v, "9P2000.L"):
		return DotL, true
	case strings.HasPrefix(v, "9P2000.u"):
		return DotU, true
	}
	return Plain, strings.HasPrefix(v, "9P2000")
}

// version ends the session and begins another one.
func (r *request) version() error {
	c := r.c
	c.reset()
	c.endSession()
	r.s = nil
	if r.count < minMessage {
		return errMsize
	}
	d, ok := parseVersion(r.name)
	msize, name := min(r.count, c.srv.maxMsize()), "unknown"
	if ok {
		s, err := r.newSession(d, msize)
		if err != nil {
			return err
		}
		c.session, name = s, d.String()
	}
	r.out.b = appendStr(append32(r.reply(), msize), name)
	return nil
}

// newSession makes a tree and what belongs to it.
func (r *request) newSession(d Dialect, msize uint32) (*session, error) {
	root, release, err := r.c.srv.NewSession()
	if err != nil {
		return nil, err
	}
	q, err := root.Qid(r)
	if err != nil {
		if release != nil {
			release()
		}
		return nil, err
	}
	return &session{
		srv:      r.c.srv,
		dialect:  d,
		msize:    msize,
		root:     root,
		rootPath: q.Path,
		release:  release,
		fids:     make(map[uint32]*fid),
	}, nil
}

func (r *request) auth() error {
	if r.s.dialect == DotL {
		return errNoAuth
	}
	return errNoSys
}

func (r *request) attach() error {
	s := r.s
	if err := s.mayBind(r.fid); err != nil {
		return err
	}
	q, err := s.root.Qid(r)
	if err != nil {
		return err
	}
	if err := s.bind(r.fid, s.root); err != nil {
		return err
	}
	s.mu.Lock()
	if !s.attached && r.uid != noUID {
		s.uid = r.uid
	}
	s.attached = true
	s.mu.Unlock()
	r.out.b = appendQid(r.reply(), q, s.dialect)
	return nil
}

// flush cancels a detached request, whose goroutine sends the answer when that
// has ended. No other request can be cancelled.
func (r *request) flush() error {
	c := r.c
	c.mu.Lock()
	defer c.mu.Unlock()
	if old := c.tags[r.oldtag]; old != nil {
		old.flushes = append(old.flushes, r.tag)
		old.cancel()
		r.silent = true
		return nil
	}
	return r.done()
}

// walk goes from a fid to another node. It is all or nothing.
func (r *request) walk() error {
	s := r.s
	f, err := s.fid(r.fid)
	if err != nil {
		return err
	}
	if r.newfid == r.fid {
		err = r.enter(f, &f.changes)
	} else {
		err = s.mayBind(r.newfid)
	}
	if err != nil {
		return err
	}
	if headerLen+2+qidLen*len(r.names) > int(s.msize) {
		return errMsize
	}
	node := f.now().node
	if node == nil { // removed meanwhile
		return unknownFid(r.fid)
	}
	if node, err = r.walkFrom(node); err != nil {
		return err
	}
	if r.newfid == r.fid {
		f.cancelReads(r.c)
		old := f.set(handle{node: node})
		old.close(r)
	} else if err := s.bind(r.newfid, node); err != nil {
		return err
	}
	b := append16(r.reply(), uint16(len(r.qids)))
	for _, q := range r.qids {
		b = appendQid(b, q, s.dialect)
	}
	r.out.b = b
	return nil
}

// walkFrom follows the names of r and puts the qids into r.qids.
func (r *request) walkFrom(node vfs.Node) (vfs.Node, error) {
	r.qids = r.qids[:0]
	for _, name := range r.names {
		dir, ok := node.(vfs.Dir)
		if !ok {
			return nil, vfs.ErrWalkFile
		}
		var err error
		switch name {
		case ".":
			return nil, errDot
		case "..":
			node = dir.Parent()
		default:
			if node, err = dir.Lookup(r, name); err != nil {
				return nil, err
			}
		}
		q, err := node.Qid(r)
		if err != nil {
			return nil, err
		}
		r.qids = append(r.qids, q)
	}
	return node, nil
}

// clunk releases a fid. Changes that arrived before it are carried out first.
func (r *request) clunk() error {
	f, err := r.s.take(r.fid)
	if err != nil {
		return err
	}
	f.cancelReads(r.c)
	r.enterAnyway(f, &f.changes)
	old := f.set(handle{})
	old.close(r)
	return r.done()
}

// remove removes the node of a fid, and releases the fid in any case.
func (r *request) remove() error {
	f, err := r.s.fid(r.fid)
	if err != nil {
		return err
	}
	if err := r.enter(f, &f.changes); err != nil {
		return err
	}
	r.s.unbind(r.fid, f)
	f.cancelReads(r.c)
	old := f.set(handle{})
	if old.node == nil { // removed meanwhile
		return unknownFid(r.fid)
	}
	defer old.closeFile()
	if err := old.node.Remove(r, true); err != nil {
		return err
	}
	return r.done()
}
