package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/datakit/datakit/internal/endpoint"
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
	metrics     metricsFlag
	log         logFlags
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
in memory and lost when the server ends. The server stops on SIGINT and
SIGTERM, after the commands that are being executed have finished.

Addresses are tcp://HOST:PORT, file://PATH for a Unix socket, fd://N for an
inherited one, \\SERVER\pipe\NAME on Windows, and
hyperv-accept://VMID/SERVICE or hyperv-connect://VMID/SERVICE for Hyper-V and,
on Linux, vsock. Without --url sockets passed by systemd are used if there are
any.

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
	o.metrics.define(f)
	f.BoolVar(&o.noSync, "no-sync", false, "do not wait for the disk: faster, but the last commits, or the repository, may be lost with the power")
	f.Int64Var(&o.maxFileSize, "max-file-size", 2<<30, "length in `BYTES` of the longest file that can be written")
	f.Uint32Var(&o.msize, "msize", 1<<20, "length in `BYTES` of the longest 9P message")
	o.log.define(f)
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
	if err := o.metrics.check(); err != nil {
		return err
	}
	if err := o.log.check(); err != nil {
		return err
	}
	return o.addresses.complete()
}

func (o *serveOptions) run(ctx context.Context, stdout, stderr io.Writer) (err error) {
	figures := metrics.New()
	log, err := o.log.open(stdout, stderr, figures.Logged)
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
		MetricsAddr: o.metrics.addr(),
		Logs:        log,
		Out:         stdout,
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
