package endpoint

import (
	"context"
	"encoding/binary"
	"errors"
	"net"

	"github.com/mdlayher/vsock"
)

// The context identifiers of vsock(7) that have a meaning of their own.
const (
	anyCID   = 0xffffffff
	localCID = vsock.Local
	hostCID  = vsock.Host
)

// errVM is returned for a machine that vsock has no number for.
var errVM = errors.New("on Linux the machine must be the loopback, parent or, to accept, any address of Hyper-V")

// cids are the machines that vsock(7), which is what Linux calls the sockets of
// hypervisors, knows as well. It numbers all others by itself, and no rule leads
// from Hyper-V's names to these numbers.
var cids = map[guid]uint32{
	anyVM:      anyCID,
	childVMs:   anyCID, // the best that a host can do
	loopbackVM: localCID,
	parentVM:   hostCID,
}

// port returns the service as a port of vsock: Hyper-V keeps a range of
// services for that, which have the port as their first 32 bits.
func (h hyperv) port() uint32 { return binary.BigEndian.Uint32(h.service[:4]) }

func (h hyperv) addr() net.Addr {
	return &vsock.Addr{ContextID: cids[h.vm], Port: h.port()}
}

// checkDial refuses a machine that can never be connected to.
func (h hyperv) checkDial() error {
	if cid, ok := cids[h.vm]; !ok || cid == anyCID {
		return errVM
	}
	return nil
}

func (h hyperv) dial(ctx context.Context) (net.Conn, error) {
	if err := h.checkDial(); err != nil {
		return nil, err
	}
	return vsock.DialContext(ctx, cids[h.vm], h.port(), nil)
}

func (h hypervAccept) listen(context.Context) ([]net.Listener, error) {
	cid, ok := cids[h.vm]
	if !ok {
		return nil, errVM
	}
	if cid == hostCID {
		cid = anyCID // a guest cannot bind to its host's address
	}
	l, err := vsock.ListenContextID(cid, h.port(), nil)
	if err != nil {
		return nil, err
	}
	return []net.Listener{l}, nil
}
