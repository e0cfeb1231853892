package p9

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/datakit/datakit/vfs"
)

// A gate is a hook that waits until it is let through.
type gate struct {
	begun chan string   // what has arrived at the gate
	open  chan struct{} // lets one through
}

func newGate() *gate { return &gate{make(chan string, 1000), make(chan struct{})} }

// write is memFile.onWrite: it says what is written, and waits for the gate or
// the end of the context.
func (g *gate) write(ctx context.Context, p []byte, _ uint64) error {
	vfs.MayWait(ctx)
	g.begun <- string(p)
	select {
	case <-g.open:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// stubborn is write that does not heed its context.
func (g *gate) stubborn(ctx context.Context, p []byte, _ uint64) error {
	vfs.MayWait(ctx)
	g.begun <- string(p)
	<-g.open
	return nil
}

func (g *gate) wants(t *testing.T, want string) {
	t.Helper()
	select {
	case got := <-g.begun:
		if got != want {
			t.Errorf("%q is being carried out, want %q", got, want)
		}
	case <-time.After(testTimeout):
		t.Fatalf("%q is not being carried out", want)
	}
}

// sendWrite sends a Twrite at offset 0.
func (c *rawConn) sendWrite(tag uint16, fid uint32, data string) {
	c.t.Helper()
	c.send(twrite, tag, u32(fid), u64(0), u32(uint32(len(data))), []byte(data))
}

// wants receives a message and fails if it is not the one wanted.
func (c *rawConn) wants(typ uint8, tag uint16) []byte {
	c.t.Helper()
	rtyp, rtag, body := c.recv()
	if rtyp != typ || rtag != tag {
		c.t.Fatalf("received type %d, tag %d: %q, want type %d, tag %d", rtyp, rtag, body, typ, tag)
	}
	return body
}

func TestFS142_OrderOfChanges(t *testing.T) {
	eachDialect(t, func(t *testing.T, d Dialect) {
		tree := newMemTree()
		g := newGate()
		f := tree.put("f", "")
		f.onWrite = g.write
		c := rawSession(t, serveTree(tree), d)
		c.walkOpen(1, "f")
		for i := range 5 {
			c.sendWrite(uint16(10+i), 1, strings.Repeat(fmt.Sprint(i), 3000))
		}
		c.walk(0, 2) // later requests go on
		if got := c.read(1, 0, 10); got != "" {
			t.Errorf("FS-84: a read through the same fid = %q", got)
		}
		for i := range 5 {
			g.wants(t, strings.Repeat(fmt.Sprint(i), 3000))
			if len(g.begun) > 0 {
				t.Errorf("two writes at a time")
			}
			g.open <- struct{}{}
			c.wants(twrite+1, uint16(10+i))
		}
	})
}

func TestFS142_ChangesOfAllKindsTakeTurns(t *testing.T) {
	tree := newMemTree()
	g := newGate()
	f := tree.put("f", "content")
	f.onWrite = g.write
	c := rawSession(t, serveTree(tree), DotU)
	c.walkOpen(1, "f")
	length := uint64(3)
	c.sendWrite(10, 1, "first")
	c.send(twstat, 11, wstat(DotU, 1, change{length: &length})...)
	c.send(twstat, 12, wstat(DotU, 1, change{name: "g"})...)
	c.send(tremove, 13, u32(1))
	g.wants(t, "first")
	if st := c.statOf("f"); st.length != 7 {
		t.Errorf("the length was set before the write had ended: %+v", st)
	}
	g.open <- struct{}{}
	c.wants(twrite+1, 10)
	got := map[uint16]uint8{}
	for range 3 {
		typ, tag, _ := c.recv()
		got[tag] = typ
	}
	if fmt.Sprint(got) != fmt.Sprint(map[uint16]uint8{11: twstat + 1, 12: twstat + 1, 13: tremove + 1}) {
		t.Errorf("answers by tag: %v", got)
	}
	tree.mu.Lock()
	defer tree.mu.Unlock()
	if f.name != "g" || len(f.data) != 3 || !f.gone {
		t.Errorf("file %q of %d bytes, gone: %v", f.name, len(f.data), f.gone)
	}
}

func TestFS84_WaitingReadDelaysNothing(t *testing.T) {
	eachDialect(t, func(t *testing.T, d Dialect) {
		tree := newMemTree()
		lines, begun := waitingFile(tree.put("live", ""))
		c := rawSession(t, serveTree(tree), d)
		c.walkOpen(1, "live")
		c.send(tread, 7, u32(1), u64(0), u32(100))
		<-begun
		c.write(1, 0, "through the same fid")
		c.walk(1, 2)
		c.open(2)
		c.send(tread, 8, u32(2), u64(0), u32(100))
		<-begun
		lines <- "news\n"
		lines <- "news\n"
		for range 2 {
			typ, _, body := c.recv()
			if typ != tread+1 || rdata(t, body) != "news\n" {
				t.Errorf("reply of type %d: %q", typ, body)
			}
		}
	})
}

// TestDetachedRead has reads of ordinary files wait, which then keep the buffer
// that the leader had put other replies into.
func TestDetachedRead(t *testing.T) {
	eachDialect(t, func(t *testing.T, d Dialect) {
		tree := newMemTree()
		f := tree.put("slow", "")
		release := make(chan struct{})
		f.onRead = func(ctx context.Context, p []byte, off uint64) (int, error) {
			vfs.MayWait(ctx)
			<-release
			for i := range p {
				p[i] = byte(off)
			}
			return len(p), nil
		}
		c := rawSession(t, serveTree(tree), d)
		c.walkOpen(1, "slow")
		c.walkOpen(2, "slow")
		c.walkOpen(3, "slow")
		var batch []byte
		for i := range uint32(3) {
			batch = append(batch, frame(twalk, uint16(20+i), walkBody(0, 10+i)...)...)
			batch = append(batch, frame(tread, uint16(30+i), u32(i+1), u64(uint64('a'+i)), u32(50_000))...)
		}
		c.nc.Write(batch)
		for i := range uint16(3) {
			c.wants(twalk+1, 20+i)
		}
		close(release)
		for range 3 {
			typ, tag, body := c.recv()
			if want := bytes.Repeat([]byte{byte('a' + tag - 30)}, 50_000); typ != tread+1 || rdata(t, body) != string(want) {
				t.Errorf("tag %d: type %d, %d bytes", tag, typ, len(body))
			}
		}
	})
}

func TestFS177_FlushOfWaitingRequest(t *testing.T) {
	eachDialect(t, func(t *testing.T, d Dialect) {
		tree := newMemTree()
		lines, begun := waitingFile(tree.put("live", ""))
		c := rawSession(t, serveTree(tree), d)
		c.walkOpen(1, "live")
		c.send(tread, 7, u32(1), u64(0), u32(100))
		<-begun
		c.ok(tflush, 8, u16(7)) // and no answer to 7
		c.send(tread, 7, u32(1), u64(0), u32(100))
		<-begun
		lines <- "news\n"
		if got := rdata(t, c.wants(tread+1, 7)); got != "news\n" {
			t.Errorf("FS-82: read %q after a flush", got)
		}
	})
}

func TestFS177_FlushOfExecutingRequest(t *testing.T) {
	eachDialect(t, func(t *testing.T, d Dialect) {
		tree := newMemTree()
		g := newGate()
		tree.put("f", "").onWrite = g.stubborn
		c := rawSession(t, serveTree(tree), d)
		c.walkOpen(1, "f")
		c.sendWrite(7, 1, "x")
		g.wants(t, "x")
		c.send(tflush, 8, u16(7))
		c.send(tflush, 9, u16(7))
		c.walk(0, 2)
		g.open <- struct{}{}
		c.wants(twrite+1, 7) // has taken effect, so that it is answered first
		c.wants(tflush+1, 8)
		c.wants(tflush+1, 9)
	})
}

func TestFS177_FlushOfQueuedRequest(t *testing.T) {
	eachDialect(t, func(t *testing.T, d Dialect) {
		tree := newMemTree()
		g := newGate()
		tree.put("f", "").onWrite = g.write
		c := rawSession(t, serveTree(tree), d)
		c.walkOpen(1, "f")
		c.sendWrite(7, 1, "first")
		c.sendWrite(8, 1, "second")
		c.sendWrite(9, 1, "third")
		g.wants(t, "first")
		c.ok(tflush, 10, u16(8))
		g.open <- struct{}{}
		c.wants(twrite+1, 7)
		g.wants(t, "third") // the second has no effect
		g.open <- struct{}{}
		c.wants(twrite+1, 9)
	})
}

func TestFS177_FlushOfNothing(t *testing.T) {
	eachDialect(t, func(t *testing.T, d Dialect) {
		tree := newMemTree()
		g := newGate()
		tree.put("f", "").onWrite = g.stubborn
		c := rawSession(t, serveTree(tree), d)
		c.ok(tflush, 5, u16(99))
		c.ok(tflush, 5, u16(5)) // itself
		c.walkOpen(1, "f")
		c.sendWrite(7, 1, "x")
		g.wants(t, "x")
		c.send(tflush, 8, u16(7))
		c.ok(tflush, 9, u16(8)) // a flush, which waits for the write
		g.open <- struct{}{}
		c.wants(twrite+1, 7)
		c.wants(tflush+1, 8)
	})
}

func TestTagInUse(t *testing.T) {
	eachDialect(t, func(t *testing.T, d Dialect) {
		tree := newMemTree()
		lines, begun := waitingFile(tree.put("live", ""))
		c := rawSession(t, serveTree(tree), d)
		c.walkOpen(1, "live")
		c.send(tread, 7, u32(1), u64(0), u32(100))
		<-begun
		c.fails(errTagInUse, twalk, 7, walkBody(0, 2)...)
		lines <- "x\n"
		c.wants(tread+1, 7)
		c.ok(twalk, 7, walkBody(0, 2)...)
	})
}

func TestFS143_BoundedRequests(t *testing.T) {
	eachDialect(t, func(t *testing.T, d Dialect) {
		tree := newMemTree()
		g := newGate()
		tree.put("f", "").onWrite = g.write
		srv := serveTree(tree)
		srv.MaxRequests = 3
		c := rawSession(t, srv, d)
		for i := range uint32(4) {
			c.walkOpen(i+1, "f")
		}
		for i := range 3 {
			c.sendWrite(uint16(i), uint32(i+1), "x")
			g.wants(t, "x")
		}
		c.send(twalk, 10, walkBody(0, 10)...)
		c.sendWrite(11, 4, "y")
		other := rawSession(t, srv, d)
		other.walk(0, 1) // another connection is not concerned
		c.nc.SetReadDeadline(time.Now().Add(20 * time.Millisecond))
		if _, err := c.nc.Read(make([]byte, 1)); err == nil {
			t.Errorf("a fourth request was answered while three were being worked on")
		}
		g.open <- struct{}{}
		if typ, _, _ := c.recv(); typ != twrite+1 {
			t.Errorf("reply of type %d", typ)
		}
		c.wants(twalk+1, 10)
		g.wants(t, "y")
		for range 3 {
			g.open <- struct{}{}
			if typ, _, _ := c.recv(); typ != twrite+1 {
				t.Errorf("reply of type %d", typ)
			}
		}
	})
}

// TestFS178_EndWhileCrowded ends a connection from which nothing is read, as
// there is too much to do.
func TestFS178_EndWhileCrowded(t *testing.T) {
	eachDialect(t, func(t *testing.T, d Dialect) {
		tree := newMemTree()
		g := newGate()
		tree.put("f", "").onWrite = g.write
		srv := serveTree(tree)
		srv.MaxRequests = 2
		c := rawSession(t, srv, d)
		c.walkOpen(1, "f")
		for i := range 5 {
			c.sendWrite(uint16(i), 1, "x")
		}
		g.wants(t, "x")
		c.nc.Close()
		eventually(t, "the end of the connection", func() bool { return srv.Connections() == 0 })
		if n := tree.open.Load(); n != 0 {
			t.Errorf("%d files open", n)
		}
	})
}

// TestFS143_MuchToDo sends far more than is worked on at a time, and more than
// is read ahead.
func TestFS143_MuchToDo(t *testing.T) {
	eachDialect(t, func(t *testing.T, d Dialect) {
		tree := newMemTree()
		f := tree.put("f", "")
		f.onWrite = func(ctx context.Context, _ []byte, _ uint64) error { vfs.MayWait(ctx); return nil }
		srv := serveTree(tree)
		srv.MaxRequests = 2
		c := rawSession(t, srv, d)
		c.walkOpen(1, "f")
		c.walkOpen(2, "f")
		const count = 500
		go func() {
			for i := range count {
				c.nc.Write(frame(twrite, uint16(i), u32(uint32(1+i%2)), u64(0), u32(1000), make([]byte, 1000)))
			}
		}()
		for range count {
			if typ, _, body := c.recv(); typ != twrite+1 {
				t.Fatalf("reply of type %d: %q", typ, body)
			}
		}
	})
}

// TestFS143_WaitingReadsDoNotCount has more readers wait than requests may be
// worked on, on one connection.
func TestFS143_WaitingReadsDoNotCount(t *testing.T) {
	t.Parallel()
	tree := newMemTree()
	lines, begun := waitingFile(tree.put("live", ""))
	c := rawSession(t, serveTree(tree), DotL)
	const readers = 2 * DefaultMaxRequests
	for i := range uint32(readers) {
		c.walkOpen(100+i, "live")
		c.send(tread, uint16(100+i), u32(100+i), u64(0), u32(1<<20))
		<-begun
	}
	c.walk(0, 1)
	for range readers {
		lines <- "x\n"
	}
	for range readers {
		if typ, _, _ := c.recv(); typ != tread+1 {
			t.Errorf("reply of type %d", typ)
		}
	}
}

// TestFS84_TooManyWaitingReads has as many reads wait as may. One more fails,
// and everything else goes on.
func TestFS84_TooManyWaitingReads(t *testing.T) {
	eachDialect(t, func(t *testing.T, d Dialect) {
		tree := newMemTree()
		lines, begun := waitingFile(tree.put("live", ""))
		srv := serveTree(tree)
		srv.MaxWaiting = 2
		c := rawSession(t, srv, d)
		for i := range uint32(3) {
			c.walkOpen(10+i, "live")
		}
		read := func(tag uint16, fid uint32) { c.send(tread, tag, u32(fid), u64(0), u32(100)) }
		read(10, 10)
		<-begun
		read(11, 10) // waits for its turn
		for range 2 {
			c.fails(errManyWaiting, tread, 12, u32(12), u64(0), u32(100))
			c.fails(errManyWaiting, tread, 13, u32(10), u64(0), u32(100))
		}
		c.walk(0, 1)
		c.ok(tclunk, 1, u32(11))
		c.send(tflush, 20, u16(11))
		c.wants(tflush+1, 20)
		read(12, 12) // there is room again
		<-begun
		lines <- "x\n"
		lines <- "x\n"
		for range 2 {
			if typ, _, body := c.recv(); typ != tread+1 {
				t.Errorf("reply of type %d: %q", typ, body)
			}
		}
	})
}

// TestFS178_EndBehindMuchToDo ends a connection while requests hang, behind more
// requests than are read ahead.
func TestFS178_EndBehindMuchToDo(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("not every system tells of an end that cannot be read yet")
	}
	eachDialect(t, func(t *testing.T, d Dialect) {
		tree := newMemTree()
		g := newGate()
		tree.put("f", "").onWrite = g.write
		srv := serveTree(tree)
		srv.MaxRequests = 2
		c := rawSession(t, srv, d)
		c.walkOpen(1, "f")
		c.walkOpen(2, "f")
		c.nc.SetWriteDeadline(time.Now().Add(300 * time.Millisecond)) // as much as is taken
		for i := uint16(0); ; i++ {
			data := make([]byte, 4000)
			if _, err := c.nc.Write(frame(twrite, i, u32(uint32(1+i%2)), u64(0), u32(4000), data)); err != nil {
				break
			}
		}
		c.nc.Close()
		eventually(t, "the end of the connection", func() bool { return srv.Connections() == 0 })
		if n := tree.open.Load(); n != 0 {
			t.Errorf("%d files open", n)
		}
	})
}

func TestFS143_ClientThatDoesNotRead(t *testing.T) {
	t.Parallel()
	tree := newMemTree()
	tree.put("f", strings.Repeat("x", 60_000))
	srv := serveTree(tree)
	c := rawSession(t, srv, DotL)
	c.walkOpen(1, "f")
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		for {
			if _, err := c.nc.Write(frame(tread, 1, u32(1), u64(0), u32(60_000))); err != nil {
				return
			}
		}
	}()
	other := rawSession(t, srv, DotL)
	for range 100 {
		other.walk(0, 1)
		other.ok(tclunk, 1, u32(1))
	}
	c.nc.Close()
	<-sent
}

