package p9

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"
	"testing"

	"github.com/datakit/datakit/vfs"
)

// linuxTree returns a session of 9P2000.L on a small tree.
func linuxTree(t *testing.T) (*memTree, *rawConn) {
	t.Parallel()
	tree := newMemTree()
	tree.put("dir/file", "content")
	tree.put("file", "AB1st")
	if _, err := tree.root.Symlink(t.Context(), "link", "target"); err != nil {
		t.Fatal(err)
	}
	return tree, rawSession(t, serveTree(tree), DotL)
}

func TestFS172_Lopen(t *testing.T) {
	tree, c := linuxTree(t)
	c.walk(0, 1, "file")
	c.fails(vfs.ErrNotDir, tlopen, 1, u32(1), u32(flagDirectory))
	c.ok(tlopen, 1, u32(1), u32(flagTrunc|flagAppend|0x40|0x8000|1)) // and others
	if st := tree.stat("file"); st.Size != 0 {
		t.Errorf("size %d after O_TRUNC", st.Size)
	}
	c.walk(0, 2, "dir")
	c.ok(tlopen, 1, u32(2), u32(flagDirectory))
	c.fails(errOpened, tlopen, 1, u32(2), u32(0))
}

func TestFS172_Lcreate(t *testing.T) {
	tree, c := linuxTree(t)
	create := func(fid uint32, name string, flags, mode uint32) [][]byte {
		return [][]byte{u32(fid), str(name), u32(flags), u32(mode), u32(0)}
	}
	c.walk(0, 1)
	c.fails(vfs.ErrExist, tlcreate, 1, create(1, "file", flagExcl, 0o644)...)
	c.fails(vfs.ErrIsDir, tlcreate, 1, create(1, "dir", 0, 0o644)...)
	c.ok(tlcreate, 1, create(1, "new", flagExcl|2, 0o100755)...)
	c.write(1, 0, "x")
	if st := tree.stat("new"); st.Perm != 0o775 || st.Size != 1 {
		t.Errorf("made %+v", st)
	}
	c.fails(errCreateOpen, tlcreate, 1, create(1, "other", 0, 0o644)...)
	c.walk(0, 2)
	c.ok(tlcreate, 1, create(2, "file", 0, 0o644)...) // replaces
	if st := tree.stat("file"); st.Size != 0 {
		t.Errorf("made %+v", st)
	}
	c.walk(0, 3, "file")
	c.fails(vfs.NotADir("file"), tlcreate, 1, create(3, "x", 0, 0o644)...)
}

func TestFS172_MkdirAndSymlink(t *testing.T) {
	tree, c := linuxTree(t)
	if q := c.ok(tmkdir, 1, u32(0), str("new"), u32(0o755), u32(0)); len(q) != qidLen || q[0] != qidDir {
		t.Errorf("Rmkdir %x", q)
	}
	c.fails(vfs.ErrExist, tmkdir, 1, u32(0), str("new"), u32(0o755), u32(0))
	if q := c.ok(tsymlink, 1, u32(0), str("to"), str("somewhere"), u32(0)); len(q) != qidLen || q[0] != qidSymlink {
		t.Errorf("Rsymlink %x", q)
	}
	c.fails(vfs.ErrNoTarget, tsymlink, 1, u32(0), str("to2"), str(""), u32(0))
	c.walk(0, 1, "new") // the fid is still the root
	if got := tree.stat("to").Target; got != "somewhere" {
		t.Errorf("target %q", got)
	}
	c.walk(0, 2, "file")
	c.fails(vfs.NotADir("file"), tmkdir, 1, u32(2), str("x"), u32(0o755), u32(0))
}

