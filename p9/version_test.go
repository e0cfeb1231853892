package p9

import (
	"bytes"
	"context"
	"errors"
	"net"
	"strings"
	"testing"

	"github.com/datakit/datakit/vfs"
)

func TestFS134_Versions(t *testing.T) {
	t.Parallel()
	c := &rawConn{t, connect(t, serveTree(newMemTree())), Plain}
	for _, tt := range []struct{ ask, want string }{
		{"9P2000", "9P2000"},
		{"9P2000.u", "9P2000.u"},
		{"9P2000.L", "9P2000.L"},
		{"9P2000.L.Google.7", "9P2000.L"},
		{"9P2000.u.x", "9P2000.u"},
		{"9P2000.e", "9P2000"},
		{"9P2000x", "9P2000"},
		{"9P1999", "unknown"},
		{"", "unknown"},
		{"\xff\x00", "unknown"},
		{"9P2000.u", "9P2000.u"}, // after unknown
	} {
		got := c.version(tt.ask, 8192)
		if want := append(u32(8192), str(tt.want)...); !bytes.Equal(got, want) {
			t.Errorf("version %q: answer %q, want %q", tt.ask, got, want)
		}
	}
}

func TestFS135_MessageSize(t *testing.T) {
	t.Parallel()
	c := &rawConn{t, connect(t, serveTree(newMemTree())), Plain}
	for _, tt := range []struct{ ask, want uint32 }{{256, 256}, {8192, 8192}, {1 << 20, 1 << 20}, {1 << 31, 1 << 20}} {
		if got := c.version("9P2000", tt.ask)[:4]; !bytes.Equal(got, u32(tt.want)) {
			t.Errorf("size %d: answer %x, want %d", tt.ask, got, tt.want)
		}
	}
	for _, d := range allDialects {
		c.dialect = d
		c.fails(errMsize, tversion, noTag, u32(255), str(d.String()))
	}
	c.dialect = Plain
	c.fails(errNoVersion, tclunk, 1, u32(0))
}

func TestFS135_ServersMaximum(t *testing.T) {
	t.Parallel()
	srv := serveTree(newMemTree())
	srv.MaxMsize = 5000
	c := &rawConn{t, connect(t, srv), Plain}
	if got := c.version("9P2000", 8192)[:4]; !bytes.Equal(got, u32(5000)) {
		t.Errorf("answer %x, want 5000", got)
	}
}

func TestFS136_FrameSizeEndsConnection(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		version bool
		frame   []byte
	}{
		{"too small", true, append(u32(6), 0, 0, 0)},
		{"zero", false, append(u32(0), 0, 0, 0)},
		{"beyond the agreed size", true, append(u32(4097), tclunk, 0, 0)},
		{"beyond the server's size", false, append(u32(1<<20+1), tclunk, 0, 0)},
		{"huge", true, append(u32(0xFFFFFFFF), tclunk, 0, 0)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := &rawConn{t, connect(t, serveTree(newMemTree())), Plain}
			if tt.version {
				c.version("9P2000", 4096)
			}
			c.nc.Write(tt.frame)
			c.closed()
		})
	}
}

func TestFS136_RepliesFit(t *testing.T) {
	eachDialect(t, func(t *testing.T, d Dialect) {
		tree := newMemTree()
		long := strings.Repeat("n", 200)
		tree.put("a/"+long, strings.Repeat("x", 1000))
		c := rawSession(t, serveTree(tree), d)
		c.version(d.String(), 256)
		c.attach(0)
		c.fails(errMsize, twalk, 1, walkBody(0, 1, strings.Split(strings.Repeat("a/../", 12)+"a", "/")...)...)
		c.fails(unknownFid(1), tclunk, 1, u32(1))
		c.walk(0, 1, "a")
		c.walk(1, 1, long)
		if d != DotL {
			c.fails(errMsize, tstat, 1, u32(1))
		}
		c.open(1)
		if got := c.read(1, 0, 1000); len(got) != 256-readHeader {
			t.Errorf("read %d bytes, want %d", len(got), 256-readHeader)
		}
		c.walkOpen(2, "a")
		if d == DotL {
			if got := rdata(t, c.ok(treaddir, 1, u32(2), u64(0), u32(1000))); len(got) > 256 {
				t.Errorf("readdir of %d bytes", len(got))
			}
		} else if got := c.read(2, 0, 1000); got != "" {
			t.Errorf("read a record of %d bytes", len(got))
		}
	})
}

