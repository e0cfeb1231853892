package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/datakit/datakit/internal/mount"
	"github.com/datakit/datakit/p9"
)

// askTime is how long a server may take to say which dialects it speaks.
const askTime = 5 * time.Second

// helperOptions are the options of the mount helper (specification of the
// client API, CL-106 to CL-109).
type helperOptions struct {
	host    string
	port    uint16
	dialect string
}

// mountHelper is the program datakit-mount.
func mountHelper(stdout, stderr io.Writer) *cobra.Command {
	o := new(helperOptions)
	cmd := &cobra.Command{
		Use:   "datakit-mount [DIR]",
		Short: "Mount a served tree with the 9P client of Linux",
		Long: `Mount a served tree with the 9P client of Linux.

DIR is the place to mount at, /db by default. It is made if it does not exist.
What needs an administrator is done with sudo. The exit status is that of mount.`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			dir := "/db"
			if len(args) == 1 {
				dir = args[0]
			}
			return o.mount(cmd.Context(), dir, stdout, stderr)
		},
	}
	f := cmd.Flags()
	f.StringVarP(&o.host, "host", "h", "172.17.0.2", "name or address of the `HOST` that serves")
	f.Uint16VarP(&o.port, "port", "p", 5640, "TCP `PORT` of the server")
	f.StringVar(&o.dialect, "dialect", "", "`DIALECT` of the protocol: 9p2000, 9p2000.u or 9p2000.L (default the last, if the server speaks it, else the first)")
	f.Bool("help", false, "print this text") // -h is the host
	return quietly(cmd)
}

// mount makes dir if it does not exist, and mounts the server on it.
func (o *helperOptions) mount(ctx context.Context, dir string, stdout, stderr io.Writer) error {
	dialect, ok := dialects[o.dialect]
	if !ok {
		return fmt.Errorf("--dialect %q: use 9p2000, 9p2000.u or 9p2000.L", o.dialect)
	}
	if dir == "" {
		return errors.New("DIR is empty")
	}
	ip, err := mount.Resolve(ctx, o.host)
	if err != nil {
		return fmt.Errorf("--host %s: %w", o.host, err)
	}
	if o.dialect == "" && speaksL(ctx, netip.AddrPortFrom(ip, o.port)) {
		dialect = dialects["9p2000.L"]
	}
	if _, err := os.Stat(dir); errors.Is(err, os.ErrNotExist) {
		if err := asAdmin(ctx, stdout, stderr, "mkdir", "-p", "--", dir); err != nil {
			return err
		}
	}
	return asAdmin(ctx, stdout, stderr, "mount", "-t", "9p", "-o", o.kernelOptions(dialect), "--", ip.String(), dir)
}

// dialects are the values of --dialect, and what mount is told for each. The
// empty one is what is used if the server has not said that it speaks the last.
var dialects = map[string]string{
	"":         "noextend",
	"9p2000":   "version=9p2000",
	"9p2000.u": "version=9p2000.u",
	"9p2000.L": "version=9p2000.L",
}

// kernelOptions returns the options for mount.
func (o *helperOptions) kernelOptions(dialect string) string {
	name, uid, gid := mount.UserName(), os.Getuid(), os.Getgid()
	return strings.Join([]string{
		"trans=tcp",
		"port=" + strconv.Itoa(int(o.port)),
		"name=" + name,
		"uname=" + name,
		dialect,
		"nodev",
		fmt.Sprintf("uid=%d", uid),
		fmt.Sprintf("gid=%d", gid),
		fmt.Sprintf("dfltuid=%d", uid),
		fmt.Sprintf("dfltgid=%d", gid),
	}, ",")
}

// speaksL asks a server whether it speaks 9P2000.L. One that cannot be reached
// does not; mount will say so in its own words.
func speaksL(ctx context.Context, server netip.AddrPort) bool {
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	c, err := p9.Dial(ctx, "tcp", server.String(), nil)
	if err != nil {
		return false
	}
	defer c.Close()
	return c.Dialect() == p9.DotL
}

// asAdmin runs a program with the administrator's rights and waits for it. If
// it fails, the error is its exit status.
func asAdmin(ctx context.Context, stdout, stderr io.Writer, argv ...string) error {
	if os.Geteuid() != 0 {
		argv = append([]string{"sudo", "--"}, argv...)
	}
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, stdout, stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() > 0 {
		return statusError(exit.ExitCode())
	}
	return err
}
