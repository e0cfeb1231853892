package endpoint

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// A tcp address is a host, which is a name or an IP address, and a port.
type tcp struct {
	host string // without the brackets of an IPv6 address
	port uint16
}

// parseTCP reads what follows "tcp://".
func parseTCP(s string, defaultPort uint16) (Address, error) {
	host, port, hasPort := s, defaultPort, false
	// A colon within brackets belongs to the IPv6 address.
	if i := strings.LastIndexByte(s, ':'); i > strings.LastIndexByte(s, ']') {
		n, err := parsePort(s[i+1:])
		if err != nil {
			return Address{}, err
		}
		host, port, hasPort = s[:i], n, true
	}
	bare, err := parseHost(host)
	if err != nil {
		return Address{}, err
	}
	text := "tcp://" + s
	if !hasPort {
		text += ":" + strconv.Itoa(int(port))
	}
	return Address{text, tcp{bare, port}}, nil
}

// parsePort reads a port: decimal digits and nothing else.
func parsePort(s string) (uint16, error) {
	n, err := strconv.ParseUint(s, 10, 16)
	if err != nil {
		return 0, ErrTCP
	}
	return uint16(n), nil
}

// parseHost checks a host and takes the brackets off an IPv6 address. An empty
// host is refused: what would listen everywhere should not be one slip away.
func parseHost(s string) (string, error) {
	inner, bracketed := strings.CutPrefix(s, "[")
	if !bracketed {
		if s == "" || strings.ContainsAny(s, ":]/ \x00") {
			return "", ErrTCP
		}
		return s, nil
	}
	inner, closed := strings.CutSuffix(inner, "]")
	if addr, err := netip.ParseAddr(inner); !closed || err != nil || !addr.Is6() {
		return "", ErrTCP
	}
	return inner, nil
}

func (t tcp) listen(ctx context.Context) ([]net.Listener, error) {
	ips, err := t.lookup(ctx)
	if err != nil {
		return nil, err
	}
	var ls []net.Listener
	var absent error
	port := t.port
	for _, ip := range ips {
		l, err := listenIP(ctx, netip.AddrPortFrom(ip, port))
		switch {
		case err == nil:
			ls = append(ls, l)
			// With port 0 the first address chooses for the others.
			port = uint16(l.Addr().(*net.TCPAddr).Port)
		case isAbsent(err):
			absent = err
		default:
			closeAll(ls)
			return nil, err
		}
	}
	if len(ls) == 0 {
		return nil, absent
	}
	return ls, nil
}

// lookup returns the addresses of the host, each once, in an order that is
// always the same.
func (t tcp) lookup(ctx context.Context) ([]netip.Addr, error) {
	if ip, err := netip.ParseAddr(t.host); err == nil {
		return []netip.Addr{ip}, nil
	}
	ips, err := net.DefaultResolver.LookupNetIP(ctx, "ip", t.host)
	if err != nil {
		return nil, err
	}
	for i := range ips {
		ips[i] = ips[i].Unmap()
	}
	slices.SortFunc(ips, netip.Addr.Compare)
	return slices.Compact(ips), nil
}

// listenIP listens on one address, and on that only: without naming the family
// 0.0.0.0 would include IPv6.
func listenIP(ctx context.Context, addr netip.AddrPort) (net.Listener, error) {
	network := "tcp6"
	if addr.Addr().Is4() {
		network = "tcp4"
	}
	return new(net.ListenConfig).Listen(ctx, network, addr.String())
}

// isAbsent reports whether listening failed because this machine does not have
// the address. Names often have one too many: localhost is ::1 as well where
// there is no IPv6.
func isAbsent(err error) bool {
	return slices.ContainsFunc(absentErrnos, func(e error) bool { return errors.Is(err, e) })
}

func (t tcp) dial(ctx context.Context) (net.Conn, error) {
	return new(net.Dialer).DialContext(ctx, "tcp", net.JoinHostPort(t.host, strconv.Itoa(int(t.port))))
}
