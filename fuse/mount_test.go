//go:build linux || darwin

package fuse_test

import (
	"bufio"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/datakit/datakit/internal/mountpoint"
)

func TestFS92_FS119_Commit(t *testing.T) {
	t.Parallel()
	m := start(t)
	m.is("ls", "branch\ncommits\ndebug\nremotes\nsnapshots\ntrees")
	m.sh(`mkdir branch/b branch/b/transactions/t && cd branch/b/transactions/t &&
		echo hi >rw/f && echo msg >msg && echo commit >ctl`)
	m.is("cat branch/b/ro/f snapshots/$(cat branch/b/head)/msg", "hi\nmsg\n")
	m.is("ls branch/b/transactions", "")
}

// TestFS10_ChangesElsewhere: nothing that can change is kept by the kernel.
func TestFS10_ChangesElsewhere(t *testing.T) {
	t.Parallel()
	m := start(t)
	for _, text := range []string{"one", "two", "three-and-longer", "4"} {
		m.tell("put b f %s", text)
		m.is("cat branch/b/ro/f", text)
		m.is("stat -c %s branch/b/ro/f || stat -f %z branch/b/ro/f", strconv.Itoa(len(text)))
		m.is("cat snapshots/$(cat branch/b/head)/ro/f", text)
	}
	m.is("ls branch/b/ro/new 2>/dev/null; ls branch/b/ro", "f")
	m.tell("put b new x")
	m.is("ls branch/b/ro", "f\nnew")
	m.tell("rm b f")
	m.is("cat branch/b/ro/f 2>/dev/null; ls branch/b/ro", "new")
	m.tell("put b f/g x") // a file becomes a directory
	m.is("cat branch/b/ro/f/g", "x")
}

// A reader is a cat of a file.
type reader struct {
	m    *mount
	cmd  *exec.Cmd
	out  chan string
	done chan error
}

func (m *mount) cat(file string) *reader {
	m.t.Helper()
	r := &reader{m: m, cmd: exec.Command("cat", filepath.Join(m.dir, file)), out: make(chan string, 100), done: make(chan error, 1)}
	out, in, err := os.Pipe()
	if err != nil {
		m.t.Fatal(err)
	}
	r.cmd.Stdout, r.cmd.Stderr = in, in
	if err := r.cmd.Start(); err != nil {
		m.t.Fatal(err)
	}
	in.Close()
	go func() {
		defer out.Close()
		lines := bufio.NewReader(out)
		for {
			line, err := lines.ReadString('\n')
			if err != nil {
				break
			}
			r.out <- strings.TrimSuffix(line, "\n")
		}
		r.done <- r.cmd.Wait()
	}()
	m.t.Cleanup(func() { r.cmd.Process.Kill() })
	return r
}

func (r *reader) next() string {
	r.m.t.Helper()
	select {
	case line := <-r.out:
		return line
	case <-time.After(patience):
		r.m.t.Fatal("nothing is delivered")
		return ""
	}
}

func (r *reader) wait() error {
	r.m.t.Helper()
	select {
	case err := <-r.done:
		return err
	case <-time.After(patience):
		r.m.t.Fatal("cat does not end")
		return nil
	}
}

func TestFS51_FS75_HeadLive(t *testing.T) {
	t.Parallel()
	m := start(t)
	m.tell("put b f 1")
	r, other := m.cat("branch/b/head.live"), m.cat("branch/b/head.live")
	for _, text := range []string{"2", "3"} {
		head := m.sh("cat branch/b/head")
		if a, b := r.next(), other.next(); a != head || b != head {
			t.Errorf("delivered %q and %q, want %q", a, b, head)
		}
		m.tell("put b f %s", text)
	}
}

