package fsapi_test

import (
	"bytes"
	"crypto/sha1"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/memdb"
	"github.com/datakit/datakit/p9"
	"github.com/datakit/datakit/vfs"
)

func TestFS106_FST10_FST11_FST13_FST14_FST15_Contents(t *testing.T) {
	over(t, func(t *testing.T, c *conn) {
		path := c.begin("master", "t") + "/rw/file"
		c.put(path, "Hello")
		for range 2 {
			c.must("truncate", c.with(path, func(f fid) error { return f.truncate(c.ctx, 4) }))
			c.wantCat(path, "Hell")
		}
		c.put(path, "")
		f := c.openFile(path, p9.ReadWrite)
		defer f.clunk()
		for _, tt := range []struct {
			off        uint64
			text, want string
		}{{0, "hello", "hello"}, {0, "hi", "hillo"}, {1, "E", "hEllo"}} {
			c.must("write", f.write(c.ctx, []byte(tt.text), tt.off))
			c.wantCat(path, tt.want)
		}
		c.must("truncate", f.truncate(c.ctx, 0))
		c.must("write", f.write(c.ctx, []byte("1st"), 2))
		c.wantCat(path, "\x00\x001st")
		if st := c.stat(path); st.Size != 5 {
			t.Errorf("size %d, want 5", st.Size)
		}
		c.must("write", f.write(c.ctx, []byte("AB"), 0))
		c.wantCat(path, "AB1st")
		for length, want := range map[uint64]string{6: "AB1st\x00", 5: "AB1st", 3: "AB1", 0: ""} {
			c.put(path, "AB1st")
			c.must("truncate", c.with(path, func(f fid) error { return f.truncate(c.ctx, length) }))
			c.wantCat(path, want)
		}
		c.put(path, "AB1st")
		for _, tt := range []struct {
			off  uint64
			n    int
			want string
		}{{2, 0, ""}, {2, 2, "1s"}, {2, 3, "1st"}, {2, 4, "1st"}, {5, 4, ""}} {
			p := make([]byte, tt.n)
			n, err := f.read(c.ctx, p, tt.off)
			if string(p[:n]) != tt.want || err != nil {
				t.Errorf("read of %d at %d = %q, %v, want %q", tt.n, tt.off, p[:n], err, tt.want)
			}
		}
		if _, err := f.read(c.ctx, make([]byte, 4), 6); c.dialect != p9.DotL || c.direct {
			c.fails("read beyond the end", err, vfs.PastEnd(6, 5)) // FS-38
		}
	})
}

func TestFS115_FST12_FS164_Pieces(t *testing.T) {
	over(t, func(t *testing.T, c *conn) {
		path := c.begin("master", "t") + "/rw/file"
		c.put(path, "")
		f, g := c.openFile(path, 0), c.openFile(path, 0)
		defer f.clunk()
		defer g.clunk()
		rng := rand.New(rand.NewPCG(1, 2))
		var want []byte
		for range 100 {
			piece := make([]byte, rng.IntN(10))
			for i := range piece {
				piece[i] = byte(rng.Uint32())
			}
			c.must("write", f.write(c.ctx, piece, uint64(len(want))))
			want = append(want, piece...)
			got, err := readAll(c.ctx, g, 1000) // another fid sees it at once
			if got != string(want) || err != nil {
				t.Fatalf("read %q, %v, want %q", got, err, want)
			}
		}
	})
}

func TestFS11_AnyBytes(t *testing.T) {
	over(t, func(t *testing.T, c *conn) {
		content := make([]byte, 0, 1<<18)
		for i := range cap(content) {
			content = append(content, byte(i+i>>8))
		}
		path := c.begin("master", "t")
		c.put(path+"/rw/f", string(content))
		c.publish("master", path, "m")
		if got := c.cat("branch/master/ro/f"); got != string(content) {
			t.Errorf("%d bytes come back as %d others", len(content), len(got))
		}
		hash := sha1.Sum(fmt.Appendf(nil, "blob %d\x00%s", len(content), content))
		c.follow("branch/master/watch/f.node/tree.live").want(fmt.Sprintf("F-%x\n", hash))
	})
}

