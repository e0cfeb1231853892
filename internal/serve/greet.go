package serve

import (
	"fmt"
	"net"
	"strconv"
)

// greet says what is served, where, and what can be done with it.
func (s *Server) greet(open listeners) {
	if s.Repository == "" {
		fmt.Fprintln(s.Out, "Serving a database in memory, which is lost when the server ends.")
	} else {
		fmt.Fprintf(s.Out, "Serving the Git repository %s.\n", s.Repository)
	}
	for _, l := range open.files {
		fmt.Fprintf(s.Out, "Listening on %s.\n", where(l.Addr()))
	}
	if open.metrics != nil {
		fmt.Fprintf(s.Out, "Metrics are at http://%s/metrics.\n", open.metrics.Addr())
	}
	for _, l := range open.files {
		if hint := mountHint(l.Addr()); hint != "" {
			fmt.Fprintf(s.Out, "To mount it: %s\n", hint)
			return
		}
	}
}

// where returns an address as the command line takes it, as far as it can be
// written so. It has the port that the system has chosen, if it was asked to.
func where(a net.Addr) string {
	switch a.Network() {
	case "unix":
		return "file://" + a.String()
	case "tcp":
		return "tcp://" + a.String()
	}
	return a.String()
}

// mountHint returns the command that mounts what is served at an address, or
// nothing where there is none.
func mountHint(a net.Addr) string {
	switch a := a.(type) {
	case *net.TCPAddr:
		ip := a.IP.String()
		if a.IP.IsUnspecified() {
			ip = "HOST"
		}
		return fmt.Sprintf("datakit mount --addr tcp://%s DIR", net.JoinHostPort(ip, strconv.Itoa(a.Port)))
	case *net.UnixAddr:
		return fmt.Sprintf("datakit mount --addr file://%s DIR", a)
	}
	return ""
}
