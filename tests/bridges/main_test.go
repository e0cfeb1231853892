// Package bridges tests the bridges as programs: with real processes, a
// simulated GitHub that speaks HTTP, servers and repositories.
package bridges

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/gitdb"
	"github.com/datakit/datakit/github"
	"github.com/datakit/datakit/github/githubtest"
	"github.com/datakit/datakit/tests/daemon"
)

func TestMain(m *testing.M) { os.Exit(daemon.Main(m, daemon.Race)) }

// patience is how long a test waits for what should happen at once.
const patience = 30 * time.Second

const (
	branchName = "github-metadata"
	testToken  = "ghp_0123456789abcdefghijklmnopqrstuvwxyz"
)

var testRepo = github.Repo{User: "test", Name: "test"}

// A world is a simulated GitHub, a repository of Git as the database, and a
// home folder.
type world struct {
	*githubtest.World
	t      *testing.T
	server *githubtest.Server
	url    string
	dir    string // the repository
	home   string
	db     *datakit.DB // the repository, opened by the test
	branch *datakit.Branch
}

// newWorld returns a world, whose GitHub is changed by setup before it serves.
func newWorld(t *testing.T, setup ...func(*githubtest.Server)) *world {
	t.Helper()
	w := &world{World: githubtest.New(), t: t, dir: filepath.Join(t.TempDir(), "db"), home: t.TempDir()}
	w.server = githubtest.NewServer(w.World)
	w.server.Token = testToken
	for _, f := range setup {
		f(w.server)
	}
	ts := httptest.NewServer(w.server)
	w.url = ts.URL
	t.Cleanup(func() {
		w.server.Close()
		ts.CloseClientConnections() // of requests that hang
		ts.Close()
	})
	db, err := gitdb.Open(w.dir, &gitdb.Options{Head: branchName})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	w.db, w.branch = db, db.Branch(branchName)
	w.PutRepo(testRepo)
	return w
}

// env is the environment of the bridge: it has the token.
func (w *world) env() []string {
	return []string{"DATAKIT_GITHUB_TOKEN=" + testToken, "GITHUB_TOKEN=", "HOME=" + w.home, "XDG_STATE_HOME="}
}

// bridge starts the bridge on the world's repository.
func (w *world) bridge(args ...string) *daemon.Process {
	w.t.Helper()
	args = append([]string{"bridge", "github", "--datakit", "git://" + w.dir, "--api-url", w.url}, args...)
	return daemon.Command(w.t, w.env(), args...)
}

// commit changes files of the branch, in one commit. Those that are gone are
// removed.
func (w *world) commit(files map[string]string) {
	w.t.Helper()
	ctx := w.t.Context()
	err := w.branch.Update(ctx, "by the test", func(tx *datakit.Tx) error {
		for name, content := range files {
			if content == gone {
				if err := tx.Remove(ctx, datakit.Path(name)); err != nil {
					return err
				}
				continue
			}
			path := datakit.Path(name)
			if err := tx.MkdirAll(ctx, path.Dir()); err != nil {
				return err
			}
			if err := tx.WriteFile(ctx, path, []byte(content)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

// gone is the content of a file that commit removes.
const gone = "\x00"

// file returns the content of a file of the branch, or gone.
func (w *world) file(name string) string {
	w.t.Helper()
	tree, err := w.branch.Tree(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	content, err := tree.ReadFile(w.t.Context(), datakit.Path(name))
	if errors.Is(err, datakit.NotExist) || errors.Is(err, datakit.NotDir) {
		return gone
	}
	if err != nil {
		w.t.Fatal(err)
	}
	return string(content)
}

// untilFile waits until a file of the branch has the content.
func (w *world) untilFile(p *daemon.Process, name, content string) {
	w.t.Helper()
	p.Until(name+" is "+content, func() bool { return w.file(name) == content })
}

// head returns the head of the branch.
func (w *world) head() datakit.Hash {
	w.t.Helper()
	h, err := w.branch.Head(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	return h
}

// messages returns those of all commits of the branch, the newest first.
func (w *world) messages() (all []string) {
	w.t.Helper()
	for h := w.head(); !h.IsZero(); {
		c, err := w.db.Commit(w.t.Context(), h)
		if err != nil {
			w.t.Fatal(err)
		}
		all = append(all, c.Message)
		if h = (datakit.Hash{}); len(c.Parents) > 0 {
			h = c.Parents[0]
		}
	}
	return all
}

// ref puts a branch on GitHub.
func (w *world) ref(name, hash string) {
	w.PutRef(github.Ref{Commit: github.Commit{Repo: testRepo, Hash: hash}, Name: github.RefName(name)})
}

// status returns the status of a context of a commit on GitHub.
func (w *world) status(hash, context string) github.StatusState {
	w.t.Helper()
	all, err := w.Statuses(w.t.Context(), github.Commit{Repo: testRepo, Hash: hash})
	if err != nil {
		w.t.Fatal(err)
	}
	for _, s := range all {
		if string(s.Context) == context {
			return s.State
		}
	}
	return 0
}

// get returns the body of a page, or "" if there is none now.
func get(url string) string {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return ""
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return ""
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return ""
	}
	return string(body)
}

// listens reports whether something listens on a port of the loopback address.
func listens(port string) bool {
	c, err := net.Dial("tcp", "127.0.0.1:"+port)
	if err != nil {
		return false
	}
	c.Close()
	return true
}

// oneLine fails the test unless text is one line with each of the parts.
func oneLine(t *testing.T, text string, parts ...string) {
	t.Helper()
	if strings.Count(text, "\n") != 1 || !strings.HasSuffix(text, "\n") {
		t.Errorf("%q is not one line", text)
	}
	for _, part := range parts {
		if !strings.Contains(text, part) {
			t.Errorf("%q is not in %q", part, text)
		}
	}
}