func TestFS221_LargeDirectory(t *testing.T) {
	over(t, func(t *testing.T, c *conn) {
		n := 100_000
		if testing.Short() || !c.direct {
			n = 5_000
		}
		err := c.db.Branch("master").Update(c.ctx, "m", func(tx *datakit.Tx) error {
			for i := range n {
				if err := tx.Create(c.ctx, datakit.Path(fmt.Sprintf("%06d", i)), datakit.Normal, nil); err != nil {
					return err
				}
			}
			return nil
		})
		c.must("update", err)
		path := c.begin("master", "t")
		c.put(path+"/rw/new", "x")
		c.publish("master", path, "m")
		if names := c.ls("branch/master/ro"); len(names) != n+1 || !slices.IsSorted(names) {
			t.Errorf("%d names, want %d", len(names), n+1)
		}
	})
}

func TestFS115_UnchangedThenChanged(t *testing.T) {
	over(t, func(t *testing.T, c *conn) {
		c.commit("master", "1", map[string]string{"f": "first", "g": "other"})
		rw := c.begin("master", "t") + "/rw"
		f, g := c.openFile(rw+"/f", 0), c.openFile(rw+"/f", 0)
		defer f.clunk()
		defer g.clunk()
		want := func(want string) {
			t.Helper()
			for range 2 {
				if got, err := readAll(c.ctx, f, 3); got != want || err != nil {
					t.Errorf("read %q, %v, want %q", got, err, want)
				}
			}
		}
		want("first")
		c.must("write", g.write(c.ctx, []byte("FI"), 0))
		want("FIrst")
		c.must("rename", c.rename(rw+"/f", "h"))
		want("FIrst")
		c.must("rename over", c.rename(rw+"/g", "f"))
		want("FIrst")
		c.must("truncate", g.truncate(c.ctx, 0))
		want("")
		h := c.openFile(rw+"/f", 0)
		defer h.clunk()
		if got, err := readAll(c.ctx, h, 3); got != "other" || err != nil {
			t.Errorf("the other file reads %q, %v", got, err)
		}
		c.put(rw+"/f", "new")
		if got, err := readAll(c.ctx, h, 3); got != "new" || err != nil {
			t.Errorf("the replaced file reads %q, %v", got, err)
		}
	})
}

func TestFS157_AppendOnly(t *testing.T) {
	over(t, func(t *testing.T, c *conn) {
		if !c.direct && c.dialect == p9.Plain {
			t.Skip("9P2000 has no flag for appending")
		}
		path := c.begin("master", "t")
		c.put(path+"/rw/f", "one")
		for _, name := range []string{"/rw/f", "/msg"} {
			c.write(path+name, "one")
			f := c.openFile(path+name, p9.Append)
			c.must("write", f.write(c.ctx, []byte("two"), 0))
			c.must("write", f.write(c.ctx, []byte("three"), 100))
			c.wantCat(path+name, "onetwothree")
			f.clunk()
		}
	})
}

func TestFS116_AppendingIsLinear(t *testing.T) {
	directly(t, func(t *testing.T, c *conn) {
		path := c.begin("master", "t") + "/rw/f"
		c.put(path, "")
		f := c.openFile(path, 0)
		defer f.clunk()
		piece := bytes.Repeat([]byte("x"), 1000)
		const n = 20_000
		for i := range n { // minutes, if each copied what is there
			c.must("write", f.write(c.ctx, piece, uint64(i*len(piece))))
		}
		if st := c.stat(path); st.Size != n*1000 {
			t.Errorf("size %d", st.Size)
		}
	})
}

func TestFS117_FS213_TooBig(t *testing.T) {
	t.Parallel()
	for _, tr := range transports {
		t.Run(tr.name, func(t *testing.T) {
			t.Parallel()
			db := memdb.New(&memdb.Options{MaxFileSize: 1000})
			c := newEnv(t, tr, db, nil).connect()
			path := c.begin("master", "t") + "/rw/f"
			c.put(path, "hello")
			f := c.openFile(path, 0)
			defer f.clunk()
			c.fails("write at 2^40", f.write(c.ctx, []byte("x"), 1<<40), vfs.ErrTooBig)
			c.fails("write at the limit", f.write(c.ctx, []byte("xx"), 999), vfs.ErrTooBig)
			c.fails("length", f.truncate(c.ctx, 1001), vfs.ErrTooBig)
			c.wantCat(path, "hello")
			c.must("write", f.write(c.ctx, []byte("x"), 999))
			c.must("length", f.truncate(c.ctx, 1000))
		})
	}
}

