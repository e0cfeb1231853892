// Command datakit serves a Git repository as a tree of files over 9P:
//
//	datakit serve --git PATH --url tcp://127.0.0.1:5640
//
// "datakit help" lists all that it does.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
)

func main() {
	ctx, stop := untilSignal()
	defer stop()
	os.Exit(run(ctx, os.Args, os.Stdout, os.Stderr))
}

// untilSignal returns a context that the first SIGINT or SIGTERM ends. The
// second one ends the process (specification, FS-202).
func untilSignal() (context.Context, func()) {
	ctx, cancel := context.WithCancel(context.Background())
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	signal.Ignore(syscall.SIGPIPE)
	go func() {
		<-signals
		cancel()
		<-signals
		os.Exit(1)
	}()
	return ctx, cancel
}

// programs are the commands that the binary is when it is started under
// another name than datakit, as a link to it for instance.
var programs = map[string]func(stdout, stderr io.Writer) *cobra.Command{
	"datakit":       rootCommand,
	"datakit-mount": mountHelperCommand,
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
	if err := cmd.ExecuteContext(ctx); err != nil {
		fmt.Fprintf(stderr, "%s: %v\n", cmd.Name(), err)
		return exitStatus(err)
	}
	return 0
}

func rootCommand(stdout, stderr io.Writer) *cobra.Command {
	root := serveCommand(stdout, stderr)
	root.Use = "datakit"
	root.Short = "A Git-like database, served as a filesystem"
	root.Long = root.Short + `.

Without a command, datakit serves: "datakit --git PATH" is "datakit serve --git
PATH".`
	root.Version = version()
	root.SilenceErrors = true
	root.SilenceUsage = true
	root.SetVersionTemplate("datakit {{.Version}}\n")
	root.AddCommand(serveCommand(stdout, stderr), &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  cobra.NoArgs,
		Run:   func(*cobra.Command, []string) { fmt.Fprintf(stdout, "datakit %s\n", version()) },
	})
	return root
}

// release is the version; the linker sets it for a release.
var release = "0.1.0-dev"

// version returns the version, with the commit it was built from if that is
// known.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return release
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && len(s.Value) > 12 {
			return release + "+" + s.Value[:12]
		}
	}
	return release
}
