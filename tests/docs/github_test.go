//go:build !windows

package docs

import (
	"context"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/datakit/datakit/github"
	"github.com/datakit/datakit/github/githubtest"
	"github.com/datakit/datakit/tests/daemon"
	"github.com/datakit/datakit/tests/guide"
)

const (
	scriptTime = 90 * time.Second // for all of a script
	tries      = 300              // of what a script prints, 100 ms apart
)

// A reader follows a document in a folder, at an address that is free.
type reader struct {
	t    *testing.T
	text string
	dir  string
	addr string
	env  []string
	more map[string]string // what is added to commands, so that they find the test's world
}

// open returns a reader of a document.
func open(t *testing.T, document string) *reader {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", document))
	if err != nil {
		t.Fatal(err)
	}
	addr := "tcp://127.0.0.1:" + daemon.FreePort(t)
	return &reader{
		t: t, text: string(text), dir: t.TempDir(), addr: addr,
		env: []string{
			"PATH=" + filepath.Dir(daemon.Program()) + string(os.PathListSeparator) + os.Getenv("PATH"),
			"DATAKIT_ADDR=" + addr, "HOME=" + t.TempDir(), "DATAKIT_GITHUB_TOKEN=token",
			"GIT_CONFIG_GLOBAL=" + os.DevNull, "GIT_CONFIG_NOSYSTEM=1",
			"GIT_AUTHOR_NAME=t", "GIT_AUTHOR_EMAIL=t@example.org", "GIT_COMMITTER_NAME=t", "GIT_COMMITTER_EMAIL=t@example.org",
		},
		more: map[string]string{
			"datakit serve ":         "--url " + addr + " ",
			"datakit bridge git ":    "--datakit " + addr + " ",
			"datakit bridge github ": "--datakit " + addr + " ",
		},
	}
}

// blocks returns the blocks with a mark, of which there must be some.
func (r *reader) blocks(mark string) []string {
	r.t.Helper()
	all := guide.Blocks(r.text, mark)
	if len(all) == 0 {
		r.t.Fatalf("the document has no block %q", mark)
	}
	for i := range all {
		for command, more := range r.more {
			all[i] = strings.ReplaceAll(all[i], command, command+more)
		}
	}
	return all
}

// shell returns a shell that runs a script in the reader's folder.
func (r *reader) shell(ctx context.Context, script string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "bash", "-c", script)
	cmd.Dir = r.dir
	cmd.WaitDelay = time.Second
	return cmd
}

// start starts the commands of the blocks with a mark: each line is one, in a
// terminal of its own.
func (r *reader) start(mark string) {
	r.t.Helper()
	for line := range strings.SplitSeq(strings.Join(r.blocks(mark), "\n"), "\n") {
		daemon.Spawn(r.t, r.shell(context.Background(), "exec "+line), r.env)
	}
}

// follow runs the blocks with a mark, and checks what they promise.
func (r *reader) follow(mark string) (out string) { return r.run(r.blocks(mark)...) }

func (r *reader) run(blocks ...string) (out string) {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), scriptTime)
	defer cancel()
	script := guide.Script(blocks, tries)
	cmd := r.shell(ctx, script)
	cmd.Env = append(os.Environ(), r.env...)
	text, err := cmd.CombinedOutput()
	if err != nil {
		r.t.Fatalf("the document is wrong: %v\n%s\n%s", err, text, script)
	}
	return string(text)
}

// TestGH206_Document follows docs/github.md as far as it needs no GitHub.
func TestGH206_Document(t *testing.T) {
	t.Parallel()
	r := open(t, "github.md")
	local := r.blocks("local")
	r.run(local[0]) // makes the project
	r.start("local-server")
	r.run(local[1:]...)
}

var (
	project = github.Repo{User: "me", Name: "project"}
	change  = github.Commit{Repo: project, Hash: "5a4b3c2d1e0f5a4b3c2d1e0f5a4b3c2d1e0f5a4b"}
)

// simulate returns the URL of a GitHub that has what the document says.
func simulate(t *testing.T) (*githubtest.World, string) {
	w := githubtest.New()
	s := githubtest.NewServer(w)
	s.Token = "token"
	ts := httptest.NewServer(s)
	t.Cleanup(func() {
		s.Close()
		ts.Close()
	})
	w.AddCommit(project, change.Hash) // from here on others are none
	w.PutPR(github.PR{Head: change, Number: 1, Title: "Add a greeting", Base: "main", Owner: "you",
		Comments: []github.Comment{{Author: "you", Body: "It was missing."}}})
	w.AddStatus(github.NewStatus(change, "ci/other", github.Success, "", ""))
	return w, ts.URL
}

// TestGH185_Document follows docs/github.md at a simulated GitHub, which must
// get what the document sends.
func TestGH185_Document(t *testing.T) {
	t.Parallel()
	r := open(t, "github.md")
	w, url := simulate(t)
	r.more["datakit bridge github "] += "--api-url " + url + " "
	r.start("github-server")
	out := r.follow("github")
	if strings.Contains(out, "POST") || strings.Contains(out, "PATCH") {
		t.Errorf("the dry run finds something to do:\n%s", out)
	}
	wantStatus(t, w, "ci/mine", github.Pending, "The tests are running")

	t.Run("mount", func(t *testing.T) {
		r.t = t
		if lines := strings.Join(r.blocks("mount-server"), "\n"); lines != "mkdir db\ndatakit mount db" {
			t.Fatalf("the document mounts with\n%s", lines)
		}
		dir := filepath.Join(r.dir, "db")
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		daemon.MountOn(t, dir, "--via", "fuse", "--addr", r.addr)
		r.follow("mount")
		wantStatus(t, w, "ci/mounted", github.Success, "")
	})
}

// wantStatus waits until GitHub has a status.
func wantStatus(t *testing.T, w *githubtest.World, ctx github.Context, state github.StatusState, description string) {
	t.Helper()
	want := github.NewStatus(change, ctx, state, description, "")
	for deadline := time.Now().Add(scriptTime); ; time.Sleep(10 * time.Millisecond) {
		all, err := w.Statuses(t.Context(), change)
		if err != nil {
			t.Fatal(err)
		}
		if slices.ContainsFunc(all, want.Equal) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("GitHub has the statuses %v, and not %v", all, want)
		}
	}
}
