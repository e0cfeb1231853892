//go:build !windows

// Package docs follows the guides of docs as a new user would, so that they
// stay true.
package docs

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/datakit/datakit/tests/daemon"
	"github.com/datakit/datakit/tests/guide"
)

func TestMain(m *testing.M) { os.Exit(daemon.Main(m, daemon.Race)) }

// patience is how long all commands of a guide may take.
const patience = 5 * time.Minute

// TestShell runs the commands of the guide for the shell in order, at a server
// and in a repository.
func TestShell(t *testing.T) {
	t.Parallel()
	script := shell(t, "cli", 7)
	t.Run("server", func(t *testing.T) {
		t.Parallel()
		d := daemon.Start(t, filepath.Join(t.TempDir(), "state"))
		follow(t, script, t.TempDir(), "unix://"+d.Addr)
	})
	t.Run("repository", func(t *testing.T) {
		t.Parallel()
		follow(t, script, t.TempDir(), "git://"+repository(t))
	})
}

// TestShellTree does with a mounted tree what the guide says.
func TestShellTree(t *testing.T) {
	t.Parallel()
	script := shell(t, "tree", 4)
	m := daemon.MountOn(t, t.TempDir(), "--git", repository(t))
	follow(t, strings.ReplaceAll(script, "/tmp/", t.TempDir()+"/"), m.Dir, "")
}

// shell returns the blocks of the guide for the shell that have a mark, of
// which there are at least some.
func shell(t *testing.T, mark string, some int) string {
	t.Helper()
	text, err := os.ReadFile("../../docs/shell.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := guide.Blocks(string(text), mark)
	if len(blocks) < some {
		t.Fatalf("the guide has %d blocks for %s", len(blocks), mark)
	}
	return guide.Script(blocks, 1)
}

// repository makes a Git repository.
func repository(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if out, err := exec.Command("git", "init", "-q", dir).CombinedOutput(); err != nil {
		t.Fatalf("git init: %v\n%s", err, out)
	}
	return dir
}

// follow runs a script in a directory, with the program in its path and the
// address of a database. All that it has started is gone in the end.
func follow(t *testing.T, script, dir, addr string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, "bash", "-c", script)
	cmd.Dir = dir
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
