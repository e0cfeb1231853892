package p9

import (
	"fmt"
	"strings"
	"testing"

	"github.com/datakit/datakit/vfs"
)

// openWith returns the type of the request that opens a fid with a mode of
// 9P2000, and its fields.
func (c *rawConn) openWith(mode uint8) (typ uint8, fields func(fid uint32) [][]byte) {
	if c.dialect != DotL {
		return topen, func(fid uint32) [][]byte { return [][]byte{u32(fid), {mode}} }
	}
	flags := OpenFlags(mode).linux()
	return tlopen, func(fid uint32) [][]byte { return [][]byte{u32(fid), u32(flags)} }
}

func TestFS155_Open(t *testing.T) {
	eachDialect(t, func(t *testing.T, d Dialect) {
		tree := newMemTree()
		tree.put("f", "content")
		c := rawSession(t, serveTree(tree), d)
		for mode := range uint8(4) {
			typ, fields := c.openWith(mode)
			q := c.walk(0, 1, "f")[2:]
			got := c.ok(typ, 1, fields(1)...)
			if want := string(q) + "\x00\x00\x00\x00"; string(got) != want {
				t.Errorf("mode %d: answer %x, want %x", mode, got, want)
			}
			c.fails(errOpened, typ, 1, fields(1)...)
			c.read(1, 0, 10) // the access is not checked
			c.write(1, 0, "c")
			c.ok(tclunk, 1, u32(1))
		}
		if d == DotL {
			return
		}
		c.walk(0, 1, "f")
		c.fails(asError(badMode(0x04)), topen, 1, u32(1), []byte{0x04})
		c.fails(asError(badMode(0x0c)), topen, 1, u32(1), []byte{0xff})
		c.ok(topen, 1, u32(1), []byte{0x20})
	})
}

func TestModeBitsText(t *testing.T) {
	if got := badMode(0x1f).Error(); got != "Unknown mode bits: 0x0c" {
		t.Errorf("text %q", got)
	}
}

func TestFS156_OpenTruncates(t *testing.T) {
	eachDialect(t, func(t *testing.T, d Dialect) {
		tree := newMemTree()
		tree.put("f", "content")
		tree.put("dir/x", "")
		tree.put("refuses", "content").fixed = true
		c := rawSession(t, serveTree(tree), d)
		typ, fields := c.openWith(modeTrunc | 1)
		c.walk(0, 1, "f")
		c.ok(typ, 1, fields(1)...)
		if got := c.read(1, 0, 10); got != "" {
			t.Errorf("read %q after truncation", got)
		}
		c.walk(0, 2, "dir") // FS-41
		c.ok(typ, 1, fields(2)...)
		c.walk(0, 3, "refuses")
		c.fails(vfs.ErrReadOnly, typ, 1, fields(3)...)
		c.fails(errReadNotOpen, tread, 1, u32(3), u64(0), u32(1))
	})
}

func TestFS157_Append(t *testing.T) {
	eachDialect(t, func(t *testing.T, d Dialect) {
		tree := newMemTree()
		tree.put("f", "one")
		c := rawSession(t, serveTree(tree), d)
		typ, fields := c.openWith(modeAppend | 1)
		c.walk(0, 1, "f")
		c.ok(typ, 1, fields(1)...)
		c.write(1, 0, "two")
		if got := c.read(1, 0, 10); got != "onetwo" {
			t.Errorf("read %q", got)
		}
	})
}

func TestFS158_RemoveOnClose(t *testing.T) {
	for _, d := range []Dialect{Plain, DotU} {
		tree := newMemTree()
		tree.put("f", "")
		c := rawSession(t, serveTree(tree), d)
		c.walk(0, 1, "f")
		c.ok(topen, 1, u32(1), []byte{modeRclose})
		c.walk(0, 2, "f")
		c.ok(tclunk, 1, u32(1))
		c.fails(vfs.ErrNotExist, twalk, 1, walkBody(0, 1, "f")...)
		c.walk(0, 3)
		c.fails(vfs.ErrPermission, topen, 1, u32(3), []byte{modeRclose})
		c.ok(topen, 1, u32(3), []byte{0}) // is still not open
	}
}

func TestFS159_NotOpen(t *testing.T) {
	eachDialect(t, func(t *testing.T, d Dialect) {
		tree := newMemTree()
		tree.put("f", "")
		c := rawSession(t, serveTree(tree), d)
		c.walk(0, 1, "f")
		c.fails(errReadNotOpen, tread, 1, u32(1), u64(0), u32(1))
		c.fails(errWriteNotOpen, twrite, 1, u32(1), u64(0), u32(1), []byte("x"))
		c.fails(errReadNotOpen, tread, 1, u32(0), u64(0), u32(1))
		c.fails(errWriteDir, twrite, 1, u32(0), u64(0), u32(1), []byte("x"))
		c.walk(0, 2)
		c.open(2)
		c.fails(errWriteDir, twrite, 1, u32(2), u64(0), u32(1), []byte("x"))
		if d == DotL {
			c.fails(vfs.ErrIsDir, tread, 1, u32(2), u64(0), u32(1))
			c.fails(errReadNotOpen, treaddir, 1, u32(1), u64(0), u32(100))
			c.open(1)
			c.fails(vfs.ErrNotDir, treaddir, 1, u32(1), u64(0), u32(100))
		}
	})
}

