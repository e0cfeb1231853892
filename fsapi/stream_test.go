package fsapi_test

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/vfs"
)

func TestFS51_FS74_FS75_FS78_FST28_HeadLive(t *testing.T) {
	over(t, func(t *testing.T, c *conn) {
		c.mkdir("branch/master")
		live := c.follow("branch/master/head.live")
		live.want("\n") // next also checks for the one empty answer
		first := c.commit("master", "1", map[string]string{"f": "1"})
		live.want(first + "\n")
		c.commit("master", "2", map[string]string{"f": "2"})
		third := c.commit("master", "3", map[string]string{"f": "3"})
		live.want(third + "\n") // the one between was skipped
		c.remove("branch/master")
		live.want("\n")
	})
}

func TestFS78_StateThatChangedBack(t *testing.T) {
	over(t, func(t *testing.T, c *conn) {
		first := c.commit("master", "1", map[string]string{"f": "1"})
		live := c.follow("branch/master/head.live")
		live.want(first + "\n")
		second := c.commit("master", "2", map[string]string{"f": "2"})
		c.remove("branch/master")
		c.mkdir("branch/master")
		c.echo(first, "branch/master/fast-forward")
		waitsAtLeastUntil(c, live, func() { c.echo(second, "branch/master/fast-forward") }, second+"\n")
	})
}

// waitsAtLeastUntil reads the next line while change makes it be want. What
// the stream had to deliver before would be delivered instead.
func waitsAtLeastUntil(c *conn, r *reader, change func(), want string) {
	c.t.Helper()
	type answer struct {
		line string
		err  error
	}
	next := make(chan answer, 1)
	go func() {
		line, err := r.next()
		next <- answer{line, err}
	}()
	change()
	if a := <-next; a.line != want || a.err != nil {
		c.t.Fatalf("next line is %q, %v, want %q", a.line, a.err, want)
	}
}

func TestFS79_ContinuousReaderSeesEachChange(t *testing.T) {
	over(t, func(t *testing.T, c *conn) {
		c.mkdir("branch/master")
		path := c.begin("other", "t")
		c.put(path+"/rw/f", "x")
		h := c.publish("other", path, "m")
		live := c.follow("branch/master/head.live")
		live.want("\n")
		for range 5 {
			waitsAtLeastUntil(c, live, func() { c.echo(h, "branch/master/fast-forward") }, h+"\n")
			waitsAtLeastUntil(c, live, func() { c.remove("branch/master") }, "\n")
			c.mkdir("branch/master")
		}
	})
}

func TestFS73_EachOpenStreamHasItsOwnPosition(t *testing.T) {
	over(t, func(t *testing.T, c *conn) {
		first := c.commit("master", "1", map[string]string{"f": "1"})
		path := "branch/master/head.live"
		a, b, other := c.follow(path), c.follow(path), c.connect().follow(path)
		a.want(first + "\n")
		second := c.commit("master", "2", map[string]string{"f": "2"})
		late := c.follow(path)
		for _, r := range []*reader{a, late} {
			r.want(second + "\n")
		}
		for _, r := range []*reader{b, other} {
			r.want(first + "\n") // the state when it was opened
			r.want(second + "\n")
		}
	})
}

func TestFS52_FS80_ReflogIsComplete(t *testing.T) {
	over(t, func(t *testing.T, c *conn) {
		c.commit("master", "0", map[string]string{"f": "0"})
		log := c.follow("branch/master/reflog")
		var want []string
		for i := range 20 {
			want = append(want, c.commit("master", fmt.Sprint(i), map[string]string{"f": fmt.Sprint("x", i)}))
		}
		last := want[len(want)-1]
		c.remove("branch/master")
		c.mkdir("branch/master")
		c.echo(last, "branch/master/fast-forward")
		for _, h := range append(want, "", last) {
			log.want(h + "\n")
		}
	})
}

func TestFS80_ReflogKeepsTenThousandLines(t *testing.T) {
	directly(t, func(t *testing.T, c *conn) {
		first, _ := datakit.ParseHash(c.commit("master", "1", map[string]string{"f": "1"}))
		move := func(n int) {
			b := c.db.Branch("master")
			for range n {
				c.must("remove", b.Remove(c.ctx))
				c.must("fast-forward", b.FastForward(c.ctx, first))
			}
		}
		log := c.follow("branch/master/reflog")
		move(5000)
		for range 5000 {
			log.want("\n")
			log.want(first.String() + "\n")
		}
		move(5001)
		_, err := log.next()
		c.fails("read after too many changes", err, vfs.ErrOverflow)
		_, err = log.next()
		c.fails("another read", err, vfs.ErrOverflow)
	})
}