func TestFS178_EndOfConnection(t *testing.T) {
	eachDialect(t, func(t *testing.T, d Dialect) {
		tree := newMemTree()
		_, begun := waitingFile(tree.put("live", ""))
		g := newGate()
		tree.put("f", "").onWrite = g.write
		released := make(chan struct{})
		srv := &Server{NewSession: func() (vfs.Dir, func(), error) {
			return tree.root, func() { close(released) }, nil
		}}
		c := rawSession(t, srv, d)
		c.walkOpen(1, "live")
		c.walkOpen(2, "f")
		c.walkOpen(3, "f")
		c.send(tread, 7, u32(1), u64(0), u32(100))
		c.send(tread, 8, u32(1), u64(0), u32(100))
		c.sendWrite(9, 2, "x")
		c.sendWrite(10, 2, "y")
		<-begun
		g.wants(t, "x")
		c.nc.Close()
		select {
		case <-released:
		case <-time.After(testTimeout):
			t.Fatal("the session is not released")
		}
		eventually(t, "the end of the connection", func() bool { return srv.Connections() == 0 })
		if tree.open.Load() != 0 || srv.Fids() != 0 {
			t.Errorf("%d files open, %d fids", tree.open.Load(), srv.Fids())
		}
	})
}

func TestFS179_IdleConnectionStays(t *testing.T) {
	eachDialect(t, func(t *testing.T, d Dialect) {
		c := rawSession(t, serveTree(newMemTree()), d)
		for range 3 {
			c.walk(0, 1)
			c.ok(tclunk, 1, u32(1))
		}
	})
}

