package original

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/datakit/datakit/fsapi"
	"github.com/datakit/datakit/memdb"
	"github.com/datakit/datakit/p9"
	"github.com/datakit/datakit/vfs"
)

// The messages that a session looks into; replies have the next number.
const (
	tversion = 100
	tattach  = 104
	rerror   = 107
	twalk    = 110
	topen    = 112
	tcreate  = 114
	tread    = 116
	tclunk   = 120
	tflush   = 108
	noTag    = 0xFFFE // that no request has
	tremove  = 122
	tstat    = 124
)

// A session lies between a client and our server, and makes that look like the
// original as the specification of the filesystem tells of it.
type session struct {
	client, server net.Conn

	mu    sync.Mutex // guards what follows
	unix  bool       // the dialect is 9P2000.u
	fids  map[uint32]*fid
	calls map[uint16]*call // that are not answered, by the tag that the server knows
}

type fid struct {
	path []string
	dir  bool // and open
	dead bool // as a stream of which a read was given up

	// Offsets that the client and the server have come to in a directory or in
	// a reflog, of which the client gets other bytes.
	ours, theirs uint64
}

type call struct {
	tag     uint16 // that the client knows
	typ     uint8
	fid     uint32
	newFid  uint32
	path    []string // that a walk leads to
	refused bool     // for the client
	given   bool     // up by the client
}

var le = binary.LittleEndian

// frame makes a message.
func frame(typ uint8, tag uint16, body []byte) []byte {
	b := le.AppendUint32(nil, uint32(7+len(body)))
	b = le.AppendUint16(append(b, typ), tag)
	return append(b, body...)
}

func text(s string) []byte { return append(le.AppendUint16(nil, uint16(len(s))), s...) }

// receive reads a message.
func receive(r io.Reader) (typ uint8, tag uint16, body []byte, err error) {
	var head [7]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return 0, 0, nil, err
	}
	body = make([]byte, le.Uint32(head[:])-7)
	_, err = io.ReadFull(r, body)
	return head[4], le.Uint16(head[5:]), body, err
}

// serve carries messages in both directions until one side ends.
func (s *session) serve() {
	var wg sync.WaitGroup
	for _, f := range []func() error{s.fromClient, s.fromServer} {
		wg.Go(func() {
			for f() == nil {
			}
			s.client.Close()
			s.server.Close()
		})
	}
	wg.Wait()
}

func (s *session) fromClient() error {
	typ, tag, body, err := receive(s.client)
	if err != nil {
		return err
	}
	s.mu.Lock()
	c := &call{tag: tag, typ: typ}
	known := s.tag(c)
	if typ != tversion && len(body) >= 4 {
		c.fid = le.Uint32(body)
	}
	reply := []byte(nil)
	switch typ {
	case tversion:
		body = s.version(body)
	case tattach:
		s.fids[c.fid] = &fid{}
	case twalk:
		body = s.walk(c, body)
	case tread:
		reply = s.read(c, known, body)
	case tflush:
		reply = s.flush(known, tag, body)
	case tremove:
		if p := s.fids[c.fid].path; len(p) == 2 && p[0] == "remotes" { // which was refused (section 2.12)
			typ, c.refused = tclunk, true
		}
	}
	s.mu.Unlock()
	if reply != nil {
		_, err = s.client.Write(reply)
		return err
	}
	_, err = s.server.Write(frame(typ, known, body))
	return err
}

// tag returns a tag for a request to the server, which may still work on one that
// the client has given up.
func (s *session) tag(c *call) uint16 {
	if c.typ == tversion {
		s.calls[c.tag] = c
		return c.tag
	}
	for tag := uint16(1); ; tag++ {
		if s.calls[tag] == nil {
			s.calls[tag] = c
			return tag
		}
	}
}

// flush makes the tag of the request to be flushed that of the server. A waiting
// read of a stream went on, and took the next line with it (FS-82).
func (s *session) flush(known, tag uint16, body []byte) (reply []byte) {
	for at, c := range s.calls {
		if c.tag != le.Uint16(body) || c.typ == tflush || c.given {
			continue
		}
		if f := s.fids[c.fid]; c.typ == tread && f != nil && f.isStream() {
			c.given, f.dead = true, true
			delete(s.calls, known)
			return frame(tflush+1, tag, nil)
		}
		le.PutUint16(body, at)
		return nil
	}
	le.PutUint16(body, noTag) // it was answered meanwhile
	return nil
}

// isStream reports whether a file tells of changes.
func (f *fid) isStream() bool {
	if len(f.path) == 0 {
		return false
	}
	name := f.path[len(f.path)-1]
	return strings.HasSuffix(name, ".live") || name == "reflog"
}

// version agrees on what the original knew (FS-134, FS-135).
func (s *session) version(body []byte) []byte {
	version := string(body[6:])
	if s.unix = version == "9P2000.u"; !s.unix {
		version = "9P2000"
	}
	clear(s.fids)
	return append(le.AppendUint32(nil, min(le.Uint32(body), 16384)), text(version)...)
}

