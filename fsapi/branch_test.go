package fsapi_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/p9"
	"github.com/datakit/datakit/vfs"
)

func TestFST2_FST3_FS148_FS149_WalkManyNames(t *testing.T) {
	over(t, func(t *testing.T, c *conn) {
		c.mkdir("branch/master")
		c.wantLs("branch/master/../..", "branch", "commits", "debug", "remotes", "snapshots", "trees")
		deep := strings.Repeat("branch/master/../../", 20) + "branch/master"
		c.wantLs(deep + "/transactions")
		kinds := map[string]vfs.Kind{"branch": vfs.KindDir, "branch/master": vfs.KindDir, "branch/master/head": vfs.KindFile}
		for path, want := range kinds {
			f := c.find(path)
			if got := f.qid().Kind; got != want {
				t.Errorf("%s is of kind %d, want %d", path, got, want)
			}
			f.clunk()
		}
		c.fails("walk to nothing", c.walkError("branch/master/nothing/head"), vfs.ErrNotExist)
		c.fails("walk from a file", c.walkError("branch/master/head/x"), vfs.ErrWalkFile)
	})
}

func TestFS26_FS30_FS45_FS46_BranchMkdir(t *testing.T) {
	over(t, func(t *testing.T, c *conn) {
		c.wantLs("branch")
		c.mkdir("branch/b")
		c.mkdir("branch/a")
		c.mkdir("branch/a") // as clients do
		c.wantLs("branch", "a", "b")
		c.wantLs("branch/a/ro")
		c.wantLs("branch/a/watch", "tree.live")

		other := c.connect()
		other.wantLs("branch") // empty branches belong to one connection
		c.fails("walk to the other's branch", other.walkError("branch/a"), vfs.ErrNotExist)

		h := c.commit("a", "first", map[string]string{"f": "x"})
		other.wantLs("branch", "a")
		if got, err := c.db.Branch("a").Head(c.ctx); err != nil || got.String() != h {
			t.Errorf("the database has head %v, %v, want %s", got, err, h)
		}
		c.mkdir("branch/a") // changes nothing
		if got := c.head("a"); got != h {
			t.Errorf("after another mkdir the head is %q, want %q", got, h)
		}
	})
}

func TestFS27_BranchNames(t *testing.T) {
	over(t, func(t *testing.T, c *conn) {
		for _, name := range []string{"a.lock", ".a", "a..b", "a~b", "a^b", "a:b", "a?b", "a*b", "a[b", "a\\b", "a b", "a@{b", "a.", "a\x7f"} {
			want := vfs.Errorf(vfs.EINVAL, "%s is not a valid branch name.", name)
			c.fails("mkdir "+name, c.mkdirError("branch/"+name), want)
			c.fails("walk to "+name, c.walkError("branch/"+name), vfs.ErrNotExist)
		}
		for _, name := range []string{"a", "A-b_c.d", "ö", "-", "@", "a@b", "a{b}", "a,b;c=d+e!f#g$h&i'j(k)l", "\xff"} {
			c.mkdir("branch/" + name)
			c.commit(name, "m", map[string]string{"f": "x"})
		}
		c.fails("rename to a bad name", c.with("branch/a", func(f fid) error { return f.rename(c.ctx, "b..c") }),
			vfs.Errorf(vfs.EINVAL, "b..c is not a valid branch name."))
		c.fails("a long name", c.mkdirError("branch/"+strings.Repeat("x", 251)), vfs.ErrNameTooLong)
		c.mkdir("branch/" + strings.Repeat("x", 250))
	})
}

