package p9

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/datakit/datakit/vfs"
)

// FuzzDecode decodes requests of every type and dialect. What is well formed
// must not refer to more than there is.
func FuzzDecode(f *testing.F) {
	for _, m := range wireRequests {
		f.Add(m.typ, uint8(m.dialect), unhex(f, m.hex))
	}
	f.Fuzz(func(t *testing.T, typ, dialect uint8, body []byte) {
		m := message{typ: typ}
		if m.decode(&decoder{b: body, dialect: Dialect(dialect % 3)}) != nil {
			return
		}
		n := len(m.data) + len(m.name) + len(m.name2)
		for _, name := range m.names {
			n += len(name) + 2
		}
		if n > len(body) {
			t.Errorf("decoded %d bytes out of %d: %+v", n, len(body), m)
		}
	})
}

// FuzzStat decodes stat records, which encode to something that decodes to the
// same.
func FuzzStat(f *testing.F) {
	st := vfs.Stat{Name: "name", Perm: 0o775, Size: 5, Target: "target", ModTime: testTime}
	for _, d := range []Dialect{Plain, DotU} {
		f.Add(uint8(d), appendStat(nil, &st, 7, d))
	}
	f.Fuzz(func(t *testing.T, dialect uint8, b []byte) {
		d := Dialect(dialect % 2)
		dec := decoder{b: b, dialect: d}
		rec := dec.stat()
		if !dec.end() || len(rec.name) > 255 || len(rec.target) > maxTarget {
			return
		}
		want := rec.vfs()
		dec = decoder{b: appendStat(nil, &want, 0, d), dialect: d}
		rec = dec.stat()
		got := rec.vfs()
		if d == Plain { // which tells a symlink by its mode
			want.Qid.Kind, got.Qid.Kind = 0, 0
		}
		if !dec.end() || got.Name != want.Name || got.Size != want.Size || got.Perm != want.Perm || !got.ModTime.Equal(want.ModTime) {
			t.Errorf("%+v became %+v", want, got)
		}
	})
}

// fuzzTree is a tree with a file of each kind that a request can meet.
func fuzzTree() *memTree {
	tree := newMemTree()
	tree.put("a/b", "content")
	tree.root.Symlink(context.Background(), "l", "a/b")
	live := tree.put("w", "")
	live.maxRead = 10
	wait := func(ctx context.Context) error {
		vfs.MayWait(ctx)
		<-ctx.Done()
		return ctx.Err()
	}
	live.onRead = func(ctx context.Context, _ []byte, _ uint64) (int, error) { return 0, wait(ctx) }
	live.onWrite = func(ctx context.Context, _ []byte, _ uint64) error { return wait(ctx) }
	slow := tree.put("s", "")
	slow.onRead = func(ctx context.Context, p []byte, _ uint64) (int, error) {
		vfs.MayWait(ctx)
		return len(p), nil
	}
	slow.onWrite = func(ctx context.Context, p []byte, _ uint64) error { vfs.MayWait(ctx); return nil }
	tree.put("p", "").onRead = func(context.Context, []byte, uint64) (int, error) { panic("on purpose") }
	return tree
}

// FuzzSession sends a session whose messages are made of the input: a type, a
// length and a body each. The server must answer each message at most once, and
// end with nothing left.
func FuzzSession(f *testing.F) {
	seed := func(frames ...[]byte) (b []byte) {
		for _, fr := range frames {
			b = append(b, fr[4], byte(len(fr)-headerLen))
			b = append(b, fr[headerLen:]...)
		}
		return b
	}
	for i, name := range []string{"b", "w", "s", "p"} {
		steps := []string{name}
		if name == "b" {
			steps = []string{"a", "b"}
		}
		for _, open := range [][]byte{frame(topen, 0, u32(1), []byte{2}), frame(tlopen, 0, u32(1), u32(2))} {
			f.Add(uint8(i), seed(
				frame(twalk, 0, walkBody(0, 1, steps...)...), open,
				frame(tread, 0, u32(1), u64(0), u32(100)),
				frame(twrite, 0, u32(1), u64(0), u32(3), []byte("abc")),
				frame(tread, 0, u32(1), u64(0), u32(100)),
				frame(twrite, 0, u32(1), u64(0), u32(3), []byte("abc")),
				frame(tflush, 0, u16(2)), frame(tflush, 0, u16(3)),
				frame(tclunk, 0, u32(1)),
			))
		}
	}
	for _, m := range wireRequests {
		f.Add(uint8(m.dialect), append([]byte{m.typ, byte(len(unhex(f, m.hex)))}, unhex(f, m.hex)...))
	}
	f.Fuzz(func(t *testing.T, dialect uint8, input []byte) {
		tree := fuzzTree()
		srv := serveTree(tree)
		srv.MaxFids, srv.MaxRequests = 10, 4
		runSession(t, srv, Dialect(dialect%3), input)
		if tree.open.Load() != 0 || srv.Fids() != 0 {
			t.Errorf("%d files open, %d fids", tree.open.Load(), srv.Fids())
		}
	})
}

