package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

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
	addresses   addressList
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
sockets passed by systemd are used if there are any.

Whoever can connect can read and write everything: the server does not ask for
names or passwords.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := o.check(cmd.Flags()); err != nil {
				return err
			}
			return o.run(cmd.Context(), stdout, stderr)
		},
	}
	o.define(cmd.Flags())
	return cmd
}

func (o *serveOptions) define(f *pflag.FlagSet) {
	f.SortFlags = false
	f.StringVar(&o.git, "git", "", "repository to serve, at this `PATH` (default a database in memory)")
	f.Var(&o.addresses, "url", "addresses to listen on (default tcp://127.0.0.1:5640)")
	f.Var(&o.addresses, "listen-9p", "the same as --url")
	f.StringVar(&o.autoPush, "auto-push", "", "push branches that change to the Git repository at this `URL`")
	f.StringVar(&o.metricsPort, "listen-prometheus", "", "serve metrics over HTTP on this `PORT`")
	f.BoolVar(&o.noSync, "no-sync", false, "do not wait for the disk: faster, but the last commits, or the repository, may be lost with the power")
	f.Int64Var(&o.maxFileSize, "max-file-size", 2<<30, "length in `BYTES` of the longest file that can be written")
	f.Uint32Var(&o.msize, "msize", 1<<20, "length in `BYTES` of the longest 9P message")
	f.CountVarP(&o.verbose, "verbose", "v", "log more: once level info, twice debug")
	f.BoolVarP(&o.quiet, "quiet", "q", false, "log nothing")
	f.StringVar(&o.verbosity, "verbosity", "", "log `LEVEL`: quiet, error, warning, info or debug (default warning)")
	f.StringVar(&o.log.Color, "color", "auto", "`WHEN` to color the log: auto, always or never")
	f.StringVar(&o.log.Destination, "log-destination", "quiet", "`WHERE` and how to log: "+strings.Join(logs.Destinations(), ", "))
	f.StringVar(&o.log.Clock, "log-clock", "posix", "`CLOCK` of time stamps: posix or monotonic")
}

// check finds what is wrong with the options before anything is opened
// (FS-180), and fills in what was left out.
func (o *serveOptions) check(f *pflag.FlagSet) (err error) {
	for _, name := range []string{"git", "auto-push"} {
		// The value of a variable that is not set, perhaps: to go on in
		// memory, or without pushing, would lose what the user wants kept.
		if fl := f.Lookup(name); fl.Changed && fl.Value.String() == "" {
			return fmt.Errorf("--%s is empty", name)
		}
	}
	if o.maxFileSize <= 0 {
		return fmt.Errorf("--max-file-size %d: must be positive", o.maxFileSize)
	}
	if o.msize < 256 {
		return fmt.Errorf("--msize %d: must be at least 256", o.msize)
	}
	if _, err := strconv.ParseUint(o.metricsPort, 10, 16); err != nil && o.metricsPort != "" {
		return fmt.Errorf("--listen-prometheus %q: not a port number", o.metricsPort)
	}
	if o.log.Level, err = o.level(os.Getenv("DATAKIT_VERBOSE")); err != nil {
		return err
	}
	if err := logs.CheckOptions(o.log); err != nil {
		return err
	}
	return o.addresses.complete()
}

// level returns the level that the options ask for, or else the environment
// (FS-196). Each word must be right, also where another overrides it.
func (o *serveOptions) level(env string) (level logs.Level, err error) {
	level = logs.Warning
	for _, word := range []struct{ from, is string }{{"DATAKIT_VERBOSE", env}, {"--verbosity", o.verbosity}} {
		if word.from == "--verbosity" && o.verbose > 0 {
			level = []logs.Level{logs.Info, logs.Debug}[min(o.verbose, 2)-1]
		}
		if word.is == "" {
			continue
		}
		if level, err = logs.ParseLevel(word.is); err != nil || level == logs.App {
			return 0, fmt.Errorf("%s %q: unknown log level", word.from, word.is)
		}
	}
	if o.quiet {
		level = logs.Quiet
	}
	return level, nil
}

func (o *serveOptions) run(ctx context.Context, stdout, stderr io.Writer) (err error) {
	figures := metrics.New()
	o.log.Stdout, o.log.Stderr, o.log.Count = stdout, stderr, figures.Logged
	log, err := logs.New(o.log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, log.Close()) }()
	fmt.Fprintf(stdout, "Starting datakit %s ...\n", version())
	s := &serve.Server{
		Repository:  o.git,
		Addresses:   o.addresses,
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
		s.MetricsAddr = ":" + o.metricsPort
	}
	return s.Run(ctx)
}

// An addressList is the value of an option that can be given several times,
// each time with several addresses.
type addressList []endpoint.Address

var _ pflag.Value = (*addressList)(nil)

// Set adds addresses.
func (l *addressList) Set(s string) error {
	for word := range strings.SplitSeq(s, ",") {
		a, err := endpoint.Parse(word, endpoint.DefaultPort)
		if err != nil {
			return err
		}
		*l = append(*l, a)
	}
	return nil
}

// String returns the addresses as they can be set.
func (l *addressList) String() string {
	var words []string
	for _, a := range *l {
		words = append(words, a.String())
	}
	return strings.Join(words, ",")
}

// Type is shown in the help text.
func (l *addressList) Type() string { return "URL[,URL]" }

// complete adds addresses if there are none: the sockets that the service
// manager passes, or the usual one.
func (l *addressList) complete() (err error) {
	if len(*l) > 0 {
		return nil
	}
	if *l, err = endpoint.Activated(); err != nil || len(*l) > 0 {
		return err
	}
	return l.Set("tcp://127.0.0.1")
}
