package endpoint

import (
	"errors"
	"net"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	someVM      = mustGUID("01234567-89ab-cdef-0123-456789abcdef")
	someService = mustGUID("0000ace9-facb-11e6-bd58-64006a7986d3")
)

const (
	someVMText      = "01234567-89AB-cdef-0123-456789abcdef"
	someServiceText = "0000ACE9-facb-11e6-bd58-64006a7986d3"
)

// addresses has each form, what it means, and how it prints if not as given.
var addresses = []struct {
	in, out string
	want    transport
}{
	{"tcp://localhost:1234", "", tcp{"localhost", 1234}},
	{"tcp://localhost", "tcp://localhost:123", tcp{"localhost", 123}},
	{"tcp://127.0.0.1", "tcp://127.0.0.1:123", tcp{"127.0.0.1", 123}},
	{"tcp://[::1]", "tcp://[::1]:123", tcp{"::1", 123}},
	{"tcp://[::1]:0080", "", tcp{"::1", 80}},
	{"tcp://[fe80::1%eth0]:5640", "", tcp{"fe80::1%eth0", 5640}},
	{"tcp://h.example:0", "", tcp{"h.example", 0}},
	{"tcp://h:65535", "", tcp{"h", 65535}},
	{"file://foo/bar", "", unix("foo/bar")},
	{"file:///var/run/d.sock", "", unix("/var/run/d.sock")},
	{"file://a b?c#d%20", "", unix("a b?c#d%20")},
	{"unix:///x", "", unix("/x")},
	{"fd://3", "", fd(3)},
	{"fd://0", "", fd(0)},
	{`\\.\pipe\datakit`, "", pipe(`\\.\pipe\datakit`)},
	{`\\`, "", pipe(`\\`)},
	{"hyperv-accept://", "", hypervAccept{hyperv{loopbackVM, defaultService}}},
	{"hyperv-accept:///", "", hypervAccept{hyperv{loopbackVM, defaultService}}},
	{"hyperv-connect://" + someVMText, "", hypervConnect{hyperv{someVM, defaultService}}},
	{"hyperv-connect://" + someVMText + "/", "", hypervConnect{hyperv{someVM, defaultService}}},
	{"hyperv-accept:///" + someServiceText, "", hypervAccept{hyperv{loopbackVM, someService}}},
	{"hyperv-connect://" + someVMText + "/" + someServiceText, "", hypervConnect{hyperv{someVM, someService}}},
}

func TestFS182_AddressesParseAndPrint(t *testing.T) {
	t.Parallel()
	for _, tt := range addresses {
		a, err := Parse(tt.in, 123)
		if err != nil {
			t.Errorf("Parse(%q): %v", tt.in, err)
			continue
		}
		if a.transport != tt.want {
			t.Errorf("Parse(%q) = %#v, want %#v", tt.in, a.transport, tt.want)
		}
		out := tt.out
		if out == "" {
			out = tt.in
		}
		if a.String() != out {
			t.Errorf("Parse(%q) prints as %q, want %q", tt.in, a, out)
		}
	}
}

func TestFST31_AddressesPrintAsGiven(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"tcp://localhost:1234": "tcp://localhost:1234",
		"file://foo/bar":       "file://foo/bar",
		"tcp://localhost":      "tcp://localhost:123",
	} {
		if a, err := Parse(in, 123); err != nil || a.String() != want {
			t.Errorf("Parse(%q) = %s, %v, want %s", in, a, err, want)
		}
	}
}

