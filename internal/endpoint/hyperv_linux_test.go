package endpoint

import (
	"errors"
	"net"
	"testing"
)

func TestFS187_ServicesHavePorts(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		service guid
		port    uint32
	}{
		{someService, 0xace9},
		{defaultService, 0xc378280d},
	} {
		if got := (hyperv{service: tt.service}).port(); got != tt.port {
			t.Errorf("port of %x = %#x, want %#x", tt.service, got, tt.port)
		}
	}
}

func TestFS187_UnknownMachinesAreRefused(t *testing.T) {
	t.Parallel()
	for _, s := range []string{
		"hyperv-accept://" + someVMText,
		"hyperv-connect://" + someVMText,
		"hyperv-connect://00000000-0000-0000-0000-000000000000",
	} {
		if _, err := mustParse(t, s).Listen(t.Context()); !errors.Is(err, errVM) {
			t.Errorf("Listen on %s = %v, want %v", s, err, errVM)
		}
	}
}

func TestFS187_AcceptAndConnect(t *testing.T) {
	t.Parallel()
	const service = "hyperv-accept:///0000b001-facb-11e6-bd58-64006a7986d3"
	ls, err := mustParse(t, service).Listen(t.Context())
	if err != nil {
		t.Skipf("this machine has no vsock: %v", err)
	}
	defer closeAll(ls)
	// The other end serves the connections that it makes.
	connector := mustListen(t, "hyperv-connect:///0000b001-facb-11e6-bd58-64006a7986d3")[0]
	for range 2 {
		exchange(t, ls[0], func() (net.Conn, error) { return connector.Accept() })
	}
}
