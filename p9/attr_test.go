package p9

import (
	"bytes"
	"context"
	"math"
	"strings"
	"testing"

	"github.com/datakit/datakit/vfs"
)

// statOf returns what Tstat says of a path.
func (c *rawConn) statOf(names ...string) statRecord {
	c.t.Helper()
	c.walk(0, 50, names...)
	defer c.ok(tclunk, 1, u32(50))
	d := decoder{b: c.ok(tstat, 1, u32(50)), dialect: c.dialect}
	d.u16()
	rec := d.stat()
	if !d.end() {
		c.t.Errorf("malformed Rstat")
	}
	return rec
}

func TestFS167_StatRecord(t *testing.T) {
	tree := newMemTree()
	f := tree.put("dir/file", "content")
	f.perm, f.version, f.id = 0o775, 5, 0x1122334455667788
	for _, tt := range []struct {
		d    Dialect
		want string
	}{
		{Plain, `
			4100 3f00 0000 00000000 00 05000000 8877665544332211
			fd010000 002f6859 002f6859 0700000000000000
			0400 66696c65 0400 726f6f74 0400 726f6f74 0400 6e6f6e65`},
		{DotU, `
			4f00 4d00 0000 00000000 00 05000000 8877665544332211
			fd010000 002f6859 002f6859 0700000000000000
			0400 66696c65 0400 726f6f74 0400 726f6f74 0400 6e6f6e65
			0000 00000000 00000000 ffffffff`},
	} {
		c := rawSession(t, serveTree(tree), tt.d)
		c.walk(0, 1, "dir", "file")
		if got, want := c.ok(tstat, 1, u32(1)), unhex(t, tt.want); !bytes.Equal(got, want) {
			t.Errorf("%v: Rstat\n%x, want\n%x", tt.d, got, want)
		}
	}
}

func TestFS167_Kinds(t *testing.T) {
	for _, d := range []Dialect{Plain, DotU} {
		tree := newMemTree()
		tree.put("dir/file", "content")
		tree.root.Symlink(t.Context(), "link", "target")
		c := rawSession(t, serveTree(tree), d)
		if got := c.statOf(); got.name != "/" || got.mode != dmDir|0o775 || got.length != 0 {
			t.Errorf("root: %+v", got)
		}
		if got := c.statOf("dir", "file"); got.name != "file" || got.mode != 0o664 || got.length != 7 || got.target != "" {
			t.Errorf("file: %+v", got)
		}
		target := "target"
		if d == Plain {
			target = ""
		}
		if got := c.statOf("link"); got.mode != dmSymlink|0o775 || got.target != target {
			t.Errorf("link: %+v", got)
		}
	}
}

func TestStatOfEndlessTarget(t *testing.T) {
	tree := newMemTree()
	tree.root.Symlink(t.Context(), "link", strings.Repeat("x", 100_000))
	c := rawSession(t, serveTree(tree), DotU)
	if got := c.statOf("link"); got.target != "" || got.length != 100_000 {
		t.Errorf("stat: target of %d bytes, length %d", len(got.target), got.length)
	}
	c = rawSession(t, serveTree(tree), DotL)
	c.walk(0, 1, "link")
	c.fails(vfs.ErrNameTooLong, treadlink, 1, u32(1))
}

// wstat returns the fields of a Twstat.
func wstat(d Dialect, fid uint32, ch change) [][]byte {
	rec := appendChange(nil, &ch, d)
	return [][]byte{u32(fid), u16(uint16(len(rec))), rec}
}

func TestFS168_Wstat(t *testing.T) {
	for _, d := range []Dialect{Plain, DotU} {
		tree := newMemTree()
		f := tree.put("file", "content")
		c := rawSession(t, serveTree(tree), d)
		c.walk(0, 1, "file")
		length, mode := uint64(3), uint32(0o755)
		for _, ch := range []change{
			{name: "x", length: &length}, {name: "x", mode: &mode}, {length: &length, mode: &mode},
			{name: "x", length: &length, mode: &mode},
		} {
			c.fails(errMulti, twstat, 1, wstat(d, 1, ch)...)
		}
		c.ok(twstat, 1, wstat(d, 1, change{})...)
		if st, _ := f.Stat(t.Context()); st.Name != "file" || st.Size != 7 || st.Perm != 0o664 {
			t.Errorf("changed to %+v", st)
		}
		c.ok(twstat, 1, wstat(d, 1, change{length: &length})...)
		c.ok(twstat, 1, wstat(d, 1, change{mode: &mode})...)
		c.ok(twstat, 1, wstat(d, 1, change{name: "new"})...)
		if st, _ := f.Stat(t.Context()); st.Name != "new" || st.Size != 3 || st.Perm != 0o775 {
			t.Errorf("changed to %+v", st)
		}
	}
}