func TestFS172_Getattr(t *testing.T) {
	tree, c := linuxTree(t)
	f := tree.at("dir", "file").(*memFile)
	tree.mu.Lock()
	f.version, f.id, f.data = 5, 0x1122334455667788, make([]byte, 513)
	tree.mu.Unlock()
	c.walk(0, 1, "dir", "file")
	want := unhex(t, `ff07000000000000 00 05000000 8877665544332211
		b4810000 00000000 00000000 0100000000000000 0000000000000000
		0102000000000000 0010000000000000 0200000000000000
		002f685900000000 0000000000000000 002f685900000000 0000000000000000 002f685900000000 0000000000000000
		0000000000000000 0000000000000000 0000000000000000 0000000000000000`)
	if got := c.ok(tgetattr, 1, u32(1), u64(0x3fff)); !bytes.Equal(got, want) {
		t.Errorf("Rgetattr\n%x, want\n%x", got, want)
	}
	for name, want := range map[string]uint32{"dir": 0o040775, "link": 0o120775} {
		c.walk(0, 2, name)
		if got := binary.LittleEndian.Uint32(c.ok(tgetattr, 1, u32(2), u64(0))[8+qidLen:]); got != want {
			t.Errorf("%s: mode %o, want %o", name, got, want)
		}
		c.ok(tclunk, 1, u32(2))
	}
}

func TestFS172_Setattr(t *testing.T) {
	tree, c := linuxTree(t)
	set := func(fid, valid, mode uint32, size uint64) [][]byte {
		return [][]byte{u32(fid), u32(valid), u32(mode), u32(1), u32(2), u64(size), make([]byte, 32)}
	}
	c.walk(0, 1, "file")
	c.walk(0, 2, "dir")
	c.ok(tsetattr, 1, set(1, 0x1ff&^(setMode|setSize), 0, 0)...) // owner, group and times
	if st := tree.stat("file"); st.Size != 5 || st.Perm != 0o664 {
		t.Errorf("changed to %+v", st)
	}
	c.ok(tsetattr, 1, set(1, setMode|setSize, 0o755, 2)...)
	if st := tree.stat("file"); st.Size != 2 || st.Perm != 0o775 {
		t.Errorf("changed to %+v", st)
	}
	c.fails(vfs.ErrTooBig, tsetattr, 1, set(1, setMode|setSize, 0o644, 1<<40)...)
	if st := tree.stat("file"); st.Perm != 0o775 {
		t.Errorf("mode was set before size: %+v", st)
	}
	c.fails(vfs.NegativeOffset(1<<63), tsetattr, 1, set(1, setSize, 0, 1<<63)...)
	c.fails(vfs.ErrDirFlag, tsetattr, 1, set(1, setMode, 0o040755, 0)...)
	c.fails(vfs.ErrDirFlag, tsetattr, 1, set(1, setMode|setSize, 0o040755, 0)...)
	if st := tree.stat("file"); st.Size != 2 {
		t.Errorf("size was set although mode cannot be: %+v", st)
	}
	c.fails(vfs.ErrDirFlag, tsetattr, 1, set(2, setMode, 0o100755, 0)...)
	c.fails(vfs.ErrDirLength, tsetattr, 1, set(2, setSize, 0, 4)...)
	c.ok(tsetattr, 1, set(2, setMode|setSize, 0o040755, 0)...)
	c.ok(tsetattr, 1, set(2, setMode, 0o755, 0)...)
}

// A dirent is an entry of an Rreaddir.
type dirent struct {
	name string
	next uint64
	typ  uint8
	qid  uint8
}

// readdir returns what a Treaddir returns.
func (c *rawConn) readdir(fid uint32, off uint64, count uint32) (list []dirent) {
	c.t.Helper()
	d := decoder{b: []byte(rdata(c.t, c.ok(treaddir, 1, u32(fid), u64(off), u32(count))))}
	for len(d.b) > 0 {
		e := dirent{qid: d.take(qidLen)[0]}
		e.next, e.typ, e.name = d.u64(), d.u8(), d.str()
		if d.bad {
			c.t.Fatal("malformed Rreaddir")
		}
		list = append(list, e)
	}
	return list
}

func names(list []dirent) string {
	var s []string
	for _, e := range list {
		s = append(s, e.name)
	}
	return strings.Join(s, " ")
}

