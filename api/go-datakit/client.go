package datakit

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"net"

	contract "github.com/datakit/datakit"
	"github.com/datakit/datakit/p9"
	"github.com/datakit/datakit/p9db"
	"github.com/datakit/datakit/vfs"
)

// A Client is a connection to a DataKit server.
type Client struct {
	c   *p9.Client
	db  *contract.DB // over the same connection
	log *slog.Logger
}

// Options are how a Client behaves. The zero value, and nil, is the default.
type Options struct {
	// Version is the dialect of 9P to propose: "9P2000", "9P2000.u" or
	// "9P2000.L". The server may answer with a lesser one. The default is
	// 9P2000.u, the most that servers of DataKit 1.0.0 know.
	Version string

	Msize   uint32       // the longest message, in bytes; 0 means p9.DefaultMsize
	MaxFids int          // in use at a time; 0 means p9.DefaultClientFids
	Log     *slog.Logger // gets what nobody can be told by an error; nil means no log
}

// user is as whom clients attach.
const user = "anyone"

// Dial connects to the server at an address of the given network, such as
// "tcp" or "unix".
func Dial(ctx context.Context, network, address string) (*Client, error) {
	return DialWith(ctx, network, address, nil)
}

// DialWith is Dial with options.
func DialWith(ctx context.Context, network, address string, opts *Options) (*Client, error) {
	conn, err := p9.DialConn(ctx, network, address)
	if err != nil {
		return nil, connectError(ctx, address, err)
	}
	return NewClientWith(ctx, conn, opts)
}

// NewClient returns a client of the server at the other end of conn, which
// belongs to the client from then on, also if NewClient fails. ctx is for the
// call only.
func NewClient(ctx context.Context, conn net.Conn) (*Client, error) {
	return NewClientWith(ctx, conn, nil)
}

// NewClientWith is NewClient with options.
func NewClientWith(ctx context.Context, conn net.Conn, opts *Options) (*Client, error) {
	o := Options{Version: p9.DotU.String()}
	if opts != nil {
		o.Msize, o.MaxFids, o.Log = opts.Msize, opts.MaxFids, opts.Log
		if opts.Version != "" {
			o.Version = opts.Version
		}
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	c, err := p9.NewClient(ctx, conn, &p9.Options{Version: o.Version, Msize: o.Msize, MaxFids: o.MaxFids, User: user, Log: o.Log})
	if err != nil {
		return nil, connectError(ctx, conn.RemoteAddr().String(), err)
	}
	return &Client{c, p9db.Over(c, &p9db.Options{Log: o.Log}), o.Log}, nil
}

// connectError says that there is no connection.
func connectError(ctx context.Context, address string, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return &contract.Error{Op: "connect to", Subject: address, Kind: contract.IO, Err: err}
}

// Close closes the connection. What waits fails, and files left open become
// unusable.
func (c *Client) Close(ctx context.Context) {
	if err := c.db.Close(); err != nil {
		c.log.Error("close: " + err.Error())
	}
}

// walk returns a fid of what is at path. Release it.
func (c *Client) walk(ctx context.Context, path []string) (*p9.Fid, error) {
	return c.c.Root().Walk(ctx, path...)
}

const (
	filePerm = 0o664
	dirPerm  = 0o775
)

// Mkdir makes a directory and all above it, as far as they are missing. It
// fails if something else is in the way.
func (c *Client) Mkdir(ctx context.Context, path ...string) error {
	f, err := c.walk(ctx, path)
	if err == nil {
		defer f.Release()
		return isDir(f, path)
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return fail("mkdir", path, err)
	}
	return c.mkdirs(ctx, path)
}

// isDir fails unless f, which path leads to, is a directory.
func isDir(f *p9.Fid, path []string) error {
	if f.Qid().Kind != vfs.KindDir {
		return refuse("mkdir", path, contract.NotDir)
	}
	return nil
}

// mkdirs is Mkdir one step after the other.
func (c *Client) mkdirs(ctx context.Context, path []string) error {
	dir, err := c.walk(ctx, nil)
	for i := 0; err == nil && i < len(path); i++ {
		if err := isDir(dir, path[:i]); err != nil {
			dir.Release()
			return err
		}
		var next *p9.Fid
		next, err = mkdirAt(ctx, dir, path[i])
		dir.Release()
		dir = next
	}
	if err != nil {
		return fail("mkdir", path, err)
	}
	defer dir.Release()
	return isDir(dir, path)
}

// mkdirAt returns a fid of an entry of dir, after making that if it is missing.
func mkdirAt(ctx context.Context, dir *p9.Fid, name string) (*p9.Fid, error) {
	f, err := dir.Walk(ctx, name)
	if !errors.Is(err, fs.ErrNotExist) {
		return f, err
	}
	if err := dir.Mkdir(ctx, name, dirPerm); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	return dir.Walk(ctx, name)
}

// Remove removes what is at path, a directory with all that is in it. It
// succeeds if there is nothing.
func (c *Client) Remove(ctx context.Context, path ...string) error {
	f, err := c.walk(ctx, path)
	if err == nil {
		err = f.Remove(ctx)
	}
	return none(fail("remove", path, err))
}

// List returns the names in the directory at path, in the order of the server.
func (c *Client) List(ctx context.Context, path []string) ([]string, error) {
	f, err := c.walk(ctx, path)
	if err != nil {
		return nil, fail("list", path, err)
	}
	defer f.Release()
	if f.Qid().Kind != vfs.KindDir {
		return nil, refuse("list", path, contract.NotDir)
	}
	entries, err := f.ReadDir(ctx)
	if err != nil {
		return nil, fail("list", path, err)
	}
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i] = e.Name
	}
	return names, nil
}

// readAll returns the content of the file at path.
func (c *Client) readAll(ctx context.Context, path []string) (string, error) {
	f, err := c.open(ctx, p9.ReadOnly, path)
	if err != nil {
		return "", fail("read", path, err)
	}
	defer f.Release()
	if f.Qid().Kind == vfs.KindDir {
		return "", refuse("read", path, contract.IsDir)
	}
	b, err := f.ReadAll(ctx)
	return string(b), fail("read", path, err)
}

// writeAll sets the content of the file at path, which must exist or be in a
// directory that does.
func (c *Client) writeAll(ctx context.Context, path []string, content string) error {
	f, err := c.Create(ctx, path...)
	if err != nil {
		return err
	}
	defer f.Close(ctx)
	if content == "" {
		return nil
	}
	_, err = f.f.WriteAt(ctx, []byte(content), 0)
	return fail("write", path, err)
}
