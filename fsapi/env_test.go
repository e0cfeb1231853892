package fsapi_test

import (
	"context"
	"errors"
	"io"
	"net"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/fsapi"
	"github.com/datakit/datakit/memdb"
	"github.com/datakit/datakit/p9"
	"github.com/datakit/datakit/vfs"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// testTimeout is how long a test waits for what must happen.
const testTimeout = 30 * time.Second

// clock is the time of all commits.
var clock = time.Unix(1500000000, 0).UTC()

// A transport is a way from a client to the tree.
type transport struct {
	name    string
	dialect p9.Dialect
	direct  bool // without a protocol
}

var transports = []transport{
	{name: "direct", direct: true},
	{name: "9P2000", dialect: p9.Plain},
	{name: "9P2000.u", dialect: p9.DotU},
	{name: "9P2000.L", dialect: p9.DotL},
}

// symlinks reports whether clients can make symlinks and see their targets.
func (tr transport) symlinks() bool { return tr.direct || tr.dialect != p9.Plain }

// names reports whether the stat of an entry has a name.
func (tr transport) names() bool { return tr.direct || tr.dialect != p9.DotL }

// moves reports whether clients can move entries between directories.
func (tr transport) moves() bool { return tr.direct || tr.dialect == p9.DotL }

// An env is a server with an empty database.
type env struct {
	transport
	t      testing.TB
	db     *datakit.DB
	fs     *fsapi.FS
	server *p9.Server
}

// over runs fn as a parallel subtest for each transport, with a new server and
// a first connection.
func over(t *testing.T, fn func(t *testing.T, c *conn)) {
	t.Parallel()
	for _, tr := range transports {
		t.Run(tr.name, func(t *testing.T) {
			t.Parallel()
			e := newEnv(t, tr, newTestDB(), nil)
			fn(t, e.connect())
		})
	}
}

// directly is over for what is the same with every transport.
func directly(t *testing.T, fn func(t *testing.T, c *conn)) {
	t.Parallel()
	fn(t, newEnv(t, transports[0], newTestDB(), nil).connect())
}

// newTestDB returns a database whose clock stands still.
func newTestDB() *datakit.DB {
	return memdb.New(&memdb.Options{Now: func() time.Time { return clock }})
}

func newEnv(t testing.TB, tr transport, db *datakit.DB, opts *fsapi.Options) *env {
	t.Cleanup(func() { db.Close() })
	e := &env{transport: tr, t: t, db: db, fs: fsapi.New(db, opts)}
	e.server = &p9.Server{NewSession: func() (vfs.Dir, func(), error) {
		s := e.fs.NewSession()
		return s.Root(), s.Close, nil
	}}
	t.Cleanup(func() {
		if n := e.fs.Transactions(); n != 0 {
			t.Errorf("%d transactions are open after the last session", n)
		}
		if n := e.fs.Streams(); n != 0 {
			t.Errorf("%d streams are open after the last session", n)
		}
	})
	return e
}

// A conn is a connection to the server of a test. Its methods fail the test
// when they fail, except those that return an error.
type conn struct {
	*env
	root fid
	ctx  context.Context
	end  func() // may be called more than once
}

// connect makes another connection.
func (e *env) connect() *conn {
	e.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), testTimeout)
	e.t.Cleanup(cancel)
	c := &conn{env: e, ctx: ctx}
	if e.direct {
		s := e.fs.NewSession()
		c.end = sync.OnceFunc(s.Close)
		c.root, _ = newTreeFid(ctx, s.Root(), nil)
	} else {
		client, end := e.dial(ctx)
		c.end = end
		c.root = &wireFid{f: client.Root()}
	}
	e.t.Cleanup(c.end)
	return c
}

// dial connects a client over a socket.
func (e *env) dial(ctx context.Context) (*p9.Client, func()) {
	l, err := net.Listen("unix", filepath.Join(e.t.TempDir(), "s"))
	if err != nil {
		e.t.Fatal(err)
	}
	defer l.Close()
	ours, err := net.Dial("unix", l.Addr().String())
	if err != nil {
		e.t.Fatal(err)
	}
	theirs, err := l.Accept()
	if err != nil {
		e.t.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() { e.server.ServeConn(context.Background(), theirs) })
	client, err := p9.NewClient(ctx, ours, &p9.Options{Version: e.dialect.String()})
	if err != nil {
		ours.Close()
		wg.Wait()
		e.t.Fatal(err)
	}
	return client, sync.OnceFunc(func() {
		client.Close()
		wg.Wait()
	})
}

