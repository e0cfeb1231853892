//go:build !windows

// Package docs follows the guides of docs as a new user would, so that they
// stay true.
package docs

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/datakit/datakit/tests/daemon"
	"github.com/datakit/datakit/tests/guide"
)

func TestMain(m *testing.M) { os.Exit(daemon.Main(m, daemon.Race)) }

// patience is how long all commands of a guide may take.
const patience = 2 * time.Minute

// TestShell runs the commands of the guide for the shell in order, at a server
// and in a repository.
func TestShell(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../docs/shell.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := guide.Blocks(string(text), "cli")
	if len(blocks) < 7 {
		t.Fatalf("the guide has %d blocks of commands", len(blocks))
	}
	script := guide.Script(blocks)
	t.Run("server", func(t *testing.T) {
		t.Parallel()
		d := daemon.Start(t, filepath.Join(t.TempDir(), "state"))
		follow(t, script, "unix://"+d.Addr)
	})
	t.Run("repository", func(t *testing.T) {
		t.Parallel()
		repo := t.TempDir()
		if out, err := exec.Command("git", "init", "-q", repo).CombinedOutput(); err != nil {
			t.Fatalf("git init: %v\n%s", err, out)
		}
		follow(t, script, "git://"+repo)
	})
}

// follow runs a script with the program in its path and the address of a
// database. All that it has started is gone in the end.
func follow(t *testing.T, script, addr string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, "sh", "-c", script)
	cmd.Dir = t.TempDir()
	cmd.Env = append(os.Environ(), "DATAKIT_ADDR="+addr, "PATH="+filepath.Dir(daemon.Program())+":"+os.Getenv("PATH"))
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = time.Second
	out, err := cmd.CombinedOutput()
	syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // what a failed script leaves; usually nothing
	if err != nil {
		t.Fatalf("the guide fails: %v\n%s\n%s", err, out, script)
	}
}
