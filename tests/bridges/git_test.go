package bridges

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/datakit/datakit/tests/daemon"
)

// git runs git in a directory and returns what it prints.
func git(t *testing.T, dir string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "git", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL="+os.DevNull,
		"GIT_AUTHOR_NAME=t", "GIT_AUTHOR_EMAIL=t@example.org", "GIT_COMMITTER_NAME=t", "GIT_COMMITTER_EMAIL=t@example.org")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("git %v: %v", args, err)
	}
	return string(out)
}

// project returns a Git repository with one commit on the branch main, and its
// hash.
func project(t *testing.T) (dir, hash string) {
	t.Helper()
	dir = t.TempDir()
	git(t, dir, "init", "-q", "-b", "main")
	return dir, commitTo(t, dir)
}

func commitTo(t *testing.T, dir string) (hash string) {
	t.Helper()
	git(t, dir, "commit", "-q", "--allow-empty", "-m", "x")
	return strings.TrimSpace(git(t, dir, "rev-parse", "HEAD"))
}

// TestGH207_LocalBridge: branches come and go, through a server.
func TestGH207_GH209_GH210_GH274_LocalBridge(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	dir, hash := project(t)
	bare := t.TempDir()
	git(t, dir, "clone", "-q", "--bare", dir, bare)
	d := daemon.Start(t, w.dir)
	p := daemon.Command(t, nil, "bridge", "git", "--metadata-store", "unix:"+d.Addr, "me/project:"+dir, "me/bare:"+bare)
	w.untilFile(p, "me/project/ref/heads/main/head", hash+"\n")
	w.untilFile(p, "me/bare/ref/heads/main/head", hash+"\n")
	git(t, dir, "branch", "feature/a#1")
	w.untilFile(p, "me/project/ref/heads/feature/a#1/head", hash+"\n")
	hash = commitTo(t, dir)
	w.untilFile(p, "me/project/ref/heads/main/head", hash+"\n")
	git(t, dir, "branch", "-D", "-q", "feature/a#1")
	w.untilFile(p, "me/project/ref/heads/feature/a#1/head", gone)
	if got := w.file("README.md"); got != gone {
		t.Errorf("README.md is %q", got)
	}
	p.Stop()
}

// TestGH207_Once: one sync, on a repository, with tags, and metrics otherwise.
func TestGH207_GH220_Once(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	dir, hash := project(t)
	git(t, dir, "tag", "-a", "-m", "one", "v1")
	args := []string{"bridge", "git", "-d", "git://" + w.dir, "-b", branchName, "--tags", "me/project:" + dir}
	p := daemon.Command(t, nil, append(args, "--once", "-v")...)
	if status := p.Wait(); status != 0 {
		t.Fatalf("exit status %d", status)
	}
	if n := strings.Count(p.Err(), "2 items updated"); n != 1 {
		t.Errorf("the commit is logged %d times:\n%s", n, p.Err())
	}
	for _, name := range []string{"heads/main", "tags/v1"} {
		if got := w.file("me/project/ref/" + name + "/head"); got != hash+"\n" {
			t.Errorf("%s is %q, want %s", name, got, hash)
		}
	}
	port := daemon.FreePort(t)
	p = daemon.Command(t, nil, append(args, "--listen-prometheus", port)...)
	p.Until("metrics are served", func() bool {
		return strings.Contains(get("http://127.0.0.1:"+port+"/metrics"), "\ndatakit_localgit_refs 2\n")
	})
	p.Stop()
	if got := w.messages(); len(got) != 1 {
		t.Errorf("there are the commits %q", got)
	}
}

// TestGH208_LocalBridgeErrors: one line each, and the status 1.
func TestGH208_LocalBridgeErrors(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	dir, _ := project(t)
	if err := os.Mkdir(filepath.Join(dir, "sub"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		args  string
		parts []string
	}{
		{"", []string{"usage: datakit bridge git NAME:PATH..."}},
		{"project:" + dir, []string{"project:" + dir, "USER/NAME:PATH"}},
		{"me/project", []string{"me/project", "USER/NAME:PATH"}},
		{"me/project:" + dir + "/none", []string{"me/project", dir + "/none"}},
		{"me/project:" + dir + "/sub", []string{"me/project", dir + "/sub"}},
		{"me/p:" + dir + " me/p:" + dir, []string{"me/p"}},
		{"--metadata-store udp:x me/p:" + dir, []string{"udp:x", "tcp:HOST:PORT"}},
		{"--metadata-store tcp:x:y me/p:" + dir, []string{"tcp://host:port"}},
		{"--metadata-store unix:" + dir + "/none --once me/p:" + dir, []string{dir + "/none"}},
	} {
		args := append([]string{"bridge", "git"}, strings.Fields(tt.args)...)
		if !strings.Contains(tt.args, "--metadata-store") {
			args = append(args, "-d", "git://"+w.dir)
		}
		p := daemon.Command(t, nil, append(args, "-q")...)
		if status := p.Wait(); status != 1 {
			t.Errorf("%s: exit status %d", tt.args, status)
		}
		oneLine(t, p.Err(), append(tt.parts, "datakit: ")...)
	}
}

// TestGH219_NoServerAtStart: it is said where it should be, and waited for.
func TestGH219_NoServerAtStart(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	dir, hash := project(t)
	short, err := os.MkdirTemp("", "dk")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(short)
	addr := filepath.Join(short, "s")
	p := daemon.Command(t, nil, "bridge", "git", "--metadata-store", "unix:"+addr, "me/project:"+dir)
	p.UntilPrints("unix://" + addr)
	p.Until("that it is not there is said", func() bool { return strings.Contains(p.Err(), "unix://"+addr) })
	d, err := daemon.Launch(w.dir, addr)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Kill()
	w.untilFile(p, "me/project/ref/heads/main/head", hash+"\n")
	p.Stop()
}

// TestGH219_EmptyServerComesBack: a server that has lost everything is filled
// again, although nothing changes in the project.
func TestGH219_EmptyServerComesBack(t *testing.T) {
	t.Parallel()
	w, empty := newWorld(t), newWorld(t)
	dir, hash := project(t)
	d := daemon.Start(t, w.dir)
	p := daemon.Command(t, nil, "bridge", "git", "--metadata-store", "unix:"+d.Addr, "me/project:"+dir)
	w.untilFile(p, "me/project/ref/heads/main/head", hash+"\n")
	if err := d.Stop(); err != nil {
		t.Fatal(err)
	}
	again, err := daemon.Launch(empty.dir, d.Addr)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Kill()
	empty.untilFile(p, "me/project/ref/heads/main/head", hash+"\n")
	p.Stop()
}
