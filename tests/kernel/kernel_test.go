// Package kernel mounts the server in a real Linux kernel and runs shell
// recipes there.
package kernel

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/datakit/datakit/tests/daemon"
)

func TestMain(m *testing.M) { os.Exit(daemon.Main(m, daemon.Race)) }

// recipes are the functions of testdata/recipes.sh, each a test for every
// dialect, but those that a dialect cannot express.
var recipes = []struct {
	name  string
	plain bool // also in plain 9P2000
}{
	{"FS44_Root", true},
	{"FS92_FS119_Commit", true},
	{"FS118_Close", true},
	{"FS106_Edit", true},
	{"FS164_LargeFile", true},
	{"FS109_FS110_Directories", true},
	{"FS108_Symlinks", false},
	{"FS111_Chmod", true},
	{"FS112_Move", true},
	{"FS112_FS172_EditorSave", true},
	{"FS107_CopyTree", true},
	{"FS28_BranchNamesWithSlash", true},
	{"FS47_FS48_Branches", true},
	{"FS53_FastForward", true},
	{"FS55_FS102_Diff", true},
	{"FS123_FS132_Merge", true},
	{"FS119_ConflictAtCommit", true},
	{"FS51_HeadLive", true},
	{"FS59_TreeLive", true},
	{"FS52_Reflog", true},
	{"FS63_FS67_Snapshots", true},
	{"FS72_Levels", true},
	{"FS165_LongListing", true},
	{"FS217_Errors", true},
}

var dialects = []string{"9p2000", "9p2000.u", "9p2000.L"}

// TestFS134_RealKernels mounts the server with each dialect in one kernel, and
// runs the recipes over each. Then git finds the repository in order.
func TestFS134_RealKernels(t *testing.T) {
	repo := filepath.Join(t.TempDir(), "repo")
	d := daemon.Start(t, repo, daemon.WithTCP())
	var jobs []string
	for _, dialect := range dialects {
		for _, r := range recipes {
			if r.plain || dialect != "9p2000" {
				jobs = append(jobs, dialect+"/"+r.name)
			}
		}
	}
	out := guest(t, d.Port, jobs)
	for _, job := range jobs {
		t.Run(job, func(t *testing.T) { verdict(t, out, job) })
	}
	git(t, repo, "symbolic-ref", "HEAD", "refs/heads/feature/x") // fsck would remark on one without a head
	if out := git(t, repo, "fsck", "--strict", "--no-dangling"); out != "" {
		t.Errorf("git fsck --strict: %s", out)
	}
	for _, dialect := range dialects {
		checkRepository(t, repo, dialect)
	}
}

// TestFS33_DatakitMount has "datakit mount" find the 9P client of the kernel.
func TestFS33_DatakitMount(t *testing.T) {
	dir := t.TempDir()
	program := filepath.Join(dir, "datakit")
	build := exec.Command("go", "build", "-ldflags=-s -w", "-o", program, "github.com/datakit/datakit/cmd/datakit")
	build.Env = append(os.Environ(), "CGO_ENABLED=0") // there is no C library in the guest
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	d := daemon.Start(t, filepath.Join(dir, "repo"), daemon.WithTCP())
	out := boot(t, d.Port, "testdata/mount.sh", nil, "EXTRA="+program+":/bin/datakit", "MEM=768")
	if !strings.Contains(out, "all is well") {
		t.Errorf("the guest printed:\n%s", out)
	}
}

// guest runs the jobs in a virtual machine and returns what it printed.
func guest(t *testing.T, port int, jobs []string) string {
	t.Helper()
	return boot(t, port, "testdata/recipes.sh", jobs)
}

// boot runs a script in a virtual machine and returns what it printed.
func boot(t *testing.T, port int, script string, args []string, env ...string) string {
	t.Helper()
	cmd := exec.Command("bash", append([]string{"./kernel9p.sh", strconv.Itoa(port), "none", script}, args...)...)
	cmd.Env = append(os.Environ(), env...)
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() == 69 {
		t.Skipf("no kernel to boot: %s", out)
	}
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return string(out)
}

// verdict fails the test if the job did in the guest.
func verdict(t *testing.T, out, job string) {
	_, rest, ok := strings.Cut(out, "=== "+job+"\n")
	printed, rest, ended := strings.Cut(rest, "--- "+job+" ")
	status, _, _ := strings.Cut(rest, "\n")
	if !ok || !ended || status != "0" {
		t.Errorf("status %q; the guest printed:\n%s", status, printed)
	}
}

// checkRepository has git look at what the recipes left.
func checkRepository(t *testing.T, repo, version string) {
	t.Helper()
	branch := version + ".FS92_FS119_Commit"
	if got := git(t, repo, "log", "--format=%an %s", branch); got != "datakit My first commit" {
		t.Errorf("git log %s = %q", branch, got)
	}
	branch = version + ".FS107_CopyTree"
	want := "100644 tree/a\n100755 tree/sub/b"
	if version != "9p2000" {
		want = "100644 tree/a\n120000 tree/link\n100755 tree/sub/b"
	}
	if got := git(t, repo, "ls-tree", "-r", "--format=%(objectmode) %(path)", branch); got != want {
		t.Errorf("git ls-tree %s = %q, want %q", branch, got, want)
	}
	if got := git(t, repo, "show", "feature/x:file"); got != "text" {
		t.Errorf("git show feature/x:file = %q", got)
	}
}

// git runs a git command on the repository and returns what it printed.
func git(t *testing.T, repo string, args ...string) string {
	t.Helper()
	out, err := exec.Command("git", append([]string{"--git-dir", filepath.Join(repo, ".git")}, args...)...).CombinedOutput()
	if err != nil {
		t.Errorf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}
