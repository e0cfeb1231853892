package cli

import (
	"context"
	"errors"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/p9"
)

func fetchCommand(std *stdio) *cobra.Command {
	t := &target{stdio: std}
	return t.command(&cobra.Command{
		Use:   "fetch URL REMOTE-BRANCH [BRANCH]",
		Short: "Copy a branch of another Git repository",
		Long: `Copy a branch of the Git repository at URL, with its history, and print its
head. With BRANCH, that branch here is moved to it, or made, if its own head is
part of the history; otherwise, merge it. It is the server, if there is one,
that must be able to reach URL.`,
		Example:           "  datakit fetch https://example.com/config.git main upstream",
		Args:              cobra.RangeArgs(2, 3),
		ValidArgsFunction: t.completeFirst(noCompletion, noCompletion, t.completeBranches),
	}, func(ctx context.Context, db *datakit.DB, args []string) error {
		h, err := db.Fetch(ctx, absolute(args[0]), args[1])
		if err != nil {
			return fetchError(args[0], args[1], err)
		}
		if len(args) == 2 {
			return t.printHead("", h)
		}
		err = db.Branch(args[2]).FastForward(ctx, h)
		if errors.Is(err, datakit.NotFastForward) {
			return about("fetch into", args[2], err, `it has commits of its own: "datakit merge `+args[2]+" "+h.String()+`" merges it`)
		}
		if err != nil {
			return about("fetch into", args[2], err, "")
		}
		return t.printHead(args[2], h)
	})
}

var errNoRemoteBranch = errors.New("that repository has no such branch")

// fetchError says why a branch was not fetched, for which a server may have no
// words.
func fetchError(url, branch string, err error) error {
	subject, hint := branch+" from "+url, ""
	switch {
	case errors.Is(err, datakit.NotExist):
		err = &datakit.Error{Kind: datakit.NotExist, Err: errNoRemoteBranch}
	case errors.As(err, new(*p9.Error)):
		hint = "the log of the server says why"
	}
	return about("fetch", subject, err, hint)
}

// absolute returns the URL of a repository: the path from the root if it is a
// folder here, as a server may be in another one.
func absolute(url string) string {
	if info, err := os.Stat(url); err != nil || !info.IsDir() {
		return url
	}
	path, err := filepath.Abs(url)
	if err != nil {
		return url
	}
	return path
}