func TestFS182_OtherFormsAreRefused(t *testing.T) {
	t.Parallel()
	const useTCP, invalid = "use tcp://host:port", "invalid endpoint"
	for in, want := range map[string]string{
		"tcp://localhost:":          useTCP,
		"tcp://localhost:http":      useTCP,
		"tcp://localhost:-1":        useTCP,
		"tcp://localhost:+1":        useTCP,
		"tcp://localhost:65536":     useTCP,
		"tcp://localhost:1 ":        useTCP,
		"tcp://":                    useTCP,
		"tcp://:5640":               useTCP,
		"tcp://::1":                 useTCP,
		"tcp://[::1":                useTCP,
		"tcp://[::1]x:1":            useTCP,
		"tcp://[127.0.0.1]:1":       useTCP,
		"tcp://a:b:1":               useTCP,
		"":                          invalid,
		"localhost":                 invalid,
		"localhost:5640":            invalid,
		"tcp:localhost":             invalid,
		"TCP://localhost":           invalid,
		"http://localhost":          invalid,
		"file:/foo":                 invalid,
		"file://":                   invalid,
		"file://a\x00b":             invalid,
		`\.\pipe\x`:                 invalid,
		"hyperv://x":                invalid,
		"hyperv-accept://x":         invalid,
		"hyperv-accept:////":        invalid,
		"hyperv-connect:///1-2-3-4": invalid,
		"hyperv-connect://" + strings.ReplaceAll(someVMText, "-", "0"): invalid,
		"fd://":   "use fd://N, where N is the number of a file descriptor",
		"fd://x":  "use fd://N, where N is the number of a file descriptor",
		"fd://-1": "use fd://N, where N is the number of a file descriptor",
	} {
		if a, err := Parse(in, 123); err == nil || err.Error() != want {
			t.Errorf("Parse(%q) = %s, %v, want error %q", in, a, err, want)
		}
	}
}

func TestZeroAddressIsInvalid(t *testing.T) {
	t.Parallel()
	if _, err := (Address{}).Listen(t.Context()); !errors.Is(err, ErrInvalid) {
		t.Errorf("Listen = %v, want %v", err, ErrInvalid)
	}
	if _, err := (Address{}).Dial(t.Context()); !errors.Is(err, ErrInvalid) {
		t.Errorf("Dial = %v, want %v", err, ErrInvalid)
	}
}

// FuzzParse checks that an address that parses prints as what parses to the
// same again.
func FuzzParse(f *testing.F) {
	for _, tt := range addresses {
		f.Add(tt.in)
	}
	f.Fuzz(func(t *testing.T, in string) {
		a, err := Parse(in, 123)
		if err != nil {
			return
		}
		b, err := Parse(a.String(), 456)
		if err != nil || a != b {
			t.Fatalf("%q prints as %q, which is %v, %v", in, a, b, err)
		}
		if !strings.HasPrefix(a.String(), in) {
			t.Fatalf("%q prints as %q", in, a)
		}
	})
}

// mustParse is Parse of an address that the test knows to be good.
func mustParse(t *testing.T, s string) Address {
	t.Helper()
	a, err := Parse(s, DefaultPort)
	if err != nil {
		t.Fatalf("Parse(%q): %v", s, err)
	}
	return a
}

// mustListen opens an address until the end of the test.
func mustListen(t *testing.T, s string) []net.Listener {
	t.Helper()
	ls, err := mustParse(t, s).Listen(t.Context())
	if err != nil {
		t.Fatalf("Listen: %v", err)
	}
	t.Cleanup(func() { closeAll(ls) })
	return ls
}

// exchange sends a word from a new connection to l and wants it to arrive.
func exchange(t *testing.T, l net.Listener, dial func() (net.Conn, error)) {
	t.Helper()
	c, err := dial()
	if err != nil {
		t.Fatalf("connect to %s: %v", l.Addr(), err)
	}
	defer c.Close()
	s, err := l.Accept()
	if err != nil {
		t.Fatalf("accept on %s: %v", l.Addr(), err)
	}
	defer s.Close()
	if _, err := c.Write([]byte("ping")); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, 8)
	if n, err := s.Read(got); string(got[:n]) != "ping" {
		t.Fatalf("read %q, %v, want ping", got[:n], err)
	}
}
