package p9

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"net"
	"sync"
	"testing"
)

// logTo makes srv log, and returns what it has logged.
func logTo(t *testing.T, srv *Server) func() string {
	w := &lockedBuffer{}
	srv.Log = textLog(w)
	return w.String
}

func textLog(w io.Writer) *slog.Logger { return slog.New(slog.NewTextHandler(w, nil)) }

// A lockedBuffer is a buffer that goroutines share.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// A flakyListener fails some times and then waits until it is closed.
type flakyListener struct {
	mu     sync.Mutex
	fail   int
	once   sync.Once
	closed chan struct{}
}

func (l *flakyListener) Accept() (net.Conn, error) {
	l.mu.Lock()
	failing := l.fail > 0
	l.fail--
	l.mu.Unlock()
	if failing {
		return nil, errors.New("too many open files")
	}
	<-l.closed
	return nil, net.ErrClosed
}

func (l *flakyListener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

func (l *flakyListener) Addr() net.Addr { return &net.UnixAddr{} }

// wait waits until Accept has failed as often as it should and was called again.
func (l *flakyListener) wait(t *testing.T) {
	t.Helper()
	eventually(t, "another Accept", func() bool {
		l.mu.Lock()
		defer l.mu.Unlock()
		return l.fail < 0
	})
}
