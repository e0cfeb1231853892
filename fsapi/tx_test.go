package fsapi_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/datakit/datakit/p9"
	"github.com/datakit/datakit/vfs"
)

var errPending = &vfs.Error{Text: "conflicts file is not empty", Errno: vfs.EBUSY}

func TestFS92_FS93_FS94_FS95_FS101_TransactionStart(t *testing.T) {
	over(t, func(t *testing.T, c *conn) {
		h := c.commit("master", "1", map[string]string{"f": "1"})
		path := c.begin("master", "t")
		c.fails("mkdir again", c.mkdirError(path), vfs.ErrExist)
		c.wantLs("branch/master/transactions", "t")
		c.wantLs(path, "ctl", "diff", "merge", "msg", "origin", "parents", "rw")
		for _, name := range c.ls(path) {
			c.must("walk", c.walkError(path+"/"+name))
		}
		for _, name := range []string{"base", "conflicts", "ours", "theirs", "x"} {
			c.fails("walk to "+name, c.walkError(path+"/"+name), vfs.ErrNotExist)
		}
		c.wantLs(path+"/rw", "f")
		c.wantCat(path+"/parents", h+"\n")
		c.wantCat(path+"/msg", "")
		c.wantCat(path+"/origin", "") // FS-101
		c.wantLs(path + "/diff")

		other := c.connect()
		other.wantLs("branch/master/transactions")
		c.fails("walk of the other", other.walkError(path), vfs.ErrNotExist)
		other.begin("master", "t") // FS-98: its own

		other.commit("master", "2", map[string]string{"f": "2"})
		c.wantCat(path+"/rw/f", "1")
		c.wantCat(path+"/parents", h+"\n")

		empty := c.begin("empty", "t")
		c.wantLs(empty + "/rw")
		c.wantCat(empty+"/parents", "")
	})
}

func TestFS19_TransactionNames(t *testing.T) {
	over(t, func(t *testing.T, c *conn) {
		c.mkdir("branch/master")
		dir := "branch/master/transactions/"
		for _, name := range []string{".git", ".GIT", "git~1", ".git "} {
			c.fails("mkdir "+name, c.mkdirError(dir+name), vfs.BadName(name))
		}
		c.fails("a long name", c.mkdirError(dir+strings.Repeat("x", 256)), vfs.ErrNameTooLong)
		c.mkdir(dir + strings.Repeat("x", 255))
		c.mkdir(dir + "\xff ö")
	})
}

// ends are the ways to end the transaction master/t.
var ends = map[string]func(c *conn, path string){
	"commit": func(c *conn, path string) { c.echo("commit", path+"/ctl") },
	"close":  func(c *conn, path string) { c.echo("close", path+"/ctl") },
	"remove": func(c *conn, path string) { c.remove(path) },
	"branch": func(c *conn, path string) { c.remove("branch/master") },
}

func TestFS96_FS97_FS118_TransactionEnd(t *testing.T) {
	over(t, func(t *testing.T, c *conn) {
		for how, end := range ends {
			first := c.commit("master", "1", map[string]string{"f": "1"})
			path := c.begin("master", "t")
			c.put(path+"/rw/new", "x")
			c.mkdir(path + "/rw/dir")
			c.echo(first, path+"/merge") // makes the other files appear
			held := make(map[string]fid)
			for _, name := range []string{"", "ctl", "diff", "merge", "msg", "origin", "parents", "rw", "rw/new", "rw/dir", "conflicts", "ours", "ours/f", "theirs", "base"} {
				held[name] = c.find(strings.TrimSuffix(path+"/"+name, "/"))
			}
			open := make(map[string]fid)
			for _, name := range []string{"ctl", "merge", "msg", "origin", "parents", "rw/new", "conflicts", "ours/f"} {
				open[name] = c.openFile(path+"/"+name, 0)
			}
			end(c, path)
			for name, f := range held {
				what := how + ": " + name
				_, err := f.stat(c.ctx)
				c.fails("stat after "+what, err, vfs.ErrNotExist)
				c.fails("chmod after "+what, f.chmod(c.ctx, vfs.Mode{Perm: 0o644, Dir: f.qid().Kind == vfs.KindDir}), vfs.ErrNotExist)
				c.fails("open after "+what, f.open(c.ctx, 0), vfs.ErrNotExist)
				f.clunk()
			}
			for name, f := range open {
				what := how + ": " + name
				_, err := f.read(c.ctx, make([]byte, 10), 0)
				c.fails("read after "+what, err, vfs.ErrNotExist)
				c.fails("write after "+what, f.write(c.ctx, []byte("commit"), 0), vfs.ErrNotExist)
				f.clunk()
			}
			c.mkdir("branch/master")
			c.wantLs("branch/master/transactions")
			c.fails("walk after "+how, c.walkError(path), vfs.ErrNotExist)
			if got := c.walkError("branch/master/ro/new") == nil; got != (how == "commit") {
				t.Errorf("%s: published: %v", how, got)
			}
			c.begin("master", "t") // the name is free again
			c.remove("branch/master")
		}
	})
}

