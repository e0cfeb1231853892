package endpoint

import (
	"context"
	"errors"
	"fmt"
	"net"
	"testing"
	"time"
)

func TestFS183_TCPAddressOfAHost(t *testing.T) {
	t.Parallel()
	for _, host := range []string{"127.0.0.1", "localhost", "[::1]"} {
		ls, err := mustParse(t, "tcp://"+host+":0").Listen(t.Context())
		if isAbsent(err) {
			t.Logf("%s: %v", host, err)
			continue
		}
		if err != nil {
			t.Fatalf("%s: %v", host, err)
		}
		for _, l := range ls {
			port := l.Addr().(*net.TCPAddr).Port
			a := mustParse(t, fmt.Sprintf("tcp://%s:%d", host, port))
			if len(ls) == 1 {
				exchange(t, l, func() (net.Conn, error) { return a.Dial(t.Context()) })
			}
			exchange(t, l, func() (net.Conn, error) { return net.Dial("tcp", l.Addr().String()) })
		}
		closeAll(ls)
	}
}

func TestFS183_AllAddressesOfAHostHaveOnePort(t *testing.T) {
	t.Parallel()
	ls := mustListen(t, "tcp://localhost:0")
	ips, err := tcp{"localhost", 0}.lookup(t.Context())
	if err != nil || len(ls) > len(ips) {
		t.Fatalf("%d listeners for addresses %v, %v", len(ls), ips, err)
	}
	for _, l := range ls {
		if got, want := l.Addr().(*net.TCPAddr).Port, ls[0].Addr().(*net.TCPAddr).Port; got != want {
			t.Errorf("%s has port %d, want %d", l.Addr(), got, want)
		}
	}
}

func TestFS183_AddressIsReusableAtOnce(t *testing.T) {
	t.Parallel()
	l := mustListen(t, "tcp://127.0.0.1:0")[0]
	again := fmt.Sprint("tcp://", l.Addr())
	if _, err := mustParse(t, again).Listen(t.Context()); err == nil {
		t.Fatalf("%s can be listened on twice", again)
	}
	// A connection that the server ends first is what keeps a port busy.
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	s, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	s.Close()
	l.Close()
	mustListen(t, again)
}

// TestFS188_Backlog connects 128 times before anybody accepts.
func TestFS188_Backlog(t *testing.T) {
	t.Parallel()
	l := mustListen(t, "tcp://127.0.0.1:0")[0]
	d := net.Dialer{Timeout: 10 * time.Second}
	for i := range 128 {
		c, err := d.DialContext(t.Context(), "tcp", l.Addr().String())
		if err != nil {
			t.Fatalf("connection %d: %v", i+1, err)
		}
		defer c.Close()
	}
	for i := range 128 {
		c, err := l.Accept()
		if err != nil {
			t.Fatalf("accept %d: %v", i+1, err)
		}
		c.Close()
	}
}

func TestFS183_UnknownHostIsAnError(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel() // the name must not be looked up for long, wherever the test runs
	if _, err := mustParse(t, "tcp://no-such-host.invalid").Listen(ctx); err == nil {
		t.Error("Listen on a host that does not exist succeeded")
	}
}

func TestFS187_ConnectorConnectsAgain(t *testing.T) {
	t.Parallel()
	dials, pauses := 0, 0
	fail := []bool{false, true, true, false}
	c := newConnector(func(context.Context) (net.Conn, error) {
		dials++
		if fail[dials-1] {
			return nil, errors.New("refused")
		}
		near, far := net.Pipe()
		far.Close()
		return near, nil
	}, nil)
	now := make(chan time.Time)
	close(now)
	c.pause = func() <-chan time.Time { pauses++; return now }
	defer c.Close()

	first, err := c.Accept()
	if err != nil || dials != 1 {
		t.Fatalf("first Accept: %v after %d attempts", err, dials)
	}
	first.Close()
	first.Close() // gives only one place back
	second, err := c.Accept()
	if err != nil || dials != 4 || pauses != 2 {
		t.Fatalf("second Accept: %v after %d attempts and %d pauses, want 4 and 2", err, dials, pauses)
	}
	select {
	case <-c.free:
		t.Error("a third connection would be made while the second is open")
	default:
	}
	second.Close()
}

func TestFS187_ClosedConnectorStops(t *testing.T) {
	t.Parallel()
	dialing := make(chan struct{})
	c := newConnector(func(ctx context.Context) (net.Conn, error) {
		close(dialing)
		<-ctx.Done()
		return nil, ctx.Err()
	}, nil)
	result := make(chan error)
	go func() {
		_, err := c.Accept()
		result <- err
	}()
	<-dialing
	c.Close()
	if err := <-result; !errors.Is(err, net.ErrClosed) {
		t.Errorf("Accept = %v, want %v", err, net.ErrClosed)
	}
	if _, err := c.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Accept after Close = %v, want %v", err, net.ErrClosed)
	}
}