func TestFS163_FS162_FS170_Offsets(t *testing.T) {
	directly(t, func(t *testing.T, c *conn) {
		path := c.begin("master", "t") + "/rw/f"
		c.put(path, "hello")
		f := c.openFile(path, 0)
		defer f.clunk()
		const negative = 1<<64 - 5
		c.fails("write", f.write(c.ctx, []byte("x"), negative), vfs.NegativeOffset(negative))
		c.fails("length", f.truncate(c.ctx, negative), vfs.NegativeOffset(negative))
		_, err := f.read(c.ctx, make([]byte, 1), negative)
		c.fails("read", err, vfs.NegativeOffset(negative))
		c.must("write of nothing", f.write(c.ctx, nil, 100))
		c.wantCat(path, "hello")
	})
}

func TestFS107_CreateReplaces(t *testing.T) {
	over(t, func(t *testing.T, c *conn) {
		rw := c.begin("master", "t") + "/rw"
		c.put(rw+"/f", "old")
		c.mkdir(rw + "/dir")
		held := c.openFile(rw+"/f", 0)
		defer held.clunk()
		c.must("create", c.createError(rw+"/f", "new", 0o755))
		if got, err := readAll(c.ctx, held, 100); got != "new" || err != nil {
			t.Errorf("the former fid reads %q, %v", got, err)
		}
		if st := c.stat(rw + "/f"); st.Perm != 0o775 {
			t.Errorf("mode %o", st.Perm)
		}
		c.fails("create over a directory", c.createError(rw+"/dir", "", 0o644), vfs.ErrIsDir)
		if c.symlinks() {
			c.symlink(rw+"/f", "target")
			if got, err := readAll(c.ctx, held, 100); got != "target" || err != nil {
				t.Errorf("the former fid reads %q, %v", got, err)
			}
			c.put(rw+"/f", "file")
			if st := c.stat(rw + "/f"); st.Qid.Kind != vfs.KindFile || st.Size != 4 {
				t.Errorf("stat of a file that replaced a link: %+v", st)
			}
			c.fails("symlink over a directory", c.with(rw, func(f fid) error { return f.symlink(c.ctx, "dir", "x") }), vfs.ErrIsDir)
		}
		if c.moves() { // which is where O_EXCL is, too
			for _, name := range []string{"f", "dir"} {
				err := c.with(rw, func(f fid) error {
					_, err := f.create(c.ctx, name, 0o644, p9.Exclusive)
					return err
				})
				c.fails("exclusive create of "+name, err, vfs.ErrExist)
			}
		}
	})
}

func TestFS108_Symlinks(t *testing.T) {
	over(t, func(t *testing.T, c *conn) {
		if !c.symlinks() {
			t.Skip("9P2000 has no symlinks")
		}
		path := c.begin("master", "t")
		c.symlink(path+"/rw/l", "some/where")
		if st := c.stat(path + "/rw/l"); st.Qid.Kind != vfs.KindSymlink || st.Target != "some/where" || st.Size != 10 || st.Perm != 0o775 {
			t.Errorf("stat: %+v", st)
		}
		c.wantCat(path+"/rw/l", "some/where")
		f := c.openFile(path+"/rw/l", 0)
		c.must("write", f.write(c.ctx, []byte("any"), 0))
		f.clunk()
		c.publish("master", path, "m")
		if st := c.stat("branch/master/ro/l"); st.Target != "anye/where" || st.Qid.Kind != vfs.KindSymlink {
			t.Errorf("stat: %+v", st)
		}
		c.fails("walk through", c.walkError("branch/master/ro/l/x"), vfs.ErrWalkFile)
	})
}

func TestFS109_FS15_FST17_Directories(t *testing.T) {
	over(t, func(t *testing.T, c *conn) {
		path := c.begin("master", "t")
		rw := path + "/rw"
		c.put(rw+"/foo", "x")
		c.mkdir(rw + "/sub")
		c.mkdir(rw + "/sub/bar")
		c.put(rw+"/sub/bar/baz", "x")
		c.wantLs(rw, "foo", "sub")
		for _, name := range []string{"foo", "sub"} {
			c.fails("mkdir "+name, c.mkdirError(rw+"/"+name), vfs.ErrExist)
		}
		c.mkdir(rw + "/empty")
		c.mkdir(rw + "/empty/too")
		c.wantLs(rw, "empty", "foo", "sub")
		c.remove(rw + "/sub/bar/baz")
		c.wantLs(rw + "/sub/bar") // stays
		c.publish("master", path, "m")
		c.wantLs("branch/master/ro", "foo")
	})
}

