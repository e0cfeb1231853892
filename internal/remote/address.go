package remote

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/go-git/go-git/v5/plumbing/transport"
)

// parse reads what names a repository as git does: what has a colon before any
// slash is a URL or HOST:PATH, anything else a path.
func parse(address string) (*transport.Endpoint, error) {
	colon := strings.IndexByte(address, ':')
	slash := strings.IndexByte(address, '/')
	if filepath.IsAbs(address) || colon < 0 || slash >= 0 && slash < colon {
		return local(address)
	}
	if !strings.Contains(address, "://") {
		return scp(address)
	}
	ep, err := transport.NewEndpoint(address)
	if err != nil {
		return nil, err
	}
	if ep.Protocol == "file" {
		return local(ep.Path)
	}
	return ep, nil
}

// scp reads USER@HOST:PATH, where HOST may be an IPv6 address in brackets. It
// has no port: that is left to the settings of ssh.
func scp(address string) (*transport.Endpoint, error) {
	i := strings.IndexByte(address, ':')
	if open := strings.IndexByte(address, '['); open >= 0 && open < i {
		i = strings.Index(address, "]:") + 1
	}
	if i <= 0 {
		return nil, fmt.Errorf("%q is not HOST:PATH", address)
	}
	user, host, found := strings.Cut(address[:i], "@")
	if !found {
		user, host = "", user
	}
	return &transport.Endpoint{Protocol: "ssh", User: user, Host: host, Path: address[i+1:]}, nil
}

// local returns the endpoint of a path. It is absolute, so that no program
// takes it for an option.
func local(path string) (*transport.Endpoint, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	return &transport.Endpoint{Protocol: "file", Path: abs}, nil
}

// sshTarget returns what ssh is told to connect to. It cannot be an option.
func sshTarget(ep *transport.Endpoint) (string, error) {
	host := strings.Trim(ep.Host, "[]")
	target := host
	if ep.User != "" {
		target = ep.User + "@" + host
	}
	if host == "" || strings.HasPrefix(target, "-") || strings.HasPrefix(host, "-") {
		return "", fmt.Errorf("strange host %q", target)
	}
	return target, nil
}

// sshPath returns the path at an ssh server, where "~" may begin it.
func sshPath(ep *transport.Endpoint) string {
	if strings.HasPrefix(ep.Path, "/~") {
		return ep.Path[1:]
	}
	return ep.Path
}
