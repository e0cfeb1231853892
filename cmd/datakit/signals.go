package main

import (
	"context"
	"os"
	"os/signal"
	"runtime"
	"syscall"
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
	ctx, cancel := context.WithCancel(context.Background())
	go func() { // lives as long as the process
		<-signals
		cancel()
		<-signals
		os.Exit(1)
	}()
	return ctx, cancel
}
