package endpoint

import (
	"context"
	"net"

	"github.com/Microsoft/go-winio"
	winguid "github.com/Microsoft/go-winio/pkg/guid"
)

func (h hyperv) addr() net.Addr {
	return &winio.HvsockAddr{
		VMID:      winguid.FromArray(h.vm),
		ServiceID: winguid.FromArray(h.service),
	}
}

func (h hyperv) dial(ctx context.Context) (net.Conn, error) {
	return winio.Dial(ctx, h.addr().(*winio.HvsockAddr))
}

// checkDial finds nothing: every machine can be tried.
func (h hyperv) checkDial() error { return nil }

func (h hypervAccept) listen(context.Context) ([]net.Listener, error) {
	l, err := winio.ListenHvsock(h.addr().(*winio.HvsockAddr))
	if err != nil {
		return nil, err
	}
	return []net.Listener{l}, nil
}
