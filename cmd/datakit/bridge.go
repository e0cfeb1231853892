package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/github/layout"
	"github.com/datakit/datakit/internal/bridges"
)

func bridgeCommand(stdout, stderr io.Writer) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "bridge",
		Short: "Keep a branch in step with GitHub, or with local Git repositories",
		Long: `Keep a branch in step with GitHub, or with local Git repositories.

The branch holds the pull requests, references and build statuses of each
repository as files; docs/github.md explains them.`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			return errors.New(`say which bridge: "datakit bridge github" or "datakit bridge git NAME:PATH..."`)
		},
	}
	cmd.AddCommand(githubCommand(stdout, stderr), gitCommand(stdout, stderr))
	for _, sub := range cmd.Commands() {
		quietly(sub).SetVersionTemplate("datakit {{.Version}}\n")
	}
	return cmd
}

// A databaseFlag is the options about the database of a bridge.
type databaseFlag struct{ bridges.Database }

func (d *databaseFlag) define(f *pflag.FlagSet) {
	f.StringVarP(&d.Endpoint, "datakit", "d", "tcp://127.0.0.1:5640",
		"database, at this `ENDPOINT`: tcp://HOST:PORT, unix://PATH, or git://PATH to use a repository without a server")
	f.StringVarP(&d.Branch, "branch", "b", layout.DefaultBranch, "`NAME` of the branch")
}

// check finds what is wrong with the branch. The endpoint is checked where it is
// read.
func (d *databaseFlag) check() error {
	if datakit.CheckBranch(d.Branch) != nil {
		return fmt.Errorf("--branch %q: not a valid name of a branch", d.Branch)
	}
	return nil
}

// failed is the error of a bridge. Its exit status is always 1 (GH-204): the
// kinds that the other commands tell apart are not what ends a bridge.
func failed(err error) error {
	if err == nil {
		return nil
	}
	return errors.New(err.Error())
}