// fails fails the test unless err is what a client sees of want.
func (e *env) fails(what string, err error, want error) {
	e.t.Helper()
	if !e.same(err, want) {
		e.t.Errorf("%s: error %v, want %v", what, err, want)
	}
}

func (e *env) same(err, want error) bool {
	if err == nil || want == nil {
		return err == nil && want == nil
	}
	w := vfs.AsError(want)
	var wire *p9.Error
	if !errors.As(err, &wire) {
		return *vfs.AsError(err) == *w
	}
	switch e.dialect {
	case p9.Plain:
		return wire.Text == w.Text
	case p9.DotL:
		return wire.Errno == w.Errno
	}
	return wire.Text == w.Text && wire.Errno == w.Errno
}

func (c *conn) must(what string, err error) {
	c.t.Helper()
	if err != nil {
		c.t.Fatalf("%s: %v", what, err)
	}
}

// find walks to a path, whose steps have no slashes.
func (c *conn) find(path string) fid {
	c.t.Helper()
	f, err := c.root.walk(c.ctx, steps(path)...)
	c.must("walk to "+path, err)
	return f
}

// walkError returns the error of walking to a path.
func (c *conn) walkError(path string) error {
	f, err := c.root.walk(c.ctx, steps(path)...)
	if err == nil {
		f.clunk()
	}
	return err
}

// with calls fn with a fid of path.
func (c *conn) with(path string, fn func(fid) error) error {
	c.t.Helper()
	f, err := c.root.walk(c.ctx, steps(path)...)
	if err != nil {
		return err
	}
	defer f.clunk()
	return fn(f)
}

func split(path string) (dir, name string) {
	dir, name = filepath.Split(path)
	return filepath.Clean("/" + dir)[1:], name
}

func (c *conn) mkdirError(path string) error {
	dir, name := split(path)
	return c.with(dir, func(f fid) error { return f.mkdir(c.ctx, name) })
}

func (c *conn) mkdir(path string) {
	c.t.Helper()
	c.must("mkdir "+path, c.mkdirError(path))
}

// createError makes a file with content, or fails.
func (c *conn) createError(path, content string, perm uint32) error {
	dir, name := split(path)
	return c.with(dir, func(d fid) error {
		f, err := d.create(c.ctx, name, perm, 0)
		if err != nil {
			return err
		}
		defer f.clunk()
		return f.write(c.ctx, []byte(content), 0)
	})
}

// put makes a file, or replaces it.
func (c *conn) put(path, content string) {
	c.t.Helper()
	c.must("create "+path, c.createError(path, content, 0o644))
}

func (c *conn) symlink(path, target string) {
	c.t.Helper()
	dir, name := split(path)
	c.must("symlink "+path, c.with(dir, func(f fid) error { return f.symlink(c.ctx, name, target) }))
}

func (c *conn) ls(path string) []string {
	c.t.Helper()
	var names []string
	c.must("list "+path, c.with(path, func(f fid) (err error) {
		names, err = f.list(c.ctx)
		return err
	}))
	return names
}

// openFile opens what is at path. It is closed with the test at the latest.
func (c *conn) openFile(path string, flags p9.OpenFlags) fid {
	c.t.Helper()
	f := c.find(path)
	c.must("open "+path, f.open(c.ctx, flags))
	return f
}

func (c *conn) catError(path string) (text string, err error) {
	err = c.with(path, func(f fid) (err error) {
		if err := f.open(c.ctx, 0); err != nil {
			return err
		}
		text, err = readAll(c.ctx, f, 8000)
		return err
	})
	return text, err
}

// readAll reads until an empty answer.
func readAll(ctx context.Context, f fid, size int) (string, error) {
	var text []byte
	p := make([]byte, size)
	for {
		n, err := f.read(ctx, p, uint64(len(text)))
		if n == 0 || err != nil {
			return string(text), err
		}
		text = append(text, p[:n]...)
	}
}

// cat reads a file from the start to the end.
func (c *conn) cat(path string) string {
	c.t.Helper()
	text, err := c.catError(path)
	c.must("read "+path, err)
	return text
}

// shellWrite is what a shell does: truncate, open, write a line.
func (c *conn) shellWrite(path, text string) error {
	return c.with(path, func(f fid) error {
		if err := f.truncate(c.ctx, 0); err != nil {
			return err
		}
		if err := f.open(c.ctx, 0); err != nil {
			return err
		}
		return f.write(c.ctx, []byte(text+"\n"), 0)
	})
}

