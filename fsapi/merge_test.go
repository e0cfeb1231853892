package fsapi_test

import (
	"strings"
	"testing"

	"github.com/datakit/datakit/p9"
	"github.com/datakit/datakit/vfs"
)

func conflictText(reason string) string { return "** Conflict **\n" + reason + "\n" }

// fork makes branch to with the head of from.
func (c *conn) fork(from, to string) {
	c.t.Helper()
	c.mkdir("branch/" + to)
	c.echo(c.head(from), "branch/"+to+"/fast-forward")
}

// beginMerge makes the situation of section 9.7 and returns the path of the
// transaction.
func (c *conn) beginMerge(base, ours, theirs map[string]string) string {
	c.t.Helper()
	c.commit("master", "base", base)
	c.fork("master", "theirs")
	head := c.commit("theirs", "theirs", theirs)
	c.commit("master", "ours", ours)
	path := c.begin("master", "t")
	c.echo(head, path+"/merge")
	return path
}

// beginTable is beginMerge with the table of section 9.7, in which files take
// the place of directories.
func (c *conn) beginTable() string {
	c.t.Helper()
	c.commit("master", "base", map[string]string{
		"a": "a-from-base", "b": "b-from-base", "c": "c-from-base", "d": "d-from-base", "e": "e-from-base",
		"f": "f-from-base", "dir/a": "a-from-base", "dir2/b": "b-from-base",
	})
	c.fork("master", "theirs")

	path := c.begin("theirs", "x")
	c.fill(path+"/rw", map[string]string{
		"a": "a-theirs", "b": "b-theirs", "e": "-", "f": "f-theirs", "g": "g-same", "h": "h-theirs", "dir/a": "a-theirs", "dir2": "-",
	})
	c.put(path+"/rw/dir2", "theirs-now-file")
	theirs := c.publish("theirs", path, "theirs")

	path = c.begin("master", "x")
	c.fill(path+"/rw", map[string]string{
		"a": "a-ours", "c": "c-ours", "d": "-", "f": "-", "g": "g-same", "h": "h-ours", "dir": "-", "dir2/b": "b-theirs",
	})
	c.put(path+"/rw/dir", "ours-now-file")
	c.publish("master", path, "ours")

	path = c.begin("master", "t")
	c.echo(theirs, path+"/merge")
	return path
}

func TestFS123_FS132_FST25_FST26_FST27_MergeTable(t *testing.T) {
	over(t, func(t *testing.T, c *conn) {
		path := c.beginTable()
		c.wantLs(path, "base", "conflicts", "ctl", "diff", "merge", "msg", "origin", "ours", "parents", "rw", "theirs") // FS-95
		for name, want := range map[string]string{
			"a":    conflictText("Changed on both branches"),
			"b":    "b-theirs",
			"c":    "c-ours",
			"f":    conflictText("option: add/del"),
			"g":    "g-same",
			"h":    conflictText("default: add/add and no common ancestor"),
			"dir":  conflictText("File vs dir"),
			"dir2": conflictText("File vs dir"),
		} {
			c.wantCat(path+"/rw/"+name, want)
		}
		c.wantLs(path+"/rw", "a", "b", "c", "dir", "dir2", "f", "g", "h")
		c.wantCat(path+"/conflicts", "a\ndir\ndir2\nf\nh\n")
		c.wantCat(path+"/ours/a", "a-ours") // FS-104
		c.wantCat(path+"/theirs/dir/a", "a-theirs")
		c.wantCat(path+"/base/dir2/b", "b-from-base")
		c.fails("remove", c.removeError(path+"/ours/a"), vfs.ErrReadOnly)

		for _, name := range []string{"a", "dir", "dir2"} {
			c.remove(path + "/rw/" + name)
		}
		c.must("truncate", c.with(path+"/rw/f", func(f fid) error { return f.truncate(c.ctx, 0) }))
		c.write(path+"/rw/f", c.cat(path+"/theirs/f"))
		c.wantCat(path+"/conflicts", "h\n")
		c.fails("commit", c.shellWrite(path+"/ctl", "commit"), errPending) // FS-133
		c.fails("merge", c.shellWrite(path+"/merge", c.head("theirs")), errPending)
		c.remove(path + "/rw/h")
		c.wantCat(path+"/conflicts", "")
		c.publish("master", path, "resolved")
		c.wantLs("branch/master/ro", "b", "c", "f", "g")
		c.wantCat("branch/master/ro/f", "f-theirs")
	})
}

