package endpoint

import (
	"context"
	"net"
	"sync"
	"time"
)

// redialPause is how long a connector waits after an attempt that failed.
const redialPause = time.Second

// A connector is a listener that makes its connections by connecting: one at a
// time, the next as soon as the last has ended.
type connector struct {
	dial  func(context.Context) (net.Conn, error)
	to    net.Addr
	pause func() <-chan time.Time

	ctx    context.Context // done when closed; the life of the listener
	cancel context.CancelFunc
	free   chan struct{} // holds a token unless a connection is open
}

func newConnector(dial func(context.Context) (net.Conn, error), to net.Addr) *connector {
	c := &connector{
		dial:  dial,
		to:    to,
		pause: func() <-chan time.Time { return time.After(redialPause) },
		free:  make(chan struct{}, 1),
	}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	c.free <- struct{}{}
	return c
}

// Accept waits for the last connection to end and connects again, as often as
// it takes.
func (c *connector) Accept() (net.Conn, error) {
	select {
	case <-c.ctx.Done():
		return nil, net.ErrClosed
	case <-c.free:
	}
	for {
		conn, err := c.dial(c.ctx)
		if err == nil {
			return &leased{Conn: conn, give: func() { c.free <- struct{}{} }}, nil
		}
		select {
		case <-c.ctx.Done():
			return nil, net.ErrClosed
		case <-c.pause():
		}
	}
}

// Addr returns the address that is connected to.
func (c *connector) Addr() net.Addr { return c.to }

// Close ends Accept. It leaves an open connection alone.
func (c *connector) Close() error {
	c.cancel()
	return nil
}

// A leased connection gives its place back when it is closed.
type leased struct {
	net.Conn
	once sync.Once
	give func()
}

// Close closes the connection.
func (l *leased) Close() error {
	err := l.Conn.Close()
	l.once.Do(l.give)
	return err
}
