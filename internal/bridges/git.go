package bridges

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/internal/logs"
	"github.com/datakit/datakit/internal/metrics"
	"github.com/datakit/datakit/localgit"
)

// A Git is the bridge to local Git repositories. Set the fields before Run.
type Git struct {
	Database     Database
	Repositories []localgit.Repository // at least one
	Tags         bool                  // mirror tags, too
	Once         bool                  // one sync

	Metrics     *metrics.LocalGit // must not be nil
	MetricsAddr string            // host and port to serve Metrics on; empty means nowhere
	Logs        *logs.Logs        // must not be nil
	Version     string

	Out   io.Writer // where the bridge says what it is, unless Quiet; must not be nil
	Quiet bool
}

// Run works until ctx is done, which is no error, or until the one sync that
// was asked for has been done.
func (g *Git) Run(ctx context.Context) error {
	for _, r := range g.Repositories { // before anything waits for a server
		if err := r.Check(); err != nil {
			return err
		}
	}
	var s services
	defer s.close()
	g.say("datakit bridge git %s", g.Version)
	if g.MetricsAddr != "" {
		at, err := s.add(ctx, "metrics", g.MetricsAddr, g.Metrics.Serve)
		if err != nil {
			return err
		}
		g.say("Metrics are at http://%s/metrics", at)
	}
	g.say("Database: %s", g.Database)
	err := s.during(ctx, g.mirror)
	return unlessStopped(ctx, err, g.Logs.Logger(logs.Bridge))
}

func (g *Git) say(format string, args ...any) {
	if !g.Quiet {
		fmt.Fprintf(g.Out, format+"\n", args...)
	}
}

func (g *Git) mirror(ctx context.Context) error {
	base := g.Database
	base.onPing = g.Metrics.Pings()
	return base.use(ctx, !g.Once, g.Logs.Logger(logs.Database), func(db *datakit.DB) error { return g.sync(ctx, db) })
}

func (g *Git) sync(ctx context.Context, db *datakit.DB) error {
	o := localgit.Options{
		DB:           db,
		Branch:       g.Database.Branch,
		Repositories: g.Repositories,
		Tags:         g.Tags,
		Log:          g.Logs.Logger(logs.Bridge),
		Observe:      g.observe,
	}
	if g.Once {
		_, err := localgit.Once(ctx, o)
		return err
	}
	return localgit.Run(ctx, o)
}

// observe counts and logs a sync.
func (g *Git) observe(r localgit.Report) {
	result := "ok"
	if r.Err != nil {
		result = "error"
	}
	g.Metrics.Synced(result, r.Took)
	g.Metrics.Refs(r.Refs)
	g.Metrics.Unreadable(r.Unreadable)
	if r.Message != "" {
		subject, _, _ := strings.Cut(r.Message, "\n")
		g.Logs.Logger(logs.Bridge).Info("committed", "message", subject)
	}
}
