// Package watchdog tests the script that keeps a run of .ci/run from hanging.
package watchdog

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// watchdog runs a shell script below the watchdog, with dir for its temporary
// directories, and returns what it printed and its status.
func watchdog(t *testing.T, dir, limit, script string) (string, int) {
	t.Helper()
	for _, tool := range []string{"bash", "ps", "setsid", "timeout"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skip(err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "bash", "../../.ci/watchdog", limit, "bash", "-c", script)
	cmd.Env = append(os.Environ(), "TMPDIR="+dir)
	cmd.WaitDelay = time.Second
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatalf("watchdog: %v\n%s", err, out)
	}
	return string(out), cmd.ProcessState.ExitCode()
}

func TestWatchdogPassesTheStatusOn(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	out, status := watchdog(t, dir, "50s", "echo hello; mktemp >/dev/null; exit 3")
	if status != 3 || strings.TrimSpace(out) != "hello" {
		t.Errorf("status %d, printed %q, want 3 and hello", status, out)
	}
	checkEmpty(t, dir)
}

func TestWatchdogEndsWhatHangs(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	pids := filepath.Join(t.TempDir(), "pids")
	// One process of the three leaves the group, and all ignore SIGTERM.
	out, status := watchdog(t, dir, "2s", `trap '' TERM; echo 'the last line' >>"$CI_LOG"
		setsid sleep 300 & echo $! >>`+pids+`; sleep 300 & echo $! $$ >>`+pids+`; wait`)
	if status != 124 {
		t.Errorf("status %d, want 124", status)
	}
	for _, want := range []string{"not finished after 2s", "the last line", "sleep 300"} {
		if !strings.Contains(out, want) {
			t.Errorf("the report lacks %q:\n%s", want, out)
		}
	}
	text, err := os.ReadFile(pids)
	if err != nil {
		t.Fatal(err)
	}
	for _, field := range strings.Fields(string(text)) {
		pid, err := strconv.Atoi(field)
		if err != nil {
			t.Fatal(err)
		}
		if !gone(pid) {
			t.Errorf("process %d is still there", pid)
			syscall.Kill(pid, syscall.SIGKILL)
		}
	}
	checkEmpty(t, dir)
}

// gone reports whether a process has ended; that nobody has waited for it does
// not count.
func gone(pid int) bool {
	for range 100 {
		stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
		if err != nil || strings.Contains(string(stat), ") Z ") {
			return true
		}
		time.Sleep(50 * time.Millisecond)
	}
	return false
}

func TestWatchdogUnmounts(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	out, status := watchdog(t, dir, "50s", `mkdir "$TMPDIR/a b"; mount -t tmpfs none "$TMPDIR/a b" && exec sleep 300 <"$TMPDIR/a b" & sleep 1`)
	if status != 0 || strings.Contains(out, "mount:") {
		t.Skipf("cannot mount: %s", out)
	}
	checkEmpty(t, dir)
}

// checkEmpty fails if anything is left in dir.
func checkEmpty(t *testing.T, dir string) {
	t.Helper()
	left, err := os.ReadDir(dir)
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}