func TestFS57_FS58_WatchDirectories(t *testing.T) {
	over(t, func(t *testing.T, c *conn) {
		c.commit("master", "1", map[string]string{"z/y": "1", "a": "1", "tree.live": "1"})
		c.wantLs("branch/master/watch", "a.node", "tree.live", "tree.live.node", "z.node")
		c.wantLs("branch/master/watch/z.node", "tree.live", "y.node")
		c.wantLs("branch/master/watch/a.node", "tree.live") // below a file
		c.wantLs("branch/master/watch/a.node/below.node/x.node", "tree.live")
		for _, name := range []string{"a", "x", ".node", "..node", "...node", ".git.node", "tree.live.x"} {
			c.fails("walk to "+name, c.walkError("branch/master/watch/"+name), vfs.ErrNotExist)
		}
		c.mkdir("branch/empty")
		c.wantLs("branch/empty/watch", "tree.live")
		c.must("walk to what is not there", c.walkError("branch/empty/watch/x.node/y.node/tree.live"))
	})
}

func TestFS59_FS60_FS61_FST5_FST6_FST7_TreeLive(t *testing.T) {
	over(t, func(t *testing.T, c *conn) {
		c.mkdir("branch/master")
		root := c.follow("branch/master/watch/tree.live")
		makefile := c.follow("branch/master/watch/src.node/Makefile.node/tree.live")
		root.want("D-" + emptyTree + "\n")
		makefile.want("\n")
		c.commit("master", "1", map[string]string{"src/Makefile": "all: build"})
		root.want("D-acaa8ac97706d94e012da475e8a63d647011a72c\n")
		makefile.want("F-d81e367f87ee314bcd3e449b1c6641efda5bc269\n")
		c.commit("master", "2", map[string]string{"doc/README": "Instructions"})
		root.want("D-eccca2d529dee833e47546cc2e095cc1c79f1917\n")

		change := func() { c.commit("master", "3", map[string]string{"src": "-"}) }
		waitsAtLeastUntil(c, makefile, change, "\n") // the second commit delivered nothing
		c.remove("branch/master")
		root.want("D-" + emptyTree + "\n")
	})
}

func TestFS59_TreeLiveOfKinds(t *testing.T) {
	over(t, func(t *testing.T, c *conn) {
		path := c.begin("master", "t")
		c.must("create", c.createError(path+"/rw/x", "all: build test", 0o755))
		if c.symlinks() {
			c.symlink(path+"/rw/l", "all: build test")
		}
		c.publish("master", path, "m")
		c.follow("branch/master/watch/x.node/tree.live").want("X-" + vectorBlob + "\n")
		if c.symlinks() {
			c.follow("branch/master/watch/l.node/tree.live").want("L-" + vectorBlob + "\n")
		}
		c.follow("branch/master/watch/x.node/below.node/tree.live").want("\n")
	})
}

func TestFS77_WholeLines(t *testing.T) {
	over(t, func(t *testing.T, c *conn) {
		h := c.commit("master", "1", map[string]string{"f": "1"})
		for path, size := range map[string]int{"head.live": 41, "watch/tree.live": 43} {
			f := c.openFile("branch/master/"+path, 0)
			n, err := f.read(c.ctx, make([]byte, size), 0)
			if n != size || err != nil {
				t.Errorf("read of %d bytes of %s = %d, %v", size, path, n, err)
			}
			f.clunk()
		}
		f := c.openFile("branch/master/head.live", 0) // FS-75: also within a line
		defer f.clunk()
		var got string
		for _, size := range []int{1, 10, 100} {
			p := make([]byte, size)
			n, err := f.read(c.ctx, p, uint64(len(got)))
			c.must("read", err)
			got += string(p[:n])
			n, err = f.read(c.ctx, p, uint64(len(got)))
			if n != 0 || err != nil {
				t.Errorf("after %q: %d bytes, %v, want an empty answer", got, n, err)
			}
		}
		if got != h+"\n" {
			t.Errorf("pieces make %q, want %q", got, h+"\n")
		}
	})
}

