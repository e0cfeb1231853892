package mount

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/datakit/datakit/internal/endpoint"
)

// mountKernel mounts the tree of a server with the kernel's 9P client. The
// kernel has a connection of its own, which is the session of the mount.
func (m *Mount) mountKernel(ctx context.Context, dir string) (*mounted, error) {
	if os.Geteuid() != 0 {
		return nil, errors.New("only root may do that: use sudo")
	}
	source, transport, err := m.kernelSource(ctx)
	if err != nil {
		return nil, err
	}
	uid, gid := os.Getuid(), os.Getgid()
	options := fmt.Sprintf("%s,version=9p2000.L,msize=%d,cache=none,access=any,uname=%s,dfltuid=%d,dfltgid=%d",
		transport, messageSize, UserName(), uid, gid)
	if err := unix.Mount(source, dir, "9p", unix.MS_NODEV|unix.MS_NOSUID, options); err != nil {
		return nil, explainKernel(err)
	}
	return &mounted{how: "the kernel's 9P client", drain: func() {}, finish: func() {}}, nil
}

// kernelSource returns the server as the kernel is told of it, and the options
// that go with it.
func (m *Mount) kernelSource(ctx context.Context) (source, options string, err error) {
	at, err := endpoint.Parse(m.Addr, endpoint.DefaultPort)
	if err != nil {
		return "", "", err
	}
	scheme, rest, _ := strings.Cut(at.String(), "://")
	switch scheme {
	case "tcp":
		host, port, err := net.SplitHostPort(rest)
		if err != nil {
			return "", "", err
		}
		ip, err := Resolve(ctx, host)
		if err != nil {
			return "", "", err
		}
		return ip.String(), "trans=tcp,port=" + port, nil
	case "file", "unix":
		return rest, "trans=unix", nil
	}
	return "", "", fmt.Errorf("it cannot connect to %s", m.Addr)
}

// explainKernel says what the kernel lacks.
func explainKernel(err error) error {
	switch {
	case errors.Is(err, unix.ENODEV):
		return errors.New("this kernel has none, not even as a module (9p)")
	case errors.Is(err, unix.EPERM):
		return errors.New("mounting is not allowed here")
	}
	return err
}