func TestFS172_Readdir(t *testing.T) {
	tree, c := linuxTree(t)
	c.walk(0, 1)
	c.open(1)
	all := c.readdir(1, 0, 1000)
	want := []dirent{{".", 1, 4, qidDir}, {"..", 2, 4, qidDir}, {"dir", 3, 4, qidDir}, {"file", 4, 8, 0}, {"link", 5, 10, qidSymlink}}
	if fmt.Sprint(all) != fmt.Sprint(want) {
		t.Errorf("listed %v, want %v", all, want)
	}
	if got := c.readdir(1, 5, 1000); len(got) != 0 {
		t.Errorf("listed %v at the end", got)
	}
	if got := names(c.readdir(1, 2, 1000)); got != "dir file link" { // seeks back
		t.Errorf("listed %q from 2 on", got)
	}
	c.fails(errDirSeek, treaddir, 1, u32(1), u64(6), u32(1000))
	c.fails(errDirSeek, treaddir, 1, u32(1), u64(1<<63), u32(1000))
	if got := c.readdir(1, 2, direntLen+2); len(got) != 0 {
		t.Errorf("listed %v where nothing fits", got)
	}
	if got := names(c.readdir(1, 2, 2*direntLen+7)); got != "dir file" {
		t.Errorf("listed %q where two fit", got)
	}
	tree.put("new", "") // FS-43: not in this listing
	tree.at("file").Remove(t.Context(), false)
	if got := names(c.readdir(1, 3, 1000)); got != "link" {
		t.Errorf("listed %q of the old listing", got)
	}
	if got := names(c.readdir(1, 0, 1000)); got != ". .. dir link new" {
		t.Errorf("listed %q after rewinding", got)
	}
}

func TestFS172_ReaddirUnseenOffset(t *testing.T) {
	_, c := linuxTree(t)
	c.walk(0, 1)
	c.open(1)
	c.fails(errDirSeek, treaddir, 1, u32(1), u64(1), u32(1000)) // nothing was returned yet
}

func TestFS172_ReaddirInPieces(t *testing.T) {
	t.Parallel()
	tree := newMemTree()
	for i := range 1000 {
		tree.put(fmt.Sprintf("dir/%04d", i), "")
	}
	c := rawSession(t, serveTree(tree), DotL)
	c.walkOpen(1, "dir")
	var got []dirent
	for off := uint64(0); ; off = got[len(got)-1].next {
		list := c.readdir(1, off, 1000)
		if len(list) == 0 {
			break
		}
		got = append(got, list...)
	}
	if len(got) != 1002 || got[1001].name != "0999" {
		t.Errorf("%d entries", len(got))
	}
}

func TestFS172_Readlink(t *testing.T) {
	_, c := linuxTree(t)
	c.walk(0, 1, "link")
	if got := c.ok(treadlink, 1, u32(1)); !bytes.Equal(got, str("target")) {
		t.Errorf("Rreadlink %q", got)
	}
	c.walk(0, 2, "file")
	c.fails(vfs.ErrInvalid, treadlink, 1, u32(2))
	c.fails(vfs.ErrInvalid, treadlink, 1, u32(0))
}

func TestFS172_Unlinkat(t *testing.T) {
	_, c := linuxTree(t)
	unlink := func(name string, flags uint32) [][]byte { return [][]byte{u32(0), str(name), u32(flags)} }
	c.fails(vfs.ErrNotDir, tunlinkat, 1, unlink("file", flagRemoveDir)...)
	c.fails(vfs.ErrIsDir, tunlinkat, 1, unlink("dir", 0)...)
	c.fails(vfs.ErrNotEmpty, tunlinkat, 1, unlink("dir", flagRemoveDir)...)
	c.fails(vfs.ErrNotExist, tunlinkat, 1, unlink("none", 0)...)
	c.fails(vfs.BadName(".."), tunlinkat, 1, unlink("..", flagRemoveDir)...)
	c.ok(tunlinkat, 1, unlink("file", 0)...)
	c.walk(0, 1, "dir")
	c.walk(1, 2, "file")
	c.fails(vfs.ErrNotDir, tunlinkat, 1, u32(2), str("x"), u32(0))
	c.ok(tunlinkat, 1, u32(1), str("file"), u32(0))
	c.ok(tunlinkat, 1, unlink("dir", flagRemoveDir)...)
	c.fails(vfs.ErrNotExist, twalk, 1, walkBody(0, 3, "dir")...)
}

