// Command datakit serves a Git repository as a tree of files over 9P:
//
//	datakit serve --git PATH --url tcp://127.0.0.1:5640
//
// "datakit help" lists all that it does.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/datakit/datakit/internal/cli"
	"github.com/datakit/datakit/internal/help"
	"github.com/datakit/datakit/internal/logs"
)

func main() {
	ctx, stop := untilSignal()
	defer stop()
	os.Exit(run(ctx, os.Args, os.Stdout, os.Stderr))
}

// programs are the commands that the binary is when it is started under
// another name than datakit, as a link to it for instance.
var programs = map[string]func(stdout, stderr io.Writer) *cobra.Command{
	"datakit":       rootCommand,
	"datakit-mount": mountHelper,
}

// run is the program args[0] with the arguments that follow. The result is the
// exit status.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	name := strings.TrimSuffix(filepath.Base(args[0]), ".exe")
	newCommand, ok := programs[name]
	if !ok {
		newCommand = rootCommand
	}
	cmd := newCommand(stdout, stderr)
	cmd.SetArgs(args[1:])
	cmd.SetOut(stdout)
	cmd.SetErr(stderr)
	err := cmd.ExecuteContext(ctx)
	if err == nil {
		return 0
	}
	var status statusError
	if errors.As(err, &status) {
		return int(status) // the program that ended with it has said why
	}
	if !cli.Silent(err) {
		fmt.Fprintf(stderr, "%s: %s\n", cmd.Name(), oneLine(err))
	}
	return cli.Status(err)
}

// A statusError is returned when another program that was run has failed. Its
// value is the exit status.
type statusError int

// Error implements error.
func (e statusError) Error() string { return fmt.Sprintf("exit status %d", int(e)) }

// oneLine returns the text of an error without line ends and passwords.
func oneLine(err error) string {
	return logs.Redact(strings.ReplaceAll(strings.TrimSpace(err.Error()), "\n", "; "))
}

// quietly keeps cobra from printing what run prints, and a page of usage
// beside it.
func quietly(cmd *cobra.Command) *cobra.Command {
	cmd.SilenceErrors = true
	cmd.SilenceUsage = true
	cmd.Version = version()
	cmd.SetVersionTemplate("{{.Name}} {{.Version}}\n")
	help.Prepare(cmd)
	return cmd
}

// commands returns the commands of datakit. To add one, add a line.
func commands(stdout, stderr io.Writer) []*cobra.Command {
	return append(cli.Commands(os.Stdin, stdout, stderr),
		serveCommand(stdout, stderr), // a wrong line of which has status 1 (FS-180)
		strict(mountCommand(stdout, stderr)),
		bridgeCommand(stdout, stderr), // and of these (GH-204)
		strict(manCommand()),
		strict(versionCommand(stdout)),
	)
}

func strict(cmd *cobra.Command) *cobra.Command {
	cli.Strict(cmd)
	return cmd
}

func rootCommand(stdout, stderr io.Writer) *cobra.Command {
	root := quietly(serveCommand(stdout, stderr))
	root.Use = "datakit"
	root.Short = "A Git-like database, served as a filesystem"
	root.Long = root.Short + `.

Without a command, datakit serves: "datakit --git PATH" is "datakit serve --git
PATH".`
	root.AddGroup(&cobra.Group{ID: cli.Group, Title: "Commands that use a database:"})
	root.AddCommand(commands(stdout, stderr)...)
	root.Args = noCommand
	root.SetOut(stdout)
	refuseUnknown(root)
	return root
}

// noCommand is for arguments of the root, which name no command.
func noCommand(_ *cobra.Command, args []string) error {
	if len(args) > 0 {
		return cli.Usagef("unknown command %q; \"datakit help\" lists them", args[0])
	}
	return nil
}

// refuseUnknown has the commands that cobra adds fail for what they do not know.
func refuseUnknown(root *cobra.Command) {
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd() // which writes where root does now
	for _, cmd := range root.Commands() {
		switch cmd.Name() {
		case "help":
			cmd.Args = func(_ *cobra.Command, args []string) error {
				_, rest, err := root.Find(args)
				if err != nil {
					return err
				}
				return noCommand(nil, rest)
			}
		case "completion":
			cmd.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
			cli.Strict(cmd)
		}
	}
}

func versionCommand(stdout io.Writer) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  cobra.NoArgs,
		Run:   func(*cobra.Command, []string) { fmt.Fprintf(stdout, "datakit %s\n", version()) },
	}
}

func manCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "man DIR",
		Short: "Write the manual pages into a directory",
		Long: `Write the manual pages, one for each command, into a directory, which is made
if it does not exist. They are the texts of --help, and always the same for the
same version.`,
		Example: "  datakit man ~/.local/share/man/man1",
		Args:    cobra.ExactArgs(1),
		RunE:    func(cmd *cobra.Command, args []string) error { return help.WriteMan(cmd.Root(), args[0]) },
	}
}
