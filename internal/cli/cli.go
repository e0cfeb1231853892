// Package cli has the commands with which people and scripts use a database,
// at a server or in a repository.
package cli

import (
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/datakit/datakit/internal/terminal"
)

// Group is the group of commands that those of Commands are in.
const Group = "database"

// Commands returns the commands. They read from in, write to out, and warn and
// tell their progress on errs.
func Commands(in io.Reader, out, errs io.Writer) []*cobra.Command {
	std := &stdio{in, out, terminal.New(out), errs}
	cmds := []*cobra.Command{
		branchCommand(std), lsCommand(std), catCommand(std), logCommand(std), showCommand(std), diffCommand(std),
		putCommand(std), rmCommand(std), mergeCommand(std), watchCommand(std), fetchCommand(std),
		recordCommand(std),
	}
	for _, cmd := range cmds {
		cmd.GroupID = Group
		document(cmd)
		Strict(cmd)
	}
	return cmds
}

// stdio is where commands read and write.
type stdio struct {
	in     io.Reader
	stdout io.Writer        // for programs that are run
	out    *terminal.Output // the same, for the commands themselves
	errs   io.Writer
}

// document adds to a command, and those below it, the end of the help, which is
// the same for all.
func document(cmd *cobra.Command) {
	if cmd.Long == "" {
		cmd.Long = cmd.Short + "."
	}
	cmd.Long = strings.TrimSpace(cmd.Long) + "\n" + statuses
	for _, sub := range cmd.Commands() {
		document(sub)
	}
}

// Strict has a wrong command line of a command, and of those below it, end with
// StatusUsage.
func Strict(cmd *cobra.Command) {
	cmd.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error { return usage(cmd, err) })
	if args := cmd.Args; args != nil {
		cmd.Args = func(cmd *cobra.Command, given []string) error {
			if err := args(cmd, given); err != nil {
				return usage(cmd, err)
			}
			return nil
		}
	}
	for _, sub := range cmd.Commands() {
		Strict(sub)
	}
}