// TestFS82_CtrlC interrupts reads that wait.
func TestFS82_CtrlC(t *testing.T) {
	t.Parallel()
	m := start(t)
	m.tell("put b f 1")
	for _, file := range []string{"branch/b/head.live", "branch/b/watch/f.node/tree.live"} {
		r := m.cat(file)
		r.next()
		if got := m.tell("open"); got != "0 transactions, 1 streams" {
			t.Error(got)
		}
		r.cmd.Process.Signal(os.Interrupt)
		var exit *exec.ExitError
		if err := r.wait(); !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGINT {
			t.Errorf("cat %s ended with %v", file, err)
		}
		m.until("0 transactions, 0 streams", func() string { return m.tell("open") })
	}
}

// until waits until got returns want.
func (m *mount) until(want string, got func() string) {
	m.t.Helper()
	for start := time.Now(); got() != want; time.Sleep(5 * time.Millisecond) {
		if time.Since(start) > patience {
			m.t.Fatalf("got %q, want %q", got(), want)
		}
	}
}

// TestFS82_InterruptedReadLosesNothing: a reader that gets a signal that it
// handles goes on where it was.
func TestFS82_InterruptedReadLosesNothing(t *testing.T) {
	t.Parallel()
	m := start(t)
	m.tell("put b f 1")
	f, err := os.Open(filepath.Join(m.dir, "branch/b/head.live"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines := make(chan string)
	go func() {
		in := bufio.NewScanner(f)
		for in.Scan() {
			lines <- in.Text()
		}
		close(lines)
	}()
	for i := range 3 {
		want := m.sh("cat branch/b/head")
		if got := <-lines; got != want {
			t.Fatalf("delivered %q, want %q", got, want)
		}
		for range 10 {
			syscall.Kill(os.Getpid(), syscall.SIGURG) // as the runtime does
		}
		m.tell("put b f %d", i+2)
	}
	<-lines
	m.tell("drain")
	if line, ok := <-lines; ok {
		t.Errorf("delivered %q", line)
	}
}

// TestFS178_Drain unmounts while reads wait and a transaction is open.
func TestFS178_Drain(t *testing.T) {
	t.Parallel()
	m := start(t)
	m.tell("put b f 1")
	m.sh("mkdir branch/b/transactions/t && echo x >branch/b/transactions/t/rw/x")
	r := m.cat("branch/b/head.live")
	r.next()
	if err := mountpoint.Unmount(m.dir); !errors.Is(err, mountpoint.ErrBusy) {
		t.Errorf("Unmount of what is in use = %v", err)
	}
	m.tell("drain")
	if line := r.next(); !strings.Contains(line, "nput/output error") {
		t.Errorf("cat says %q", line)
	}
	r.wait()
	m.until("", func() string {
		if err := mountpoint.Unmount(m.dir); err != nil {
			return err.Error()
		}
		return ""
	})
	m.endsWell()
}

// endsWell waits for the end of the server, which must have left nothing.
func (m *mount) endsWell() {
	m.t.Helper()
	if line := m.line(); line != "left: 0 transactions, 0 streams" {
		m.t.Error(line)
	}
	if !m.hasEnded(patience) || m.err != nil {
		m.t.Errorf("the server ended with %v", m.err)
	}
}

// TestFS178_Detach takes the mount away from those who use it.
func TestFS178_Detach(t *testing.T) {
	t.Parallel()
	m := start(t)
	m.tell("put b f 1")
	m.sh("mkdir branch/b/transactions/t")
	r := m.cat("branch/b/reflog")
	m.until("1 transactions, 1 streams", func() string { return m.tell("open") })
	if err := mountpoint.Detach(m.dir); err != nil {
		t.Fatal(err)
	}
	r.wait()
	m.endsWell()
	if _, ok := mountpoint.Of(m.dir); ok {
		t.Error("it is still mounted")
	}
}

// TestFS40_OpenFileKeepsItsContent reads a file of a branch that moves.
func TestFS40_OpenFileKeepsItsContent(t *testing.T) {
	t.Parallel()
	m := start(t)
	m.tell("put b f old")
	f, err := os.Open(filepath.Join(m.dir, "branch/b/ro/f"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	m.tell("put b f newer")
	m.is("cat branch/b/ro/f", "newer")
	if got, err := io.ReadAll(f); string(got) != "old" || err != nil {
		t.Errorf("read %q, %v", got, err)
	}
}