func TestFS136_LongErrorTextFits(t *testing.T) {
	for _, d := range []Dialect{Plain, DotU} {
		tree := newMemTree()
		tree.put("f", "").onOpen = func(context.Context) error {
			return &vfs.Error{Text: strings.Repeat("long\n", 1000), Errno: 5}
		}
		c := rawSession(t, serveTree(tree), d)
		c.walk(0, 1, "f")
		typ, body := c.call(topen, 1, u32(1), []byte{0})
		if text := strings.Repeat("long ", 1000)[:vfs.MaxErrorText]; typ != rerror || !bytes.HasPrefix(body, str(text)) {
			t.Errorf("FS-223: reply has type %d: %q", typ, body)
		}
		c.version(d.String(), 256)
		c.attach(0)
		c.walk(0, 1, "f")
		if typ, body := c.call(topen, 1, u32(1), []byte{0}); typ != rerror || len(body) > 256-headerLen {
			t.Errorf("reply has type %d, %d bytes", typ, len(body))
		}
	}
}

func TestFS137_NoVersion(t *testing.T) {
	t.Parallel()
	c := &rawConn{t, connect(t, serveTree(newMemTree())), Plain}
	c.fails(errNoVersion, tattach, 1, c.attachBody(0, noUID)...)
	c.fails(errNoVersion, tflush, 1, u16(1))
	c.fails(errNoVersion, 255, 1)
	c.version("unknown", 8192)
	c.fails(errNoVersion, tattach, 1, c.attachBody(0, noUID)...)
	c.version("9P2000", 8192)
	c.attach(0)
}

func TestFS138_VersionEndsSession(t *testing.T) {
	eachDialect(t, func(t *testing.T, d Dialect) {
		tree := newMemTree()
		_, begun := waitingFile(tree.put("live", ""))
		sessions, released := 0, 0
		srv := &Server{NewSession: func() (vfs.Dir, func(), error) {
			sessions++
			return tree.root, func() { released++ }, nil
		}}
		c := rawSession(t, srv, d)
		c.walkOpen(1, "live")
		c.send(tread, 7, u32(1), u64(0), u32(100))
		<-begun
		c.version(d.String(), 8192) // is answered, and the read is not
		if sessions != 2 || released != 1 || tree.open.Load() != 0 || srv.Fids() != 0 {
			t.Errorf("%d sessions, %d released, %d files open, %d fids",
				sessions, released, tree.open.Load(), srv.Fids())
		}
		c.fails(unknownFid(1), tclunk, 7, u32(1))
		c.attach(1)
	})
}

func TestFS139_NoAuthentication(t *testing.T) {
	eachDialect(t, func(t *testing.T, d Dialect) {
		c := rawSession(t, serveTree(newMemTree()), d)
		body := [][]byte{u32(9), str("me"), str("")}
		if d != Plain {
			body = append(body, u32(0))
		}
		want := errNoSys
		if d == DotL {
			want = vfs.ErrNotExist
		}
		c.fails(want, tauth, 1, body...)
		c.walk(0, 1)
		body = c.attachBody(2, noUID)
		body[1] = u32(9) // the afid
		c.ok(tattach, 1, body...)
	})
}

func TestFS140_AttachSeveralTimes(t *testing.T) {
	eachDialect(t, func(t *testing.T, d Dialect) {
		sessions := 0
		tree := newMemTree()
		tree.put("f", "x")
		srv := &Server{NewSession: func() (vfs.Dir, func(), error) { sessions++; return tree.root, nil, nil }}
		c := rawSession(t, srv, d)
		body := c.attachBody(5, 7)
		body[2], body[3] = str("somebody"), str("/else/where")
		if got, want := c.ok(tattach, 1, body...), c.ok(tattach, 1, c.attachBody(6, 8)...); !bytes.Equal(got, want) {
			t.Errorf("qids %x and %x", got, want)
		}
		c.walk(5, 7, "f")
		c.fails(vfs.AsError(fidInUse(5)), tattach, 1, c.attachBody(5, noUID)...)
		c.fails(unknownFid(noFid), tattach, 1, c.attachBody(noFid, noUID)...)
		if sessions != 1 {
			t.Errorf("FS-35: %d sessions, want 1", sessions)
		}
	})
}

func TestFS141_Owner(t *testing.T) {
	for _, d := range []Dialect{DotU, DotL} {
		for _, tt := range []struct{ first, second, want uint32 }{
			{1000, 7, 1000}, {noUID, 7, 0}, {0, 7, 0},
		} {
			c := &rawConn{t, connect(t, serveTree(newMemTree())), d}
			c.version(d.String(), 8192)
			c.ok(tattach, 1, c.attachBody(0, tt.first)...)
			c.ok(tattach, 1, c.attachBody(1, tt.second)...)
			uid, gid := 0, 0
			var body []byte
			if d == DotL {
				body = c.ok(tgetattr, 1, u32(1), u64(attrMask))
				uid = 8 + qidLen + 4
				gid = uid + 4
			} else {
				body = c.ok(tstat, 1, u32(1))
				uid = len(body) - 12
				gid = uid + 4
				if !bytes.Contains(body, bytes.Join([][]byte{str("root"), str("root"), str("none")}, nil)) {
					t.Errorf("names in stat %q", body)
				}
			}
			if !bytes.Equal(body[uid:uid+4], u32(tt.want)) || !bytes.Equal(body[gid:gid+4], u32(0)) {
				t.Errorf("%v: attached as %d and %d: owner %x, group %x", d, tt.first, tt.second, body[uid:uid+4], body[gid:gid+4])
			}
		}
	}
}