func TestFS99_FS22_Message(t *testing.T) {
	over(t, func(t *testing.T, c *conn) {
		for i, msg := range []string{"one", "with end\n", " \n\n two\r\n", "", "ü\xff"} {
			path := c.begin("master", "t")
			c.put(fmt.Sprint(path, "/rw/", i), "x")
			h := c.publish("master", path, msg)
			if msg == "" {
				msg = "(no commit message)"
			}
			c.wantCat("snapshots/"+h+"/msg", msg+"\n")
		}
		before := c.head("master")
		path := c.begin("master", "t")
		c.write(path+"/msg", "a\x00b")
		c.fails("commit", c.shellWrite(path+"/ctl", "commit"), vfs.ErrInvalid)
		if got := c.head("master"); got != before {
			t.Errorf("the head moved to %s", got)
		}
		c.write(path+"/msg", "ok")
		c.echo("commit", path+"/ctl")
	})
}

func TestFS100_FS23_FST19_Parents(t *testing.T) {
	over(t, func(t *testing.T, c *conn) {
		first := c.commit("master", "1", map[string]string{"f": "1"})
		second := c.commit("master", "2", map[string]string{"f": "2"})
		path := c.begin("dev", "t")
		c.put(path+"/rw/new", "x")

		c.write(path+"/parents", "nonsense\n")
		c.fails("commit", c.shellWrite(path+"/ctl", "commit"), vfs.Errorf(vfs.ENOENT, `invalid-hash "nonsense"`))
		c.write(path+"/parents", noCommit+"\n")
		c.fails("commit", c.shellWrite(path+"/ctl", "commit"), vfs.ErrNotExist)
		c.wantCat("branch/dev/head", "\n")

		c.write(path+"/parents", "\n  "+second+" \t\n\n"+strings.ToUpper(first)+"\n"+second)
		h := c.publish("dev", path, "m")
		c.wantCat("snapshots/"+h+"/parents", second+"\n"+first+"\n") // in order, each once
		c.wantLs("branch/dev/ro", "new")                             // nothing but history has changed

		path = c.begin("other", "t")
		c.put(path+"/rw/new", "x")
		c.write(path+"/parents", second+"\n")
		h = c.publish("other", path, "m")
		c.wantCat("snapshots/"+h+"/parents", second+"\n")
	})
}

func TestFS102_TransactionDiff(t *testing.T) {
	over(t, func(t *testing.T, c *conn) {
		h := c.commit("master", "1", map[string]string{"a": "1", "dir/b": "1"})
		path := c.begin("master", "t")
		c.wantCat(path+"/diff/"+h, "")
		c.put(path+"/rw/a", "2")
		c.put(path+"/rw/c", "")
		c.mkdir(path + "/rw/empty")
		c.remove(path + "/rw/dir")
		c.wantCat(path+"/diff/"+h, "* a\n+ c\n- dir/b\n")
	})
}

