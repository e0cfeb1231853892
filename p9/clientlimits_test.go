package p9

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/datakit/datakit/vfs"
)

// A fakeServer answers what a function says. It ends when the client does.
func fakeServer(t testing.TB, answer func(typ uint8, tag uint16, body []byte) []byte) net.Conn {
	ours, theirs := net.Pipe()
	var wg sync.WaitGroup
	wg.Go(func() {
		defer theirs.Close()
		for {
			req, err := readFrame(theirs, 1<<20)
			if err != nil {
				return
			}
			reply := answer(req[4], binary.LittleEndian.Uint16(req[5:]), req[headerLen:])
			if _, err := theirs.Write(reply); err != nil {
				return
			}
		}
	})
	t.Cleanup(func() { ours.Close(); wg.Wait() })
	return ours
}

func TestCL1_DialWithDefaultPort(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := Dial(ctx, "tcp", "127.0.0.1", nil)
	if !errors.Is(err, context.Canceled) && !strings.Contains(fmt.Sprint(err), ":5640") {
		t.Errorf("Dial = %v, want an attempt at port 5640", err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	check(t, err)
	ctx, cancel = context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() { serveTree(newMemTree()).Serve(ctx, l) })
	c, err := Dial(t.Context(), "tcp", l.Addr().String(), nil)
	check(t, err)
	check(t, c.Ping(t.Context()))
	check(t, c.Close())
	cancel()
	wg.Wait()
}

func TestCL2_Versions(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		answer string
		size   uint32
		want   Dialect
		ok     bool
	}{
		{"9P2000.L", 8192, DotL, true},
		{"9P2000.u", 8192, DotU, true},
		{"9P2000", 256, Plain, true},
		{"unknown", 8192, 0, false},
		{"9P2000.L.Google.7", 8192, 0, false},
		{"9P2000", 1 << 20, 0, false}, // more than was proposed
		{"9P2000", 255, 0, false},
	} {
		nc := fakeServer(t, func(typ uint8, tag uint16, body []byte) []byte {
			if typ == tversion {
				if want := append(u32(DefaultMsize), str("9P2000.L")...); !bytes.Equal(body, want) {
					t.Errorf("proposed %q, want %q", body, want)
				}
				return frame(tversion+1, tag, u32(tt.size), str(tt.answer))
			}
			return frame(typ+1, tag, make([]byte, qidLen))
		})
		c, err := NewClient(t.Context(), nc, nil)
		if (err == nil) != tt.ok {
			t.Errorf("answer %q, %d: %v", tt.answer, tt.size, err)
		}
		if err == nil {
			if c.Dialect() != tt.want || c.Msize() != tt.size {
				t.Errorf("answer %q, %d: dialect %v, size %d", tt.answer, tt.size, c.Dialect(), c.Msize())
			}
			c.Close()
		}
	}
}

func TestCL2_ServerThatRefuses(t *testing.T) {
	t.Parallel()
	nc := fakeServer(t, func(typ uint8, tag uint16, body []byte) []byte {
		return frame(rerror, tag, str("go away"))
	})
	var e *Error
	if _, err := NewClient(t.Context(), nc, nil); !errors.As(err, &e) || e.Text != "go away" {
		t.Errorf("NewClient = %v", err)
	}
}

func TestNewClientIsCancelled(t *testing.T) {
	t.Parallel()
	ours, theirs := net.Pipe()
	defer theirs.Close()
	ctx, cancel := context.WithCancel(t.Context())
	go func() { readFrame(theirs, 1<<20); cancel() }()
	if _, err := NewClient(ctx, ours, nil); err != context.Canceled {
		t.Errorf("NewClient = %v", err)
	}
}

func TestCL4_Attach(t *testing.T) {
	t.Parallel()
	for user, want := range map[string]string{"": "nobody", "me": "me"} {
		nc := fakeServer(t, func(typ uint8, tag uint16, body []byte) []byte {
			if typ == tversion {
				return frame(tversion+1, tag, u32(8192), str("9P2000.u"))
			}
			want := bytes.Join([][]byte{u32(0), u32(noFid), str(want), str("/"), u32(uint32(os.Getuid()))}, nil)
			if typ == tattach && !bytes.Equal(body, want) {
				t.Errorf("attached with %q, want %q", body, want)
			}
			return frame(typ+1, tag, make([]byte, qidLen))
		})
		c, err := NewClient(t.Context(), nc, &Options{User: user})
		check(t, err)
		c.Close()
	}
}

