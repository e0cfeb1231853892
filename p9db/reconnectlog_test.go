package p9db_test

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/p9"
	"github.com/datakit/datakit/p9db"
)

// A logged is a slog.Handler that keeps level and text of what is logged.
type logged struct {
	mu    sync.Mutex
	lines []string
}

func (l *logged) Enabled(context.Context, slog.Level) bool { return true }
func (l *logged) WithAttrs([]slog.Attr) slog.Handler       { return l }
func (l *logged) WithGroup(string) slog.Handler            { return l }

func (l *logged) Handle(_ context.Context, r slog.Record) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, r.Level.String()+" "+r.Message)
	return nil
}

// all returns the lines that begin with one of some texts.
func (l *logged) all(prefixes ...string) []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var found []string
	for _, line := range l.lines {
		if slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(line, p) }) {
			found = append(found, line)
		}
	}
	return found
}

// TestReconnecting_Log: that a server is away is told once, and once that it is
// back, with the transactions that were lost. What is tried meanwhile is for who
// looks for faults.
func TestReconnecting_Log(t *testing.T) {
	s := newServer(t)
	log := new(logged)
	states := make(chan error, 1000)
	db := p9db.Reconnecting(s.dial, &p9db.ReconnectOptions{
		Options:  p9db.Options{Log: slog.New(log)},
		MinDelay: time.Millisecond, MaxDelay: 10 * time.Millisecond,
		OnConnect: func(err error) { states <- err },
	})
	defer db.Close()
	tx := must[*datakit.Tx](t)(db.Branch("master").Begin(t.Context()))
	defer tx.Abort()
	s.stop()
	for failures := 0; failures < 5; {
		if err := <-states; err != nil {
			failures++
		}
	}
	s.start()
	must[[]string](t)(db.Branches(t.Context())) // there is a connection

	want := []string{"INFO connected", "WARN open transactions are lost with the connection", "WARN not connected", "INFO connected"}
	if got := log.all("INFO", "WARN", "ERROR"); !slices.Equal(got, want) {
		t.Errorf("logged %q, want %q", got, want)
	}
	if got := log.all("DEBUG not connected"); len(got) < 3 {
		t.Errorf("%d failures are logged for debugging, want at least 3", len(got))
	}
}

// TestReconnecting_LostTransactionIsGone: it fails for good, can be
// aborted, and is in nobody's way.
func TestReconnecting_LostTransactionIsGone(t *testing.T) {
	s := newServer(t)
	db, states := s.connect()
	write(t, s.db, "f", "1")
	tx := must[*datakit.Tx](t)(db.Branch("master").Begin(t.Context()))
	s.restart(states)
	must[[]string](t)(db.Branches(t.Context()))
	for range 2 {
		if err := tx.WriteFile(t.Context(), "f", nil); !errors.Is(err, p9.ErrConnection) {
			t.Errorf("write: error %v, want %v", err, p9.ErrConnection)
		}
	}
	tx.Abort()
	if !tx.Ended() {
		t.Error("the lost transaction has not ended with Abort")
	}
	if err := db.Branch("master").Remove(t.Context()); err != nil {
		t.Error(err)
	}
}