// echo is shellWrite that must not fail.
func (c *conn) echo(text, path string) {
	c.t.Helper()
	c.must("write "+text+" to "+path, c.shellWrite(path, text))
}

func (c *conn) stat(path string) vfs.Stat {
	c.t.Helper()
	f := c.find(path)
	defer f.clunk()
	st, err := f.stat(c.ctx)
	c.must("stat "+path, err)
	return st
}

func (c *conn) wantCat(path, want string) {
	c.t.Helper()
	if got := c.cat(path); got != want {
		c.t.Errorf("%s holds %q, want %q", path, got, want)
	}
}

func (c *conn) wantLs(path string, want ...string) {
	c.t.Helper()
	got := c.ls(path)
	if len(got) != len(want) {
		c.t.Errorf("%s lists %q, want %q", path, got, want)
		return
	}
	for i := range got {
		if got[i] != want[i] {
			c.t.Errorf("%s lists %q, want %q", path, got, want)
			return
		}
	}
}

// remove removes what is at path.
func (c *conn) removeError(path string) error {
	f, err := c.root.walk(c.ctx, steps(path)...)
	if err != nil {
		return err
	}
	return f.remove(c.ctx)
}

func (c *conn) remove(path string) {
	c.t.Helper()
	c.must("remove "+path, c.removeError(path))
}

// begin makes the branch, if need be, and a transaction t on it, and returns
// the path of that.
func (c *conn) begin(branch, t string) string {
	c.t.Helper()
	c.mkdir("branch/" + branch)
	path := "branch/" + branch + "/transactions/" + t
	c.mkdir(path)
	return path
}

// write replaces the content of a text file.
func (c *conn) write(path, text string) {
	c.t.Helper()
	c.must("write "+path, c.with(path, func(f fid) error {
		if err := f.open(c.ctx, p9.Truncate); err != nil {
			return err
		}
		return f.write(c.ctx, []byte(text), 0)
	}))
}

// publish commits the transaction at path and returns the new head of branch.
func (c *conn) publish(branch, path, msg string) string {
	c.t.Helper()
	c.write(path+"/msg", msg)
	c.echo("commit", path+"/ctl")
	return c.head(branch)
}

// commit makes a commit with these files on branch, and returns the new head.
func (c *conn) commit(branch, msg string, files map[string]string) string {
	c.t.Helper()
	path := c.begin(branch, "commit")
	c.fill(path+"/rw", files)
	return c.publish(branch, path, msg)
}

// fill writes files below a directory, and makes those above them. A file
// whose content is "-" is removed.
func (c *conn) fill(dir string, files map[string]string) {
	c.t.Helper()
	for name, content := range files {
		path := dir + "/" + name
		if content == "-" {
			c.remove(path)
			continue
		}
		c.mkdirAll(dir, filepath.Dir(name))
		c.put(path, content)
	}
}

func (c *conn) mkdirAll(base, rel string) {
	c.t.Helper()
	if rel == "." {
		return
	}
	c.mkdirAll(base, filepath.Dir(rel))
	if c.walkError(base+"/"+rel) != nil {
		c.mkdir(base + "/" + rel)
	}
}

// head returns the head of a branch, or "" if it has none.
func (c *conn) head(branch string) string {
	c.t.Helper()
	line := c.cat("branch/" + branch + "/head")
	return line[:len(line)-1]
}

// A reader reads a stream line by line.
type reader struct {
	c   *conn
	f   fid
	pos uint64
}

// follow opens a stream.
func (c *conn) follow(path string) *reader {
	c.t.Helper()
	r := &reader{c: c, f: c.openFile(path, 0)}
	c.t.Cleanup(r.f.clunk)
	return r
}

// next returns the next line, and the empty answer that follows it.
func (r *reader) next() (string, error) {
	p := make([]byte, 100)
	n, err := r.f.read(r.c.ctx, p, r.pos)
	if err != nil {
		return "", err
	}
	r.pos += uint64(n)
	if m, err := r.f.read(r.c.ctx, p[n:], r.pos); m != 0 || err != nil {
		return "", errors.Join(err, io.ErrNoProgress)
	}
	return string(p[:n]), nil
}

// want fails the test unless the next line is want.
func (r *reader) want(want string) {
	r.c.t.Helper()
	if got, err := r.next(); got != want || err != nil {
		r.c.t.Fatalf("next line is %q, %v, want %q", got, err, want)
	}
}