func TestFS16_FS18_FS19_Names(t *testing.T) {
	over(t, func(t *testing.T, c *conn) {
		path := c.begin("master", "t")
		rw := path + "/rw"
		c.put(rw+"/f", "x")
		names := []string{"*+a", "\xff\xfe", "ö", "o\u0308", "a b", "A", "a", "-", "a\nb", strings.Repeat("x", 255)}
		for _, name := range names {
			c.put(rw+"/"+name, name)
			c.mkdir(rw + "/d" + name[:min(len(name), 254)])
		}
		for _, name := range []string{".git", ".GiT", "git~1", "GIT~1", ".git. ", ".git::$INDEX_ALLOCATION"} {
			for what, err := range map[string]error{
				"create": c.createError(rw+"/"+name, "", 0o644),
				"mkdir":  c.mkdirError(rw + "/" + name),
				"rename": c.rename(rw+"/f", name),
			} {
				c.fails(what+" "+name, err, vfs.BadName(name))
			}
			c.fails("walk to "+name, c.walkError(rw+"/"+name), vfs.ErrNotExist)
		}
		long := strings.Repeat("x", 256)
		c.fails("create", c.createError(rw+"/"+long, "", 0o644), vfs.ErrNameTooLong)
		c.fails("rename", c.rename(rw+"/f", long), vfs.ErrNameTooLong)
		c.publish("master", path, "m")
		for _, name := range names {
			c.wantCat("branch/master/ro/"+name, name)
		}
	})
}

func TestFS110_FS173_Remove(t *testing.T) {
	over(t, func(t *testing.T, c *conn) {
		rw := c.begin("master", "t") + "/rw"
		c.fill(rw, map[string]string{"a/b/c": "1", "a/d": "1", "f": "1"})
		file, below := c.find(rw+"/f"), c.find(rw+"/a/b/c")
		again := c.find(rw + "/f")
		c.must("remove", file.remove(c.ctx))
		c.fails("remove again", again.remove(c.ctx), vfs.ErrNotExist)
		c.remove(rw + "/a")
		c.wantLs(rw)
		_, err := below.stat(c.ctx)
		c.fails("stat below what was removed", err, vfs.ErrNotExist)
		below.clunk()
		c.fails("remove of rw", c.removeError(rw), vfs.ErrReadOnly)
		c.mkdir(rw + "/a") // does not come back with its contents
		c.wantLs(rw + "/a")
	})
}

func TestFS111_Chmod(t *testing.T) {
	over(t, func(t *testing.T, c *conn) {
		path := c.begin("master", "t")
		c.put(path+"/rw/f", "x")
		chmod := func(name string, mode vfs.Mode) error {
			return c.with(path+name, func(f fid) error { return f.chmod(c.ctx, mode) })
		}
		for perm, want := range map[uint32]uint32{0o755: 0o775, 0o600: 0o664, 0o100: 0o775, 0o677: 0o664} {
			c.must("chmod", chmod("/rw/f", vfs.Mode{Perm: perm}))
			if st := c.stat(path + "/rw/f"); st.Perm != want {
				t.Errorf("after chmod %o: %o, want %o", perm, st.Perm, want)
			}
			c.wantCat(path+"/rw/f", "x")
		}
		if c.symlinks() {
			c.symlink(path+"/rw/l", "target")
			c.must("chmod", chmod("/rw/l", vfs.Mode{Perm: 0o755}))
			if st := c.stat(path + "/rw/l"); st.Perm != 0o775 || st.Qid.Kind != vfs.KindFile {
				t.Errorf("a link after chmod: %+v", st)
			}
			c.wantCat(path+"/rw/l", "target")
		}
		if c.direct || c.dialect == p9.DotU {
			c.must("chmod", chmod("/rw/f", vfs.Mode{Perm: 0o777, Symlink: true, Target: "there"}))
			if st := c.stat(path + "/rw/f"); st.Target != "there" || st.Qid.Kind != vfs.KindSymlink {
				t.Errorf("after chmod to a link: %+v", st)
			}
			c.fails("chmod to a link to nothing", chmod("/rw/f", vfs.Mode{Symlink: true}), vfs.ErrNoTarget)
		}
	})
}