func TestFS28_SlashesInBranchNames(t *testing.T) {
	over(t, func(t *testing.T, c *conn) {
		branches := c.find("branch")
		defer branches.clunk()
		c.must("mkdir of the raw form", branches.mkdir(c.ctx, "feature/x"))
		c.mkdir("branch/feature%2fy") // digits in either case
		c.mkdir("branch/100%25")
		c.wantLs("branch", "100%25", "feature%2Fx", "feature%2Fy")
		for _, name := range []string{"feature/x", "feature%2Fx", "feature%2fx"} {
			f, err := branches.walk(c.ctx, name)
			c.must("walk to "+name, err)
			st, err := f.stat(c.ctx)
			c.must("stat", err)
			if c.names() && st.Name != "feature%2Fx" {
				t.Errorf("walked to %s: name %q", name, st.Name)
			}
			f.clunk()
		}
		for _, name := range []string{"a%41", "a%", "a%2", "a%2f/b", "a%25/b"} {
			err := branches.mkdir(c.ctx, name)
			c.fails("mkdir "+name, err, vfs.Errorf(vfs.EINVAL, "%s is not a valid branch name.", name))
			_, err = branches.walk(c.ctx, name)
			c.fails("walk to "+name, err, vfs.ErrNotExist)
		}
		c.commit("feature%2Fx", "m", map[string]string{"f": "x"})
		names, err := c.db.Branches(c.ctx)
		if err != nil || !slices.Equal(names, []string{"feature/x"}) {
			t.Errorf("the database has branches %q, %v", names, err)
		}
		f := c.find("branch/100%25")
		defer f.clunk()
		c.must("rename", f.rename(c.ctx, "a%2Fb%25"))
		c.wantLs("branch", "a%2Fb%25", "feature%2Fx", "feature%2Fy")
	})
}

func TestFS29_BranchConflicts(t *testing.T) {
	over(t, func(t *testing.T, c *conn) {
		conflict := func(other string) *vfs.Error {
			return vfs.Errorf(vfs.EEXIST, `Branch name conflicts with "%s"`, other)
		}
		c.commit("a", "m", map[string]string{"f": "x"})
		c.commit("c%2Fd", "m", map[string]string{"f": "x"})
		c.fails("mkdir a/b", c.mkdirError("branch/a%2Fb"), conflict("a"))
		c.fails("mkdir c", c.mkdirError("branch/c"), conflict("c/d"))
		c.fails("rename to a/b", c.with("branch/c%2Fd", func(f fid) error { return f.rename(c.ctx, "a%2Fb") }), conflict("a"))
		c.mkdir("branch/e")
		c.fails("mkdir beside an empty branch", c.mkdirError("branch/e%2Ff"), conflict("e"))
		c.fails("rename of an empty branch", c.with("branch/e", func(f fid) error { return f.rename(c.ctx, "a%2Fb") }), conflict("a"))
		c.must("rename of an empty branch below itself", c.with("branch/e", func(f fid) error { return f.rename(c.ctx, "e%2Ff") }))
		c.wantLs("branch", "a", "c%2Fd", "e%2Ff")

		// The conflict can also arise later, when the branch is to be made.
		other := c.connect()
		path := c.begin("g", "t")
		c.put(path+"/rw/f", "x")
		other.commit("g%2Fh", "m", map[string]string{"f": "x"})
		c.fails("commit", c.shellWrite(path+"/ctl", "commit"), conflict("g/h"))
	})
}

func TestFS31_RemovedBranchDisappearsEverywhere(t *testing.T) {
	over(t, func(t *testing.T, c *conn) {
		other := c.connect()
		other.mkdir("branch/master")
		h := c.commit("master", "m", map[string]string{"f": "x"})
		other.mkdir("branch/unseen")
		c.commit("unseen", "m", map[string]string{"f": "x"})
		other.mkdir("branch/kept")
		c.mkdir("branch/kept")

		if got := other.head("master"); got != h {
			t.Errorf("the other connection sees head %q, want %q", got, h)
		}
		for _, name := range []string{"master", "unseen", "kept"} {
			c.remove("branch/" + name)
		}
		c.wantLs("branch")
		other.wantLs("branch", "kept") // is its own, and never had a head
		c.fails("walk", other.walkError("branch/master"), vfs.ErrNotExist)
		c.fails("remove again", c.removeError("branch/master"), vfs.ErrNotExist)
	})
}

