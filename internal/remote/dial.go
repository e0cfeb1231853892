package remote

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/go-git/go-git/v5/plumbing/transport"

	"github.com/datakit/datakit/internal/shell"
)

// A conn is a connection to the program at the other end that serves a
// repository. When the context that it was made with is done, it is cut, and
// everything on it fails.
type conn interface {
	io.ReadWriter

	// CloseWrite tells the program that nothing more comes.
	CloseWrite() error

	// Close ends the connection and waits for what was started for it.
	Close() error

	// Complaint returns what the program had to say beside the protocol.
	Complaint() string
}

// dial connects to the program named service, such as "upload-pack", at an
// endpoint.
func dial(ctx context.Context, ep *transport.Endpoint, service string) (conn, error) {
	switch ep.Protocol {
	case "file":
		return startGit(ctx, ep, service)
	case "git":
		return dialGit(ctx, ep, service)
	case "ssh", "git+ssh", "ssh+git":
		return startSSH(ctx, ep, service)
	}
	return nil, fmt.Errorf("unsupported URL scheme %q", ep.Protocol)
}

// gitPort is the port of git://.
const gitPort = 9418

// A tcpConn is a connection to git-daemon(1).
type tcpConn struct {
	net.Conn
	stop func() bool // ends the watch of the context
}

func dialGit(ctx context.Context, ep *transport.Endpoint, service string) (conn, error) {
	port := ep.Port
	if port == 0 {
		port = gitPort
	}
	host := net.JoinHostPort(strings.Trim(ep.Host, "[]"), strconv.Itoa(port))
	c, err := new(net.Dialer).DialContext(ctx, "tcp", host)
	if err != nil {
		return nil, err
	}
	t := &tcpConn{c, context.AfterFunc(ctx, func() { c.Close() })}
	if strings.ContainsAny(ep.Path+host, "\x00\n") {
		t.Close()
		return nil, errors.New("strange characters in URL")
	}
	request := fmt.Sprintf("git-%s %s\x00host=%s\x00", service, ep.Path, host)
	if _, err := fmt.Fprintf(t, "%04x%s", len(request)+4, request); err != nil {
		t.Close()
		return nil, err
	}
	return t, nil
}

// CloseWrite does nothing: the protocol tells where messages end.
func (t *tcpConn) CloseWrite() error { return nil }

func (t *tcpConn) Close() error {
	t.stop()
	return t.Conn.Close()
}

func (t *tcpConn) Complaint() string { return "" }

// startGit runs git on a repository of this machine.
func startGit(ctx context.Context, ep *transport.Endpoint, service string) (conn, error) {
	return start(exec.CommandContext(ctx, "git", service, "--", ep.Path))
}

// startSSH runs ssh, as git does: with GIT_SSH_COMMAND, or else GIT_SSH, if they
// are set.
func startSSH(ctx context.Context, ep *transport.Endpoint, service string) (conn, error) {
	target, err := sshTarget(ep)
	if err != nil {
		return nil, err
	}
	var args []string
	if ep.Port != 0 {
		args = append(args, "-p", strconv.Itoa(ep.Port))
	}
	args = append(args, target, fmt.Sprintf("git-%s %s", service, shell.Quote(sshPath(ep))))
	if command := os.Getenv("GIT_SSH_COMMAND"); command != "" {
		// The user's own command goes through a shell, its arguments do not.
		return start(exec.CommandContext(ctx, "sh", append([]string{"-c", command + ` "$@"`, "ssh"}, args...)...))
	}
	if program := os.Getenv("GIT_SSH"); program != "" {
		return start(exec.CommandContext(ctx, program, args...))
	}
	// Nobody is there to be asked for a password.
	return start(exec.CommandContext(ctx, "ssh", append([]string{"-o", "BatchMode=yes"}, args...)...))
}

// patience is how long a program that was killed, or has closed its output, may
// take to end.
const patience = 5 * time.Second

// A process is a connection to a program that runs here.
type process struct {
	io.WriteCloser // its standard input
	stdout         io.ReadCloser
	cmd            *exec.Cmd
	stderr         tail
}

// start runs a command that its context will kill.
func start(cmd *exec.Cmd) (conn, error) {
	p := &process{cmd: cmd}
	var err error
	if p.WriteCloser, err = cmd.StdinPipe(); err != nil {
		return nil, err
	}
	if p.stdout, err = cmd.StdoutPipe(); err != nil {
		return nil, err
	}
	cmd.Stderr = &p.stderr
	cmd.WaitDelay = patience
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	return p, nil
}

func (p *process) Read(b []byte) (int, error) { return p.stdout.Read(b) }

func (p *process) CloseWrite() error { return p.WriteCloser.Close() }

// Close takes input and output away from the program and waits for its end.
func (p *process) Close() error {
	p.WriteCloser.Close()
	p.stdout.Close()
	return p.cmd.Wait()
}

func (p *process) Complaint() string { return p.stderr.String() }