// TestFS168_Ignored sets everything that a client may not set, and nothing else.
func TestFS168_Ignored(t *testing.T) {
	tree := newMemTree()
	f := tree.put("file", "content")
	c := rawSession(t, serveTree(tree), Plain)
	c.walk(0, 1, "file")
	rec := unhex(t, `0100 02000000 01 02000000 0300000000000000 ffffffff
		01000000 02000000 ffffffffffffffff 0000 0100 61 0100 62 0100 63`)
	c.ok(twstat, 1, u32(1), u16(uint16(len(rec)+2)), u16(uint16(len(rec))), rec)
	if st, _ := f.Stat(t.Context()); st.Name != "file" || st.Size != 7 || st.Perm != 0o664 || st.ModTime != testTime {
		t.Errorf("changed to %+v", st)
	}
	c.fails(errMalformed, twstat, 1, u32(1), u16(uint16(len(rec)+2)), u16(uint16(len(rec)-1)), rec)
	c.fails(errMalformed, twstat, 1, u32(1), u16(uint16(len(rec)+3)), u16(uint16(len(rec))), rec)
}

func TestFS169_Rename(t *testing.T) {
	for _, d := range []Dialect{Plain, DotU} {
		tree := newMemTree()
		tree.put("dir/precious", "")
		tree.put("new", "")
		c := rawSession(t, serveTree(tree), d)
		c.walk(0, 1, "new")
		c.fails(vfs.ErrIsDir, twstat, 1, wstat(d, 1, change{name: "dir"})...)
		c.fails(vfs.ErrRenameRoot, twstat, 1, wstat(d, 0, change{name: "x"})...)
		c.walk(0, 2, "dir", "..")
		c.fails(vfs.ErrRenameRoot, twstat, 1, wstat(d, 2, change{name: "x"})...)
		c.ok(twstat, 1, wstat(d, 1, change{name: "newer"})...)
		if got := c.statOf("newer"); got.name != "newer" {
			t.Errorf("stat %+v", got)
		}
	}
}

func TestFS170_Length(t *testing.T) {
	for _, d := range []Dialect{Plain, DotU} {
		tree := newMemTree()
		tree.put("f", "AB1st")
		tree.put("dir/x", "")
		c := rawSession(t, serveTree(tree), d)
		c.walk(0, 1, "f")
		c.walk(0, 2, "dir")
		negative, zero, four, huge := uint64(1<<63), uint64(0), uint64(4), uint64(math.MaxUint64-1)
		c.fails(vfs.NegativeOffset(negative), twstat, 1, wstat(d, 1, change{length: &negative})...)
		c.fails(vfs.NegativeOffset(huge), twstat, 1, wstat(d, 1, change{length: &huge})...)
		c.ok(twstat, 1, wstat(d, 1, change{length: &four})...)
		c.ok(twstat, 1, wstat(d, 1, change{length: &four})...)
		if got := c.statOf("f"); got.length != 4 {
			t.Errorf("length %d", got.length)
		}
		c.ok(twstat, 1, wstat(d, 2, change{length: &zero})...)
		c.fails(vfs.ErrDirLength, twstat, 1, wstat(d, 2, change{length: &four})...)
	}
}