func TestFS123_MergeErrorsChangeNothing(t *testing.T) {
	over(t, func(t *testing.T, c *conn) {
		h := c.commit("master", "1", map[string]string{"f": "x"})
		path := c.begin("dev", "t")
		c.put(path+"/rw/g", "y")
		merge := path + "/merge"
		c.fails("no hash", c.shellWrite(merge, "master"), vfs.Errorf(vfs.ENOENT, `invalid-hash "master"`))
		c.fails("no commit", c.shellWrite(merge, noCommit), vfs.ErrNotExist)
		c.write(path+"/parents", "bad")
		c.fails("bad parents", c.shellWrite(merge, h), vfs.Errorf(vfs.ENOENT, `invalid-hash "bad"`))
		c.write(path+"/parents", noCommit)
		c.fails("unknown parents", c.shellWrite(merge, h), vfs.ErrNotExist)
		c.wantCat(path+"/parents", noCommit)
		c.wantLs(path+"/rw", "g")
		c.wantLs(path, "ctl", "diff", "merge", "msg", "origin", "parents", "rw")
		c.wantCat(merge, "")
	})
}

func TestFS88_FS91_MergeResult(t *testing.T) {
	over(t, func(t *testing.T, c *conn) {
		h := c.commit("master", "1", map[string]string{"f": "x"})
		path := c.begin("dev", "t")
		f := c.openFile(path+"/merge", 0)
		defer f.clunk()
		c.must("merge", f.write(c.ctx, []byte(h), 0))
		if st := c.stat(path + "/merge"); st.Size != 2 {
			t.Errorf("size %d, want 2, the unread result", st.Size)
		}
		p := make([]byte, 10)
		for i, want := range []string{"ok", "", ""} {
			n, err := f.read(c.ctx, p, uint64(40+min(i, 1)*2))
			if string(p[:n]) != want || err != nil {
				t.Errorf("read %d = %q, %v, want %q", i, p[:n], err, want)
			}
		}
		c.wantCat(path+"/merge", "") // what was read is gone
		c.echo(h, path+"/merge")
		c.wantCat(path+"/merge", "ok") // also by opening it again
	})
}

func TestFS123_MergeAppendsParent(t *testing.T) {
	over(t, func(t *testing.T, c *conn) {
		a := c.commit("a", "a", map[string]string{"a": "x"})
		b := c.commit("b", "b", map[string]string{"b": "x"})
		path := c.begin("dev", "t")
		c.echo(a, path+"/merge")
		c.wantCat(path+"/parents", a+"\n")
		c.write(path+"/parents", a) // without line end
		c.echo(b, path+"/merge")
		c.wantCat(path+"/parents", a+"\n"+b+"\n")
		c.wantLs(path + "/base")                  // of histories without common ancestor
		c.echo(strings.ToUpper(b), path+"/merge") // is there already
		c.wantCat(path+"/parents", a+"\n"+b+"\n")
		c.wantLs(path+"/rw", "a", "b")
		h := c.publish("dev", path, "m")
		c.wantCat("snapshots/"+h+"/parents", a+"\n"+b+"\n")
	})
}

func TestFS124_FS93_MergeKeepsDirsAndFids(t *testing.T) {
	over(t, func(t *testing.T, c *conn) {
		c.commit("master", "base", map[string]string{"both": "0", "dir/kept": "0", "file": "0", "was/dir": "0"})
		c.fork("master", "theirs")
		path := c.begin("theirs", "x")
		c.fill(path+"/rw", map[string]string{"both": "1", "dir/new": "1", "file": "-", "was": "-"})
		c.put(path+"/rw/was", "a file now")
		theirs := c.publish("theirs", path, "theirs")

		path = c.begin("master", "t")
		c.mkdir(path + "/rw/empty")
		held := make(map[string]fid)
		for _, name := range []string{"both", "dir", "dir/kept", "empty", "file", "was", "was/dir"} {
			held[name] = c.find(path + "/rw/" + name)
			defer held[name].clunk()
		}
		c.echo(theirs, path+"/merge")
		c.wantLs(path+"/rw", "both", "dir", "empty", "was")
		for name, f := range held {
			_, err := f.stat(c.ctx)
			if gone := name == "file" || strings.HasPrefix(name, "was"); gone {
				c.fails("stat of "+name, err, vfs.ErrNotExist)
			} else {
				c.fails("stat of "+name, err, nil)
			}
		}
	})
}

