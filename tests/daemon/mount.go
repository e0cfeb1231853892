package daemon

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/datakit/datakit/internal/mountpoint"
)

// A Mount is a running "datakit mount".
type Mount struct {
	Dir string // where the tree is mounted

	cmd    *exec.Cmd
	out    buffer
	exited chan struct{} // closed after the program has ended, and err is set
	err    error
}

// MountOn runs "datakit mount" with arguments, on a directory, and returns when
// it says that the tree is mounted. When the test ends so does the mount, come
// what may. The test is skipped where FUSE cannot be used.
func MountOn(tb testing.TB, dir string, args ...string) *Mount {
	tb.Helper()
	if err := mountpoint.CheckFUSE(); err != nil {
		tb.Skip(err)
	}
	m := &Mount{Dir: dir, exited: make(chan struct{})}
	m.cmd = exec.Command(binary, append(append([]string{"mount"}, args...), dir)...)
	m.cmd.Stdout, m.cmd.Stderr = &m.out, &m.out
	m.cmd.Env = append(os.Environ(), "GORACE=halt_on_error=1 exitcode=66 atexit_sleep_ms=0")
	if err := m.cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	go func() {
		m.err = m.cmd.Wait()
		close(m.exited)
	}()
	tb.Cleanup(func() { m.cleanUp(tb) })
	for start := time.Now(); !strings.Contains(m.out.String(), "mounted "); time.Sleep(2 * time.Millisecond) {
		select {
		case <-m.exited:
			if text := m.out.String(); strings.Contains(text, "not allowed here") {
				tb.Skip(text)
			}
			tb.Fatalf("datakit mount ended: %v\n%s", m.err, m.out.String())
		default:
		}
		if time.Since(start) > patience {
			tb.Fatalf("datakit mount does not mount\n%s", m.out.String())
		}
	}
	return m
}

// Signal sends the program a signal. It must have mounted: one that is killed
// while it mounts can stay for ever.
func (m *Mount) Signal(s os.Signal) { m.cmd.Process.Signal(s) }

// Wait waits for the end of the program and returns its exit status, -1 if a
// signal ended it, and what it printed.
func (m *Mount) Wait(tb testing.TB) (status int, out string) {
	tb.Helper()
	if !m.ends() {
		tb.Fatalf("datakit mount does not end\n%s", m.out.String())
	}
	return m.cmd.ProcessState.ExitCode(), m.out.String()
}

func (m *Mount) ends() bool {
	select {
	case <-m.exited:
		return true
	case <-time.After(patience):
		return false
	}
}

// cleanUp detaches the mount, which aborts what waits for it, and ends the
// program. Nothing here waits for long.
func (m *Mount) cleanUp(tb testing.TB) {
	if err := detach(m.Dir); err != nil {
		tb.Error(err)
	}
	m.cmd.Process.Signal(syscall.SIGTERM)
	if !m.ends() {
		tb.Errorf("datakit mount does not end after its mount\n%s", m.out.String())
		m.cmd.Process.Kill()
		m.ends()
	}
}

// detach takes away whatever is mounted on a directory.
func detach(dir string) error {
	done := make(chan error, 1)
	go func() {
		for {
			if _, ok := mountpoint.Of(dir); !ok {
				done <- nil
				return
			}
			if err := mountpoint.Detach(dir); err != nil {
				done <- err
				return
			}
		}
	}()
	select {
	case err := <-done:
		return err
	case <-time.After(patience):
		return fmt.Errorf("cannot unmount %s", dir)
	}
}

// Run runs the program to its end and returns its exit status, -1 if it had to
// be killed, and what it printed.
func Run(tb testing.TB, args ...string) (status int, out string) {
	tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, binary, args...)
	cmd.WaitDelay = time.Second
	text, err := cmd.CombinedOutput()
	if cmd.ProcessState == nil {
		tb.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), string(text)
}
