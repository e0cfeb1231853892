//go:build !windows

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

// TestOperating follows the guide for operators, block by block.
func TestOperating(t *testing.T) {
	t.Parallel()
	for _, tool := range []string{"bash", "curl", "git"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skip(err)
		}
	}
	text, err := os.ReadFile("../../docs/operating.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := guide.Blocks(string(text), "run")
	if len(blocks) < 8 {
		t.Fatalf("the guide has %d blocks to run", len(blocks))
	}
	script := strings.ReplaceAll(guide.Script(blocks, 1), "9640", daemon.FreePort(t))
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "bash", "-c", "trap 'kill -9 $server || true' EXIT\n"+script)
	cmd.Dir = t.TempDir()
	cmd.Env = append(os.Environ(), "PATH="+filepath.Dir(daemon.Program())+":"+os.Getenv("PATH"))
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) } // so that the trap is run
	cmd.WaitDelay = 10 * time.Second
	if out, err := cmd.CombinedOutput(); err != nil {
		log, _ := os.ReadFile(filepath.Join(cmd.Dir, "log"))
		t.Fatalf("the guide fails: %v\n%s\nlog of the server:\n%s\n%s", err, out, log, script)
	}
}