func TestFS125_SeveralMerges(t *testing.T) {
	over(t, func(t *testing.T, c *conn) {
		c.commit("master", "base", map[string]string{"f": "base"})
		c.fork("master", "a")
		c.fork("master", "b")
		a := c.commit("a", "a", map[string]string{"f": "a"})
		c.echo(a, "branch/b/fast-forward")
		b := c.commit("b", "b", map[string]string{"f": "b"})
		path := c.begin("master", "t")
		c.echo(a, path+"/merge")
		held := c.openFile(path+"/theirs/f", 0)
		defer held.clunk()
		c.wantCat(path+"/theirs/f", "a")
		c.echo(b, path+"/merge") // no conflict, as a is the base now
		c.wantCat(path+"/base/f", "a")
		c.wantCat(path+"/ours/f", "a")
		c.wantCat(path+"/theirs/f", "b")
		c.wantCat(path+"/rw/f", "b")
		if got, err := readAll(c.ctx, held, 10); got != "a" || err != nil {
			t.Errorf("a file opened before the second merge reads %q, %v", got, err)
		}
	})
}

func TestFS126_FS103_Resolving(t *testing.T) {
	over(t, func(t *testing.T, c *conn) {
		resolve := map[string]func(path string){
			"write":    func(p string) { c.must("write", c.with(p, func(f fid) error { return c.openWrite(f, "x") })) },
			"truncate": func(p string) { c.must("truncate", c.with(p, func(f fid) error { return f.truncate(c.ctx, 0) })) },
			"create":   func(p string) { c.put(p, "x") },
			"remove":   func(p string) { c.remove(p) },
			"away":     func(p string) { c.must("rename", c.rename(p, "elsewhere")) },
			"over": func(p string) {
				dir, name := split(p)
				c.put(dir+"/other", "x")
				c.must("rename", c.rename(dir+"/other", name))
			},
			"mkdir": func(p string) { c.remove(p); c.mkdir(p) },
			"above": func(p string) { dir, _ := split(p); c.remove(dir) },
		}
		for how, f := range resolve {
			base := map[string]string{"top": "0", "dir/f": "0"}
			path := c.beginMerge(base, map[string]string{"dir/f": "ours"}, map[string]string{"dir/f": "theirs"})
			conflicts := c.openFile(path+"/conflicts", 0)
			c.wantCat(path+"/conflicts", "dir/f\n")
			c.must("chmod", c.with(path+"/rw/dir/f", func(f fid) error { return f.chmod(c.ctx, vfs.Mode{Perm: 0o755}) }))
			c.wantCat(path+"/conflicts", "dir/f\n") // chmod does not resolve
			if st := c.stat(path + "/conflicts"); st.Size != 6 {
				t.Errorf("%s: conflicts has size %d", how, st.Size)
			}
			f(path + "/rw/dir/f")
			c.wantCat(path+"/conflicts", "")
			if got, err := readAll(c.ctx, conflicts, 100); got != "" || err != nil {
				t.Errorf("%s: conflicts as opened before reads %q, %v", how, got, err)
			}
			conflicts.clunk()
			c.publish("master", path, how)
			c.remove("branch/theirs")
			c.remove("branch/master")
		}
	})
}

// openWrite opens f and writes text at its start.
func (c *conn) openWrite(f fid, text string) error {
	if err := f.open(c.ctx, 0); err != nil {
		return err
	}
	return f.write(c.ctx, []byte(text), 0)
}