// TestFS202_CommandsFinish ends a server while a command is executed, a read
// waits and another connection is idle.
func TestFS202_CommandsFinish(t *testing.T) {
	t.Parallel()
	tree := newMemTree()
	_, begun := waitingFile(tree.put("live", ""))
	g := newGate()
	tree.put("f", "").onWrite = g.write
	srv := serveTree(tree)
	ctx, cancel := context.WithCancel(context.Background())
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- srv.Serve(ctx, l) }()
	dial := func() *rawConn {
		nc, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { nc.Close() })
		c := &rawConn{t, nc, DotL}
		c.version("9P2000.L", 8192)
		c.attach(0)
		return c
	}
	idle, c := dial(), dial()
	c.walkOpen(1, "live")
	c.walkOpen(2, "f")
	c.send(tread, 7, u32(1), u64(0), u32(100))
	c.sendWrite(8, 2, "x")
	<-begun
	g.wants(t, "x")
	cancel()
	g.open <- struct{}{}
	c.wants(twrite+1, 8) // and nothing of the read before it
	c.closed()
	idle.closed()
	if err := <-served; err != nil {
		t.Errorf("Serve = %v", err)
	}
	if n := srv.Connections(); n != 0 {
		t.Errorf("%d connections", n)
	}
}

// TestFS202_GraceEnds ends a server while a command is executed that does not
// end, and a read waits: of neither there is an answer.
func TestFS202_GraceEnds(t *testing.T) {
	t.Parallel()
	tree := newMemTree()
	_, begun := waitingFile(tree.put("live", ""))
	g := newGate()
	tree.put("f", "").onWrite = g.write
	srv := serveTree(tree)
	srv.Grace = 50 * time.Millisecond
	ours, theirs := socketPair(t)
	defer ours.Close()
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { srv.ServeConn(ctx, theirs) })
	c := &rawConn{t, ours, DotU}
	c.version("9P2000.u", 8192)
	c.attach(0)
	c.walkOpen(1, "f")
	c.walkOpen(2, "live")
	c.send(tread, 7, u32(2), u64(0), u32(100))
	c.sendWrite(8, 1, "x")
	<-begun
	g.wants(t, "x")
	cancel()
	wg.Wait() // though nobody opens the gate
	if typ, tag, body, err := c.tryRecv(); err == nil {
		t.Errorf("received type %d, tag %d: %q, want nothing", typ, tag, body)
	}
}

