package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/datakit/datakit/internal/endpoint"
	"github.com/datakit/datakit/internal/logs"
	"github.com/datakit/datakit/internal/metrics"
	"github.com/datakit/datakit/internal/serve"
)

// grace is how long commands may finish when the server is told to stop
// (specification, FS-202).
const grace = 5 * time.Second

// serveOptions are the options of section 7.1 of the specification, and ours.
type serveOptions struct {
	git         string
	urls        []string
	autoPush    string
	metricsPort string
	verbose     int
	quiet       bool
	verbosity   string
	log         logs.Options
	noSync      bool
	maxFileSize int64
	msize       uint32
}

func serveCommand(stdout, stderr io.Writer) *cobra.Command {
	o := new(serveOptions)
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Serve a Git repository as a tree of files over 9P",
		Long: `Serve a Git repository as a tree of files over 9P.

The repository is made if it does not exist. Without --git the database is kept
in memory and lost when the server ends. The server stops on SIGINT and SIGTERM,
after the commands that are being executed have finished.

Addresses are tcp://HOST:PORT, file://PATH for a Unix socket, fd://N for an
inherited one, \\SERVER\pipe\NAME on Windows, and hyperv-accept://VMID/SERVICE or
hyperv-connect://VMID/SERVICE for Hyper-V and, on Linux, vsock. Without --url
sockets passed by systemd are used if there are any.`,
		Args:          cobra.NoArgs,
		SilenceErrors: true,
		SilenceUsage:  true,
		RunE:          func(cmd *cobra.Command, _ []string) error { return o.run(cmd.Context(), stdout, stderr) },
	}
	f := cmd.Flags()
	f.StringVar(&o.git, "git", "", "repository to serve (default: a database in memory)")
	f.StringSliceVar(&o.urls, "url", nil, "addresses to listen on (default tcp://127.0.0.1:5640)")
	f.StringSliceVar(&o.urls, "listen-9p", nil, "the same as --url")
	f.StringVar(&o.autoPush, "auto-push", "", "push branches that change to the Git repository at this `URL`")
	f.StringVar(&o.metricsPort, "listen-prometheus", "", "serve metrics over HTTP on this `PORT`")
	f.CountVarP(&o.verbose, "verbose", "v", "log more: once level info, twice debug")
	f.BoolVarP(&o.quiet, "quiet", "q", false, "log nothing")
	f.StringVar(&o.verbosity, "verbosity", "", "log level: quiet, error, warning, info or debug (default warning)")
	f.StringVar(&o.log.Color, "color", "auto", "colour the log: auto, always or never")
	f.StringVar(&o.log.Destination, "log-destination", "quiet", "where and how to log: quiet, timestamp, stderr, json, syslog, journald, eventlog or asl")
	f.StringVar(&o.log.Clock, "log-clock", "posix", "time stamps: posix or monotonic")
	f.BoolVar(&o.noSync, "no-sync", false, "do not wait for the disk: faster, but the last commits, or the repository, may be lost with the power")
	f.Int64Var(&o.maxFileSize, "max-file-size", 2<<30, "length in `bytes` of the longest file that can be written")
	f.Uint32Var(&o.msize, "msize", 1<<20, "length in `bytes` of the longest 9P message")
	return cmd
}

// level returns the level that options and environment ask for (FS-196).
func (o *serveOptions) level() (logs.Level, error) {
	word := "warning"
	if env := os.Getenv("DATAKIT_VERBOSE"); env != "" {
		word = env
	}
	switch {
	case o.verbose == 1:
		word = "info"
	case o.verbose > 1:
		word = "debug"
	}
	if o.verbosity != "" {
		word = o.verbosity
	}
	if o.quiet {
		word = "quiet"
	}
	if word == "app" {
		return 0, errors.New(`"app": unknown log level`)
	}
	return logs.ParseLevel(word)
}

// addresses returns where to listen.
func (o *serveOptions) addresses() ([]endpoint.Address, error) {
	urls := o.urls
	if len(urls) == 0 {
		passed, err := endpoint.Activated()
		if err != nil || len(passed) > 0 {
			return passed, err
		}
		urls = []string{"tcp://127.0.0.1:5640"}
	}
	var as []endpoint.Address
	for _, u := range urls {
		a, err := endpoint.Parse(u, endpoint.DefaultPort)
		if err != nil {
			return nil, err
		}
		as = append(as, a)
	}
	return as, nil
}

// check returns what is wrong with the options before anything is opened
// (FS-180).
func (o *serveOptions) check() (addresses []endpoint.Address, err error) {
	if o.log.Level, err = o.level(); err != nil {
		return nil, err
	}
	if err := logs.CheckOptions(o.log); err != nil {
		return nil, err
	}
	if o.maxFileSize <= 0 {
		return nil, fmt.Errorf("--max-file-size %d: must be positive", o.maxFileSize)
	}
	if o.msize < 256 {
		return nil, fmt.Errorf("--msize %d: must be at least 256", o.msize)
	}
	if o.metricsPort != "" {
		if n, err := strconv.ParseUint(o.metricsPort, 10, 16); err != nil || n == 0 {
			return nil, fmt.Errorf("--listen-prometheus %q: not a port number", o.metricsPort)
		}
	}
	return o.addresses()
}

func (o *serveOptions) run(ctx context.Context, stdout, stderr io.Writer) error {
	addresses, err := o.check()
	if err != nil {
		return err
	}
	figures := metrics.New()
	o.log.Stdout, o.log.Stderr, o.log.Count = stdout, stderr, figures.Logged
	log, err := logs.New(o.log)
	if err != nil {
		return err
	}
	defer log.Close()
	fmt.Fprintf(stdout, "Starting datakit %s ...\n", version())
	s := &serve.Server{
		Repository:  o.git,
		Addresses:   addresses,
		AutoPush:    o.autoPush,
		NoSync:      o.noSync,
		MaxFileSize: o.maxFileSize,
		MaxMsize:    o.msize,
		Grace:       grace,
		Metrics:     figures,
		Logs:        log,
		Out:         stdout,
	}
	if o.metricsPort != "" {
		if s.MetricsListener, err = net.Listen("tcp", ":"+o.metricsPort); err != nil {
			return fmt.Errorf("listen for metrics: %w", err)
		}
	}
	return s.Run(ctx)
}