func TestCL6_FidLimit(t *testing.T) {
	t.Parallel()
	tree := newMemTree()
	tree.put("f", "x")
	_, begun := waitingFile(tree.put("live", ""))
	c := newTestClient(t, serveTree(tree), &Options{MaxFids: 2})
	for range 5 { // these do not count
		s, err := c.OpenStream(t.Context(), "live")
		check(t, err)
		defer s.Close()
	}
	a, err := c.Walk(t.Context(), "f")
	check(t, err)
	b, err := c.Walk(t.Context(), "f")
	check(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	waiting := make(chan error)
	go func() { _, err := c.Walk(ctx, "f"); waiting <- err }()
	cancel()
	if err := <-waiting; err != context.Canceled {
		t.Errorf("cancelled Walk = %v", err)
	}
	go func() {
		f, err := c.Walk(t.Context(), "f")
		if err == nil {
			err = f.Close()
		}
		waiting <- err
	}()
	check(t, a.Close())
	check(t, <-waiting)
	check(t, b.Close())
	if err := b.Close(); err == nil {
		t.Error("a fid was clunked twice")
	}
	_ = begun
}

func TestCL6_LostConnectionEndsTheWaitForAFid(t *testing.T) {
	t.Parallel()
	c := newTestClient(t, serveTree(newMemTree()), &Options{MaxFids: 1})
	if _, err := c.Walk(t.Context(), ""); err != nil {
		t.Fatal(err)
	}
	waiting := make(chan error)
	go func() { _, err := c.Walk(context.Background(), ""); waiting <- err }()
	c.Close()
	if err := <-waiting; !errors.Is(err, ErrConnection) {
		t.Errorf("Walk = %v", err)
	}
}

func TestCL7_LongPaths(t *testing.T) {
	eachDialect(t, func(t *testing.T, d Dialect) {
		tree := newMemTree()
		steps := strings.Split(strings.Repeat("directory ", 49)+"f", " ")
		tree.put(strings.Join(steps, "/"), "deep")
		for _, msize := range []uint32{256, 65536} {
			srv := serveTree(tree)
			c := newTestClient(t, srv, &Options{Version: d.String(), Msize: msize})
			got, err := c.ReadFile(t.Context(), strings.Join(steps, "/"))
			if err != nil || string(got) != "deep" {
				t.Errorf("size %d: ReadFile = %q, %v", msize, got, err)
			}
			bad := append(steps[:40:40], "none", "x")
			if _, err := c.Root().Walk(t.Context(), bad...); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("size %d: Walk = %v", msize, err)
			}
			eventually(t, "the release of all fids", func() bool { return srv.Fids() == 1 })
		}
	})
}

// TestCL7_AtMost16Names sees to it that other servers accept the walks.
func TestCL7_AtMost16Names(t *testing.T) {
	t.Parallel()
	var most atomic.Int32
	nc := fakeServer(t, func(typ uint8, tag uint16, body []byte) []byte {
		switch typ {
		case tversion:
			return frame(tversion+1, tag, u32(8192), str("9P2000.L"))
		case twalk:
			n := binary.LittleEndian.Uint16(body[8:])
			most.Store(max(most.Load(), int32(n)))
			return frame(twalk+1, tag, u16(n), make([]byte, int(n)*qidLen))
		}
		return frame(typ+1, tag, make([]byte, qidLen))
	})
	c, err := NewClient(t.Context(), nc, nil)
	check(t, err)
	defer c.Close()
	_, err = c.Walk(t.Context(), strings.Repeat("a/", 40))
	check(t, err)
	if most.Load() != 16 {
		t.Errorf("%d names in a walk, want 16", most.Load())
	}
}

func TestPartialWalkIsNotExist(t *testing.T) {
	t.Parallel()
	nc := fakeServer(t, func(typ uint8, tag uint16, body []byte) []byte {
		switch typ {
		case tversion:
			return frame(tversion+1, tag, u32(8192), str("9P2000.L"))
		case twalk:
			return frame(twalk+1, tag, u16(1), make([]byte, qidLen))
		}
		return frame(typ+1, tag, make([]byte, qidLen))
	})
	c, err := NewClient(t.Context(), nc, nil)
	check(t, err)
	defer c.Close()
	if _, err := c.Walk(t.Context(), "a/b"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Walk = %v", err)
	}
}

