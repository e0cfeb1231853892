// Package bridges has the programs that keep a branch in step with GitHub, and
// with local Git repositories: what they do from their start to their end
// (spec/github.md, sections 7 and 8).
package bridges

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/github"
	"github.com/datakit/datakit/github/api"
	"github.com/datakit/datakit/github/bridge"
	"github.com/datakit/datakit/github/capability"
	"github.com/datakit/datakit/github/hook"
	"github.com/datakit/datakit/github/token"
	"github.com/datakit/datakit/internal/backoff"
	"github.com/datakit/datakit/internal/logs"
	"github.com/datakit/datakit/internal/metrics"
)

// firstCall is how long the first call of GitHub's API may take before the
// bridge goes on without an answer (GH-200).
const firstCall = 10 * time.Second

// A GitHub is the bridge to GitHub. Set the fields before Run.
type GitHub struct {
	Database     Database
	NoDatabase   bool // there is none: only the token is checked
	Repositories []github.Repo
	Capabilities capability.Set
	Resync       time.Duration // 0 means never
	Jobs         int           // calls at once
	Once         bool          // one sync, and no webhooks
	DryRun       bool          // one sync that changes nothing

	APIURL string
	Token  token.Search
	App    App // instead of a token, unless zero

	Webhook    string // public URL; empty means no webhooks
	Listen     string // host and port to listen on for webhooks
	SecretFile string // of the webhooks

	Metrics     *metrics.GitHub // must not be nil
	MetricsAddr string          // host and port to serve Metrics on; empty means nowhere
	Logs        *logs.Logs      // must not be nil
	Version     string

	// Out is where the bridge says what it is, unless Quiet, and where a dry
	// run prints. It must not be nil.
	Out   io.Writer
	Quiet bool

	tokenFrom string // the place of the token, once it was found; empty for an App
}

// An App is a GitHub App and one of its installations.
type App struct {
	ID, Installation int64
	KeyFile          string // its private key, in PEM
}

// Run works until ctx is done, which is no error, or until the one sync that
// was asked for has been done.
func (b *GitHub) Run(ctx context.Context) error {
	gh, err := b.client()
	if err != nil {
		return err
	}
	defer gh.Close()
	source, err := b.source(gh)
	if err != nil {
		return err
	}
	if source != nil {
		defer source.Close()
	}
	var s services
	defer s.close()
	if err := b.listen(ctx, &s, source); err != nil {
		return err
	}
	err = s.during(ctx, func(ctx context.Context) error { return b.work(ctx, gh, source) })
	if errors.Is(err, api.ErrToken) && b.tokenFrom != "" { // there may be several, and all but one good
		err = fmt.Errorf("the token from %s: %w", b.tokenFrom, err)
	}
	return unlessStopped(ctx, err, b.log(logs.Bridge))
}

// source returns the webhooks, or nil without them.
func (b *GitHub) source(hooks github.HookAPI) (*hook.Source, error) {
	if b.Webhook == "" || b.NoDatabase || b.Once || b.DryRun {
		return nil, nil
	}
	read := b.Capabilities.Allows(capability.Read, capability.Webhook)
	write := b.Capabilities.Allows(capability.Write, capability.Webhook)
	if !read && !write {
		b.log(logs.Webhook).Warn("no webhooks: the capabilities allow neither to receive nor to register them", "capabilities", b.Capabilities)
		return nil, nil
	}
	secret, err := hook.LoadSecret(b.SecretFile)
	if err != nil {
		return nil, err
	}
	opts := hook.Options{URL: b.Webhook, Secret: secret, OnDelivery: b.Metrics.Delivered, Log: b.log(logs.Webhook)}
	if write {
		opts.Hooks = hooks
	}
	source, err := hook.New(opts)
	if err == nil {
		b.Metrics.Queue(source.Len)
	}
	return source, err
}

// listen opens what is served, and says what the bridge is (GH-202).
func (b *GitHub) listen(ctx context.Context, s *services, source *hook.Source) error {
	b.say("datakit bridge github %s, capabilities %s", b.Version, b.Capabilities)
	if source != nil {
		at, err := s.add(ctx, "webhooks", b.Listen, source.Serve)
		if err != nil {
			return err
		}
		b.sayWebhook(at)
	}
	if b.MetricsAddr != "" {
		at, err := s.add(ctx, "metrics", b.MetricsAddr, b.Metrics.Serve)
		if err != nil {
			return err
		}
		b.say("Metrics are at http://%s/metrics", at)
	}
	if b.NoDatabase {
		b.say("No database: only the token is checked")
		return nil
	}
	b.say("Database: %s", b.Database)
	return nil
}

func (b *GitHub) sayWebhook(at net.Addr) {
	if strings.HasPrefix(b.Webhook, "https:") { // GH-176
		b.say("Webhooks: %s; a proxy must end TLS there and pass them on to the listener, http://%s", b.Webhook, at)
		return
	}
	b.say("Webhooks: %s; the listener is http://%s", b.Webhook, at)
}

// say prints a line for whoever started the bridge.
func (b *GitHub) say(format string, args ...any) {
	if !b.Quiet {
		fmt.Fprintf(b.Out, format+"\n", args...)
	}
}