func TestFS127_CrissCrossBase(t *testing.T) {
	over(t, func(t *testing.T, c *conn) {
		c.commit("a", "0", map[string]string{"f": "0", "g": "0"})
		c.fork("a", "b")
		a1 := c.commit("a", "a1", map[string]string{"f": "a"})
		b1 := c.commit("b", "b1", map[string]string{"g": "b"})
		for branch, other := range map[string]string{"a": b1, "b": a1} {
			path := c.begin(branch, "t")
			c.echo(other, path+"/merge")
			c.put(path+"/rw/"+branch, "x")
			c.publish(branch, path, "criss-cross")
		}
		path := c.begin("a", "t")
		c.echo(c.head("b"), path+"/merge")
		c.wantCat(path+"/base/f", "a") // the two bases, merged
		c.wantCat(path+"/base/g", "b")
		c.wantCat(path+"/conflicts", "")
		c.wantLs(path+"/rw", "a", "b", "f", "g")
	})
}

func TestFST22_MergeOtherBranch(t *testing.T) {
	over(t, func(t *testing.T, c *conn) {
		former := c.commit("master", "1", map[string]string{"file": "from-master"})
		c.fork("master", "pr")
		pr := c.commit("pr", "2", map[string]string{"file": "from-master+pr"})
		path := c.begin("master", "t")
		c.put(path+"/rw/mine", "x")
		c.echo(pr, path+"/merge")
		h := c.publish("master", path, "merge")
		c.wantCat("branch/master/ro/file", "from-master+pr")
		if got := c.cat("snapshots/" + h + "/parents"); got != former+"\n"+pr+"\n" && got != pr+"\n"+former+"\n" {
			t.Errorf("parents %q", got)
		}
	})
}

func TestFST23_MergeOfKinds(t *testing.T) {
	over(t, func(t *testing.T, c *conn) {
		if !c.symlinks() {
			t.Skip("9P2000 has no symlinks")
		}
		chmod := func(path string, perm uint32) {
			c.must("chmod", c.with(path, func(f fid) error { return f.chmod(c.ctx, vfs.Mode{Perm: perm}) }))
		}
		path := c.begin("master", "t")
		c.must("create", c.createError(path+"/rw/a", "a", 0o755))
		c.symlink(path+"/rw/b", "target")
		c.must("create", c.createError(path+"/rw/c", "c", 0o755))
		head := c.publish("master", path, "1")

		path = c.begin("pr", "t")
		c.echo(head, path+"/merge")
		chmod(path+"/rw/b", 0o755)
		c.symlink(path+"/rw/c", "foo")
		pr := c.publish("pr", path, "2")

		path = c.begin("master", "t")
		chmod(path+"/rw/c", 0o644)
		c.echo(pr, path+"/merge")
		for name, want := range map[string]vfs.Stat{
			"ours/a":   {Perm: 0o775},
			"ours/b":   {Perm: 0o775, Qid: vfs.Qid{Kind: vfs.KindSymlink}},
			"theirs/b": {Perm: 0o775},
			"rw/b":     {Perm: 0o775},
		} {
			if st := c.stat(path + "/" + name); st.Perm != want.Perm || st.Qid.Kind != want.Qid.Kind {
				t.Errorf("%s: %+v", name, st)
			}
		}
	})
}

func TestFST24_MergeIntoEmptyBranch(t *testing.T) {
	over(t, func(t *testing.T, c *conn) {
		head := c.commit("master", "1", map[string]string{"file": "x"})
		path := c.begin("new", "t")
		c.echo(head, path+"/merge")
		c.publish("new", path, "m")
		c.wantLs("branch/new/ro", "file")
	})
}

func TestFS128_FS130_SameChangeAtCommit(t *testing.T) {
	over(t, func(t *testing.T, c *conn) {
		c.commit("master", "0", map[string]string{"f": "0"})
		one, two := c.begin("master", "one"), c.begin("master", "two")
		for _, path := range []string{one, two} {
			c.put(path+"/rw/f", "same")
			c.put(path+"/rw/new", "same")
		}
		c.publish("master", one, "one")
		c.publish("master", two, "two")
		c.wantLs("branch/master/ro", "f", "new")
	})
}

func TestAbandonedMergeLeavesBranch(t *testing.T) {
	over(t, func(t *testing.T, c *conn) {
		path := c.beginTable()
		before := c.head("master")
		f := c.openFile(path+"/rw/a", p9.ReadWrite)
		c.must("write", f.write(c.ctx, []byte("x"), 0))
		f.clunk()
		c.remove(path)
		if got := c.head("master"); got != before {
			t.Errorf("the head moved to %s", got)
		}
	})
}