func TestFS31_FS32_ChangeFromOutside(t *testing.T) {
	over(t, func(t *testing.T, c *conn) {
		h := c.commit("master", "m", map[string]string{"f": "x"})
		hash, _ := datakit.ParseHash(h)
		c.must("fast-forward", c.db.Branch("outside").FastForward(c.ctx, hash))
		c.wantLs("branch", "master", "outside")
		c.must("remove", c.db.Branch("master").Remove(c.ctx))
		c.wantLs("branch", "outside")
	})
}

func TestFS47_RemoveBranch(t *testing.T) {
	over(t, func(t *testing.T, c *conn) {
		c.commit("master", "m", map[string]string{"f": "x"})
		other := c.connect()
		mine, theirs := c.begin("master", "t"), other.begin("master", "t")
		other.put(theirs+"/rw/g", "y")
		ctl := c.openFile(mine+"/ctl", 0)
		defer ctl.clunk()

		c.remove("branch/master")
		c.fails("use of my transaction", ctl.write(c.ctx, []byte("commit"), 0), vfs.ErrNotExist)
		c.fails("walk to my transaction", c.walkError(mine), vfs.ErrNotExist)
		other.wantLs("branch")
		h := other.publish("master", theirs, "again") // makes the branch again
		c.wantCat("branch/master/head", h+"\n")
		c.wantLs("branch/master/ro", "f", "g")
		c.wantLs("branch/master/transactions")

		c.mkdir("branch/empty")
		c.remove("branch/empty")
		c.wantLs("branch", "master")
	})
}

func TestFS48_FST8_RenameBranch(t *testing.T) {
	over(t, func(t *testing.T, c *conn) {
		other := c.connect()
		h := c.commit("old", "m", map[string]string{"f": "x"})
		held := c.find("branch/old")
		defer held.clunk()
		head := c.find("branch/old/head")
		defer head.clunk()

		f := c.find("branch/old")
		c.must("rename", f.rename(c.ctx, "new"))
		f.clunk()
		c.wantLs("branch", "new")
		other.wantLs("branch", "new")
		for _, st := range []func() (vfs.Stat, error){
			func() (vfs.Stat, error) { return c.stat("branch/new"), nil },
			func() (vfs.Stat, error) { return held.stat(c.ctx) }, // follows
		} {
			if st, err := st(); err != nil || c.names() && st.Name != "new" {
				t.Errorf("stat of the new name: %+v, %v", st, err)
			}
		}
		c.must("open through a fid below the old name", head.open(c.ctx, 0))
		if got, err := readAll(c.ctx, head, 100); got != h+"\n" || err != nil {
			t.Errorf("head through a fid below the old name: %q, %v, want %q", got, err, h)
		}
		if got, err := c.db.Branch("old").Head(c.ctx); !got.IsZero() || err != nil {
			t.Errorf("the old name still has head %v, %v", got, err)
		}
		c.fails("walk to the old name", c.walkError("branch/old"), vfs.ErrNotExist)
		c.must("rename to itself", c.with("branch/new", func(f fid) error { return f.rename(c.ctx, "new") }))
		c.wantLs("branch", "new")
	})
}

func TestFS48_RenameBranchToTakenName(t *testing.T) {
	over(t, func(t *testing.T, c *conn) {
		rename := func(from, to string) error {
			return c.with("branch/"+from, func(f fid) error { return f.rename(c.ctx, to) })
		}
		a := c.commit("a", "m", map[string]string{"f": "x"})
		b := c.commit("b", "m", map[string]string{"f": "y"})
		c.fails("rename to a branch with a head", rename("a", "b"), vfs.ErrIsDir)
		if c.head("a") != a || c.head("b") != b {
			t.Error("a failed rename changed a head")
		}
		c.mkdir("branch/empty")
		c.fails("rename of an empty branch to one with a head", rename("empty", "b"), vfs.ErrIsDir)
		held := c.find("branch/empty")
		defer held.clunk()
		c.must("rename to an empty branch", rename("a", "empty"))
		c.wantLs("branch", "b", "empty")
		c.wantCat("branch/empty/head", a+"\n")
		_, err := held.stat(c.ctx)
		c.fails("use of the replaced branch", err, vfs.ErrNotExist)

		c.mkdir("branch/e1")
		c.mkdir("branch/e2")
		c.must("rename of an empty branch to another", rename("e1", "e2"))
		c.wantLs("branch", "b", "e2", "empty")
	})
}