// TestCL8_CancelledOperations cancels operations of all kinds at random moments.
// In the end the server must have nothing left of them, and the client must
// still work.
func TestCL8_CancelledOperations(t *testing.T) {
	eachDialect(t, func(t *testing.T, d Dialect) {
		tree := newMemTree()
		slow := tree.put("dir/slow", "content")
		wait := func(ctx context.Context) error {
			vfs.MayWait(ctx)
			for range rand.IntN(50) {
				if ctx.Err() != nil {
					return ctx.Err()
				}
			}
			return nil
		}
		slow.onOpen = wait
		slow.onWrite = func(ctx context.Context, _ []byte, _ uint64) error { return wait(ctx) }
		srv := serveTree(tree)
		c := newTestClient(t, srv, &Options{Version: d.String(), MaxFids: 20})
		var wg sync.WaitGroup
		for g := range 20 {
			wg.Go(func() {
				for i := range 50 {
					ctx, cancel := context.WithCancel(t.Context())
					time.AfterFunc(time.Duration(rand.IntN(300))*time.Microsecond, cancel)
					name := fmt.Sprintf("dir/%d.%d", g, i)
					err := errors.Join(
						c.WriteFile(ctx, "dir/slow", []byte("x"), 0o664),
						c.WriteFile(ctx, name, []byte("x"), 0o664),
						c.Mkdir(ctx, name+"d", 0o775),
						c.Rename(ctx, name, name+"r"),
						c.Remove(ctx, name+"r"),
						c.Remove(ctx, name+"d"),
					)
					_, err2 := c.ReadDir(ctx, "dir")
					_, err3 := c.Root().ReadFile(ctx, "dir", "slow")
					if err = errors.Join(err, err2, err3); err != nil && ctx.Err() == nil {
						t.Errorf("without being cancelled: %v", err)
					}
					cancel()
				}
			})
		}
		wg.Wait()
		eventually(t, "the release of all fids", func() bool { return srv.Fids() == 1 && tree.open.Load() == 0 })
		if _, err := c.ReadFile(t.Context(), "dir/slow"); err != nil {
			t.Errorf("after all that: %v", err)
		}
		c.t.mu.Lock()
		tags := len(c.t.calls) - len(c.t.free)
		c.t.mu.Unlock()
		if tags != 0 || len(c.slots) != 0 {
			eventually(t, "the release of all tags", func() bool {
				c.t.mu.Lock()
				defer c.t.mu.Unlock()
				return len(c.t.calls) == len(c.t.free) && len(c.slots) == 0
			})
		}
	})
}

// TestCL8_ServerThatNeverAnswers cancels operations whose flush is not answered
// either.
func TestCL8_ServerThatNeverAnswers(t *testing.T) {
	t.Parallel()
	ours, theirs := net.Pipe()
	var wg sync.WaitGroup
	silent := make(chan struct{})
	wg.Go(func() {
		for range 2 {
			req, err := readFrame(theirs, 1<<20)
			if err != nil {
				t.Error(err)
				return
			}
			reply := frame(tversion+1, noTag, u32(8192), str("9P2000.u"))
			if req[4] == tattach {
				reply = frame(tattach+1, binary.LittleEndian.Uint16(req[5:]), make([]byte, qidLen))
			}
			theirs.Write(reply)
		}
		<-silent // and nothing is read
		theirs.Close()
	})
	c, err := NewClient(t.Context(), ours, nil)
	check(t, err)
	for range 3 {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		if _, err := c.Stat(ctx, "f"); err != context.DeadlineExceeded {
			t.Errorf("Stat = %v", err)
		}
		cancel()
	}
	c.Close()
	close(silent)
	wg.Wait()
}

func TestCL9_Ping(t *testing.T) {
	t.Parallel()
	var pings, failing atomic.Int32
	nc := fakeServer(t, func(typ uint8, tag uint16, body []byte) []byte {
		switch {
		case typ == tversion:
			return frame(tversion+1, tag, u32(8192), str("9P2000.u"))
		case typ == tattach:
			return frame(tattach+1, tag, make([]byte, qidLen))
		case typ == twalk && failing.Load() > 0:
			return frame(rerror, tag, str("out of order"), u32(5))
		case typ == twalk:
			return frame(twalk+1, tag, u16(0))
		}
		return frame(typ+1, tag)
	})
	w := &lockedBuffer{}
	c, err := NewClient(t.Context(), nc, &Options{
		PingInterval: time.Millisecond,
		OnPing:       func(time.Duration) { pings.Add(1) },
		Log:          textLog(w),
	})
	check(t, err)
	eventually(t, "a third ping", func() bool { return pings.Load() >= 3 })
	failing.Store(1)
	eventually(t, "the log of a failed ping", func() bool { return strings.Contains(w.String(), "Ping failed: out of order") })
	eventually(t, "the end of the connection", func() bool {
		_, err := c.Stat(t.Context(), "")
		return errors.Is(err, ErrConnection)
	})
	c.Close()
}

