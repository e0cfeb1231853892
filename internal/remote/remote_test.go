package remote

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"net/http/cgi"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/internal/memstore"
	"github.com/datakit/datakit/internal/store"
)

func TestMain(m *testing.M) {
	if _, err := exec.LookPath("git"); err != nil {
		os.Exit(m.Run()) // each test skips itself
	}
	for name, value := range map[string]string{
		"GIT_CONFIG_GLOBAL": os.DevNull, "GIT_CONFIG_NOSYSTEM": "1",
		"GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@a", "GIT_COMMITTER_NAME": "c", "GIT_COMMITTER_EMAIL": "c@c",
	} {
		os.Setenv(name, value)
	}
	goleak.VerifyTestMain(m)
}

// git runs git in dir and returns what it prints.
func git(t *testing.T, dir string, args ...string) string {
	t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}

// needGit skips a test where there is no git.
func needGit(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("there is no git")
	}
}

// newRemoteRepo makes a repository with a branch master that holds foo and x
// and one named "old", and another that is bare and empty.
func newRemoteRepo(t *testing.T) (full, empty string) {
	t.Helper()
	needGit(t)
	dir := t.TempDir()
	full, empty = filepath.Join(dir, "full repo"), filepath.Join(dir, "empty.git")
	git(t, dir, "init", "-q", "-b", "master", full)
	commitFile(t, full, "foo", "foo\n")
	git(t, full, "branch", "old")
	commitFile(t, full, "x", "x\n")
	git(t, dir, "init", "-q", "--bare", empty)
	for _, repo := range []string{full, empty} {
		git(t, repo, "config", "http.receivepack", "true")
		git(t, repo, "config", "receive.fsckObjects", "true")
		git(t, repo, "config", "receive.denyCurrentBranch", "ignore")
	}
	return full, empty
}

// commitFile commits one file and returns the commit.
func commitFile(t *testing.T, repo, name, content string) string {
	t.Helper()
	path := filepath.Join(repo, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
	git(t, repo, "add", ".")
	git(t, repo, "commit", "-q", "-m", name)
	return git(t, repo, "rev-parse", "HEAD")
}

// A localRepo is a Repository in memory that records how many objects each pack
// has.
type localRepo struct {
	Repository
	mu    sync.Mutex // guards packs
	packs []int
}

func newLocal(t *testing.T) *localRepo {
	t.Helper()
	l := &localRepo{Repository: Repository{Objects: memstore.NewObjects(), Refs: memstore.NewRefs()}}
	t.Cleanup(func() { l.Objects.Close(); l.Refs.Close() })
	l.AddPack = func(ctx context.Context, pack io.Reader) error {
		raw, err := io.ReadAll(pack)
		if err != nil {
			return err
		}
		l.mu.Lock()
		l.packs = append(l.packs, int(binary.BigEndian.Uint32(raw[8:12])))
		l.mu.Unlock()
		return Unpack(ctx, l.Objects, strings.NewReader(string(raw)))
	}
	return l
}

// setBranch points a branch of l to a commit, or removes it.
func (l *localRepo) setBranch(t *testing.T, name string, h datakit.Hash) {
	t.Helper()
	old, err := l.Refs.Head(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	p := l.Refs.Prepare(t.Context(), []store.Update{{Branch: name, Old: old, New: h}})
	if err := p.Apply()[0]; err != nil {
		t.Fatal(err)
	}
}

func mustHash(t *testing.T, s string) datakit.Hash {
	t.Helper()
	h, err := datakit.ParseHash(s)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// mustFetch fetches a branch and wants its head to be want.
func (l *localRepo) mustFetch(t *testing.T, address, branch, want string) datakit.Hash {
	t.Helper()
	h, err := l.Fetch(t.Context(), address, branch)
	if err != nil || h.String() != want {
		t.Fatalf("Fetch(%s, %s) = %s, %v, want %s", address, branch, h, err, want)
	}
	return h
}

// mustPush pushes branches and wants none to be refused.
func (l *localRepo) mustPush(t *testing.T, address string, branches ...string) {
	t.Helper()
	if refused, err := l.Push(t.Context(), address, branches); err != nil || len(refused) > 0 {
		t.Fatalf("Push(%s, %s) = %v, %v", address, branches, refused, err)
	}
}

// transports are the ways to a repository, each with what makes an address of
// a path. What it starts ends with the test.
var transports = []struct {
	name    string
	address func(t *testing.T, path string) string
}{
	{"path", func(_ *testing.T, path string) string { return path }},
	{"file", func(_ *testing.T, path string) string { return "file://" + strings.ReplaceAll(path, " ", "%20") }},
	{"git", func(t *testing.T, path string) string {
		return "git://" + gitDaemon(t) + strings.ReplaceAll(path, " ", "%20")
	}},
	{"http", func(t *testing.T, path string) string { return httpBackend(t) + strings.ReplaceAll(path, " ", "%20") }},
	{"ssh", func(t *testing.T, path string) string {
		fakeSSH(t)
		return "ssh://someone@example.invalid:2222" + strings.ReplaceAll(path, " ", "%20")
	}},
	{"scp", func(t *testing.T, path string) string { fakeSSH(t); return "someone@example.invalid:" + path }},
}

// gitDaemon serves all repositories with git-daemon, and returns its address.
func gitDaemon(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	t.Cleanup(wg.Wait)
	t.Cleanup(func() { l.Close() })
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() {
				defer c.Close()
				f, err := c.(*net.TCPConn).File()
				if err != nil {
					return
				}
				defer f.Close()
				cmd := exec.Command("git", "daemon", "--inetd", "--export-all", "--enable=receive-pack")
				cmd.Stdin, cmd.Stdout = f, f
				cmd.Run()
			})
		}
	})
	return l.Addr().String()
}

// httpBackend serves all repositories with git-http-backend, and returns its
// URL.
func httpBackend(t *testing.T) string {
	t.Helper()
	s := httptest.NewServer(&cgi.Handler{
		Path: filepath.Join(git(t, ".", "--exec-path"), "git-http-backend"),
		Env: []string{"GIT_PROJECT_ROOT=/", "GIT_HTTP_EXPORT_ALL=1", "REMOTE_USER=x",
			"GIT_CONFIG_GLOBAL=" + os.DevNull, "GIT_CONFIG_NOSYSTEM=1"},
		Stderr: io.Discard,
	})
	t.Cleanup(s.Close)
	return s.URL
}

// fakeSSH replaces ssh by a program that checks its arguments and runs the
// command here.
func fakeSSH(t *testing.T) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "ssh")
	script := `#!/bin/sh
if [ "$1" = -p ]; then [ "$2" = 2222 ] || exit 9; shift 2; fi
[ $# = 2 ] && [ "$1" = someone@example.invalid ] || exit 9
exec sh -c "$2"
`
	if err := os.WriteFile(path, []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("GIT_SSH", path)
}
