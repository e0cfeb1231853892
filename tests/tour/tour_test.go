// Package tour follows the README's tour as a new user would, so that it
// stays true.
package tour

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/datakit/datakit/tests/daemon"
	"github.com/datakit/datakit/tests/guide"
)

func TestMain(m *testing.M) { os.Exit(daemon.Main(m, daemon.Race)) }

const root = "../.."

// TestTour runs the blocks of the tour in order: those marked "tour" in a
// kernel that has mounted the server, those marked "host" beside it.
func TestTour(t *testing.T) {
	text, err := os.ReadFile(root + "/README.md")
	if err != nil {
		t.Fatal(err)
	}
	tour, host := guide.Blocks(string(text), "tour"), guide.Blocks(string(text), "host")
	if len(tour) < 4 || len(host) < 2 {
		t.Fatalf("the README has %d blocks for the mount and %d for the host", len(tour), len(host))
	}
	dir := t.TempDir()
	d := daemon.Start(t, filepath.Join(dir, "data"), daemon.WithTCP())
	inGuest(t, d.Port, guide.Script(tour, 1))
	onHost(t, dir, d.Port, guide.Script(host, 1))
}

// inGuest runs a script in a virtual machine, in the mounted tree.
func inGuest(t *testing.T, port int, script string) {
	t.Helper()
	cmd := exec.Command("bash", root+"/tests/kernel/kernel9p.sh", strconv.Itoa(port), "9p2000.L", "-")
	cmd.Stdin = strings.NewReader(script)
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() == 69 {
		t.Skipf("no kernel to boot: %s", out)
	}
	if err != nil {
		t.Fatalf("the tour fails: %v\n%s\n%s", err, out, script)
	}
}

// onHost runs a script where the repository is the directory data, without
// the clients that are not installed.
func onHost(t *testing.T, dir string, port int, script string) {
	t.Helper()
	script = strings.ReplaceAll(script, "127.0.0.1:5640", "127.0.0.1:"+strconv.Itoa(port))
	if _, err := exec.LookPath("diodcat"); err != nil {
		t.Log("without diodcat, which is not installed")
		script = "diodcat() { :; }\n" + script
	}
	cmd := exec.Command("bash", "-c", script)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("the tour fails: %v\n%s\n%s", err, out, script)
	}
}
