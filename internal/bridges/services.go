package bridges

import (
	"context"
	"fmt"
	"log/slog"
	"net"

	"golang.org/x/sync/errgroup"
)

// A service answers the requests that arrive at a listener until its context
// ends.
type service struct {
	listener net.Listener
	serve    func(context.Context, net.Listener) error
}

// services are what a bridge does for others while it works.
type services []service

// add listens on an address. What it is for is told if that fails.
func (s *services) add(ctx context.Context, what, addr string, serve func(context.Context, net.Listener) error) (net.Addr, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("cannot listen for %s: %w", what, err)
	}
	*s = append(*s, service{l, serve})
	return l.Addr(), nil
}

// close closes the listeners that have not been served.
func (s services) close() {
	for _, service := range s {
		service.listener.Close()
	}
}

// during serves while work runs. If a service ends early, so does work. When
// during returns, nothing is running.
func (s services) during(ctx context.Context, work func(context.Context) error) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var running errgroup.Group
	for _, service := range s {
		running.Go(func() error {
			defer stop()
			return service.serve(ctx, service.listener)
		})
	}
	running.Go(func() error {
		defer stop()
		return work(ctx)
	})
	return running.Wait()
}

// unlessStopped returns err, unless the bridge was told to stop: then what was
// under way fails, and that is no failure of the bridge (GH-203).
func unlessStopped(ctx context.Context, err error, log *slog.Logger) error {
	if ctx.Err() == nil || err == nil {
		return err
	}
	log.Info("stopped in the middle of something", "error", err)
	return nil
}