func TestFS49_TransactionsFollowRename(t *testing.T) {
	over(t, func(t *testing.T, c *conn) {
		h := c.commit("old", "m", map[string]string{"f": "x"})
		path := c.begin("old", "t")
		c.put(path+"/rw/before", "1")
		ctl := c.openFile(path+"/ctl", 0)
		defer ctl.clunk()
		live, log := c.follow("branch/old/head.live"), c.follow("branch/old/reflog")
		live.want(h + "\n")

		c.must("rename", c.with("branch/old", func(f fid) error { return f.rename(c.ctx, "new") }))
		live.want("\n") // streams stay with the old name
		log.want("\n")
		c.wantLs("branch/new/transactions", "t")
		c.put("branch/new/transactions/t/rw/after", "2")
		c.must("commit through the old fid", ctl.write(c.ctx, []byte("commit"), 0))
		c.wantLs("branch", "new")
		c.wantLs("branch/new/ro", "after", "before", "f")
		c.wantLs("branch/new/transactions")
	})
}

func TestFS52_ReflogOfRenamedBranch(t *testing.T) {
	over(t, func(t *testing.T, c *conn) {
		h := c.commit("a", "m", map[string]string{"f": "x"})
		c.mkdir("branch/b")
		log := c.follow("branch/b/reflog")
		c.must("rename", c.with("branch/a", func(f fid) error { return f.rename(c.ctx, "b") }))
		log.want(h + "\n")
		c.remove("branch/b")
		log.want("\n")
	})
}

func TestFS53_FST21_FastForward(t *testing.T) {
	over(t, func(t *testing.T, c *conn) {
		first := c.commit("master", "1", map[string]string{"f": "1"})
		second := c.commit("master", "2", map[string]string{"f": "2"})
		c.mkdir("branch/pr")
		ff := "branch/pr/fast-forward"
		c.fails("no such commit", c.shellWrite(ff, "a3827c5d1a2ba8c6a40eded5598dba8d3835fb35"), vfs.ErrNotExist)
		c.fails("no hash", c.shellWrite(ff, "master"), vfs.Errorf(vfs.ENOENT, `invalid-hash "master"`))
		c.wantCat("branch/pr/head", "\n")
		for _, h := range []string{first, second, second} {
			c.echo(h, ff)
			c.wantCat("branch/pr/head", h+"\n")
		}
		c.wantCat(ff, "")
		notFF := &vfs.Error{Text: "not-fast-forward", Errno: vfs.EBUSY}
		c.fails("back", c.shellWrite(ff, first), notFF)
		c.wantCat("branch/pr/head", second+"\n")
		c.echo(strings.ToUpper(second), ff)
	})
}

