package p9

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"sync"
	"time"
)

// What the fields of Options mean when they are 0.
const (
	DefaultMsize       = 65560
	DefaultClientFids  = 10000
	DefaultUser        = "nobody"
	DefaultPort        = "5640"
	defaultPingTimeout = 30 * time.Second
)

// Options are how a Client behaves. The zero value, and nil, is the default.
type Options struct {
	// Version is the dialect to propose, such as "9P2000.u". The server may
	// answer with a lesser one. The default is 9P2000.L.
	Version string

	Msize   uint32 // the largest message to propose, in bytes
	User    string // the user to attach as
	MaxFids int    // fids in use at a time, but for those of Fid.Keep

	// PingInterval, if not 0, is how often the server is asked whether it is
	// there. If it is not, the connection is closed.
	PingInterval time.Duration

	OnPing func(time.Duration) // is told how long each ping took; may be nil
	Log    *slog.Logger        // nil means no log
}

// errClosed is why the connection of a closed client is lost.
var errClosed = errors.New("closed by the client")

// A Client is a connection to a server. Its methods, and those of its Fids, may
// be called from any number of goroutines at once.
//
// When the context of a method is done, the request is flushed and the error is
// that of the context; the connection stays usable. What the server refuses is
// an [*Error]. When the connection is lost, all that is waiting and all that
// comes later fails with [ErrConnection].
type Client struct {
	t    *transport
	opts Options
	root *Fid

	slots   slots      // of fids that count
	mu      sync.Mutex // guards what follows
	freeIDs []uint32
	nextID  uint32
}

