// Package serve runs a server of a database: it opens the repository, listens,
// and stops in good order.
package serve

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"sync"
	"time"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/fsapi"
	"github.com/datakit/datakit/gitdb"
	"github.com/datakit/datakit/internal/autopush"
	"github.com/datakit/datakit/internal/endpoint"
	"github.com/datakit/datakit/internal/logs"
	"github.com/datakit/datakit/internal/metrics"
	"github.com/datakit/datakit/memdb"
	"github.com/datakit/datakit/p9"
	"github.com/datakit/datakit/vfs"
)

// A Server is what is to be served and how. Set the fields before Run.
type Server struct {
	Repository  string             // path; empty means in memory
	Addresses   []endpoint.Address // at least one
	AutoPush    string             // URL of a Git repository; empty means none
	NoSync      bool               // see gitdb.Options
	MaxFileSize int64              // in bytes; 0 means 2 GiB
	MaxMsize    uint32             // in bytes; 0 means 1 MiB
	Grace       time.Duration      // how long commands may finish when told to stop

	Metrics         *metrics.Metrics // must not be nil
	MetricsListener net.Listener     // where to serve them; nil means nowhere

	Logs *logs.Logs // must not be nil

	// Out is where the server says where it listens; it must not be nil.
	Out io.Writer
}

// Run serves until ctx is done, which is no error. Then it finishes the
// commands that are being executed, closes all connections, pushes what waits
// to be pushed, and closes the database.
func (s *Server) Run(ctx context.Context) error {
	listeners, err := s.listen(ctx)
	if err != nil {
		return err
	}
	db, err := s.open()
	if err != nil {
		closeAll(listeners)
		return err
	}
	push, err := s.startPush(ctx, db)
	if err != nil {
		closeAll(listeners)
		return errors.Join(err, db.Close())
	}
	err = s.serve(ctx, db, listeners)
	push()
	return errors.Join(err, db.Close())
}

// open opens the database.
func (s *Server) open() (*datakit.DB, error) {
	if s.Repository == "" {
		return memdb.New(&memdb.Options{MaxFileSize: s.MaxFileSize, OnCommit: s.Metrics.Committed}), nil
	}
	return gitdb.Open(s.Repository, &gitdb.Options{
		NoSync:      s.NoSync,
		MaxFileSize: s.MaxFileSize,
		Log:         s.Logs.Logger(logs.Git),
		OnCommit:    s.Metrics.Committed,
	})
}

// listen opens all addresses, or none.
func (s *Server) listen(ctx context.Context) (all []net.Listener, err error) {
	for _, a := range s.Addresses {
		ls, err := a.Listen(ctx)
		if err != nil {
			closeAll(all)
			return nil, fmt.Errorf("listen on %s: %w", a, err)
		}
		all = append(all, ls...)
	}
	return all, nil
}

func closeAll(ls []net.Listener) {
	for _, l := range ls {
		l.Close()
	}
}

// serve answers connections until ctx is done.
func (s *Server) serve(ctx context.Context, db *datakit.DB, listeners []net.Listener) error {
	fs := fsapi.New(db, &fsapi.Options{Sources: sources(s.Logs), Log: s.Logs.Logger(logs.Remotes)})
	server := &p9.Server{
		NewSession: func() (vfs.Dir, func(), error) {
			session := fs.NewSession()
			return session.Root(), session.Close, nil
		},
		MaxMsize: s.MaxMsize,
		Grace:    s.Grace,
		Log:      s.Logs.Logger(logs.NineP),
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var running sync.WaitGroup
	errs := make([]error, len(listeners)+1)
	for i, l := range listeners {
		running.Go(func() {
			errs[i] = server.Serve(ctx, l)
			stop()
		})
	}
	s.Metrics.Watch(metrics.Gauges{
		Connections:  server.Connections,
		Fids:         server.Fids,
		Transactions: fs.Transactions,
		Streams:      fs.Streams,
	})
	if s.MetricsListener != nil {
		running.Go(func() {
			errs[len(listeners)] = s.Metrics.Serve(ctx, s.MetricsListener)
			stop()
		})
	}
	s.greet()
	running.Wait()
	return errors.Join(errs...)
}

// sources are those of l as files show them.
func sources(l *logs.Logs) (all []fsapi.LogSource) {
	for _, src := range l.Sources() {
		all = append(all, src)
	}
	return all
}

// greet says where the server listens and what can be done there.
func (s *Server) greet() {
	what := "a database in memory, which is lost when the server ends"
	if s.Repository != "" {
		what = "the repository " + s.Repository
	}
	fmt.Fprintf(s.Out, "Serving %s\n", what)
	for _, a := range s.Addresses {
		fmt.Fprintf(s.Out, "Listening on %s%s\n", a, hint(a))
	}
}

// hint says how to mount what is served at an address.
func hint(a endpoint.Address) string {
	u, err := url.Parse(a.String())
	if err != nil {
		return ""
	}
	const mount = "; with Linux: sudo mount -t 9p -o trans="
	const as = ",version=9p2000.L,access=any,uname=$USER "
	switch u.Scheme {
	case "tcp":
		return mount + "tcp,port=" + u.Port() + as + u.Hostname() + " DIR"
	case "file", "unix":
		return mount + "unix" + as + u.Host + u.Path + " DIR"
	}
	return ""
}

// startPush begins to push what changes, if that is asked for. The result
// waits until what is left has been pushed.
func (s *Server) startPush(ctx context.Context, db *datakit.DB) (wait func(), err error) {
	if s.AutoPush == "" {
		return func() {}, nil
	}
	driver := db.Driver()
	changes, err := driver.(datakit.BranchWatcher).WatchBranches(ctx)
	if err != nil {
		return nil, err
	}
	p := &autopush.Pusher{
		Push: func(ctx context.Context, branches []string) (map[string]error, error) {
			return driver.(datakit.Pusher).Push(ctx, s.AutoPush, branches)
		},
		Remote: s.AutoPush,
		Log:    s.Logs.Logger(logs.AutoPush),
		OnPush: s.Metrics.Pushed,
	}
	// It ends after the connections, so that their last commits are pushed.
	ctx, stop := context.WithCancel(context.WithoutCancel(ctx))
	var running sync.WaitGroup
	running.Go(func() { p.Run(ctx, changes) })
	return func() {
		stop()
		running.Wait()
	}, nil
}
