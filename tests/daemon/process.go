package daemon

import (
	"context"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A Process is a command of the program that runs in the background.
type Process struct {
	tb       testing.TB
	cmd      *exec.Cmd
	out, err buffer
	exited   chan struct{} // closed after the program has ended
}

// Command starts the program with arguments, as Spawn does.
func Command(tb testing.TB, env []string, args ...string) *Process {
	tb.Helper()
	return Spawn(tb, exec.Command(binary, args...), env)
}

// Spawn starts a command. Its environment is that of the test, changed by env,
// which has "NAME=VALUE", and "NAME=" for none. It is killed when the test ends,
// if it has not ended by then.
func Spawn(tb testing.TB, cmd *exec.Cmd, env []string) *Process {
	tb.Helper()
	p := &Process{tb: tb, cmd: cmd, exited: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr = &p.out, &p.err
	p.cmd.Env = append(os.Environ(), "DATAKIT_VERBOSE=", "GORACE=halt_on_error=1 exitcode=66 atexit_sleep_ms=0")
	p.cmd.Env = append(p.cmd.Env, env...)
	if err := p.cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	go func() { // lives as long as the program
		p.cmd.Wait()
		close(p.exited)
	}()
	tb.Cleanup(func() {
		p.cmd.Process.Kill()
		<-p.exited
		if tb.Failed() {
			tb.Logf("%s\nstdout:\n%s\nstderr:\n%s", strings.Join(p.cmd.Args, " "), p.Out(), p.Err())
		}
	})
	return p
}

// Pid returns the number of the process.
func (p *Process) Pid() int { return p.cmd.Process.Pid }

// Out returns what the program has printed so far.
func (p *Process) Out() string { return p.out.String() }

// Err returns what the program has printed as its standard error so far.
func (p *Process) Err() string { return p.err.String() }

// Signal sends a signal.
func (p *Process) Signal(s syscall.Signal) {
	p.tb.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		p.tb.Errorf("signal %v: %v", s, err)
	}
}

// Wait waits for the end of the program and returns its exit status. A program
// that does not end fails the test, and shows what it waits for.
func (p *Process) Wait() int {
	p.tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	select {
	case <-p.exited:
	case <-ctx.Done():
		p.cmd.Process.Signal(syscall.SIGQUIT)
		<-p.exited
		p.tb.Fatalf("the program does not end")
	}
	return p.cmd.ProcessState.ExitCode()
}

// Stop asks the program to end, and wants the exit status 0.
func (p *Process) Stop() {
	p.tb.Helper()
	p.Signal(syscall.SIGTERM)
	if status := p.Wait(); status != 0 {
		p.tb.Errorf("exit status %d after SIGTERM", status)
	}
}

// Until waits for a condition. It fails the test if the program ends first, or
// after a long time.
func (p *Process) Until(what string, ok func() bool) {
	p.tb.Helper()
	deadline := time.Now().Add(patience)
	for !ok() {
		select {
		case <-p.exited:
			if ok() {
				return
			}
			p.tb.Fatalf("the program ended before %s", what)
		default:
		}
		if time.Now().After(deadline) {
			p.tb.Fatalf("waited %v in vain until %s", patience, what)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// UntilPrints waits until the program has printed a text, as its standard
// output or error.
func (p *Process) UntilPrints(text string) {
	p.tb.Helper()
	p.Until("it prints "+text, func() bool { return strings.Contains(p.Out()+p.Err(), text) })
}

// FreePort returns a TCP port that was free a moment ago.
func FreePort(tb testing.TB) string {
	tb.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	defer l.Close()
	return strconv.Itoa(l.Addr().(*net.TCPAddr).Port)
}