// Dial connects to a server. A TCP address without a port has DefaultPort. A
// nil opts is the default.
func Dial(ctx context.Context, network, addr string, opts *Options) (*Client, error) {
	nc, err := DialConn(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	return NewClient(ctx, nc, opts)
}

// DialConn makes a connection for NewClient. A TCP address without a port has
// DefaultPort.
func DialConn(ctx context.Context, network, addr string) (net.Conn, error) {
	if network == "tcp" {
		if _, _, err := net.SplitHostPort(addr); err != nil {
			addr = net.JoinHostPort(addr, DefaultPort)
		}
	}
	var d net.Dialer
	return d.DialContext(ctx, network, addr)
}

// NewClient returns a client that uses nc, and owns it from then on, also if it
// fails. ctx is for the call only. A nil opts is the default.
func NewClient(ctx context.Context, nc io.ReadWriteCloser, opts *Options) (*Client, error) {
	c := &Client{nextID: 1}
	if opts != nil {
		c.opts = *opts
	}
	c.slots = make(slots, or(c.opts.MaxFids, DefaultClientFids))
	stop := context.AfterFunc(ctx, func() { nc.Close() })
	t, err := c.handshake(nc)
	if !stop() && err == nil {
		err = ctx.Err()
	}
	if err != nil {
		nc.Close()
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, fmt.Errorf("%w: %w", ErrConnection, err)
	}
	c.t = t
	t.wg.Go(t.read)
	c.root = &Fid{c: c, name: "/"}
	if err := c.attach(ctx); err != nil {
		c.Close()
		return nil, err
	}
	if c.opts.PingInterval > 0 {
		t.wg.Go(c.pings)
	}
	return c, nil
}

// handshake agrees on a version and a size.
func (c *Client) handshake(nc io.ReadWriteCloser) (*transport, error) {
	version, msize := c.opts.Version, or(c.opts.Msize, DefaultMsize)
	if version == "" {
		version = DotL.String()
	}
	b := appendStr(append32(appendHeader(nil, tversion, noTag), msize), version)
	seal(b)
	if _, err := nc.Write(b); err != nil {
		return nil, err
	}
	frame, err := readFrame(nc, msize)
	if err != nil {
		return nil, err
	}
	d := decoder{b: frame[headerLen:]}
	size, answer := d.u32(), d.str()
	dialect, ok := dialectNamed(answer)
	switch {
	case frame[4] == rerror || frame[4] == rlerror:
		if e, ok := newError(frame[4], frame[headerLen:], Plain); ok {
			return nil, e
		}
		return nil, errors.New("the server refuses the version message")
	case frame[4] != tversion+1 || !d.end():
		return nil, errors.New("malformed answer to the version message")
	case !ok:
		return nil, fmt.Errorf("the server answers %s with %q", version, answer)
	case size < minMessage || size > msize:
		return nil, fmt.Errorf("the server answers with a message size of %d", size)
	}
	t := newTransport(nc, size)
	t.dialect = dialect
	return t, nil
}

// dialectNamed returns the dialect that has exactly the given name.
func dialectNamed(name string) (Dialect, bool) {
	for _, d := range []Dialect{Plain, DotU, DotL} {
		if d.String() == name {
			return d, true
		}
	}
	return Plain, false
}

// readFrame reads one message of at most limit bytes.
func readFrame(r io.Reader, limit uint32) ([]byte, error) {
	in := newInput(r)
	for {
		frame, err := in.frame(limit)
		if frame != nil || err != nil {
			return frame, err
		}
		if err := in.fill(); err != nil {
			return nil, err
		}
	}
}

func (c *Client) attach(ctx context.Context) error {
	user := c.opts.User
	if user == "" {
		user = DefaultUser
	}
	q := newCall(tattach)
	q.req = append32(append32(q.req, c.root.num), noFid)
	q.req = appendStr(appendStr(q.req, user), "/")
	if c.t.dialect != Plain {
		q.req = append32(q.req, uint32(os.Getuid()))
	}
	return c.root.doQid(ctx, q)
}

// Dialect returns the dialect that was agreed on.
func (c *Client) Dialect() Dialect { return c.t.dialect }

// Msize returns the message size that was agreed on.
func (c *Client) Msize() uint32 { return c.t.msize }

// Root returns the fid of the root. It must not be clunked or opened; walk from
// it.
func (c *Client) Root() *Fid { return c.root }

// Lost is closed when the connection has ended, for whatever reason.
func (c *Client) Lost() <-chan struct{} { return c.t.lost }

// Close ends the connection and all that waits, and then returns. It may be
// called more than once.
func (c *Client) Close() error {
	c.t.fail(errClosed)
	c.t.wg.Wait()
	return nil
}

// pings asks the server from time to time whether it is there.
func (c *Client) pings() {
	tick := time.NewTicker(c.opts.PingInterval)
	defer tick.Stop()
	for {
		select {
		case <-c.t.lost:
			return
		case <-tick.C:
		}
		start := time.Now()
		if err := c.Ping(context.Background()); err != nil {
			if c.opts.Log != nil && !errors.Is(err, errClosed) {
				c.opts.Log.Error("Ping failed: " + err.Error())
			}
			c.t.fail(fmt.Errorf("ping: %w", err))
			return
		}
		if c.opts.OnPing != nil {
			c.opts.OnPing(time.Since(start))
		}
	}
}

// Ping asks the server whether it is there, by walking with no names.
func (c *Client) Ping(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, defaultPingTimeout)
	defer cancel()
	f, err := c.root.Walk(ctx)
	if err != nil {
		return err
	}
	return f.Clunk(ctx)
}

// newFid returns a fid with a number that is not in use. It waits until there
// may be another one.
func (c *Client) newFid(ctx context.Context) (*Fid, error) {
	if err := c.t.take(ctx, c.slots); err != nil {
		return nil, err
	}
	return c.numbered(), nil
}

// newFids returns up to n fids. It waits for the first alone, as who waits for
// others must not have any.
func (c *Client) newFids(ctx context.Context, n int) ([]*Fid, error) {
	f, err := c.newFid(ctx)
	if err != nil {
		return nil, err
	}
	fids := []*Fid{f}
	for len(fids) < n && c.slots.try() {
		fids = append(fids, c.numbered())
	}
	return fids, nil
}

// numbered returns a fid that has a slot.
func (c *Client) numbered() *Fid {
	c.mu.Lock()
	defer c.mu.Unlock()
	f := &Fid{c: c, counted: true}
	if n := len(c.freeIDs); n > 0 {
		f.num, c.freeIDs = c.freeIDs[n-1], c.freeIDs[:n-1]
	} else {
		f.num = c.nextID
		c.nextID++
	}
	return f
}

// forget makes the number of f free, as the server knows it no more.
func (c *Client) forget(f *Fid) {
	c.mu.Lock()
	c.freeIDs = append(c.freeIDs, f.num)
	counted := f.counted
	f.counted = false
	c.mu.Unlock()
	if counted {
		c.slots.release()
	}
}