func TestFS82_FS84_FlushedReadLosesNothing(t *testing.T) {
	over(t, func(t *testing.T, c *conn) {
		first := c.commit("master", "1", map[string]string{"f": "1"})
		live := c.follow("branch/master/head.live")
		live.want(first + "\n")
		for range 10 {
			ctx, cancel := context.WithCancel(c.ctx)
			done := make(chan error)
			go func() {
				_, err := live.f.read(ctx, make([]byte, 100), live.pos)
				done <- err
			}()
			c.wantCat("branch/master/head", first+"\n") // is not delayed
			cancel()
			if err := <-done; err == nil {
				t.Fatal("the flushed read succeeded")
			}
		}
		second := c.commit("master", "2", map[string]string{"f": "2"})
		live.want(second + "\n")
	})
}

func TestFS82_FS153_ClunkEndsRead(t *testing.T) {
	over(t, func(t *testing.T, c *conn) {
		c.mkdir("branch/master")
		f := c.openFile("branch/master/reflog", 0)
		done := make(chan error)
		go func() {
			_, err := f.read(c.ctx, make([]byte, 100), 0)
			done <- err
		}()
		f.clunk()
		if err := <-done; err == nil {
			t.Error("a read of a closed file succeeded")
		}
	})
}

func TestFS85_WriteToStream(t *testing.T) {
	over(t, func(t *testing.T, c *conn) {
		c.mkdir("branch/master")
		f := c.openFile("branch/master/head.live", 0)
		defer f.clunk()
		c.fails("write", f.write(c.ctx, []byte("x"), 0), vfs.ErrReadOnly)
		c.fails("write elsewhere", f.write(c.ctx, []byte("x"), 1), vfs.ErrSeek)
		_, err := f.read(c.ctx, make([]byte, 100), 5)
		c.fails("read elsewhere", err, vfs.ErrSeek)
		if st := c.stat("branch/master/head.live"); st.Size != 0 {
			t.Errorf("a stream has length %d", st.Size)
		}
	})
}

func TestFS178_StreamsEndWithConnection(t *testing.T) {
	over(t, func(t *testing.T, c *conn) {
		c.mkdir("branch/master")
		other := c.connect()
		path := other.begin("master", "t")
		other.put(path+"/rw/f", "x")
		f := other.openFile("branch/master/reflog", 0)
		var wg sync.WaitGroup
		wg.Go(func() {
			if _, err := f.read(other.ctx, make([]byte, 100), 0); err == nil {
				t.Error("a read after the end of the connection succeeded")
			}
		})
		for c.fs.Streams() == 0 || c.fs.Transactions() == 0 {
			runtime.Gosched()
		}
		other.end()
		wg.Wait()
		if c.fs.Streams() != 0 || c.fs.Transactions() != 0 {
			t.Errorf("%d streams and %d transactions are left", c.fs.Streams(), c.fs.Transactions())
		}
		if _, err := c.db.Branch("master").Tree(c.ctx); err != nil || c.head("master") != "" {
			t.Errorf("the abandoned transaction was published: %v", err)
		}
	})
}

func TestFS120_ManyReadersSeeEachHead(t *testing.T) {
	over(t, func(t *testing.T, c *conn) {
		c.commit("master", "m", map[string]string{"f": "x"})
		var logs []*reader
		for range 5 {
			logs = append(logs, c.connect().follow("branch/master/reflog"))
		}
		var heads []string
		for i := range 5 {
			heads = append(heads, c.commit("master", "m", map[string]string{fmt.Sprint("f", i): "x"}))
		}
		for _, log := range logs {
			for _, h := range heads {
				log.want(h + "\n")
			}
		}
	})
}

func TestFS89_ResultOfFastForwardIsEmpty(t *testing.T) {
	over(t, func(t *testing.T, c *conn) {
		h := c.commit("master", "1", map[string]string{"f": "1"})
		c.mkdir("branch/b")
		f := c.openFile("branch/b/fast-forward", 0)
		defer f.clunk()
		command := "  " + strings.ToUpper(h) + "\n"
		c.must("write", f.write(c.ctx, []byte(command), 0))
		for range 2 {
			if n, err := f.read(c.ctx, make([]byte, 10), uint64(len(command))); n != 0 || err != nil {
				t.Errorf("the result has %d bytes, %v", n, err)
			}
		}
		_, err := f.read(c.ctx, make([]byte, 10), 0)
		c.fails("read elsewhere", err, vfs.ErrSeek)
	})
}