func TestCL10_CloseEndsEverything(t *testing.T) {
	t.Parallel()
	tree := newMemTree()
	_, begun := waitingFile(tree.put("live", ""))
	c := newTestClient(t, serveTree(tree), nil)
	var wg sync.WaitGroup
	for range 10 {
		s, err := c.OpenStream(t.Context(), "live")
		check(t, err)
		wg.Go(func() {
			if _, err := s.Next(context.Background()); !errors.Is(err, ErrConnection) {
				t.Errorf("Next = %v", err)
			}
		})
		<-begun
	}
	c.Close()
	c.Close()
	wg.Wait()
}

func TestCL11_UndecodableReply(t *testing.T) {
	t.Parallel()
	for _, reply := range [][]byte{
		{1, 0, 0, 0, 0, 0, 0},                 // too small
		frame(twalk+1, 999, u16(0)),           // no such tag
		frame(twalk+1, 0, []byte("nonsense")), // cannot be decoded
		frame(tread+1, 0, u16(0)),             // no answer to that
		append(u32(1<<30), 0, 0, 0),           // too large
	} {
		nc := fakeServer(t, func(typ uint8, tag uint16, body []byte) []byte {
			switch typ {
			case tversion:
				return frame(tversion+1, tag, u32(8192), str("9P2000.u"))
			case tattach:
				return frame(tattach+1, tag, make([]byte, qidLen))
			}
			return reply
		})
		c, err := NewClient(t.Context(), nc, nil)
		check(t, err)
		for range 2 {
			if _, err := c.Walk(t.Context(), "x"); !errors.Is(err, ErrConnection) {
				t.Errorf("reply %x: Walk = %v", reply, err)
			}
		}
		c.Close()
	}
}

func TestStreamOfPieces(t *testing.T) {
	eachClient(t, func(t *testing.T, tree *memTree, c *Client) {
		f := tree.put("live", "")
		pieces := []string{"one\n", "", strings.Repeat("x", 60), "", "y\n", "", "", ""}
		f.maxRead = 60
		f.onRead = func(_ context.Context, p []byte, _ uint64) (int, error) {
			n := copy(p, pieces[0])
			pieces = pieces[1:]
			return n, nil
		}
		s, err := c.OpenStream(t.Context(), "live")
		check(t, err)
		for _, want := range []string{"one", strings.Repeat("x", 60) + "y"} {
			if got, err := s.Next(t.Context()); got != want || err != nil {
				t.Errorf("Next = %q, %v, want %q", got, err, want)
			}
		}
		if _, err := s.Next(t.Context()); fmt.Sprint(err) != "EOF" {
			t.Errorf("Next at the end: %v", err)
		}
		check(t, s.Close())
	})
}

func TestErrorsOfTheClient(t *testing.T) {
	eachClient(t, func(t *testing.T, tree *memTree, c *Client) {
		tree.put("f", "")
		_, err := c.ReadFile(t.Context(), "f/x")
		var e *Error
		if !errors.As(err, &e) || e.Errno != vfs.ENOTDIR {
			t.Errorf("ReadFile = %#v", err)
		}
		want := "Can't walk from a file"
		if c.Dialect() == DotL {
			want = "Is not a directory"
		}
		if e.Text != want {
			t.Errorf("text %q, want %q", e.Text, want)
		}
		if err := c.Mkdir(t.Context(), "f", 0o775); !errors.Is(err, fs.ErrExist) {
			t.Errorf("Mkdir = %v", err)
		}
		if err := c.Remove(t.Context(), "none"); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("Remove = %v", err)
		}
		if e := (&Error{Errno: 9999}); e.Error() != "error 9999" {
			t.Errorf("text %q", e.Error())
		}
	})
}

func TestExclusiveCreate(t *testing.T) {
	eachClient(t, func(t *testing.T, tree *memTree, c *Client) {
		for i, want := range []error{nil, fs.ErrExist} {
			f, err := c.Create(t.Context(), "f", Exclusive|ReadWrite, 0o664)
			if !errors.Is(err, want) {
				t.Errorf("Create %d = %v, want %v", i, err, want)
			}
			if err == nil {
				check(t, f.Close())
			}
		}
	})
}
