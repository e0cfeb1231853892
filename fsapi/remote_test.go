package fsapi_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/gitdb"
	"github.com/datakit/datakit/vfs"
)

// A fetchDriver is a database with remotes of its own.
type fetchDriver struct {
	datakit.Driver
	fetch func(ctx context.Context, url, branch string) (datakit.Hash, error)
}

func (d *fetchDriver) Fetch(ctx context.Context, url, branch string) (datakit.Hash, error) {
	return d.fetch(ctx, url, branch)
}

// overRemote is over for a database that fetches with the function fetch
// returns for its connection.
func overRemote(t *testing.T, fn func(t *testing.T, c *conn, d *fetchDriver)) {
	t.Parallel()
	for _, tr := range transports {
		t.Run(tr.name, func(t *testing.T) {
			t.Parallel()
			d := &fetchDriver{Driver: newTestDB().Driver()}
			fn(t, newEnv(t, tr, datakit.New(d), nil).connect(), d)
		})
	}
}

// heads returns a fetch whose results are those of next.
func heads(next func(url, branch string) (string, error)) func(context.Context, string, string) (datakit.Hash, error) {
	return func(_ context.Context, url, branch string) (datakit.Hash, error) {
		s, err := next(url, branch)
		if err != nil {
			return datakit.Hash{}, err
		}
		h, err := datakit.ParseHash(s)
		return h, err
	}
}

func TestFS203_FS204_Remotes(t *testing.T) {
	over(t, func(t *testing.T, c *conn) {
		c.wantLs("remotes")
		c.mkdir("remotes/b")
		c.mkdir("remotes/a")
		c.wantLs("remotes", "a", "b")
		c.fails("mkdir again", c.mkdirError("remotes/a"), vfs.ErrExist)
		c.fails("bad name", c.mkdirError("remotes/.git"), vfs.BadName(".git"))
		c.fails("create", c.createError("remotes/f", "", 0o644), vfs.ErrDirOnly)
		c.wantLs("remotes/a", "fetch", "head", "url")
		c.wantCat("remotes/a/url", "")
		other := c.connect()
		other.wantLs("remotes")

		held := c.find("remotes/a")
		defer held.clunk()
		c.write("remotes/a/url", "x")
		c.fails("rename to a name in use", c.rename("remotes/a", "b"), vfs.ErrExist)
		c.must("rename to itself", c.rename("remotes/a", "a"))
		c.must("rename", c.rename("remotes/a", "c"))
		c.wantLs("remotes", "b", "c")
		c.wantCat("remotes/c/url", "x")
		if st, err := held.stat(c.ctx); err != nil || c.names() && st.Name != "c" {
			t.Errorf("stat of what was renamed: %+v, %v", st, err)
		}
		c.fails("rename to a bad name", c.rename("remotes/c", ".git"), vfs.BadName(".git"))

		url := c.openFile("remotes/c/url", 0)
		defer url.clunk()
		c.remove("remotes/c")
		c.wantLs("remotes", "b")
		_, err := held.stat(c.ctx)
		c.fails("stat of what was removed", err, vfs.ErrNotExist)
		c.fails("write of what was removed", url.write(c.ctx, []byte("x"), 0), vfs.ErrNotExist)
		c.fails("remove again", c.removeError("remotes/c"), vfs.ErrNotExist)
	})
}

func TestFS205_FS81_FetchAndHead(t *testing.T) {
	overRemote(t, func(t *testing.T, c *conn, d *fetchDriver) {
		first, second := strings.Repeat("1", 40), strings.Repeat("2", 40)
		next := first
		var asked []string
		d.fetch = heads(func(url, branch string) (string, error) {
			asked = append(asked, url+" "+branch)
			return next, nil
		})
		c.mkdir("remotes/r")
		c.echo("git://host/repo", "remotes/r/url")
		early := c.follow("remotes/r/head")
		waitsAtLeastUntil(c, early, func() { c.echo(" master ", "remotes/r/fetch") }, first+"\n")
		c.echo("master", "remotes/r/fetch")
		early.want(first + "\n") // also when it is the same
		next = second
		late := c.follow("remotes/r/head")
		c.echo("dev", "remotes/r/fetch")
		early.want(second + "\n")
		late.want(first + "\n")
		late.want(second + "\n")
		c.wantCat("remotes/r/fetch", "")
		c.echo("git://host/repo#other", "remotes/r/url")
		c.echo("master", "remotes/r/fetch")
		want := "git://host/repo master,git://host/repo master,git://host/repo dev,git://host/repo other"
		if got := strings.Join(asked, ","); got != want {
			t.Errorf("fetched %q, want %q", got, want)
		}
		c.wantLs("branch") // no reference was made
	})
}

