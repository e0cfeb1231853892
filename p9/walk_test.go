package p9

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/datakit/datakit/vfs"
)

// asError is the error of a function of errors.go.
func asError(err error) *vfs.Error { return vfs.AsError(err) }

func TestFS146_Fids(t *testing.T) {
	eachDialect(t, func(t *testing.T, d Dialect) {
		c := rawSession(t, serveTree(newMemTree()), d)
		unbound := unknownFid(9)
		c.fails(unbound, twalk, 1, walkBody(9, 1)...)
		c.fails(unbound, tread, 1, u32(9), u64(0), u32(1))
		c.fails(unbound, twrite, 1, u32(9), u64(0), u32(0))
		c.fails(unbound, tclunk, 1, u32(9))
		c.fails(unbound, tremove, 1, u32(9))
		if d == DotL {
			c.fails(unbound, tlopen, 1, u32(9), u32(0))
			c.fails(unbound, tgetattr, 1, u32(9), u64(0))
			c.fails(unbound, tstatfs, 1, u32(9))
		} else {
			c.fails(unbound, topen, 1, u32(9), []byte{0})
			c.fails(unbound, tstat, 1, u32(9))
		}
		c.walk(0, 0xFFFFFFFE)
		c.fails(asError(fidInUse(0xFFFFFFFE)), twalk, 1, walkBody(0, 0xFFFFFFFE)...)
		c.fails(unknownFid(noFid), twalk, 1, walkBody(0, noFid)...)
		c.fails(unknownFid(noFid), twalk, 1, walkBody(noFid, 1)...)
	})
}

func TestFS147_FidLimit(t *testing.T) {
	eachDialect(t, func(t *testing.T, d Dialect) {
		srv := serveTree(newMemTree())
		srv.MaxFids = 3
		c := rawSession(t, srv, d)
		c.walk(0, 1)
		c.walk(0, 2)
		c.fails(errNoFids, twalk, 1, walkBody(0, 3)...)
		c.fails(errNoFids, tattach, 1, c.attachBody(3, noUID)...)
		c.walk(1, 1)
		c.ok(tclunk, 1, u32(2))
		c.walk(0, 3)
		if srv.Fids() != 3 {
			t.Errorf("%d fids, want 3", srv.Fids())
		}
	})
}

func TestFS148_WalkIsAllOrNothing(t *testing.T) {
	eachDialect(t, func(t *testing.T, d Dialect) {
		tree := newMemTree()
		tree.put("a/b/c", "")
		c := rawSession(t, serveTree(tree), d)
		if got := c.walk(0, 1); !bytes.Equal(got, u16(0)) {
			t.Errorf("walk without names: %x", got)
		}
		got := c.walk(0, 2, "a", "b", "c")
		if len(got) != 2+3*qidLen || got[0] != 3 || got[2] != qidDir || got[2+qidLen] != qidDir || got[2+2*qidLen] != 0 {
			t.Errorf("FST-3: qids %x, want two directories and a file", got)
		}
		c.fails(vfs.ErrNotExist, twalk, 1, walkBody(0, 3, "a", "b", "d")...)
		c.fails(vfs.ErrNotExist, twalk, 1, walkBody(0, 3, "x", "b", "d")...)
		c.fails(unknownFid(3), tclunk, 1, u32(3))
	})
}

func TestFS149_ManyNames(t *testing.T) {
	eachDialect(t, func(t *testing.T, d Dialect) {
		tree := newMemTree()
		names := strings.Split(strings.Repeat("d ", 100)+"f", " ")
		tree.put(strings.Join(names, "/"), "deep")
		c := rawSession(t, serveTree(tree), d)
		if got := c.walk(0, 1, names...); got[0] != 101 {
			t.Errorf("%d qids", got[0])
		}
		c.open(1)
		if got := c.read(1, 0, 10); got != "deep" {
			t.Errorf("read %q", got)
		}
	})
}

func TestFS150_WalkToTheSameFid(t *testing.T) {
	eachDialect(t, func(t *testing.T, d Dialect) {
		tree := newMemTree()
		tree.put("a/f", "one")
		tree.put("a/g", "two")
		c := rawSession(t, serveTree(tree), d)
		c.walk(0, 1)
		c.walk(1, 1, "a")
		c.fails(vfs.ErrNotExist, twalk, 1, walkBody(1, 1, "x")...)
		c.walkOpen(2, "a")
		c.walk(2, 3, "f") // from an open fid; the new one is not open
		c.fails(errReadNotOpen, tread, 1, u32(3), u64(0), u32(10))
		c.open(3)
		c.fails(vfs.ErrWalkFile, twalk, 1, walkBody(3, 3, "x")...)
		if got := c.read(3, 0, 10); got != "one" || tree.open.Load() != 1 {
			t.Errorf("after a failed walk: read %q, %d files open", got, tree.open.Load())
		}
		c.walk(3, 3)
		c.fails(errReadNotOpen, tread, 1, u32(3), u64(0), u32(10))
		if n := tree.open.Load(); n != 0 {
			t.Errorf("%d files open after the fid has moved", n)
		}
	})
}

