// Package endpoint has the addresses that a server can be reached at: how they
// are written (specification of the filesystem, section 7.2), and how to listen
// on one and connect to one.
package endpoint

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
)

// DefaultPort is the TCP port of a server whose address does not tell one.
const DefaultPort = 5640

// The errors of Parse.
var (
	// ErrInvalid is returned for what has none of the forms of an address.
	ErrInvalid = errors.New("invalid endpoint")

	// ErrTCP is returned for a TCP address without a host, or whose port is
	// no port number.
	ErrTCP = errors.New("use tcp://host:port")
)

// An Address is where a server listens. The zero Address is not valid.
type Address struct {
	text      string
	transport transport
}

// A transport is what one form of address does.
type transport interface {
	// listen opens the listeners of the address, at least one.
	listen(ctx context.Context) ([]net.Listener, error)

	// dial connects to a server at the address.
	dial(ctx context.Context) (net.Conn, error)
}

// forms are the forms of addresses, by what each begins with.
var forms = []struct {
	prefix string
	parse  func(rest string) (transport, error)
}{
	{"file://", parseUnix},
	{"unix://", parseUnix},
	{"fd://", parseFD},
	{"hyperv-connect://", parseHyperVConnect},
	{"hyperv-accept://", parseHyperVAccept},
}

// Parse reads an address:
//
//	tcp://HOST:PORT                 TCP on all addresses of HOST; defaultPort
//	tcp://HOST                      where there is no port
//	file://PATH                     a Unix domain socket, also with unix://
//	fd://N                          a listening socket that was inherited
//	\\SERVER\pipe\NAME              a named pipe of Windows
//	hyperv-connect://VMID/SERVICE   connect to a Hyper-V socket, serve on it
//	hyperv-accept://VMID/SERVICE    listen on a Hyper-V socket
//
// Every form parses on every system; Listen refuses what the system lacks.
func Parse(s string, defaultPort uint16) (Address, error) {
	if rest, ok := strings.CutPrefix(s, "tcp://"); ok {
		return parseTCP(rest, defaultPort)
	}
	if strings.HasPrefix(s, `\\`) {
		return Address{s, pipe(s)}, nil
	}
	for _, f := range forms {
		if rest, ok := strings.CutPrefix(s, f.prefix); ok {
			t, err := f.parse(rest)
			return Address{s, t}, err
		}
	}
	return Address{}, ErrInvalid
}

// String returns the address as it was given to Parse, with the port if it is
// a TCP address.
func (a Address) String() string { return a.text }

// Listen opens the address: usually one listener, and one for each of its
// addresses where a host has several. ctx ends the opening, not the listeners.
func (a Address) Listen(ctx context.Context) ([]net.Listener, error) {
	if a.transport == nil {
		return nil, ErrInvalid
	}
	ls, err := a.transport.listen(ctx)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", a, err)
	}
	return ls, nil
}

// Dial connects to the server that listens at the address.
func (a Address) Dial(ctx context.Context) (net.Conn, error) {
	if a.transport == nil {
		return nil, ErrInvalid
	}
	c, err := a.transport.dial(ctx)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", a, err)
	}
	return c, nil
}

// closeAll closes the listeners opened before a further one failed.
func closeAll(ls []net.Listener) {
	for _, l := range ls {
		l.Close()
	}
}