func (b *GitHub) log(source string) *slog.Logger { return b.Logs.Logger(source) }

// work is what the bridge is for.
func (b *GitHub) work(ctx context.Context, gh *api.Client, source *hook.Source) error {
	err := check(ctx, gh)
	if errors.Is(err, api.ErrToken) || ctx.Err() != nil || err != nil && (b.Once || b.DryRun) {
		return err
	}
	running, ctx := errgroup.WithContext(ctx)
	if err != nil {
		b.log(logs.GitHub).Error(unchecked(err), "api", b.APIURL, "error", err)
		running.Go(func() error { return b.awaitToken(ctx, gh) })
	}
	running.Go(func() error { return b.mirror(ctx, gh, source) })
	return running.Wait()
}

// unchecked says, for the log, why it is not known whether the token is good.
func unchecked(err error) string {
	var e *github.APIError
	if errors.As(err, &e) && e.Status != 0 {
		return fmt.Sprintf("GitHub answers with %s, the bridge goes on trying", e.Reason())
	}
	return "GitHub cannot be reached yet, the bridge goes on trying"
}

// check makes the first call of GitHub's API. The error is api.ErrToken if
// GitHub does not accept the token (GH-200).
func check(ctx context.Context, gh *api.Client) error {
	ctx, cancel := context.WithTimeout(ctx, firstCall)
	defer cancel()
	return gh.Check(ctx)
}

// awaitToken returns when GitHub has said whether the token is good.
func (b *GitHub) awaitToken(ctx context.Context, gh *api.Client) error {
	for failures := 1; ; failures++ {
		select {
		case <-time.After(backoff.Delay(failures)):
		case <-ctx.Done():
			return nil
		}
		err := check(ctx, gh)
		if err == nil {
			b.log(logs.GitHub).Warn("GitHub accepts the token now", "api", b.APIURL)
		}
		if err == nil || errors.Is(err, api.ErrToken) {
			return err
		}
	}
}

// mirror does the work with the database, if there is one.
func (b *GitHub) mirror(ctx context.Context, gh *api.Client, source *hook.Source) error {
	if b.NoDatabase {
		<-ctx.Done()
		return nil
	}
	base := b.Database
	base.onPing, base.look = b.Metrics.Pings(), b.DryRun
	return base.use(ctx, !b.Once && !b.DryRun, b.log(logs.Database), func(db *datakit.DB) error {
		if b.DryRun {
			return b.dryRun(ctx, db, gh)
		}
		return b.sync(ctx, db, gh, source)
	})
}

func (b *GitHub) sync(ctx context.Context, db *datakit.DB, gh *api.Client, source *hook.Source) error {
	if err := b.monitor(ctx, db.Branch(b.Database.Branch)); err != nil {
		return err
	}
	o := b.options(db, gh)
	if b.Once {
		return b.once(ctx, o)
	}
	if source != nil {
		o.Source = source
	}
	bridge.Repeat(ctx, o, new(bridge.State))
	return nil
}

// monitor marks the repositories. For one sync a connection that is lost is not
// made again, so that there is nothing to wait for.
func (b *GitHub) monitor(ctx context.Context, branch *datakit.Branch) error {
	if b.Once {
		return monitorOnce(ctx, branch, b.Repositories)
	}
	return monitor(ctx, branch, b.Repositories, b.log(logs.Bridge))
}

func (b *GitHub) options(db *datakit.DB, gh *api.Client) bridge.Options {
	return bridge.Options{
		DB:           db,
		Branch:       b.Database.Branch,
		API:          gh,
		Capabilities: b.Capabilities,
		Jobs:         b.Jobs,
		Resync:       b.Resync,
		Log:          b.log(logs.Bridge),
		Observe:      b.observe,
	}
}

// once syncs once. That something is left to be done is an error.
func (b *GitHub) once(ctx context.Context, o bridge.Options) error {
	var left []string
	o.Observe = func(r bridge.Report) {
		b.observe(r)
		for kind, n := range r.Pending {
			if n > 0 {
				left = append(left, fmt.Sprintf("%s: %d", kind, n))
			}
		}
		if r.Refused > 0 {
			left = append(left, fmt.Sprintf("repositories that GitHub refuses: %d", r.Refused))
		}
	}
	if err := bridge.Once(ctx, o, new(bridge.State)); err != nil {
		return err
	}
	if len(left) > 0 {
		slices.Sort(left)
		return fmt.Errorf("the sync could not do everything, and its log says why; left are %s", strings.Join(left, ", "))
	}
	return nil
}

// observe counts and logs a sync (GH-205).
func (b *GitHub) observe(r bridge.Report) {
	result := "ok"
	if r.Err != nil {
		result = "error"
	}
	m := b.Metrics
	m.Synced(string(r.Reason), result, r.Took)
	m.Monitored(r.Monitored)
	for kind, n := range r.Pending {
		m.Pending(string(kind), n)
	}
	for _, d := range r.EventToCommit {
		m.EventToCommit(d)
	}
	for _, d := range r.CommitToGitHub {
		m.CommitToGitHub(d)
	}
	if r.Message != "" {
		subject, _, _ := strings.Cut(r.Message, "\n")
		b.log(logs.Bridge).Info("committed", "message", subject, "reason", string(r.Reason))
	}
}