// walk notes where a walk leads. A branch had no diff (FS-55).
func (s *session) walk(c *call, body []byte) []byte {
	c.newFid = le.Uint32(body[4:])
	c.path = slices.Clone(s.fids[c.fid].path)
	n := le.Uint16(body[8:])
	out, rest := slices.Clone(body[:10]), body[10:]
	for range n {
		size := 2 + le.Uint16(rest)
		name := string(rest[2:size])
		rest = rest[size:]
		c.path = append(c.path, name)
		if len(c.path) == 3 && c.path[0] == "branch" && name == "diff" {
			name = "there-is-none"
		}
		out = append(out, text(name)...)
	}
	return out
}

// read makes the offset that of the server, or answers: a reflog began with an
// empty line (FS-52).
func (s *session) read(c *call, known uint16, body []byte) (reply []byte) {
	f := s.fids[c.fid]
	off := le.Uint64(body[4:])
	switch {
	case f.dir:
		if off == 0 {
			f.ours, f.theirs = 0, 0
		}
		le.PutUint64(body[4:], f.theirs+off-f.ours)
	case len(f.path) == 3 && f.path[2] == "reflog":
		if off == 0 {
			delete(s.calls, known)
			return frame(tread+1, c.tag, append(le.AppendUint32(nil, 1), '\n'))
		}
		le.PutUint64(body[4:], off-1)
	}
	return nil
}

func (s *session) fromServer() error {
	typ, tag, body, err := receive(s.server)
	if err != nil {
		return err
	}
	s.mu.Lock()
	c := s.calls[tag]
	delete(s.calls, tag)
	if c == nil || c.given {
		s.mu.Unlock()
		return nil
	}
	f := s.fids[c.fid]
	switch {
	case typ == rerror:
		body = s.error(body)
	case typ == tread+1 && f.dead:
		typ, body = rerror, s.error(append(text("Attempt to seek in stream"), 0, 0, 0, 0))
	case typ != c.typ+1 && c.refused:
		typ, body = rerror, s.error(append(text("Operation not permitted"), 0, 0, 0, 0))
	}
	switch typ {
	case tattach + 1, topen + 1, tcreate + 1:
		f.dir = typ == topen+1 && body[0] == 0x80
		plainQid(body)
	case twalk + 1:
		s.walked(c, body)
	case tread + 1:
		if f.dir {
			body = s.listing(f, body)
		}
	case tstat + 1:
		plainQid(body[10:])
	}
	if c.typ == tclunk || c.typ == tremove {
		delete(s.fids, c.fid)
	}
	s.mu.Unlock()
	_, err = s.client.Write(frame(typ, c.tag, body))
	return err
}

// error takes out what the errors of the original had not: a number (FS-217), and
// the path of a conflict (FS-122).
func (s *session) error(body []byte) []byte {
	e := string(body[2 : 2+le.Uint16(body)])
	if strings.HasPrefix(e, "Merge conflict: ") {
		e = "Merge conflict"
	}
	out := text(e)
	if s.unix {
		out = append(out, 0, 0, 0, 0)
	}
	return out
}

// plainQid makes a qid one of the original, which did not tell symlinks from
// files (FS-174).
func plainQid(qid []byte) {
	if qid[0] == 0x02 {
		qid[0] = 0
	}
}

func (s *session) walked(c *call, body []byte) {
	n := int(le.Uint16(body))
	for i := range n {
		plainQid(body[2+13*i:])
	}
	if from := s.fids[c.fid]; n == len(c.path)-len(from.path) {
		s.fids[c.newFid] = &fid{path: c.path}
	}
}

// listing shows names as the original did, with "/" (FS-28).
func (s *session) listing(f *fid, body []byte) []byte {
	rest, out := body[4:], []byte(nil)
	f.theirs += uint64(len(rest))
	for len(rest) > 0 {
		size := 2 + int(le.Uint16(rest))
		record := rest[:size]
		rest = rest[size:]
		plainQid(record[8:])
		const at = 41 // the name
		end := at + 2 + int(le.Uint16(record[at:]))
		name := string(record[at+2 : end])
		if slices.Equal(f.path, []string{"branch"}) {
			name = strings.ReplaceAll(name, "%2F", "/")
		}
		record = slices.Concat(record[:at], text(name), record[end:])
		le.PutUint16(record, uint16(len(record)-2))
		out = append(out, record...)
	}
	f.ours += uint64(len(out))
	return append(le.AppendUint32(nil, uint32(len(out))), out...)
}

// serve serves a database in memory as the original would, until the test ends.
// It returns the path of a Unix socket.
func serve(tb testing.TB) string {
	tb.Helper()
	db := memdb.New(nil)
	fs := fsapi.New(db, nil)
	srv := &p9.Server{NewSession: func() (vfs.Dir, func(), error) {
		session := fs.NewSession()
		return session.Root(), session.Close, nil
	}}
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	l, err := net.Listen("unix", filepath.Join(tb.TempDir(), "s"))
	if err != nil {
		tb.Fatal(err)
	}
	wg.Go(func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			near, far := net.Pipe()
			wg.Go(func() { srv.ServeConn(ctx, far) })
			s := &session{client: client, server: near, fids: make(map[uint32]*fid), calls: make(map[uint16]*call)}
			wg.Go(s.serve)
		}
	})
	tb.Cleanup(func() {
		l.Close()
		cancel()
		wg.Wait()
		db.Close()
	})
	return l.Addr().String()
}
