package endpoint

import (
	"errors"
	"log/slog"
	"net"
	"sync"
	"time"
)

// The pauses after failures of Accept. They grow so that a lasting failure
// costs little, and stay short enough that clients do not notice a short one.
const (
	firstPause = 5 * time.Millisecond
	lastPause  = time.Second
)

// A steady listener is one whose Accept fails only after Close.
type steady struct {
	net.Listener
	log *slog.Logger

	once   sync.Once
	closed chan struct{}
	err    error // of the first Close
}

func newSteady(l net.Listener, log *slog.Logger) *steady {
	return &steady{Listener: l, log: log, closed: make(chan struct{})}
}

// Accept waits for a connection or for Close.
func (s *steady) Accept() (net.Conn, error) {
	for pause := firstPause; ; pause = min(2*pause, lastPause) {
		c, err := s.Listener.Accept()
		if err == nil {
			return c, nil
		}
		if s.isClosed() || errors.Is(err, net.ErrClosed) {
			return nil, net.ErrClosed
		}
		s.log.Warn("accept", "address", s.Addr(), "error", err)
		select {
		case <-s.closed:
			return nil, net.ErrClosed
		case <-time.After(pause):
		}
	}
}

func (s *steady) isClosed() bool {
	select {
	case <-s.closed:
		return true
	default:
		return false
	}
}

// Close closes the listener. Further calls return what the first did.
func (s *steady) Close() error {
	s.once.Do(func() {
		close(s.closed)
		s.err = s.Listener.Close()
	})
	return s.err
}
