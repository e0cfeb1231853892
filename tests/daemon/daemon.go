// Package daemon runs the real datakit program for end-to-end tests, and
// speaks to it with a 9P client that is not the project's own.
package daemon

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"
)

// patience is how long a test waits for what should happen at once.
const patience = 30 * time.Second

// binary is the program built by Main.
var binary string

// Main builds the program, runs the tests of a package and returns the exit
// status. Call it from TestMain. With race the program has the race detector,
// and a race ends it with a status of its own.
func Main(m *testing.M, race bool) int {
	dir, err := os.MkdirTemp("", "datakit-bin")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	binary = filepath.Join(dir, "datakit")
	args := []string{"build", "-o", binary}
	if race {
		args = append(args, "-race")
	}
	build := exec.Command("go", append(args, "github.com/datakit/datakit/cmd/datakit")...)
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n%s", build, err, out)
		return 1
	}
	return m.Run()
}

// Program returns the path of the program built by Main, which is called
// datakit.
func Program() string { return binary }

// A Daemon is a running server.
type Daemon struct {
	Addr string // the path of its Unix socket
	Port int    // its TCP port on the loopback address, with WithTCP

	cmd    *exec.Cmd
	out    buffer
	exited chan struct{} // closed after the program has ended, and err is set
	err    error
}

// An Option changes how a Daemon is started.
type Option func(*setup)

type setup struct{ tcp bool }

// WithTCP has the server listen on a free TCP port, too.
func WithTCP() Option { return func(s *setup) { s.tcp = true } }

// Launch serves the repository repo on the Unix socket addr and returns when
// it answers. The caller ends it with Stop or Kill.
func Launch(repo, addr string, opts ...Option) (*Daemon, error) {
	var set setup
	for _, o := range opts {
		o(&set)
	}
	d := &Daemon{Addr: addr, exited: make(chan struct{})}
	urls := "file://" + addr
	d.cmd = exec.Command(binary)
	if set.tcp {
		l, err := net.ListenTCP("tcp4", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
		if err != nil {
			return nil, err
		}
		defer l.Close()
		f, err := l.File()
		if err != nil {
			return nil, err
		}
		defer f.Close()
		d.cmd.ExtraFiles = []*os.File{f}
		d.Port = l.Addr().(*net.TCPAddr).Port
		urls += ",fd://3"
	}
	d.cmd.Args = []string{"datakit", "serve", "--git", repo, "--listen-9p", urls}
	d.cmd.Stdout, d.cmd.Stderr = &d.out, &d.out
	d.cmd.Env = append(os.Environ(), "GORACE=halt_on_error=1 exitcode=66")
	if err := d.cmd.Start(); err != nil {
		return nil, err
	}
	go d.reap()
	return d, d.await()
}

// reap waits for the end of the program, which owns this goroutine.
func (d *Daemon) reap() {
	d.err = d.cmd.Wait()
	close(d.exited)
}

// await returns when the server accepts connections.
func (d *Daemon) await() error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for {
		c, err := net.Dial("unix", d.Addr)
		if err == nil {
			return c.Close()
		}
		select {
		case <-d.exited:
			return fmt.Errorf("the server ended: %w\n%s", d.err, d.out.String())
		case <-ctx.Done():
			d.Kill()
			return fmt.Errorf("the server does not listen: %w\n%s", err, d.out.String())
		case <-tick.C:
		}
	}
}

// Start is Launch for a test, with a socket of its own. The server is stopped
// when the test ends, and must then end well.
func Start(tb testing.TB, repo string, opts ...Option) *Daemon {
	tb.Helper()
	dir, err := os.MkdirTemp("", "dk") // short: the path of a socket is limited
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { os.RemoveAll(dir) })
	d, err := Launch(repo, filepath.Join(dir, "s"), opts...)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := d.Stop(); err != nil {
			tb.Error(err)
		}
	})
	return d
}

// Stop asks the program to end, waits for it, and returns an error with what
// it printed if its status is not 0.
func (d *Daemon) Stop() error {
	d.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-d.exited:
	case <-time.After(patience):
		d.cmd.Process.Signal(syscall.SIGQUIT) // shows what it waits for
		<-d.exited
	}
	if d.err != nil {
		return fmt.Errorf("the server ended with %w\n%s", d.err, d.out.String())
	}
	return nil
}

// Kill ends the program at once, as a crash would, and waits for it.
func (d *Daemon) Kill() {
	d.cmd.Process.Kill()
	<-d.exited
}

// Running returns an error, with what the program printed, if it has ended.
func (d *Daemon) Running() error {
	select {
	case <-d.exited:
		return errors.Join(fmt.Errorf("the server ended early\n%s", d.out.String()), d.err)
	default:
		return nil
	}
}

// A buffer is a bytes.Buffer for several goroutines.
type buffer struct {
	mu sync.Mutex // guards b
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}
