package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/user"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/datakit/datakit/p9"
)

// mountOptions are the options of the mount helper (specification of the
// client, section 10).
type mountOptions struct {
	host, dialect string
	port          uint16
}

// mountHelperCommand is the program datakit-mount: it mounts a served tree
// with the kernel's 9P client.
func mountHelperCommand(stdout, stderr io.Writer) *cobra.Command {
	o := new(mountOptions)
	cmd := &cobra.Command{
		Use:           "datakit-mount [DIR]",
		Short:         "Mount a served database with the kernel's 9P client",
		Long:          "Mount a served database on DIR, by default /db, with the kernel's 9P client.\nDIR is made if it is missing. Both are done as administrator, with sudo.",
		Version:       version(),
		Args:          cobra.MaximumNArgs(1),
		SilenceErrors: true,
		SilenceUsage:  true,
		RunE: func(cmd *cobra.Command, args []string) error {
			dir := "/db"
			if len(args) == 1 {
				dir = args[0]
			}
			return o.run(cmd.Context(), dir, stdout, stderr)
		},
	}
	f := cmd.Flags()
	f.Bool("help", false, "print this text and exit")
	f.StringVarP(&o.host, "host", "h", "172.17.0.2", "server")
	f.Uint16VarP(&o.port, "port", "p", 5640, "TCP port")
	f.StringVar(&o.dialect, "dialect", "", "9p2000, 9p2000.u or 9p2000.L (default: the best that the server speaks)")
	return cmd
}

func (o *mountOptions) run(ctx context.Context, dir string, stdout, stderr io.Writer) error {
	if o.dialect != "" && o.dialect != "9p2000" && o.dialect != "9p2000.u" && o.dialect != "9p2000.L" {
		return fmt.Errorf("--dialect %q: use 9p2000, 9p2000.u or 9p2000.L", o.dialect)
	}
	addr, err := resolve(ctx, o.host)
	if err != nil {
		return err
	}
	args := append([]string{"-t", "9p", "-o", o.kernelOptions(ctx, addr)}, addr, dir)
	if _, err := os.Stat(dir); errors.Is(err, os.ErrNotExist) {
		if err := asAdministrator(ctx, stdout, stderr, "mkdir", "-p", "--", dir); err != nil {
			return err
		}
	}
	return asAdministrator(ctx, stdout, stderr, "mount", args...)
}

// resolve returns an address of a host, which the kernel needs (CL-109).
func resolve(ctx context.Context, host string) (string, error) {
	if net.ParseIP(host) != nil {
		return host, nil
	}
	addrs, err := net.DefaultResolver.LookupHost(ctx, host)
	if err != nil {
		return "", err
	}
	return addrs[0], nil
}

// kernelOptions returns the options of the mount (CL-107, CL-108).
func (o *mountOptions) kernelOptions(ctx context.Context, addr string) string {
	name, uid, gid := "user", strconv.Itoa(os.Getuid()), strconv.Itoa(os.Getgid())
	if u, err := user.Current(); err == nil && u.Username != "" {
		name = u.Username
	}
	version := "noextend"
	if o.dialect != "" {
		version = "version=" + o.dialect
	} else if speaksLinux(ctx, net.JoinHostPort(addr, strconv.Itoa(int(o.port)))) {
		version = "version=9p2000.L"
	}
	return strings.Join([]string{
		"trans=tcp", "port=" + strconv.Itoa(int(o.port)), "name=" + name, "uname=" + name, version, "nodev",
		"uid=" + uid, "gid=" + gid, "dfltuid=" + uid, "dfltgid=" + gid,
	}, ",")
}

// speaksLinux asks a server whether it speaks 9P2000.L. One that does not
// answer does not; mount will say why.
func speaksLinux(ctx context.Context, address string) bool {
	c, err := p9.Dial(ctx, "tcp", address, nil)
	if err != nil {
		return false
	}
	defer c.Close()
	return c.Dialect() == p9.DotL
}

// asAdministrator runs a program with sudo, or directly if that is not needed.
func asAdministrator(ctx context.Context, stdout, stderr io.Writer, name string, args ...string) error {
	if os.Getuid() != 0 {
		args = append([]string{name}, args...)
		name = "sudo"
	}
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, stdout, stderr
	return cmd.Run()
}

// exitStatus returns the status for an error: that of a program which was run
// and failed, else 1.
func exitStatus(err error) int {
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() > 0 {
		return exit.ExitCode()
	}
	return 1
}