func TestFS151_Dots(t *testing.T) {
	eachDialect(t, func(t *testing.T, d Dialect) {
		tree := newMemTree()
		tree.put("a/b/f", "")
		c := rawSession(t, serveTree(tree), d)
		root := c.attachedQid()
		got := c.walk(0, 1, "a", "b", "..", "..", "..")
		if last := got[len(got)-qidLen:]; !bytes.Equal(last, root) {
			t.Errorf("FST-2: came to %x, want %x", last, root)
		}
		c.fails(errDot, twalk, 1, walkBody(0, 2, "a", ".")...)
		c.walk(0, 2, "a", "b", "f")
		for _, name := range []string{"x", "..", ".", ""} {
			c.fails(vfs.ErrWalkFile, twalk, 1, walkBody(2, 3, name)...)
		}
	})
}

// attachedQid returns the qid of the root.
func (c *rawConn) attachedQid() []byte {
	c.t.Helper()
	q := c.attach(99)
	c.ok(tclunk, 1, u32(99))
	return q
}

func TestFS152_NoSuchName(t *testing.T) {
	eachDialect(t, func(t *testing.T, d Dialect) {
		c := rawSession(t, serveTree(newMemTree()), d)
		for _, name := range []string{"none", "", "a/b", "nul\x00", "\xff\xfe"} {
			c.fails(vfs.ErrNotExist, twalk, 1, walkBody(0, 1, name)...)
		}
	})
}

func TestFS18_NamesAreBytes(t *testing.T) {
	eachDialect(t, func(t *testing.T, d Dialect) {
		tree := newMemTree()
		tree.put("caf\xe9", "latin")
		c := rawSession(t, serveTree(tree), d)
		c.walkOpen(1, "caf\xe9")
		if got := c.read(1, 0, 10); got != "latin" {
			t.Errorf("read %q", got)
		}
	})
}

func TestFS153_Clunk(t *testing.T) {
	eachDialect(t, func(t *testing.T, d Dialect) {
		tree := newMemTree()
		_, begun := waitingFile(tree.put("live", ""))
		tree.put("f", "")
		c := rawSession(t, serveTree(tree), d)
		c.walkOpen(1, "live")
		c.send(tread, 7, u32(1), u64(0), u32(10))
		<-begun
		c.send(tread, 8, u32(1), u64(0), u32(10)) // queues behind the first
		c.send(tclunk, 9, u32(1))
		got := map[uint16]uint8{}
		for range 3 {
			typ, tag, body := c.recv()
			got[tag] = typ
			if tag != 9 {
				c.checkError(vfs.ErrInterrupted, tread, typ, body)
			}
		}
		if got[9] != tclunk+1 || len(got) != 3 {
			t.Errorf("answers by tag: %v", got)
		}
		c.walkOpen(1, "f")
		tree.at("f").Remove(t.Context(), true)
		c.ok(tclunk, 1, u32(1)) // though the file is gone
		if n := tree.open.Load(); n != 0 {
			t.Errorf("%d files open", n)
		}
	})
}

func TestFS154_Remove(t *testing.T) {
	eachDialect(t, func(t *testing.T, d Dialect) {
		tree := newMemTree()
		tree.put("a/f", "")
		tree.put("g", "")
		c := rawSession(t, serveTree(tree), d)
		c.walkOpen(1, "g")
		c.ok(tremove, 1, u32(1))
		c.walk(0, 1, "a") // the fid is free, and FS-173: not empty is no obstacle
		c.ok(tremove, 1, u32(1))
		c.fails(vfs.ErrNotExist, twalk, 1, walkBody(0, 1, "a")...)
		c.walk(0, 1)
		c.fails(vfs.ErrDirReadOnly, tremove, 1, u32(1))
		c.fails(unknownFid(1), tclunk, 1, u32(1)) // released all the same
		if n := tree.open.Load(); n != 0 {
			t.Errorf("%d files open", n)
		}
	})
}

func TestFS175_QidOfOnePlace(t *testing.T) {
	eachDialect(t, func(t *testing.T, d Dialect) {
		tree := newMemTree()
		tree.put("a/f", "")
		c := rawSession(t, serveTree(tree), d)
		first, second := c.walk(0, 1, "a", "f"), c.walk(0, 2, "a", "f")
		if !bytes.Equal(first, second) {
			t.Errorf("qids %x and %x", first, second)
		}
	})
}

func TestFS174_QidTypes(t *testing.T) {
	eachDialect(t, func(t *testing.T, d Dialect) {
		tree := newMemTree()
		tree.put("d/f", "")
		tree.root.Symlink(context.Background(), "l", "target")
		c := rawSession(t, serveTree(tree), d)
		link := uint8(qidSymlink)
		if d == Plain {
			link = 0
		}
		for _, tt := range []struct {
			name string
			want uint8
		}{{"d", qidDir}, {"l", link}} {
			if got := c.walk(0, 1, tt.name); got[2] != tt.want {
				t.Errorf("%s: qid type %#x, want %#x", tt.name, got[2], tt.want)
			}
			c.ok(tclunk, 1, u32(1))
		}
	})
}
