package mount

import (
	"context"
	"net"
	"net/netip"
	"os/user"
	"strings"
)

// UserName returns the caller's name, or "user" if it is unknown, or could be
// taken for more options of a mount.
func UserName() string {
	u, err := user.Current()
	if err != nil || u.Username == "" || strings.ContainsAny(u.Username, ", \t\n\\\"") {
		return "user"
	}
	return u.Username
}

// Resolve returns an address of a host, one of IPv4 if there is any: not all
// kernels can mount from the others.
func Resolve(ctx context.Context, host string) (netip.Addr, error) {
	if ip, err := netip.ParseAddr(host); err == nil {
		return ip, nil
	}
	ips, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return netip.Addr{}, err
	}
	for _, ip := range ips {
		if ip := ip.Unmap(); ip.Is4() {
			return ip, nil
		}
	}
	return ips[0], nil
}