func TestFS160_Create(t *testing.T) {
	for _, d := range []Dialect{Plain, DotU} {
		tree := newMemTree()
		tree.put("file", "")
		c := rawSession(t, serveTree(tree), d)
		create := func(fid uint32, name string, perm uint32, target string) [][]byte {
			body := [][]byte{u32(fid), str(name), u32(perm), {2}}
			if d == DotU {
				body = append(body, str(target))
			}
			return body
		}
		for i, tt := range []struct {
			perm     uint32
			wantPerm uint32
			wantKind uint32
		}{
			{0o644, 0o664, 0}, {0o755, 0o775, 0}, {0o655 | 0x00080000 | 0x00040000, 0o664, 0},
			{dmDir | 0o700, 0o775, dmDir},
		} {
			fid := uint32(i + 10)
			c.walk(0, fid)
			name := fmt.Sprint("new", i)
			c.ok(tcreate, 1, create(fid, name, tt.perm, "")...)
			c.fails(errCreateOpen, tcreate, 1, create(fid, "x", 0o644, "")...)
			if tt.wantKind == 0 {
				c.write(fid, 0, "x")
				c.read(fid, 0, 1)
			}
			st, _ := tree.at(name).Stat(t.Context())
			if st.Perm != tt.wantPerm || dmMode(&st)&^0o777 != tt.wantKind {
				t.Errorf("perm %o: made %+v", tt.perm, st)
			}
		}
		c.walk(0, 1, "file")
		c.fails(vfs.NotADir("file"), tcreate, 1, create(1, "x", 0o644, "")...)
		c.walk(0, 2)
		for _, bit := range []uint32{0x40000000, 0x20000000, 0x10000000, 0x08000000, 0x04000000, 0x01000000, 0x00800000, 0x00200000, 0x00100000} {
			c.fails(vfs.ErrPermission, tcreate, 1, create(2, "x", bit|0o644, "")...)
		}
		c.fails(vfs.ErrNoTarget, tcreate, 1, create(2, "x", dmSymlink|0o777, "")...)
		c.fails(vfs.BadName(".."), tcreate, 1, create(2, "..", 0o644, "")...)
		c.fails(vfs.BadName("a\x00b"), tcreate, 1, create(2, "a\x00b", 0o644, "")...)
		c.fails(asError(badMode(8)), tcreate, 1, append(create(2, "x", 0o644, "")[:3], []byte{8}, str(""))[:4+int(d)]...)
		if d == DotU {
			c.ok(tcreate, 1, create(2, "link", dmSymlink|0o777, "target")...)
			if got := c.read(2, 0, 100); got != "target" {
				t.Errorf("target %q", got)
			}
		}
	}
}

func TestFS161_ReadCount(t *testing.T) {
	eachDialect(t, func(t *testing.T, d Dialect) {
		tree := newMemTree()
		tree.put("f", strings.Repeat("x", 100_000))
		c := rawSession(t, serveTree(tree), d)
		c.version(d.String(), 1000)
		c.attach(0)
		c.walkOpen(1, "f")
		for _, tt := range []struct{ count, want uint32 }{{0, 0}, {1, 1}, {989, 989}, {990, 989}, {0xFFFFFFFF, 989}} {
			if got := c.read(1, 0, tt.count); len(got) != int(tt.want) {
				t.Errorf("count %d: read %d, want %d", tt.count, len(got), tt.want)
			}
		}
	})
}

func TestFS38_EndOfFile(t *testing.T) {
	eachDialect(t, func(t *testing.T, d Dialect) {
		tree := newMemTree()
		tree.put("f", "AB1st")
		c := rawSession(t, serveTree(tree), d)
		c.walkOpen(1, "f")
		for count, want := range map[uint32]string{0: "", 2: "1s", 3: "1st", 4: "1st"} {
			if got := c.read(1, 2, count); got != want {
				t.Errorf("FST-15: read %d at 2 = %q, want %q", count, got, want)
			}
		}
		if got := c.read(1, 5, 4); got != "" {
			t.Errorf("read at the end = %q", got)
		}
		if d == DotL {
			if got := c.read(1, 6, 4); got != "" {
				t.Errorf("read beyond the end = %q", got)
			}
		} else {
			c.fails(asError(vfs.PastEnd(6, 5)), tread, 1, u32(1), u64(6), u32(4))
		}
		c.fails(vfs.NegativeOffset(1<<63), tread, 1, u32(1), u64(1<<63), u32(4))
	})
}

func TestFS162_Write(t *testing.T) {
	eachDialect(t, func(t *testing.T, d Dialect) {
		tree := newMemTree()
		tree.put("f", "")
		c := rawSession(t, serveTree(tree), d)
		c.walkOpen(1, "f")
		c.write(1, 2, "1st")
		c.write(1, 0, "AB")
		c.write(1, 100, "")
		if got := c.read(1, 0, 100); got != "AB1st" {
			t.Errorf("FST-13: read %q", got)
		}
		c.fails(vfs.NegativeOffset(1<<63), twrite, 1, u32(1), u64(1<<63), u32(1), []byte("x"))
		c.fails(vfs.ErrTooBig, twrite, 1, u32(1), u64(1<<40), u32(1), []byte("x"))
	})
}

func TestFS164_PiecesOfAnySize(t *testing.T) {
	eachDialect(t, func(t *testing.T, d Dialect) {
		tree := newMemTree()
		tree.put("f", "")
		c := rawSession(t, serveTree(tree), d)
		c.version(d.String(), 1<<20)
		c.attach(0)
		c.walkOpen(1, "f")
		var want strings.Builder
		for _, size := range []int{1, 100, 20_000, 70_000, 1<<20 - writeHeader, 5} {
			piece := strings.Repeat(string(rune('a'+size%26)), size)
			c.write(1, uint64(want.Len()), piece)
			want.WriteString(piece)
		}
		var got strings.Builder
		for _, count := range []uint32{1, 5000, 1 << 20, 300_000, 1 << 20} {
			got.WriteString(c.read(1, uint64(got.Len()), count))
		}
		if got.String() != want.String() {
			t.Errorf("read %d bytes, want %d", got.Len(), want.Len())
		}
	})
}
