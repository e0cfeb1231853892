package p9db

import (
	"context"
	"io"
	"log/slog"
	"maps"
	"sync"
	"sync/atomic"
	"time"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/p9"
)

// DefaultCacheBytes is the bound of what a database keeps.
const DefaultCacheBytes = 64 << 20

// Options say how a database is reached. The zero value, and nil, is the
// default.
type Options struct {
	// Version is the dialect of 9P to propose first; empty means the best.
	Version string

	Msize   uint32 // the longest message, in bytes; 0 means p9.DefaultMsize
	User    string // as whom to attach; empty means p9.DefaultUser
	MaxFids int    // in use at a time; 0 means p9.DefaultClientFids

	// CacheBytes bounds what is kept; 0 means DefaultCacheBytes, and what is
	// negative that nothing is.
	CacheBytes int

	// PingInterval, if not 0, is how often the server is asked whether it is
	// there. If it is not the connection is closed.
	PingInterval time.Duration
	OnPing       func(time.Duration) // is told how long each ping took; may be nil

	// Redial makes another connection to the same server. One is used, for a
	// moment, to remove or rename a branch, as a server discards or moves the
	// transactions of the connection that does it. Dial sets it. Without it a
	// branch on which transactions are open cannot be removed or renamed.
	Redial func(ctx context.Context) (io.ReadWriteCloser, error)

	Log *slog.Logger // gets what nobody can be told by an error; nil means no log
}

// Dial opens the database of the server at an address of the given network,
// such as "tcp" and "unix". A TCP address without a port has p9.DefaultPort. A
// nil opts is the default. The error has kind datakit.IO.
func Dial(ctx context.Context, network, addr string, opts *Options) (*datakit.DB, error) {
	o := optionsOf(opts)
	if o.Redial == nil {
		o.Redial = func(ctx context.Context) (io.ReadWriteCloser, error) { return p9.DialConn(ctx, network, addr) }
	}
	conn, err := p9.DialConn(ctx, network, addr)
	if err != nil {
		return nil, dialError(ctx, addr, err)
	}
	return open(ctx, conn, addr, o)
}

// New opens the database of the server at the other end of conn, which belongs
// to the database from then on, also if New fails. A nil opts is the default.
func New(ctx context.Context, conn io.ReadWriteCloser, opts *Options) (*datakit.DB, error) {
	return open(ctx, conn, "", optionsOf(opts))
}

func optionsOf(opts *Options) *Options {
	o := new(Options)
	if opts != nil {
		*o = *opts
	}
	if o.CacheBytes == 0 {
		o.CacheBytes = DefaultCacheBytes
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o
}

func open(ctx context.Context, conn io.ReadWriteCloser, addr string, o *Options) (*datakit.DB, error) {
	c, err := p9.NewClient(ctx, conn, o.client())
	if err != nil {
		return nil, dialError(ctx, addr, err)
	}
	return datakit.New(newDriver(c, o)), nil
}

// client returns the options of the connection itself.
func (o *Options) client() *p9.Options {
	return &p9.Options{
		Version: o.Version, Msize: o.Msize, User: o.User, MaxFids: o.MaxFids,
		PingInterval: o.PingInterval, OnPing: o.OnPing, Log: o.Log,
	}
}

// dialError says that there is no connection.
func dialError(ctx context.Context, addr string, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return &datakit.Error{Op: "connect to", Subject: addr, Kind: datakit.IO, Err: err}
}

// A driver is the database at a server. It is datakit.Driver.
type driver struct {
	c    *p9.Client
	opts *Options
	kept *kept

	flights flights // of small files
	readers readers

	closed   atomic.Bool
	replaced atomic.Bool // its connection was lost, and there is or will be another

	ctx    context.Context // of what runs in the background
	cancel context.CancelFunc
	work   sync.WaitGroup // what runs in the background

	begin sync.RWMutex // held for reading while a transaction begins; before mu

	mu    sync.Mutex       // guards what follows
	made  map[string]bool  // branches that this connection has made known
	users map[string]int   // open transactions, by branch
	sides map[*driver]bool // over other connections, which end with this

	parent *driver // that this is a side of, or nil
}

var _ datakit.Driver = (*driver)(nil)

func newDriver(c *p9.Client, o *Options) *driver {
	d := &driver{c: c, opts: o, kept: newKept(o.CacheBytes), made: make(map[string]bool), users: make(map[string]int), sides: make(map[*driver]bool)}
	d.ctx, d.cancel = context.WithCancel(context.Background())
	return d
}

// Lost is closed when the connection has ended, for whatever reason.
func (d *driver) Lost() <-chan struct{} { return d.c.Lost() }

// Close implements datakit.Driver. The server discards what is open.
func (d *driver) Close() error {
	if d.closed.Swap(true) {
		return nil
	}
	d.mu.Lock()
	sides := maps.Clone(d.sides)
	d.cancel() // here, so that nothing is begun in the background while that is waited for
	d.mu.Unlock()
	for side := range sides {
		side.Close()
	}
	d.c.Close()
	d.work.Wait()
	if d.parent != nil {
		d.parent.drop(d)
	}
	return nil
}

// drop forgets a side that was closed.
func (d *driver) drop(side *driver) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.sides, side)
}

// background runs f unless the database is closed, and reports whether it does.
// Close waits for it.
func (d *driver) background(f func(ctx context.Context)) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.ctx.Err() != nil {
		return false
	}
	d.work.Go(func() { f(d.ctx) })
	return true
}

// readFile returns the content of a file of the tree, given by its steps.
func (d *driver) readFile(ctx context.Context, names ...string) ([]byte, error) {
	f, err := d.openFile(ctx, p9.ReadOnly, names...)
	if err != nil {
		return nil, err
	}
	defer f.Release()
	b, err := f.ReadAll(ctx)
	return b, d.fail(err)
}

// readSmall is readFile for what is small, mostly, and takes the server no time.
func (d *driver) readSmall(ctx context.Context, names ...string) ([]byte, error) {
	if d.c.Dialect() != p9.DotL { // of the order in which servers of old do what they are asked nothing is known
		return d.readFile(ctx, names...)
	}
	b, err := d.c.Root().ReadFile(ctx, names...)
	return b, d.fail(err)
}

// openFile opens a file of the tree. Release or clunk it.
func (d *driver) openFile(ctx context.Context, flags p9.OpenFlags, names ...string) (*p9.Fid, error) {
	f, err := d.walk(ctx, names...)
	if err != nil {
		return nil, err
	}
	if err := f.Open(ctx, flags); err != nil {
		f.Release()
		return nil, d.fail(err)
	}
	return f, nil
}

// walk returns a fid of what is at a place of the tree.
func (d *driver) walk(ctx context.Context, names ...string) (*p9.Fid, error) {
	f, err := d.c.Root().Walk(ctx, names...)
	return f, d.fail(err)
}

// command writes a command to a file of commands.
func (d *driver) command(ctx context.Context, text string, names ...string) error {
	f, err := d.openFile(ctx, p9.WriteOnly, names...)
	if err != nil {
		return err
	}
	defer f.Release()
	_, err = f.WriteAt(ctx, []byte(text), 0)
	return err // the caller knows what it means
}

// mkdir makes a directory.
func (d *driver) mkdir(ctx context.Context, name string, dir ...string) error {
	f, err := d.walk(ctx, dir...)
	if err != nil {
		return err
	}
	defer f.Release()
	return d.fail(f.Mkdir(ctx, name, dirPerm))
}

const (
	filePerm       = 0o664
	executablePerm = 0o775
	dirPerm        = 0o775
)
