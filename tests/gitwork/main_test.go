// Package gitwork lets git, and full disks, at a repository that is served.
package gitwork

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/datakit/datakit/tests/daemon"
)

func TestMain(m *testing.M) {
	status := daemon.Main(m, daemon.Race)
	if err := goleak.Find(); err != nil && status == 0 {
		fmt.Fprintln(os.Stderr, err)
		status = 1
	}
	os.Exit(status)
}

// A clone is a directory in which git commands are run, as a user with a
// configuration of their own would.
type clone string

// try runs a git command and returns what it printed.
func (c clone) try(args ...string) (string, error) {
	cmd := exec.Command("git", args...)
	cmd.Dir = string(c)
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_NOSYSTEM=1",
		"GIT_AUTHOR_NAME=Ann", "GIT_AUTHOR_EMAIL=ann@example.org",
		"GIT_COMMITTER_NAME=Ann", "GIT_COMMITTER_EMAIL=ann@example.org")
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("git %s: %w\n%s%s", strings.Join(args, " "), err, &out, &errs)
	}
	return strings.TrimSpace(out.String()), nil
}

// git runs a git command that must succeed.
func (c clone) git(t *testing.T, args ...string) string {
	t.Helper()
	out, err := c.try(args...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// write gives a file of the work tree a content and commits it.
func (c clone) commit(t *testing.T, file, text string) string {
	t.Helper()
	if err := os.WriteFile(string(c)+"/"+file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	c.git(t, "add", file)
	c.git(t, "commit", "-q", "-m", "Add "+file)
	return c.git(t, "rev-parse", "HEAD")
}

// newRepository returns a repository with a work tree, on branch main, with
// one commit.
func newRepository(t *testing.T) clone {
	t.Helper()
	c := clone(t.TempDir())
	c.git(t, "init", "-q", "-b", "main")
	c.commit(t, "README", "A repository with a work tree.\n")
	return c
}

// checkSound has git look for damage. As fsck lists the packs once, it misses
// those that are merged while it runs; it is then asked again.
func checkSound(t *testing.T, c clone) {
	t.Helper()
	for try := 1; ; try++ {
		out, err := c.try("fsck", "--strict", "--no-dangling")
		if err == nil && out == "" {
			return
		}
		if try == 5 || err == nil || !strings.Contains(err.Error(), "index not opened") {
			t.Errorf("fsck --strict: %s %v", out, err)
			return
		}
	}
}

// checkHas fails the test unless all files are in the head of branch.
func checkHas(t *testing.T, c clone, branch string, files []string) {
	t.Helper()
	have := "\n" + c.git(t, "ls-tree", "-r", "--name-only", branch) + "\n"
	for _, f := range files {
		if !strings.Contains(have, "\n"+f+"\n") {
			t.Errorf("%s lost %s", branch, f)
		}
	}
}
