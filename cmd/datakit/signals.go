package main

import (
	"context"
	"os"
	"os/signal"
	"runtime"
	"sync"
	"syscall"
	"time"
)

// untilSignal returns a context that the first SIGINT or SIGTERM ends. The
// second one ends the process (specification, FS-202).
func untilSignal() (context.Context, context.CancelFunc) {
	// To receive SIGPIPE, and throw it away, is to ignore it without having
	// the programs that are run ignore it as well.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt)
	if runtime.GOOS == "windows" {
		signal.Ignore(syscall.SIGTERM)
	} else {
		signal.Notify(signals, syscall.SIGTERM)
	}
	last := new(lastAct)
	ctx, cancel := context.WithCancel(context.WithValue(context.Background(), lastActKey{}, last))
	go func() { // lives as long as the process
		<-signals
		cancel()
		<-signals
		last.carryOut()
		os.Exit(1)
	}()
	return ctx, cancel
}

// A lastAct is what is still done when the second signal ends the process.
type lastAct struct {
	mu sync.Mutex // guards do
	do func()
}

// lastActKey is the key of the lastAct of a context of untilSignal.
type lastActKey struct{}

// lastActTime is how long it may take.
const lastActTime = 2 * time.Second

// beforeExit has do done when a second signal ends the process. undo takes that
// back.
func beforeExit(ctx context.Context, do func()) (undo func()) {
	last, ok := ctx.Value(lastActKey{}).(*lastAct)
	if !ok {
		return func() {}
	}
	last.set(do)
	return func() { last.set(nil) }
}

func (l *lastAct) set(do func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.do = do
}

func (l *lastAct) carryOut() {
	l.mu.Lock()
	do := l.do
	l.mu.Unlock()
	if do == nil {
		return
	}
	done := make(chan struct{})
	go func() { // as long as the process at most
		defer close(done)
		do()
	}()
	select {
	case <-done:
	case <-time.After(lastActTime):
	}
}