func TestFS105_FS87_ControlCommands(t *testing.T) {
	over(t, func(t *testing.T, c *conn) {
		path := c.begin("master", "t")
		c.put(path+"/rw/f", "x")
		c.fails("unknown command", c.shellWrite(path+"/ctl", `a "b" \`), vfs.Errorf(vfs.EINVAL, `Unknown command "a \"b\" \\"`))
		c.fails("several commands", c.shellWrite(path+"/ctl", "commit\ncommit"), vfs.Errorf(vfs.EINVAL, `Unknown command "commit\x0acommit"`))
		c.must("commit", c.shellWrite(path+"/ctl", " \t\r\v\f commit \t"))
		c.wantLs("branch/master/ro", "f")
	})
}

func TestFS90_FS156_TruncateControl(t *testing.T) {
	over(t, func(t *testing.T, c *conn) {
		path := c.begin("master", "t")
		c.fails("length 1", c.with(path+"/ctl", func(f fid) error { return f.truncate(c.ctx, 1) }), vfs.ErrCommandLength)
		c.must("chmod", c.with(path+"/ctl", func(f fid) error { return f.chmod(c.ctx, vfs.Mode{Perm: 0o644}) }))
		c.fails("chmod +x", c.with(path+"/ctl", func(f fid) error { return f.chmod(c.ctx, vfs.Mode{Perm: 0o755}) }), vfs.ErrSpecialMode)
		c.fails("remove", c.removeError(path+"/ctl"), vfs.ErrPermission)
		f := c.openFile(path+"/ctl", p9.Truncate)
		defer f.clunk()
		c.must("write", f.write(c.ctx, []byte("close"), 0))
	})
}

func TestFS39_TextFiles(t *testing.T) {
	over(t, func(t *testing.T, c *conn) {
		path := c.begin("master", "t")
		f := c.openFile(path+"/msg", 0)
		defer f.clunk()
		for _, tt := range []struct {
			off        uint64
			text, want string
		}{{0, "hello", "hello"}, {0, "hi", "hillo"}, {1, "E", "hEllo"}, {7, "!", "hEllo\x00\x00!"}} { // FST-11
			c.must("write", f.write(c.ctx, []byte(tt.text), tt.off))
			c.wantCat(path+"/msg", tt.want)
		}
		c.must("truncate", f.truncate(c.ctx, 2))
		c.must("extend", f.truncate(c.ctx, 4))
		c.wantCat(path+"/msg", "hE\x00\x00")
		if st := c.stat(path + "/msg"); st.Size != 4 {
			t.Errorf("size %d, want 4", st.Size)
		}
		c.fails("remove", c.removeError(path+"/msg"), vfs.ErrReadOnly)
		c.fails("a very large offset", f.write(c.ctx, []byte("x"), 1<<40), vfs.ErrTooBig)
	})
}

func TestFS119_CommitMergesMovedHead(t *testing.T) {
	over(t, func(t *testing.T, c *conn) {
		first := c.commit("master", "1", map[string]string{"f": "1"})
		path := c.begin("master", "t")
		c.put(path+"/rw/mine", "x")
		theirs := c.commit("master", "2", map[string]string{"theirs": "x"})
		h := c.publish("master", path, "mine")
		c.wantLs("branch/master/ro", "f", "mine", "theirs")
		c.wantCat("snapshots/"+h+"/msg", "Merge\n")
		parents := strings.Fields(c.cat("snapshots/" + h + "/parents"))
		if len(parents) != 2 || parents[0] != theirs {
			t.Fatalf("parents %q, want %s first of two", parents, theirs)
		}
		c.wantCat("snapshots/"+parents[1]+"/msg", "mine\n")
		c.wantCat("snapshots/"+parents[1]+"/parents", first+"\n")
	})
}

func TestFS119_CommitWithoutChange(t *testing.T) {
	over(t, func(t *testing.T, c *conn) {
		first := c.commit("master", "1", map[string]string{"f": "1"})
		h := c.publish("master", c.begin("master", "t"), "nothing")
		c.wantCat("snapshots/"+h+"/parents", first+"\n")
		c.wantCat("snapshots/"+h+"/diff/"+first, "")
		empty := c.publish("empty", c.begin("empty", "t"), "nothing at all") // FS-15
		c.wantLs("snapshots/" + empty + "/ro")
	})
}

func TestFS121_FS122_CommitConflict(t *testing.T) {
	over(t, func(t *testing.T, c *conn) {
		c.commit("master", "0", map[string]string{"a": "0", "dir/b": "0"})
		path := c.begin("master", "t")
		c.put(path+"/rw/a", "mine")
		c.put(path+"/rw/dir/b", "mine")
		theirs := c.commit("master", "1", map[string]string{"a": "theirs", "dir/b": "theirs"})
		want := vfs.Errorf(vfs.EBUSY, "Merge conflict: a: Changed on both branches (and 1 more)")
		c.fails("commit", c.shellWrite(path+"/ctl", "commit"), want)
		c.put(path+"/rw/a", "theirs") // the same change is no conflict
		want = vfs.Errorf(vfs.EBUSY, "Merge conflict: dir/b: Changed on both branches")
		c.fails("commit", c.shellWrite(path+"/ctl", "commit"), want)
		if got := c.head("master"); got != theirs {
			t.Errorf("a failed commit moved the head to %s", got)
		}
		c.wantLs(path, "ctl", "diff", "merge", "msg", "origin", "parents", "rw")

		c.echo(theirs, path+"/merge")
		c.wantCat(path+"/conflicts", "dir/b\n")
		c.put(path+"/rw/dir/b", "both")
		c.publish("master", path, "resolved")
		c.wantCat("branch/master/ro/dir/b", "both")
		c.wantCat("branch/master/ro/a", "theirs")
	})
}

func TestFS98_FS120_FST20_TwoTransactions(t *testing.T) {
	over(t, func(t *testing.T, c *conn) {
		orig := c.commit("master", "orig", map[string]string{"f": "x"})
		t1, t2 := c.begin("master", "t1"), c.begin("master", "t2")
		c.wantLs("branch/master/transactions", "t1", "t2")
		c.put(t2+"/rw/from_inner", "x")
		inner := c.publish("master", t2, "From inner")
		c.put(t1+"/rw/from_outer", "x")
		h := c.publish("master", t1, "From outer")
		c.wantLs("branch/master/ro", "f", "from_inner", "from_outer")
		outer := ""
		for _, p := range strings.Fields(c.cat("snapshots/" + h + "/parents")) {
			if p != inner {
				outer = p
			}
		}
		c.wantCat("snapshots/"+outer+"/msg", "From outer\n")
		c.wantCat("snapshots/"+outer+"/parents", orig+"\n")
	})
}

func TestFS91_CommandsInOrder(t *testing.T) {
	over(t, func(t *testing.T, c *conn) {
		// Many commit the same transaction at once: one succeeds, and the others
		// find that it is gone.
		path := c.begin("master", "t")
		c.put(path+"/rw/f", "x")
		var ctls []fid
		for range 20 {
			ctls = append(ctls, c.openFile(path+"/ctl", 0))
		}
		var wg sync.WaitGroup
		errs := make(chan error, len(ctls))
		for _, f := range ctls {
			wg.Go(func() { errs <- f.write(c.ctx, []byte("commit"), 0) })
		}
		wg.Wait()
		close(errs)
		done := 0
		for err := range errs {
			if err == nil {
				done++
			} else if !c.same(err, vfs.ErrNotExist) {
				t.Errorf("error %v", err)
			}
		}
		if done != 1 {
			t.Errorf("%d commits of one transaction", done)
		}
	})
}

func TestFS178_FS216_SessionEndDiscards(t *testing.T) {
	over(t, func(t *testing.T, c *conn) {
		h := c.commit("master", "1", map[string]string{"f": "1"})
		other := c.connect()
		for i := range 5 {
			path := other.begin("master", fmt.Sprint("t", i))
			other.put(path+"/rw/f", "2")
		}
		other.mkdir("remotes/r")
		other.end()
		if n := c.fs.Transactions(); n != 0 {
			t.Errorf("%d transactions are left", n)
		}
		c.wantCat("branch/master/head", h+"\n")
		c.wantLs("branch/master/transactions")
		c.wantLs("remotes")
	})
}

func TestFS215_ConcurrentCommits(t *testing.T) {
	over(t, func(t *testing.T, c *conn) {
		c.commit("master", "0", map[string]string{"f": "0"})
		const conns, each = 8, 6
		var wg sync.WaitGroup
		for i := range conns {
			other := c.connect()
			wg.Go(func() {
				for j := range each {
					path := fmt.Sprintf("branch/master/transactions/%d", j)
					if err := other.mkdirError(path); err != nil {
						t.Errorf("mkdir: %v", err)
						return
					}
					if err := other.createError(fmt.Sprintf("%s/rw/%d-%d", path, i, j), "x", 0o644); err != nil {
						t.Errorf("create: %v", err)
					}
					if err := other.shellWrite(path+"/ctl", "commit"); err != nil {
						t.Errorf("commit: %v", err)
					}
				}
			})
		}
		wg.Wait()
		if got := len(c.ls("branch/master/ro")); got != conns*each+1 {
			t.Errorf("%d files in the end, want %d", got, conns*each+1)
		}
	})
}
