package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/datakit/datakit/github/bridge"
	"github.com/datakit/datakit/github/capability"
	"github.com/datakit/datakit/github/hook"
	"github.com/datakit/datakit/internal/bridges"
	"github.com/datakit/datakit/internal/logs"
	"github.com/datakit/datakit/internal/metrics"
)

// maxJobs bounds --jobs, each of which is a worker. GitHub itself takes a hundred
// calls at once at most.
const maxJobs = 1000

// githubOptions are the options of section 7.1 of spec/github.md.
type githubOptions struct {
	bridge       bridges.GitHub
	database     databaseFlag
	repositories string
	capabilities string
	resync       float64
	noResync     bool
	metrics      metricsFlag
	log          logFlags
}

func githubCommand(stdout, stderr io.Writer) *cobra.Command {
	o := new(githubOptions)
	cmd := &cobra.Command{
		Use:   "github",
		Short: "Keep a branch in step with GitHub, in both directions",
		Long: `Keep a branch in step with GitHub, in both directions.

A repository is mirrored while the branch has a file USER/REPO/.monitor. What
happens on GitHub is written to the branch, and what is written to the branch,
such as a build status, is sent to GitHub as far as the capabilities allow it.

The token is looked for in the file of --token-file, in $DATAKIT_GITHUB_TOKEN and
$GITHUB_TOKEN, in $HOME/.github/jar/datakit-github-cookie, and in
/run/secrets/datakit-github-cookie.

The bridge stops on SIGINT and SIGTERM. Its exit status is 1 after any failure.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := o.check(cmd.Flags()); err != nil {
				return failed(err)
			}
			return failed(o.run(cmd.Context(), stdout, stderr))
		},
	}
	o.define(cmd.Flags())
	cmd.MarkFlagsMutuallyExclusive("resync-interval", "resync", "no-resync")
	for _, name := range []string{"once", "dry-run", "repositories"} {
		cmd.MarkFlagsMutuallyExclusive("no-datakit", name)
	}
	return cmd
}

func (o *githubOptions) define(f *pflag.FlagSet) {
	f.SortFlags = false
	b := &o.bridge
	o.database.define(f)
	f.BoolVar(&b.NoDatabase, "no-datakit", false, "do not connect to a database: check the options and the token, and wait")
	f.StringVarP(&o.repositories, "repositories", "r", "", "monitor the repositories of this `LIST`, such as user/name,user/other")
	f.StringVarP(&o.capabilities, "capabilities", "c", "*:rw", "what may be read (r), written (w) and is the branch's alone (x), such as *:r,status[ci]:x; the `CAPS` of docs/github.md")
	f.StringVar(&b.Webhook, "webhook", "", "public `URL` of the webhooks: http://HOST[:PORT][/PATH] or https://... (default no webhooks)")
	f.StringVar(&b.Listen, "webhook-listen", "", "`ADDR:PORT` to listen on for webhooks, plain HTTP (default the port of --webhook, else 80, on all addresses)")
	f.StringVar(&b.SecretFile, "webhook-secret-file", "", "`PATH` of the file with the secret of the webhooks, which is made if it does not exist (default datakit/webhook-secret in $XDG_STATE_HOME, else in $HOME/.local/state)")
	f.Float64Var(&o.resync, "resync-interval", 3600, "read all from GitHub again after so many `SECONDS`")
	f.Float64Var(&o.resync, "resync", 3600, "the same as --resync-interval, in `SECONDS`")
	f.BoolVar(&o.noResync, "no-resync", false, "never read all from GitHub again unless asked to")
	f.StringVar(&b.APIURL, "api-url", "https://api.github.com", "base `URL` of GitHub's API, for GitHub Enterprise")
	f.StringVar(&b.Token.File, "token-file", "", "`PATH` of the file with the token")
	f.Int64Var(&b.App.ID, "app-id", 0, "`NUMBER` of the GitHub App to be, instead of a token")
	f.Int64Var(&b.App.Installation, "app-installation", 0, "`NUMBER` of the installation of the GitHub App")
	f.StringVar(&b.App.KeyFile, "app-key", "", "`PATH` of the private key of the GitHub App, in PEM")
	f.IntVar(&b.Jobs, "jobs", bridge.DefaultJobs, "make at most `N` calls of GitHub's API at once")
	f.BoolVar(&b.Once, "once", false, "sync once, without webhooks, and exit")
	f.BoolVar(&b.DryRun, "dry-run", false, "change nothing: print what one sync would send to GitHub, and commit")
	o.metrics.define(f)
	o.log.define(f)
}

// check finds what is wrong with the options before anything is opened, and
// fills in what was left out.
func (o *githubOptions) check(f *pflag.FlagSet) (err error) {
	b := &o.bridge
	if err := cmp.Or(o.log.check(), o.metrics.check(), o.database.check()); err != nil {
		return err
	}
	b.Database = o.database.Database
	if b.Database.Endpoint, err = bridges.ParseEndpoint(b.Database.Endpoint); err != nil {
		return err
	}
	if b.Repositories, err = bridges.ParseRepositories(o.repositories); err != nil {
		return fmt.Errorf("--repositories: %w", err)
	}
	if b.Capabilities, err = capability.Parse(o.capabilities); err != nil {
		return fmt.Errorf("--capabilities: %w", err)
	}
	if b.Resync, err = o.interval(); err != nil {
		return err
	}
	if b.Jobs < 1 || b.Jobs > maxJobs {
		return fmt.Errorf("--jobs %d: must be from 1 to %d", b.Jobs, maxJobs)
	}
	for _, name := range []string{"token-file", "app-key", "webhook", "webhook-listen", "webhook-secret-file", "api-url"} {
		// The value of a variable that is not set, perhaps.
		if fl := f.Lookup(name); fl.Changed && fl.Value.String() == "" {
			return fmt.Errorf("--%s is empty", name)
		}
	}
	return cmp.Or(o.checkApp(), o.checkWebhook())
}

// interval returns the time between resyncs, 0 for never.
func (o *githubOptions) interval() (time.Duration, error) {
	const most = 1e9 // seconds, some 30 years
	if o.noResync {
		return 0, nil
	}
	d := time.Duration(o.resync * float64(time.Second))
	if !(o.resync <= most) || d <= 0 {
		return 0, fmt.Errorf("--resync-interval %g: must be a positive number of seconds; use --no-resync for none", o.resync)
	}
	return d, nil
}

func (o *githubOptions) checkApp() error {
	a := o.bridge.App
	some := a.ID != 0 || a.Installation != 0 || a.KeyFile != ""
	switch {
	case !some:
		return nil
	case a.ID <= 0 || a.Installation <= 0 || a.KeyFile == "":
		return errors.New("a GitHub App needs --app-id, --app-installation and --app-key")
	case o.bridge.Token.File != "":
		return errors.New("use either --token-file or a GitHub App")
	}
	return nil
}

func (o *githubOptions) checkWebhook() error {
	b := &o.bridge
	if b.Webhook == "" {
		if b.Listen != "" || b.SecretFile != "" {
			return errors.New("--webhook-listen and --webhook-secret-file need --webhook")
		}
		return nil
	}
	u, err := hook.ParseURL(b.Webhook)
	if err != nil {
		return err
	}
	if b.Listen == "" {
		port := u.Port()
		if port == "" {
			port = "80"
		}
		b.Listen = ":" + port
	}
	if _, _, err := net.SplitHostPort(b.Listen); err != nil {
		return fmt.Errorf("--webhook-listen %q: use ADDR:PORT, or :PORT for all addresses", b.Listen)
	}
	if b.SecretFile == "" {
		b.SecretFile, err = defaultSecretFile()
	}
	return err
}

func defaultSecretFile() (string, error) {
	state := os.Getenv("XDG_STATE_HOME")
	if state == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			return "", fmt.Errorf("no place for the secret of the webhooks: %w; use --webhook-secret-file", err)
		}
		state = filepath.Join(home, ".local", "state")
	}
	return filepath.Join(state, "datakit", "webhook-secret"), nil
}

func (o *githubOptions) run(ctx context.Context, stdout, stderr io.Writer) (err error) {
	b := &o.bridge
	b.Metrics = metrics.NewGitHub(hook.Results())
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