func TestFS144_UnknownAndMalformed(t *testing.T) {
	eachDialect(t, func(t *testing.T, d Dialect) {
		c := rawSession(t, serveTree(newMemTree()), d)
		for _, typ := range []uint8{0, 1, 5, rerror, 106, 113, 128, 200, 255} {
			c.fails(vfs.AsError(badType(typ)), typ, 3)
		}
		c.fails(errMalformed, tclunk, 3, u32(1), []byte{1}) // something left
		c.fails(errMalformed, tclunk, 3, []byte{1})         // something missing
		c.fails(errMalformed, twalk, 3, u32(0), u32(1), u16(2), str("a"))
		c.fails(errMalformed, twalk, 3, u32(0), u32(1), u16(65535), str("a"))
		c.fails(errMalformed, twalk, 3, u32(0), u32(1), u16(1), u16(5), []byte("abc"))
		c.fails(errMalformed, twrite, 3, u32(0), u64(0), u32(5), []byte("abc"))
		c.fails(errMalformed, twrite, 3, u32(0), u64(0), u32(0xFFFFFFFF), []byte("abc"))
		c.fails(errMalformed, tversion, noTag, u32(8192))
		c.walk(0, 1)
	})
	for _, d := range []Dialect{Plain, DotU} {
		c := rawSession(t, serveTree(newMemTree()), d)
		for _, typ := range []uint8{tlopen, treaddir, tgetattr, tmkdir} {
			c.fails(vfs.AsError(badType(typ)), typ, 3, u32(0))
		}
	}
	c := rawSession(t, serveTree(newMemTree()), DotL)
	for _, typ := range []uint8{topen, tcreate, tstat, twstat} {
		c.fails(vfs.AsError(badType(typ)), typ, 3, u32(0))
	}
}

// TestFS218_NumberInEachError also covers FS-217: c.fails compares the numbers.
func TestFS218_NumberInEachError(t *testing.T) {
	c := rawSession(t, serveTree(newMemTree()), DotU)
	typ, body := c.call(twalk, 9, []byte("rubbish"))
	if want := append(str("Malformed message"), u32(22)...); typ != rerror || !bytes.Equal(body, want) {
		t.Errorf("reply has type %d: %q, want %q", typ, body, want)
	}
}

func TestFS145_FS224_PanicAndInternalError(t *testing.T) {
	eachDialect(t, func(t *testing.T, d Dialect) {
		tree := newMemTree()
		tree.put("panics", "").onRead = func(context.Context, []byte, uint64) (int, error) { panic("secret") }
		tree.put("fails", "").onRead = func(context.Context, []byte, uint64) (int, error) {
			return 0, errors.New("secret")
		}
		tree.put("later", "").onRead = func(ctx context.Context, _ []byte, _ uint64) (int, error) {
			vfs.MayWait(ctx)
			panic("secret")
		}
		srv := serveTree(tree)
		logged := logTo(t, srv)
		other := rawSession(t, srv, d)
		c := rawSession(t, srv, d)
		for i, name := range []string{"panics", "fails", "later"} {
			c.walkOpen(uint32(i+1), name)
			c.fails(vfs.ErrInternal, tread, 1, u32(uint32(i+1)), u64(0), u32(10))
			c.fails(vfs.ErrInternal, tread, 1, u32(uint32(i+1)), u64(0), u32(10)) // the lane is free
		}
		other.walk(0, 1)
		if got := logged(); strings.Count(got, "secret") != 6 || !strings.Contains(got, "version_test.go") {
			t.Errorf("FS-145: log: %s", got)
		}
	})
}

func TestNewSessionFails(t *testing.T) {
	t.Parallel()
	srv := &Server{NewSession: func() (vfs.Dir, func(), error) { return nil, nil, vfs.ErrPermission }}
	c := &rawConn{t, connect(t, srv), DotU}
	c.fails(vfs.ErrPermission, tversion, noTag, u32(8192), str("9P2000.u"))
	c.dialect = Plain
	c.fails(errNoVersion, tattach, 1)
}

func TestFS188_ServeSurvivesAccept(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(context.Background())
	l := &flakyListener{fail: 3, closed: make(chan struct{})}
	done := make(chan error)
	go func() { done <- serveTree(newMemTree()).Serve(ctx, l) }()
	l.wait(t)
	cancel()
	if err := <-done; err != nil {
		t.Errorf("FS-188: Serve = %v", err)
	}
}

var _ net.Listener = (*flakyListener)(nil)