func TestFS171_Mode(t *testing.T) {
	for _, d := range []Dialect{Plain, DotU} {
		tree := newMemTree()
		f := tree.put("f", "")
		tree.put("dir/x", "")
		c := rawSession(t, serveTree(tree), d)
		c.walk(0, 1, "f")
		c.walk(0, 2, "dir")
		dir, file, link := uint32(dmDir|0o755), uint32(0o755), uint32(dmSymlink|0o777)
		c.fails(vfs.ErrDirFlag, twstat, 1, wstat(d, 1, change{mode: &dir})...)
		c.fails(vfs.ErrDirFlag, twstat, 1, wstat(d, 2, change{mode: &file})...)
		c.ok(twstat, 1, wstat(d, 2, change{mode: &dir})...)
		c.fails(vfs.ErrNoTarget, twstat, 1, wstat(d, 1, change{mode: &link})...)
		if d == DotU {
			c.ok(twstat, 1, wstat(d, 1, change{mode: &link, target: "to"})...)
			if st, _ := f.Stat(t.Context()); st.Target != "to" || st.Qid.Kind != vfs.KindSymlink {
				t.Errorf("is %+v", st)
			}
		}
	}
}

func TestFS165_DirectoryReads(t *testing.T) {
	for _, d := range []Dialect{Plain, DotU} {
		tree := newMemTree()
		for _, name := range []string{"a", "b", "c", "d"} {
			tree.put("dir/"+name, "")
		}
		c := rawSession(t, serveTree(tree), d)
		c.walkOpen(1, "dir")
		size := uint32(len(appendStat(nil, &vfs.Stat{Name: "a"}, 0, d)))
		tree.put("dir/e", "") // FS-43: not in this listing
		c.fails(errDirSeek, tread, 1, u32(1), u64(1), u32(1000))
		first := c.read(1, 0, 2*size+5)
		checkNames(t, d, first, "a", "b")
		if got := c.read(1, uint64(2*size), size-1); got != "" { // FS-166
			t.Errorf("read %q where nothing fits", got)
		}
		c.fails(errDirSeek, tread, 1, u32(1), u64(uint64(size)), u32(1000))
		tree.at("dir", "c").Remove(t.Context(), false) // FS-43: left out
		checkNames(t, d, c.read(1, uint64(2*size), 1000), "d")
		if got := c.read(1, uint64(3*size), 1000); got != "" {
			t.Errorf("read %q at the end", got)
		}
		checkNames(t, d, c.read(1, 0, 1000), "a", "b", "d", "e") // a new listing
	}
}

// checkNames reports if the records in data do not have the given names.
func checkNames(t *testing.T, d Dialect, data string, want ...string) {
	t.Helper()
	var got []string
	for dec := (decoder{b: []byte(data), dialect: d}); len(dec.b) > 0; {
		got = append(got, dec.stat().name)
		if dec.bad {
			t.Fatalf("malformed record in %q", data)
		}
	}
	if strings.Join(got, " ") != strings.Join(want, " ") {
		t.Errorf("listed %q, want %q", got, want)
	}
}

func TestFS166_NothingFitsAtFirst(t *testing.T) {
	for _, d := range []Dialect{Plain, DotU} {
		tree := newMemTree()
		tree.put("dir/a", "")
		c := rawSession(t, serveTree(tree), d)
		c.walkOpen(1, "dir")
		for range 2 {
			if got := c.read(1, 0, 10); got != "" {
				t.Errorf("read %q", got)
			}
		}
		checkNames(t, d, c.read(1, 0, 1000), "a")
	}
}

func TestFS43_FailingEntryIsLeftOut(t *testing.T) {
	tree := newMemTree()
	tree.put("dir/a", "")
	tree.put("dir/b", "").gone = true
	c := rawSession(t, serveTree(tree), DotU)
	c.walkOpen(1, "dir")
	checkNames(t, DotU, c.read(1, 0, 1000), "a")
}

func TestOpenOfDirectoryMayWait(t *testing.T) {
	eachDialect(t, func(t *testing.T, d Dialect) {
		tree := newMemTree()
		tree.put("dir/a", "")
		release := make(chan struct{})
		tree.dir("dir").onList = func(ctx context.Context) { vfs.MayWait(ctx); <-release }
		c := rawSession(t, serveTree(tree), d)
		c.walk(0, 1, "dir")
		typ, fields := c.openWith(0)
		c.send(typ, 5, fields(1)...)
		c.walk(0, 2, "dir", "a") // goes on meanwhile
		close(release)
		if rtyp, tag, _ := c.recv(); rtyp != typ+1 || tag != 5 {
			t.Errorf("reply of type %d, tag %d", rtyp, tag)
		}
	})
}