// TestRequestsBehindARemoval queues requests that find their fid released when
// it is their turn.
func TestRequestsBehindARemoval(t *testing.T) {
	eachDialect(t, func(t *testing.T, d Dialect) {
		tree := newMemTree()
		g := newGate()
		tree.put("f", "").onWrite = g.write
		c := rawSession(t, serveTree(tree), d)
		c.walkOpen(1, "f")
		c.sendWrite(7, 1, "x")
		g.wants(t, "x")
		c.send(tremove, 8, u32(1))
		typ, fields := c.openWith(0)
		c.send(twalk, 9, walkBody(1, 1)...)
		c.send(typ, 10, fields(1)...)
		c.send(tremove, 11, u32(1))
		c.send(tclunk, 12, u32(1))
		g.open <- struct{}{}
		for range 6 {
			switch rtyp, tag, body := c.recv(); tag {
			case 9, 10, 11:
				c.checkError(unknownFid(1), 0, rtyp, body)
			}
		}
		if n := tree.open.Load(); n != 0 {
			t.Errorf("%d files open", n)
		}
	})
}

// TestContextOfRequest has a tree use the context of a request in the ways that
// trees do.
func TestContextOfRequest(t *testing.T) {
	t.Parallel()
	type key struct{}
	tree := newMemTree()
	tree.put("f", "").onRead = func(ctx context.Context, p []byte, _ uint64) (int, error) {
		if _, ok := ctx.Deadline(); ok || ctx.Err() != nil || ctx.Value(key{}) != "value" {
			return 0, fmt.Errorf("context %v", ctx.Err())
		}
		inner, cancel := context.WithTimeout(ctx, time.Hour)
		defer cancel()
		vfs.MayWait(inner)
		<-inner.Done()
		return 0, inner.Err()
	}
	ours, theirs := socketPair(t)
	var wg sync.WaitGroup
	srv := serveTree(tree)
	logged := logTo(t, srv)
	wg.Go(func() { srv.ServeConn(context.WithValue(context.Background(), key{}, "value"), theirs) })
	c := &rawConn{t, ours, DotU}
	c.version("9P2000.u", 8192)
	c.attach(0)
	c.walkOpen(1, "f")
	c.send(tread, 7, u32(1), u64(0), u32(100))
	c.walk(0, 2) // the read has been detached through the derived context
	c.ok(tflush, 8, u16(7))
	ours.Close()
	wg.Wait()
	if got := logged(); got != "" {
		t.Errorf("log: %s", got)
	}
}