// runSession sends the messages in input, and then ends the connection.
func runSession(t *testing.T, srv *Server, d Dialect, input []byte) {
	ours, theirs := net.Pipe()
	var wg sync.WaitGroup
	wg.Go(func() { srv.ServeConn(context.Background(), theirs) })
	replies := make(chan int, 1)
	go func() { replies <- countFrames(ours) }()
	ours.SetWriteDeadline(time.Now().Add(testTimeout))
	ours.Write(frame(tversion, noTag, u32(4096), str(d.String())))
	c := &rawConn{t, ours, d}
	ours.Write(frame(tattach, 0, c.attachBody(0, 5)...))
	sent := 2
	for len(input) >= 2 {
		n := min(int(input[1]), len(input)-2)
		ours.SetWriteDeadline(time.Now().Add(100 * time.Millisecond)) // it stops reading when there is too much to do
		if _, err := ours.Write(frame(input[0], uint16(sent), input[2:2+n])); err != nil {
			break
		}
		input = input[2+n:]
		sent++
	}
	ours.Close()
	wg.Wait()
	if n := <-replies; n > sent {
		t.Errorf("%d replies to %d requests", n, sent)
	}
}

// countFrames returns how many messages it reads.
func countFrames(r io.Reader) (n int) {
	for {
		if _, err := readFrame(r, 1<<20); err != nil {
			return n
		}
		n++
	}
}

// FuzzStream sends anything at all.
func FuzzStream(f *testing.F) {
	version := frame(tversion, noTag, u32(4096), str("9P2000.u"))
	f.Add(version)
	f.Add(append(version, frame(tattach, 1, u32(0), u32(noFid), str(""), str(""), u32(0))...))
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, tversion, 0, 0})
	f.Fuzz(func(t *testing.T, stream []byte) {
		ours, theirs := net.Pipe()
		var wg sync.WaitGroup
		tree := fuzzTree()
		wg.Go(func() { serveTree(tree).ServeConn(context.Background(), theirs) })
		wg.Go(func() { io.Copy(io.Discard, ours) })
		ours.Write(stream)
		ours.Close()
		wg.Wait()
	})
}

// FuzzClient has a client talk to a server that answers with pieces of the
// input. Whatever that is, each call must return.
func FuzzClient(f *testing.F) {
	f.Add(uint8(0), []byte{twalk + 1, 2, 0, 0, topen + 1, 4, 0, 0, 0, 0})
	f.Add(uint8(2), []byte{twalk + 1, 2, 0, 0, tlopen + 1, 17, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, tread + 1, 4, 0, 0, 0, 0})
	f.Add(uint8(1), []byte{rerror, 4, 2, 0, 'n', 'o'})
	f.Fuzz(func(t *testing.T, dialect uint8, input []byte) {
		ours, theirs := net.Pipe()
		var wg sync.WaitGroup
		wg.Go(func() { answerWith(theirs, Dialect(dialect%3), input) })
		defer wg.Wait()
		ctx, cancel := context.WithTimeout(context.Background(), testTimeout)
		defer cancel()
		c, err := NewClient(ctx, ours, nil)
		if err != nil {
			return
		}
		defer c.Close()
		c.ReadFile(ctx, "a/b")
		c.ReadDir(ctx, "a")
		c.Stat(ctx, "a")
		c.Readlink(ctx, "a")
		c.WriteFile(ctx, "a", []byte("x"), 0)
		c.Rename(ctx, "a", "b")
		c.Remove(ctx, "a")
		if ctx.Err() != nil {
			t.Error("the client waits for ever")
		}
	})
}

// answerWith answers the version message and the attach properly, and each
// further request with a type, a length and a body from the input.
func answerWith(nc net.Conn, d Dialect, input []byte) {
	defer nc.Close()
	for i := 0; ; i++ {
		req, err := readFrame(nc, 1<<20)
		if err != nil {
			return
		}
		tag := binary.LittleEndian.Uint16(req[5:])
		switch {
		case i == 0:
			nc.Write(frame(tversion+1, tag, u32(4096), str(d.String())))
		case i == 1:
			nc.Write(frame(tattach+1, tag, make([]byte, qidLen)))
		case len(input) < 2:
			return
		default:
			n := min(int(input[1]), len(input)-2)
			nc.Write(frame(input[0], tag, input[2:2+n]))
			input = input[2+n:]
		}
	}
}