func TestFS172_Rename(t *testing.T) {
	tree, c := linuxTree(t)
	c.walk(0, 1, "file")
	c.walk(0, 2, "dir")
	c.ok(trename, 1, u32(1), u32(2), str("moved"))
	if st := tree.stat("dir", "moved"); st.Name != "moved" {
		t.Errorf("is %+v", st)
	}
	c.fails(vfs.ErrRenameRoot, trename, 1, u32(0), u32(2), str("x"))
	c.fails(vfs.ErrNotDir, trename, 1, u32(2), u32(1), str("x"))
	c.fails(unknownFid(9), trename, 1, u32(1), u32(9), str("x"))
	at := func(from uint32, old string, to uint32, name string) [][]byte {
		return [][]byte{u32(from), str(old), u32(to), str(name)}
	}
	c.ok(trenameat, 1, at(2, "moved", 0, "back")...)
	c.ok(trenameat, 1, at(0, "back", 0, "again")...)
	c.fails(vfs.ErrNotExist, trenameat, 1, at(0, "back", 2, "x")...)
	c.fails(vfs.ErrIsDir, trenameat, 1, at(0, "again", 0, "dir")...)
	c.fails(vfs.BadName("."), trenameat, 1, at(0, ".", 2, "x")...)
	if st := tree.stat("again"); st.Size != 5 {
		t.Errorf("is %+v", st)
	}
}

func TestFS172_TheRest(t *testing.T) {
	_, c := linuxTree(t)
	c.ok(tfsync, 1, u32(0), u32(1))
	c.ok(tfsync, 1, u32(0)) // as some clients send it
	want := unhex(t, "97190201 00100000"+strings.Repeat("0000000000000000", 6)+"ff000000")
	if got := c.ok(tstatfs, 1, u32(0)); !bytes.Equal(got, want) {
		t.Errorf("Rstatfs %x, want %x", got, want)
	}
	lock := [][]byte{u32(0), {1}, u32(0), u64(3), u64(4), u32(5), str("client")}
	if got := c.ok(tlock, 1, lock...); !bytes.Equal(got, []byte{0}) {
		t.Errorf("Rlock %x", got)
	}
	getlock := [][]byte{u32(0), {1}, u64(3), u64(4), u32(5), str("client")}
	if got, want := c.ok(tgetlock, 1, getlock...), bytes.Join([][]byte{{2}, u64(3), u64(4), u32(5), str("client")}, nil); !bytes.Equal(got, want) {
		t.Errorf("Rgetlock %x, want %x", got, want)
	}
	c.fails(vfs.ErrPermission, tmknod, 1, u32(0), str("x"), u32(0), u32(0), u32(0), u32(0))
	c.fails(vfs.ErrPermission, tlink, 1, u32(0), u32(0), str("x"))
	c.fails(vfs.ErrPermission, txattrcreate, 1, u32(0), str("x"), u64(0), u32(0))
	c.fails(errNoXattr, txattrwalk, 1, u32(0), u32(1), str("x"))
	for typ, body := range map[uint8][][]byte{
		tfsync: {u32(9), u32(0)}, tstatfs: {u32(9)}, txattrwalk: {u32(9), u32(1), str("x")},
		tmknod: {u32(9), str("x"), make([]byte, 16)}, tlink: {u32(0), u32(9), str("x")},
	} {
		c.fails(unknownFid(9), typ, 1, body...)
	}
}
