package endpoint

import (
	"context"
	"net"
	"strings"
)

// A hyperv address is a service of a virtual machine.
type hyperv struct {
	vm, service guid
}

// hypervAccept listens on the service, hypervConnect connects to it and serves
// whoever is at the other end.
type (
	hypervAccept  struct{ hyperv }
	hypervConnect struct{ hyperv }
)

func parseHyperVAccept(s string) (transport, error) {
	h, err := parseHyperV(s)
	return hypervAccept{h}, err
}

func parseHyperVConnect(s string) (transport, error) {
	h, err := parseHyperV(s)
	return hypervConnect{h}, err
}

// parseHyperV reads VMID/SERVICE, either of which may be missing.
func parseHyperV(s string) (hyperv, error) {
	h := hyperv{loopbackVM, defaultService}
	vm, service, _ := strings.Cut(s, "/")
	ok := true
	if vm != "" {
		h.vm, ok = parseGUID(vm)
	}
	if ok && service != "" {
		h.service, ok = parseGUID(service)
	}
	if !ok {
		return hyperv{}, ErrInvalid
	}
	return h, nil
}

func (h hypervConnect) listen(context.Context) ([]net.Listener, error) {
	if err := h.checkDial(); err != nil {
		return nil, err
	}
	return []net.Listener{newConnector(h.dial, h.addr())}, nil
}
