package p9

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/datakit/datakit/vfs"
)

// What the fields of a Server mean when they are 0.
const (
	DefaultMaxMsize    = 1 << 20
	DefaultMaxFids     = 65536
	DefaultMaxRequests = 256
	DefaultMaxWaiting  = 8192
	DefaultGrace       = 5 * time.Second
)

// keepAlive is how often TCP asks whether a silent client is still there.
const keepAlive = 30 * time.Second

// A Server serves trees over 9P. Set the fields before the first call of a
// method and leave them alone from then on. Its methods may be called
// concurrently.
type Server struct {
	// NewSession makes the tree for a session, which is what lies between the
	// version messages of a connection, and release ends what the tree holds
	// when the session has ended and all files are closed. It may be called
	// concurrently. Required.
	NewSession func() (root vfs.Dir, release func(), err error)

	MaxMsize    uint32        // the largest message, in bytes; at least 256
	MaxFids     int           // fids bound at a time by a connection
	MaxRequests int           // requests of a connection that are worked on at a time
	MaxWaiting  int           // reads of a connection that wait for news at a time; one more fails
	Grace       time.Duration // how long what is being executed may take to finish when the server ends
	Log         *slog.Logger  // nil means no log

	connections atomic.Int64
	fids        atomic.Int64
}

// Connections returns the number of open connections.
func (s *Server) Connections() int { return int(s.connections.Load()) }

// Fids returns the number of bound fids.
func (s *Server) Fids() int { return int(s.fids.Load()) }

// Serve answers the connections that arrive at l until ctx is done, which is
// no error, or l is closed by somebody else. Other failures of l are logged,
// and it tries again. When Serve returns, l and all connections are closed, all
// trees are released and no goroutine that it started is running.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	var wg sync.WaitGroup
	defer wg.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // runs before Wait, and ends what Wait waits for
	wg.Go(func() {
		<-ctx.Done()
		l.Close()
	})
	for pause := time.Duration(0); ; {
		nc, err := l.Accept()
		switch {
		case err == nil:
			pause = 0
			wg.Go(func() { s.ServeConn(ctx, nc) })
			continue
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, net.ErrClosed):
			return err
		}
		pause = min(max(2*pause, 5*time.Millisecond), time.Second)
		s.log().Error("cannot accept a connection", "error", err, "retry", pause)
		select {
		case <-time.After(pause):
		case <-ctx.Done():
		}
	}
}

// ServeConn answers the requests of one connection until it ends or ctx is
// done. In the second case no further request is read, waits end at once,
// of which the client sees no more than the end of the connection, and what is
// being executed may finish within the time of Grace. When ServeConn
// returns, nc is closed, the tree is released and no goroutine that it started
// is running.
func (s *Server) ServeConn(ctx context.Context, nc net.Conn) {
	s.connections.Add(1)
	defer s.connections.Add(-1)
	if t, ok := nc.(*net.TCPConn); ok {
		t.SetKeepAliveConfig(net.KeepAliveConfig{Enable: true, Idle: keepAlive, Interval: keepAlive})
	}
	c := newConn(s, ctx, nc)
	go c.lead()
	select {
	case <-c.done:
	case <-ctx.Done():
		c.drain(or(s.Grace, DefaultGrace))
	}
	nc.Close()
	c.endSession()
}

func (s *Server) log() *slog.Logger {
	if s.Log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return s.Log
}

func (s *Server) maxMsize() uint32 {
	return max(or(s.MaxMsize, DefaultMaxMsize), minMessage)
}

// or returns v, or def if v is not set.
func or[T int | uint32 | time.Duration](v, def T) T {
	if v <= 0 {
		return def
	}
	return v
}
