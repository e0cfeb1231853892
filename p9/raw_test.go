package p9

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/datakit/datakit/vfs"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(serveVariable); dir != "" {
		serveHugelgupf(dir)
		return
	}
	goleak.VerifyTestMain(m)
}

// testTimeout is how long a test waits for what must happen.
const testTimeout = 20 * time.Second

var allDialects = []Dialect{Plain, DotU, DotL}

// eachDialect runs fn as a subtest of each dialect.
func eachDialect(t *testing.T, fn func(t *testing.T, d Dialect)) {
	for _, d := range allDialects {
		t.Run(d.String(), func(t *testing.T) { t.Parallel(); fn(t, d) })
	}
}

// serveTree returns a Server of t.
func serveTree(t *memTree) *Server {
	return &Server{NewSession: func() (vfs.Dir, func(), error) { return t.root, nil, nil }}
}

// connect returns the client's end of a connection that srv serves until the
// test ends.
func connect(t testing.TB, srv *Server) net.Conn {
	t.Helper()
	ours, theirs := socketPair(t)
	var wg sync.WaitGroup
	wg.Go(func() { srv.ServeConn(context.Background(), theirs) })
	t.Cleanup(func() {
		ours.Close()
		wg.Wait()
	})
	return ours
}

// socketPair returns the two ends of a connection of a Unix socket.
func socketPair(t testing.TB) (net.Conn, net.Conn) {
	t.Helper()
	l, err := net.Listen("unix", t.TempDir()+"/s")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	a, err := net.Dial("unix", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	b, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	return a, b
}

// A rawConn sends and receives messages, and knows no more of the protocol than
// the test that uses it.
type rawConn struct {
	t       testing.TB
	nc      net.Conn
	dialect Dialect
}

// rawSession returns a connection whose fid 0 is the root.
func rawSession(t testing.TB, srv *Server, d Dialect) *rawConn {
	t.Helper()
	c := &rawConn{t, connect(t, srv), d}
	c.version(d.String(), 65536)
	c.attach(0)
	return c
}

func (c *rawConn) version(v string, msize uint32) []byte {
	c.t.Helper()
	return c.ok(tversion, noTag, u32(msize), str(v))
}

func (c *rawConn) attach(fid uint32) []byte {
	c.t.Helper()
	return c.ok(tattach, 1, c.attachBody(fid, noUID)...)
}

func (c *rawConn) attachBody(fid, uid uint32) [][]byte {
	body := [][]byte{u32(fid), u32(noFid), str("me"), str("")}
	if c.dialect != Plain {
		body = append(body, u32(uid))
	}
	return body
}

// send sends a message made of its fields.
func (c *rawConn) send(typ uint8, tag uint16, fields ...[]byte) {
	c.t.Helper()
	if _, err := c.nc.Write(frame(typ, tag, fields...)); err != nil {
		c.t.Fatalf("sending type %d: %v", typ, err)
	}
}

// recv receives a message and returns its type, tag and body.
func (c *rawConn) recv() (uint8, uint16, []byte) {
	c.t.Helper()
	typ, tag, body, err := c.tryRecv()
	if err != nil {
		c.t.Fatalf("receiving: %v", err)
	}
	return typ, tag, body
}

func (c *rawConn) tryRecv() (uint8, uint16, []byte, error) {
	c.nc.SetReadDeadline(time.Now().Add(testTimeout))
	head := make([]byte, headerLen)
	if _, err := io.ReadFull(c.nc, head); err != nil {
		return 0, 0, nil, err
	}
	body := make([]byte, binary.LittleEndian.Uint32(head)-headerLen)
	_, err := io.ReadFull(c.nc, body)
	return head[4], binary.LittleEndian.Uint16(head[5:]), body, err
}

// call sends a request and returns the reply.
func (c *rawConn) call(typ uint8, tag uint16, fields ...[]byte) (uint8, []byte) {
	c.t.Helper()
	c.send(typ, tag, fields...)
	rtyp, rtag, body := c.recv()
	if rtag != tag {
		c.t.Fatalf("type %d: reply has tag %d, want %d", typ, rtag, tag)
	}
	return rtyp, body
}

// ok is call for a request that must succeed.
func (c *rawConn) ok(typ uint8, tag uint16, fields ...[]byte) []byte {
	c.t.Helper()
	rtyp, body := c.call(typ, tag, fields...)
	if rtyp != typ+1 {
		c.t.Fatalf("type %d: reply has type %d: %q", typ, rtyp, body)
	}
	return body
}

// fails is call for a request that must fail with want, in the way of the
// dialect.
func (c *rawConn) fails(want *vfs.Error, typ uint8, tag uint16, fields ...[]byte) {
	c.t.Helper()
	rtyp, body := c.call(typ, tag, fields...)
	c.checkError(want, typ, rtyp, body)
}

func (c *rawConn) checkError(want *vfs.Error, typ, rtyp uint8, body []byte) {
	c.t.Helper()
	wantType, wantBody := uint8(rerror), str(want.Text)
	switch c.dialect {
	case DotU:
		wantBody = append(wantBody, u32(want.Errno)...)
	case DotL:
		wantType, wantBody = rlerror, u32(want.Errno)
	}
	if rtyp != wantType || !bytes.Equal(body, wantBody) {
		c.t.Errorf("type %d: reply has type %d: %q, want %d: %q", typ, rtyp, body, wantType, wantBody)
	}
}

// walk walks from one fid to another.
func (c *rawConn) walk(fid, newfid uint32, names ...string) []byte {
	c.t.Helper()
	return c.ok(twalk, 1, walkBody(fid, newfid, names...)...)
}

func walkBody(fid, newfid uint32, names ...string) [][]byte {
	body := [][]byte{u32(fid), u32(newfid), u16(uint16(len(names)))}
	for _, n := range names {
		body = append(body, str(n))
	}
	return body
}

// open opens a fid for reading and writing, in the way of the dialect.
func (c *rawConn) open(fid uint32) {
	c.t.Helper()
	if c.dialect == DotL {
		c.ok(tlopen, 1, u32(fid), u32(2))
		return
	}
	c.ok(topen, 1, u32(fid), []byte{2})
}

// walkOpen makes newfid an open fid of a path from the root.
func (c *rawConn) walkOpen(newfid uint32, path string) {
	c.t.Helper()
	c.walk(0, newfid, strings.Split(path, "/")...)
	c.open(newfid)
}

// read returns what a Tread returns.
func (c *rawConn) read(fid uint32, off uint64, count uint32) string {
	c.t.Helper()
	return rdata(c.t, c.ok(tread, 1, u32(fid), u64(off), u32(count)))
}

// rdata returns the data in the body of an Rread or Rreaddir.
func rdata(t testing.TB, body []byte) string {
	t.Helper()
	if len(body) < 4 || int(binary.LittleEndian.Uint32(body)) != len(body)-4 {
		t.Fatalf("malformed Rread %q", body)
	}
	return string(body[4:])
}

func (c *rawConn) write(fid uint32, off uint64, data string) {
	c.t.Helper()
	body := c.ok(twrite, 1, u32(fid), u64(off), u32(uint32(len(data))), []byte(data))
	if !bytes.Equal(body, u32(uint32(len(data)))) {
		c.t.Errorf("Rwrite %x, want %d", body, len(data))
	}
}

// closed fails the test unless the server ends the connection.
func (c *rawConn) closed() {
	c.t.Helper()
	for {
		_, _, _, err := c.tryRecv()
		switch {
		case err == nil:
			continue
		case errors.Is(err, io.EOF), strings.Contains(err.Error(), "reset by peer"), errors.Is(err, io.ErrUnexpectedEOF):
			return
		}
		c.t.Fatalf("waiting for the end of the connection: %v", err)
	}
}

// frame returns a message made of its fields.
func frame(typ uint8, tag uint16, fields ...[]byte) []byte {
	body := bytes.Join(fields, nil)
	b := u32(uint32(headerLen + len(body)))
	b = append(b, typ)
	b = append(b, u16(tag)...)
	return append(b, body...)
}

func u16(v uint16) []byte { return binary.LittleEndian.AppendUint16(nil, v) }
func u32(v uint32) []byte { return binary.LittleEndian.AppendUint32(nil, v) }
func u64(v uint64) []byte { return binary.LittleEndian.AppendUint64(nil, v) }
func str(s string) []byte { return append(u16(uint16(len(s))), s...) }

// unhex returns the bytes that hexadecimal digits, parted by blanks, stand for.
func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.Join(strings.Fields(s), ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// eventually waits until cond holds.
func eventually(t testing.TB, what string, cond func() bool) {
	t.Helper()
	for end := time.Now().Add(testTimeout); !cond(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s has not come about", what)
		}
	}
}
