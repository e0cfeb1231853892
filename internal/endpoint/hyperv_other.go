//go:build !windows && !linux

package endpoint

import (
	"context"
	"errors"
	"net"
)

var errNoHyperV = errors.New("Hyper-V sockets exist on Windows and Linux only")

func (hyperv) addr() net.Addr                         { return nil }
func (hyperv) checkDial() error                       { return errNoHyperV }
func (hyperv) dial(context.Context) (net.Conn, error) { return nil, errNoHyperV }
func (hypervAccept) listen(context.Context) ([]net.Listener, error) {
	return nil, errNoHyperV
}
