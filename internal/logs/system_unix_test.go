//go:build unix

package logs

import (
	"log/syslog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// datagrams receives what is sent to a new socket.
func datagrams(t *testing.T) (path string, next func() string) {
	t.Helper()
	dir, err := os.MkdirTemp("", "dk") // t.TempDir can be too long
	if err != nil {
		t.Fatal(err)
	}
	path = filepath.Join(dir, "s")
	c, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close(); os.RemoveAll(dir) })
	return path, func() string {
		t.Helper()
		c.SetReadDeadline(time.Now().Add(10 * time.Second))
		b := make([]byte, 64<<10)
		n, err := c.Read(b)
		if err != nil {
			t.Fatal(err)
		}
		return string(b[:n])
	}
}

// withSystemLog returns logs that write to log.
func withSystemLog(t *testing.T, log systemLog) (*Logs, *strings.Builder) {
	t.Helper()
	stdout := new(strings.Builder)
	l, err := New(Options{Stdout: stdout, Level: Debug})
	if err != nil {
		t.Fatal(err)
	}
	l.out.sink = &systemSink{log, l.out.sink}
	t.Cleanup(func() { l.Close() })
	return l, stdout
}

func TestFS197_Syslog(t *testing.T) {
	t.Parallel()
	path, next := datagrams(t)
	w, err := syslog.Dial("unixgram", path, facility, "datakit")
	if err != nil {
		t.Fatal(err)
	}
	l, stdout := withSystemLog(t, &syslogLog{w})
	app(l, "hello")
	if stdout.String() != "hello\n" {
		t.Errorf("stdout has %q, want hello", stdout)
	}
	log := l.Logger(Server)
	log.Error("m", "k", "v w")
	log.Warn("m")
	log.Info("m")
	log.Debug("m")
	// 24 is the facility 3, daemon, by 8.
	for _, want := range []struct{ priority, text string }{
		{"<29>", "server: hello"}, {"<27>", `server: m k="v w"`}, {"<28>", "server: m"}, {"<30>", "server: m"}, {"<31>", "server: m"},
	} {
		got := strings.TrimSuffix(next(), "\n")
		if !strings.HasPrefix(got, want.priority) || !strings.HasSuffix(got, ": "+want.text) || !strings.Contains(got, " datakit[") {
			t.Errorf("received %q, want %s … datakit[…]: %s", got, want.priority, want.text)
		}
	}
}

func TestFS197_SystemLogThatIsNotThere(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat("/dev/log"); err == nil {
		t.Skip("this machine has a system logger")
	}
	if _, err := New(Options{Destination: "syslog"}); err == nil || !strings.HasPrefix(err.Error(), "log destination syslog: ") {
		t.Errorf("New without a system logger: %v", err)
	}
}
