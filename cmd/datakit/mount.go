package main

import (
	"io"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/datakit/datakit/internal/cli"
	"github.com/datakit/datakit/internal/logs"
	"github.com/datakit/datakit/internal/mount"
	"github.com/datakit/datakit/internal/serve"
)

func mountCommand(stdout, stderr io.Writer) *cobra.Command {
	m := &mount.Mount{Out: stdout}
	var from cli.Target
	var via string
	cmd := &cobra.Command{
		Use:   "mount [--addr ADDRESS | --git PATH] DIR",
		Short: "Mount the tree of a server, or of a repository, on a directory",
		Long: `Mount the tree of a server, or of a repository, on a directory.

A server's tree is mounted with the 9P client of the kernel, if it has one and
the user is root, and else with FUSE; a repository's always with FUSE. DIR must
be an empty directory.

The command says "mounted" when DIR can be used, and stays until it is unmounted
by Ctrl-C (SIGINT), SIGTERM, SIGHUP or umount, or the server is gone.
Transactions that are open then are discarded. Who still uses DIR at a signal
gets errors after a few seconds; a second signal does not wait for that.`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 {
				return cli.Usagef("name one directory to mount on; usage: %s", cmd.UseLine())
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			switch m.Via = mount.Via(via); m.Via {
			case mount.Auto, mount.Kernel, mount.FUSE:
			default:
				return cli.Usagef("--via %q: use auto, kernel or fuse", via)
			}
			addr, err := from.Address()
			if err != nil {
				return err
			}
			log, err := logs.New(logs.Options{Level: logs.Warning, Stdout: stdout, Stderr: stderr})
			if err != nil {
				return err
			}
			defer log.Close()
			m.Log, m.Sources = log.Logger(logs.Server), serve.LogSources(log)
			m.Addr, m.Dir = addr, args[0]
			m.AtForce = func(do func()) func() { return beforeExit(cmd.Context(), do) }
			ctx, stop := cmd.Context(), func() {}
			if !signal.Ignored(syscall.SIGHUP) { // as nohup would have it
				ctx, stop = signal.NotifyContext(ctx, syscall.SIGHUP)
			}
			defer stop()
			return cli.Explain(m.Run(ctx))
		},
	}
	from.Flags(cmd)
	f := cmd.Flags()
	f.StringVar(&via, "via", string(mount.Auto), "`HOW` to mount: kernel, fuse, or auto for the first that is possible")
	f.BoolVar(&m.AllowOther, "allow-other", false, "let other users look at the tree, with FUSE")
	f.BoolVar(&m.Full, "nonempty", false, "mount on a directory that is not empty")
	return cmd
}