func TestFS206_FS199_FetchErrors(t *testing.T) {
	overRemote(t, func(t *testing.T, c *conn, d *fetchDriver) {
		var fail error
		d.fetch = heads(func(url, branch string) (string, error) { return strings.Repeat("1", 40), fail })
		c.mkdir("remotes/r")
		fetch := func() error { return c.shellWrite("remotes/r/fetch", "master") }
		c.fails("no url", fetch(), &vfs.Error{Text: "error: remote url is not defined", Errno: vfs.EINVAL})
		c.echo("https://user:secret@host/repo", "remotes/r/url")
		c.must("fetch", fetch())
		fail = datakit.NotExist
		c.fails("no branch", fetch(), &vfs.Error{Text: "error: no head to fetch", Errno: vfs.ENOENT})
		fail = &datakit.Error{Op: "fetch", Kind: datakit.IO, Err: errors.New("https://user:secret@host/repo\nis\nbad")}
		c.fails("failure", fetch(), vfs.Errorf(vfs.EIO, "error: cannot fetch https://user:xxxxx@host/repo: fetch: https://user:xxxxx@host/repo is bad"))
		if err := c.shellWrite("remotes/r/fetch", "bad..name"); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("fetch of a bad name: %v", err)
		}
		head := c.follow("remotes/r/head")
		head.want(strings.Repeat("1", 40) + "\n") // failures change nothing
		fail = nil
		waitsAtLeastUntil(c, head, func() { c.must("fetch", fetch()) }, strings.Repeat("1", 40)+"\n")
	})
}

func TestFS203_FS208_CancelledFetch(t *testing.T) {
	overRemote(t, func(t *testing.T, c *conn, d *fetchDriver) {
		started := make(chan struct{}, 10)
		d.fetch = func(ctx context.Context, _, branch string) (datakit.Hash, error) {
			if branch == "fast" {
				return datakit.Hash{1}, nil
			}
			started <- struct{}{}
			<-ctx.Done()
			return datakit.Hash{}, ctx.Err()
		}
		for i := range 3 {
			c.mkdir(fmt.Sprint("remotes/r", i))
			c.echo("git://host/repo", fmt.Sprint("remotes/r", i, "/url"))
		}
		start := func(ctx context.Context, path string) <-chan error {
			f := c.openFile(path, 0)
			done := make(chan error, 1)
			go func() {
				defer f.clunk()
				done <- f.write(ctx, []byte("slow"), 0)
			}()
			<-started
			return done
		}
		flushCtx, flush := context.WithCancel(c.ctx)
		flushed := start(flushCtx, "remotes/r0/fetch")
		removed := start(c.ctx, "remotes/r1/fetch")
		c.echo("fast", "remotes/r0/fetch") // is not delayed
		c.echo("fast", "remotes/r2/fetch")

		flush()
		if err := <-flushed; err == nil {
			t.Error("a flushed fetch succeeded")
		}
		head := c.follow("remotes/r1/head")
		next := make(chan error, 1)
		go func() {
			_, err := head.next()
			next <- err
		}()
		c.remove("remotes/r1")
		c.fails("a fetch whose remote is removed", <-removed, vfs.ErrInterrupted)
		if err := <-next; err == nil {
			t.Error("a read of the head of a removed remote succeeded")
		}

		other := c.connect() // ends with a fetch in progress
		other.mkdir("remotes/r")
		other.echo("git://host/repo", "remotes/r/url")
		f := other.openFile("remotes/r/fetch", 0)
		var wg sync.WaitGroup
		wg.Go(func() {
			if err := f.write(other.ctx, []byte("slow"), 0); err == nil {
				t.Error("a fetch of an ended connection succeeded")
			}
		})
		<-started
		other.end()
		wg.Wait()
	})
}

// TestFS205_FST29_FetchFromGit fetches from a repository on disk.
func TestFS205_FST29_FetchFromGit(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	source, err := gitdb.Open(dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	var want datakit.Hash
	err = source.Branch("master").Update(t.Context(), "m", func(tx *datakit.Tx) error {
		return errors.Join(tx.WriteFile(t.Context(), "foo", []byte("1")), tx.WriteFile(t.Context(), "x", []byte("2")))
	})
	if err == nil {
		want, err = source.Branch("master").Head(t.Context())
	}
	if err := errors.Join(err, source.Close()); err != nil {
		t.Fatal(err)
	}
	for _, tr := range transports {
		t.Run(tr.name, func(t *testing.T) {
			c := newEnv(t, tr, newTestDB(), nil).connect()
			c.mkdir("remotes/origin")
			c.echo("file://"+dir, "remotes/origin/url")
			c.echo("master", "remotes/origin/fetch")
			for range 2 {
				c.follow("remotes/origin/head").want(want.String() + "\n")
			}
			c.wantLs("snapshots/"+want.String()+"/ro", "foo", "x")
			c.fails("no such branch", c.shellWrite("remotes/origin/fetch", "nothing"), &vfs.Error{Text: "error: no head to fetch", Errno: vfs.ENOENT})
			c.echo(want.String(), c.forkPath("copy"))
			c.wantLs("branch/copy/ro", "foo", "x")
		})
	}
}

// forkPath makes a branch and returns the path of its fast-forward file.
func (c *conn) forkPath(branch string) string {
	c.t.Helper()
	c.mkdir("branch/" + branch)
	return "branch/" + branch + "/fast-forward"
}

func TestFS81_FS80_SlowReaderOfRemoteHead(t *testing.T) {
	t.Parallel()
	d := &fetchDriver{Driver: newTestDB().Driver()}
	d.fetch = func(context.Context, string, string) (datakit.Hash, error) { return datakit.Hash{1}, nil }
	c := newEnv(t, transports[0], datakit.New(d), nil).connect()
	c.mkdir("remotes/r")
	c.echo("git://host/repo", "remotes/r/url")
	head := c.follow("remotes/r/head")
	for range 10_001 {
		c.echo("master", "remotes/r/fetch")
	}
	_, err := head.next()
	c.fails("read after too many fetches", err, vfs.ErrOverflow)
}