func TestFS41_FS42_FS171_DirectoryModes(t *testing.T) {
	over(t, func(t *testing.T, c *conn) {
		path := c.begin("master", "t")
		c.mkdir(path + "/rw/dir")
		for _, dir := range []string{"", "branch", "branch/master", "branch/master/ro", path, path + "/rw", path + "/rw/dir", "snapshots", "remotes"} {
			c.must("length 0 of "+dir, c.with(dir, func(f fid) error { return f.truncate(c.ctx, 0) }))
			c.fails("length 1 of "+dir, c.with(dir, func(f fid) error { return f.truncate(c.ctx, 1) }), vfs.ErrDirLength)
			chmod := func(isDir bool) error {
				return c.with(dir, func(f fid) error { return f.chmod(c.ctx, vfs.Mode{Perm: 0o700, Dir: isDir}) })
			}
			if strings.HasPrefix(dir, path+"/rw") {
				c.must("chmod of "+dir, chmod(true))
			} else {
				c.fails("chmod of "+dir, chmod(true), vfs.ErrPermission)
			}
			if c.direct || c.dialect != p9.DotL {
				c.fails("chmod of "+dir+" to a file", chmod(false), vfs.ErrDirFlag)
			}
		}
		if c.direct || c.dialect != p9.DotL {
			c.fails("chmod of a file to a directory", c.with(path+"/msg", func(f fid) error {
				return f.chmod(c.ctx, vfs.Mode{Dir: true})
			}), vfs.ErrDirFlag)
		}
	})
}

func TestFST16_FS160_CreateInFile(t *testing.T) {
	over(t, func(t *testing.T, c *conn) {
		rw := c.begin("master", "t") + "/rw"
		c.put(rw+"/foo", "x")
		c.fails("walk", c.walkError(rw+"/foo/bar"), vfs.ErrWalkFile)
		c.fails("create", c.createError(rw+"/foo/bar", "", 0o644), vfs.NotADir("foo"))
	})
}

func TestFS158_RemoveOnClose(t *testing.T) {
	over(t, func(t *testing.T, c *conn) {
		if !c.direct && c.dialect == p9.DotL {
			t.Skip("9P2000.L has no such flag")
		}
		path := c.begin("master", "t")
		c.put(path+"/rw/f", "x")
		for _, name := range []string{"branch/master/head", "branch/master/head.live", path + "/ctl", path + "/msg", path + "/rw", "branch/master", "branch/master/ro"} {
			f := c.find(name)
			c.fails("open of "+name, f.open(c.ctx, p9.RemoveOnClose), vfs.ErrPermission)
			f.clunk()
		}
		f := c.openFile(path+"/rw/f", p9.RemoveOnClose)
		f.clunk()
		if !c.direct {
			c.wantLs(path + "/rw")
		}
	})
}

func TestFS43_ListingOfVanished(t *testing.T) {
	over(t, func(t *testing.T, c *conn) {
		rw := c.begin("master", "t") + "/rw"
		for i := range 50 {
			c.put(fmt.Sprintf("%s/%02d", rw, i), "x")
		}
		var wg sync.WaitGroup
		wg.Go(func() {
			for i := range 50 {
				c.remove(fmt.Sprintf("%s/%02d", rw, i))
			}
		})
		for range 20 {
			if names := c.ls(rw); !slices.IsSorted(names) {
				t.Errorf("listing %q", names)
			}
		}
		wg.Wait()
	})
}

func TestFS20_HiddenNames(t *testing.T) {
	directly(t, func(t *testing.T, c *conn) {
		// What cannot be made through the tree cannot be seen through it either.
		for _, name := range []string{".git", "git~1", "..", ".", "a/b"} {
			c.commit("master", name, map[string]string{"a/b": name})
			ro := c.find("branch/master/ro")
			_, err := ro.(*treeFid).n.(vfs.Dir).Lookup(c.ctx, name)
			c.fails("look-up of "+name, err, vfs.ErrNotExist)
			rw := c.find(c.begin("master", "t") + "/rw")
			_, err = rw.(*treeFid).n.(vfs.Dir).Lookup(c.ctx, name)
			c.fails("look-up of "+name, err, vfs.ErrNotExist)
			c.remove("branch/master/transactions/t")
		}
	})
}
