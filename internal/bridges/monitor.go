package bridges

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"time"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/github"
	"github.com/datakit/datakit/github/layout"
	"github.com/datakit/datakit/internal/backoff"
	"github.com/datakit/datakit/p9"
)

// monitorMessage is that of the commit that monitors repositories (GH-191).
const monitorMessage = "initial commit"

// ParseRepositories reads a list such as "user/name,user/other". The error
// names what is no repository (GH-191).
func ParseRepositories(list string) (repos []github.Repo, err error) {
	if list == "" {
		return nil, nil
	}
	for text := range strings.SplitSeq(list, ",") {
		r, err := github.ParseRepo(text)
		if err != nil {
			return nil, err
		}
		repos = append(repos, r)
	}
	return repos, nil
}

// monitor marks repositories as monitored, in one commit, unless all are. A
// connection that is lost meanwhile is waited for.
func monitor(ctx context.Context, branch *datakit.Branch, repos []github.Repo, log *slog.Logger) error {
	for failures := 1; ; failures++ {
		err := monitorOnce(ctx, branch, repos)
		if !errors.Is(err, p9.ErrConnection) {
			return err
		}
		log.Warn("the repositories are not monitored yet", "error", err)
		select {
		case <-time.After(backoff.Delay(failures)):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func monitorOnce(ctx context.Context, branch *datakit.Branch, repos []github.Repo) error {
	missing, err := unmonitored(ctx, branch, repos)
	if len(missing) == 0 || err != nil {
		return err
	}
	return branch.Update(ctx, monitorMessage, func(tx *datakit.Tx) error {
		for _, r := range missing {
			if err := layout.Write(ctx, tx, r); err != nil {
				return err
			}
		}
		return nil
	})
}

// unmonitored returns those repositories that are not marked as monitored.
func unmonitored(ctx context.Context, branch *datakit.Branch, repos []github.Repo) (missing []github.Repo, err error) {
	if len(repos) == 0 {
		return nil, nil
	}
	tree, err := branch.Tree(ctx)
	if err != nil {
		return nil, err
	}
	for _, r := range repos {
		ok, err := layout.Monitored(ctx, tree, r)
		if err != nil {
			return nil, err
		}
		if !ok {
			missing = append(missing, r)
		}
	}
	return missing, nil
}
