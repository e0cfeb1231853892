package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/datakit/datakit/internal/bridges"
	"github.com/datakit/datakit/internal/logs"
	"github.com/datakit/datakit/internal/metrics"
	"github.com/datakit/datakit/localgit"
)

// gitOptions are the options of section 8 of spec/github.md.
type gitOptions struct {
	bridge   bridges.Git
	database databaseFlag
	store    string
	metrics  metricsFlag
	log      logFlags
}

func gitCommand(stdout, stderr io.Writer) *cobra.Command {
	o := new(gitOptions)
	cmd := &cobra.Command{
		Use:   "git NAME:PATH...",
		Short: "Keep a branch in step with local Git repositories",
		Long: `Keep a branch in step with local Git repositories.

The branches of the Git repository at PATH are mirrored as those of the
repository NAME, which is USER/NAME: the file USER/NAME/ref/heads/BRANCH/head has
the hash of BRANCH. PATH is a work tree or a bare repository, which is only read.

So what works with the bridge to GitHub can be tried without GitHub.

The bridge stops on SIGINT and SIGTERM. Its exit status is 1 after any failure.`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return fmt.Errorf("no repository; usage: %s", cmd.UseLine())
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.check(args); err != nil {
				return failed(err)
			}
			return failed(o.run(cmd.Context(), stdout, stderr))
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	o.database.define(f)
	f.StringVar(&o.store, "metadata-store", "", "database, as `PROTO:ADDRESS`: tcp:HOST:PORT or unix:PATH; the same as --datakit")
	f.BoolVar(&o.bridge.Tags, "tags", false, "mirror tags, too")
	f.BoolVar(&o.bridge.Once, "once", false, "sync once, and exit")
	o.metrics.define(f)
	o.log.define(f)
	cmd.MarkFlagsMutuallyExclusive("datakit", "metadata-store")
	return cmd
}

// check finds what is wrong with the options before anything is opened, and
// fills in what was left out.
func (o *gitOptions) check(args []string) (err error) {
	if err := cmp.Or(o.log.check(), o.metrics.check(), o.database.check()); err != nil {
		return err
	}
	if o.store != "" {
		if o.database.Endpoint, err = storeEndpoint(o.store); err != nil {
			return err
		}
	}
	b := &o.bridge
	b.Database = o.database.Database
	if b.Database.Endpoint, err = bridges.ParseEndpoint(b.Database.Endpoint); err != nil {
		return err
	}
	for _, arg := range args {
		r, err := localgit.ParseRepository(arg)
		if err != nil {
			return err
		}
		b.Repositories = append(b.Repositories, r)
	}
	return nil
}

// storeEndpoint returns the endpoint that --metadata-store names in its own way
// (GH-207).
func storeEndpoint(store string) (string, error) {
	proto, addr, _ := strings.Cut(store, ":")
	if proto != "tcp" && proto != "unix" || addr == "" || strings.HasPrefix(addr, "//") {
		return "", fmt.Errorf("--metadata-store %q: use tcp:HOST:PORT or unix:PATH", store)
	}
	return proto + "://" + addr, nil
}

func (o *gitOptions) run(ctx context.Context, stdout, stderr io.Writer) (err error) {
	b := &o.bridge
	b.Metrics = metrics.NewLocalGit()
	o.log.opts.Bridge = true
	log, err := o.log.open(stdout, stderr, b.Metrics.Logged)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, log.Close()) }()
	b.Logs, b.MetricsAddr, b.Version, b.Out = log, o.metrics.addr(), version(), stdout
	b.Quiet = o.log.opts.Level == logs.Quiet
	return b.Run(ctx)
}
