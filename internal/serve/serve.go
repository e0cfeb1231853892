// Package serve runs a server of a database: it opens the repository, listens,
// and stops in good order.
package serve

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

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

	Metrics     *metrics.Metrics // counts what happens; must not be nil
	MetricsAddr string           // host and port to serve Metrics on; empty means nowhere

	Logs *logs.Logs // must not be nil

	// Out is where the server says where it listens; it must not be nil.
	Out io.Writer
}

// Run serves until ctx is done, which is no error. Then it finishes the
// commands that are being executed, closes all connections, pushes what waits
// to be pushed, and closes the database.
func (s *Server) Run(ctx context.Context) error {
	var open listeners
	defer open.close()
	if err := open.listen(ctx, s.Addresses, s.MetricsAddr); err != nil {
		return err
	}
	db, err := s.open()
	if err != nil {
		return err
	}
	push, err := s.startPush(ctx, db)
	if err != nil {
		return errors.Join(err, db.Close())
	}
	err = s.serve(ctx, db, open)
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

// serve answers connections until ctx is done. One listener that ends, for
// whatever reason, ends the others.
func (s *Server) serve(ctx context.Context, db *datakit.DB, open listeners) error {
	files := s.files(db)
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var running errgroup.Group
	start := func(serve func(context.Context, net.Listener) error, l net.Listener) {
		running.Go(func() error {
			defer stop()
			return serve(ctx, l)
		})
	}
	for _, l := range open.files {
		start(files.Serve, l)
	}
	if open.metrics != nil {
		start(s.Metrics.Serve, open.metrics)
	}
	s.greet(open)
	return running.Wait()
}

// files returns the 9P server of the database, which Metrics watches.
func (s *Server) files(db *datakit.DB) *p9.Server {
	fs := fsapi.New(db, &fsapi.Options{Sources: LogSources(s.Logs), Log: s.Logs.Logger(logs.Remotes)})
	files := &p9.Server{
		NewSession: func() (vfs.Dir, func(), error) {
			session := fs.NewSession()
			return session.Root(), session.Close, nil
		},
		MaxMsize: s.MaxMsize,
		Grace:    s.Grace,
		Log:      s.Logs.Logger(logs.NineP),
	}
	s.Metrics.Watch(metrics.Gauges{
		Connections:  files.Connections,
		Fids:         files.Fids,
		Transactions: fs.Transactions,
		Streams:      fs.Streams,
	})
	return files
}

// LogSources are the sources of l as files show them.
func LogSources(l *logs.Logs) (all []fsapi.LogSource) {
	for _, src := range l.Sources() {
		all = append(all, src)
	}
	return all
}

// startPush begins to push what changes, if that is asked for. The result
// waits until what is left has been pushed.
func (s *Server) startPush(ctx context.Context, db *datakit.DB) (wait func(), err error) {
	if s.AutoPush == "" {
		return func() {}, nil
	}
	driver := db.Driver().(interface {
		datakit.BranchWatcher
		datakit.Pusher
	})
	changes, err := driver.WatchBranches(ctx)
	if err != nil {
		return nil, err
	}
	p := &autopush.Pusher{
		Push: func(ctx context.Context, branches []string) (map[string]error, error) {
			return driver.Push(ctx, s.AutoPush, branches)
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