func TestFS54_RoIsLive(t *testing.T) {
	over(t, func(t *testing.T, c *conn) {
		c.commit("master", "1", map[string]string{"dir/f": "1", "gone": "x"})
		dir, f, gone := c.find("branch/master/ro/dir"), c.find("branch/master/ro/dir/f"), c.find("branch/master/ro/gone")
		for _, f := range []fid{dir, f, gone} {
			defer f.clunk()
		}
		opened := c.openFile("branch/master/ro/dir/f", 0)
		defer opened.clunk()
		c.commit("master", "2", map[string]string{"dir/f": "22", "dir/g": "x", "gone": "-"})

		if names, err := dir.list(c.ctx); err != nil || !slices.Equal(names, []string{"f", "g"}) {
			t.Errorf("a directory walked to before lists %q, %v", names, err)
		}
		if st, err := f.stat(c.ctx); err != nil || st.Size != 2 {
			t.Errorf("a file walked to before: %+v, %v", st, err)
		}
		if text, err := readAll(c.ctx, opened, 10); err != nil || text != "1" { // FS-40
			t.Errorf("a file opened before holds %q, %v", text, err)
		}
		_, err := gone.stat(c.ctx)
		c.fails("stat of what is gone", err, vfs.ErrNotExist)
		c.fails("open of what is gone", gone.open(c.ctx, 0), vfs.ErrNotExist)

		c.commit("master", "3", map[string]string{"dir": "-", "gone/now": "a directory"})
		_, err = f.stat(c.ctx)
		c.fails("stat below what is gone", err, vfs.ErrNotExist)
		c.fails("open of what is a directory now", gone.open(c.ctx, 0), vfs.ErrNotExist)
		_, err = dir.list(c.ctx)
		c.fails("list of what is gone", err, vfs.ErrNotExist)
	})
}

func TestFS17_FS55_FS68_FS70_BranchDiff(t *testing.T) {
	over(t, func(t *testing.T, c *conn) {
		first := c.commit("master", "1", map[string]string{"a": "1", "b": "1", "dir/x": "1", "same": "1"})
		diff := "branch/master/diff/" + first
		c.wantLs("branch/master/diff")
		c.wantCat(diff, "")
		f := c.find(diff)
		defer f.clunk()
		c.commit("master", "2", map[string]string{"a": "2", "b": "-", "dir/x": "1", "dir/y": "new", "c": "new"})
		want := "* a\n- b\n+ c\n+ dir/y\n"
		c.must("open", f.open(c.ctx, 0)) // computed when it is opened
		c.commit("master", "3", map[string]string{"d": "new"})
		if got, err := readAll(c.ctx, f, 100); err != nil || got != want {
			t.Errorf("diff is %q, %v, want %q", got, err, want)
		}
		c.wantCat(diff, "* a\n- b\n+ c\n+ d\n+ dir/y\n")
	})
}

func TestFS56_BranchLists(t *testing.T) {
	over(t, func(t *testing.T, c *conn) {
		c.mkdir("branch/master")
		c.wantLs("branch/master", "diff", "fast-forward", "head", "head.live", "reflog", "ro", "transactions", "watch")
		for _, name := range c.ls("branch/master") {
			c.must("walk", c.walkError("branch/master/"+name))
		}
	})
}

func TestFS35_AttachesShareState(t *testing.T) {
	directly(t, func(t *testing.T, c *conn) {
		s := c.fs.NewSession()
		defer s.Close()
		ctx := context.Background()
		one, _ := newTreeFid(ctx, s.Root(), nil)
		two, _ := newTreeFid(ctx, s.Root(), nil)
		a, err := one.walk(ctx, "branch")
		c.must("walk", err)
		c.must("mkdir", a.mkdir(ctx, "b"))
		_, err = two.walk(ctx, "branch", "b")
		c.must("walk by the other attach", err)
	})
}

func TestFS37_FS155_OpenForAnything(t *testing.T) {
	over(t, func(t *testing.T, c *conn) {
		c.commit("master", "1", map[string]string{"f": "x"})
		for _, path := range []string{"branch/master/head", "branch/master/ro/f"} {
			f := c.openFile(path, p9.ReadWrite)
			c.fails("write to "+path, f.write(c.ctx, []byte("x"), 0), vfs.ErrReadOnly)
			f.clunk()
			f = c.find(path)
			c.fails("truncating open of "+path, f.open(c.ctx, p9.Truncate), vfs.ErrReadOnly) // FS-156
			f.clunk()
		}
	})
}
