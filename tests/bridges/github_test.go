package bridges

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/github"
	"github.com/datakit/datakit/github/githubtest"
	"github.com/datakit/datakit/tests/daemon"
)

const monitorFile = "test/test/.monitor"

// TestGH185_BothDirections: the bridge with its options mirrors GitHub to the
// branch, and the branch to GitHub.
func TestGH185_BothDirections(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.ref("heads/master", "foo")
	p := w.bridge("-c", "*:rw", "--no-resync", "-vv")
	w.untilFile(p, "README.md", "### DataKit -- GitHub bridge\n")
	w.commit(map[string]string{monitorFile: ""})
	w.untilFile(p, "test/test/ref/heads/master/head", "foo\n")
	w.commit(map[string]string{"test/test/commit/foo/status/ci/test/state": "success\n"})
	p.Until("GitHub has the status", func() bool { return w.status("foo", "ci/test") == github.Success })
	p.Stop()
}

func TestGH185_OtherBranch(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.branch = w.db.Branch("elsewhere")
	p := daemon.Command(t, w.env(), "bridge", "github", "--datakit=git://"+w.dir, "--api-url="+w.url,
		"--branch", "elsewhere", "--once", "--repositories", "test/test", "--capabilities", "*:r")
	if status := p.Wait(); status != 0 || w.file(monitorFile) != "" {
		t.Errorf("exit status %d", status)
	}
}

// TestGH189_Server: the database is a server, over a socket.
func TestGH189_GH193_Server(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.ref("heads/master", "foo")
	d := daemon.Start(t, w.dir, daemon.WithTCP())
	for _, endpoint := range []string{"unix://" + d.Addr, "file://" + d.Addr} {
		p := daemon.Command(t, w.env(), "bridge", "github", "-d", endpoint, "--api-url", w.url, "--once", "-r", "test/test")
		if status := p.Wait(); status != 0 {
			t.Errorf("%s: exit status %d", endpoint, status)
		}
	}
	if got := w.file("test/test/ref/heads/master/head"); got != "foo\n" {
		t.Errorf("the ref is %q", got)
	}
}

// TestGH190_DryRun: all that would be written is printed, and nothing changes.
func TestGH190_DryRun(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.ref("heads/master", "foo")
	w.ref("heads/old", "foo")
	w.ref("heads/moved", "foo")
	w.PutPR(github.PR{Head: github.Commit{Repo: testRepo, Hash: "foo"}, Number: 2, Title: "Fix <it>", Base: "master", Owner: "sam",
		Comments: []github.Comment{{Author: "sam"}}})
	w.commit(map[string]string{
		monitorFile:                                    "",
		"test/test/ref/heads/master/head":              "foo\n",
		"test/test/ref/heads/moved/head":               "bar\n",
		"test/test/ref/heads/new/head":                 "foo\n",
		"test/test/pr/2/title":                         "Mend <it>\n",
		"test/test/pr/2/state":                         "open\n",
		"test/test/pr/2/head":                          "foo\n",
		"test/test/pr/2/owner":                         "sam\n",
		"test/test/commit/foo/status/ci/a/state":       "pending\n",
		"test/test/commit/foo/status/ci/a/description": "Building\n",
	})
	before := w.head()
	p := w.bridge("--dry-run", "-q", "-c", "*:x", "--webhook", "http://127.0.0.1:"+daemon.FreePort(t))
	if status := p.Wait(); status != 0 || p.Err() != "" {
		t.Fatalf("exit status %d", status)
	}
	for _, line := range []string{
		`PATCH /repos/test/test/pulls/2 {"title":"Mend <it>"}`,
		`DELETE /repos/test/test/git/refs/heads/old`,
		`POST /repos/test/test/git/refs {"ref":"refs/heads/new","sha":"foo"}`,
		`PATCH /repos/test/test/git/refs/heads/moved {"sha":"bar","force":true}`,
		`POST /repos/test/test/statuses/foo {"state":"pending","context":"ci/a","description":"Building"}`,
	} {
		if !strings.Contains("\n"+p.Out(), "\n"+line+"\n") {
			t.Errorf("there is no line %s", line)
		}
	}
	if strings.Contains(p.Out(), "refs/other") {
		t.Error("what is never sent is printed")
	}
	w.unchanged(t, before)
}

// unchanged checks that neither the branch nor GitHub has changed.
func (w *world) unchanged(t *testing.T, before datakit.Hash) {
	t.Helper()
	if now := w.head(); now != before {
		t.Errorf("the branch has moved from %v to %v", before, now)
	}
	for call, n := range w.Calls() {
		if strings.HasPrefix(call, "set ") || strings.HasPrefix(call, "remove ") {
			t.Errorf("%d calls %q", n, call)
		}
	}
	if hooks := w.HooksOf(testRepo); len(hooks) != 0 {
		t.Errorf("there are webhooks: %v", hooks)
	}
}

// TestGH190_DryRunOfACommit: the message of the commit is printed, and a branch
// that is not there is not made.
func TestGH190_DryRunOfACommit(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.ref("heads/master", "foo")
	p := w.bridge("--dry-run", "-q", "-r", "test/test")
	if status := p.Wait(); status != 0 || p.Err() != "" {
		t.Fatalf("exit status %d", status)
	}
	want := `commit to github-metadata:
    initial commit
commit to github-metadata:
    1 item updated

    {test/test heads/master[foo]}
`
	if p.Out() != want {
		t.Errorf("it prints\n%s\nwant\n%s", p.Out(), want)
	}
	if h := w.head(); !h.IsZero() {
		t.Errorf("there is a branch, at %v", h)
	}
	w.commit(map[string]string{monitorFile: ""})
	before := w.head()
	p = w.bridge("--dry-run", "-q")
	if status := p.Wait(); status != 0 || p.Out() != strings.SplitAfterN(want, "commit\n", 2)[1] {
		t.Errorf("exit status %d", status)
	}
	w.unchanged(t, before)
}

// TestGH190_DryRunMakesNoRepository: one that is not there counts as empty.
func TestGH190_DryRunMakesNoRepository(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.ref("heads/master", "foo")
	dir := filepath.Join(t.TempDir(), "db")
	p := w.bridge("--datakit", "git://"+dir, "--dry-run", "-q", "-r", "test/test")
	if status := p.Wait(); status != 0 || !strings.Contains(p.Out(), "{test/test heads/master[foo]}") {
		t.Errorf("exit status %d, it prints\n%s", status, p.Out())
	}
	if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the repository was made: %v", err)
	}
}

// TestGH191_Repositories: one commit monitors them, the first time.
func TestGH191_GH269_Repositories(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.PutRepo(github.Repo{User: "test", Name: "other"})
	for range 2 {
		p := w.bridge("-r", "test/test,test/other", "--once")
		if status := p.Wait(); status != 0 {
			t.Fatalf("exit status %d", status)
		}
		if got := w.messages(); len(got) != 1 || got[0] != "initial commit" {
			t.Errorf("the commits are %q", got)
		}
		for name, want := range map[string]string{monitorFile: "", "test/other/.monitor": "", "README.md": gone} {
			if got := w.file(name); got != want {
				t.Errorf("%s is %q", name, got)
			}
		}
	}
	p := w.bridge("-r", "test/test,none", "--once")
	if status := p.Wait(); status != 1 {
		t.Errorf("exit status %d for a name that is no repository", status)
	}
	oneLine(t, p.Err(), "none", "user/name")
}

// TestGH116_OnceFailsForWhatGitHubRefuses: a script learns of it.
func TestGH116_OnceFailsForWhatGitHubRefuses(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.bridge("-r", "test/test,test/none", "--once")
	if status := p.Wait(); status != 1 || !strings.Contains(p.Err(), "repositories that GitHub refuses: 1") {
		t.Errorf("exit status %d, and it says %q", status, p.Err())
	}
	if got := w.file("test/none/.error"); !strings.Contains(got, "404") {
		t.Errorf(".error holds %q", got)
	}
}

// TestGH192_NoDatabase: the token is checked, metrics are served, and no
// webhook listener runs.
func TestGH192_NoDatabase(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	metrics, hooks := daemon.FreePort(t), daemon.FreePort(t)
	p := daemon.Command(t, w.env(), "bridge", "github", "--no-datakit", "--api-url", w.url,
		"--listen-prometheus", metrics, "--webhook", "http://127.0.0.1:"+hooks)
	p.Until("there are metrics of the check", func() bool {
		return strings.Contains(get("http://127.0.0.1:"+metrics+"/metrics"), `datakit_github_api_calls_total{op="check token",result="ok"} 1`)
	})
	if listens(hooks) {
		t.Error("the webhook listener runs")
	}
	p.Stop()
	p = daemon.Command(t, append(w.env(), "DATAKIT_GITHUB_TOKEN=wrong"), "bridge", "github", "--no-datakit", "--api-url", w.url)
	if status := p.Wait(); status != 1 {
		t.Errorf("exit status %d with a wrong token", status)
	}
}

// TestGH194_Repository: one that does not exist is made for the branch; a work
// tree is left alone; a commit made with Git wakes the bridge.
func TestGH194_Repository(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.ref("heads/master", "foo")
	dir := filepath.Join(t.TempDir(), "new")
	p := daemon.Command(t, w.env(), "bridge", "github", "-d", "git://"+dir, "--api-url", w.url, "--once")
	if status := p.Wait(); status != 0 {
		t.Fatalf("exit status %d", status)
	}
	if got := git(t, dir, "symbolic-ref", "HEAD"); got != "refs/heads/github-metadata\n" {
		t.Errorf("HEAD is %q", got)
	}

	tree := t.TempDir()
	git(t, tree, "init", "-q", "-b", branchName)
	p = daemon.Command(t, w.env(), "bridge", "github", "-d", "git://"+tree, "--api-url", w.url)
	p.Until("the branch is there", func() bool {
		return git(t, tree, "for-each-ref") != ""
	})
	if got, err := os.ReadDir(tree); len(got) != 1 || err != nil {
		t.Errorf("the work tree has %v, error %v", got, err)
	}
	git(t, tree, "reset", "-q", "--hard")
	if err := os.MkdirAll(filepath.Join(tree, "test", "test"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(tree, monitorFile), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	git(t, tree, "add", ".")
	git(t, tree, "commit", "-q", "-m", "monitor")
	p.Until("the ref is mirrored", func() bool {
		return strings.Contains(git(t, tree, "ls-tree", "-r", "--name-only", branchName), "test/test/ref/heads/master/head")
	})
	p.Stop()
}

// TestGH199_NoToken: without a token nothing is made, and it is said where one
// was looked for.
func TestGH166_GH199_GH270_NoToken(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	p := daemon.Command(t, []string{"HOME=" + home, "DATAKIT_GITHUB_TOKEN=", "GITHUB_TOKEN=", "XDG_STATE_HOME="},
		"bridge", "github", "-d", "git://"+filepath.Join(home, "db"), "--webhook", "http://127.0.0.1:"+daemon.FreePort(t))
	if status := p.Wait(); status != 1 {
		t.Errorf("exit status %d", status)
	}
	oneLine(t, p.Err(), home+"/.github/jar/datakit-github-cookie", "/run/secrets/datakit-github-cookie", "make one at https://", "scope repo", "admin:repo_hook")
	if left, err := os.ReadDir(home); len(left) != 0 || err != nil {
		t.Errorf("%v was made in the home folder, error %v", left, err)
	}
}

// TestGH196_TokenFile: the file of the option is used, and JSON read.
func TestGH196_GH197_TokenFile(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	file := filepath.Join(w.home, "token")
	if err := os.WriteFile(file, []byte(`{"token": "`+testToken+`", "note": 1}`), 0o600); err != nil {
		t.Fatal(err)
	}
	p := daemon.Command(t, append(w.env(), "DATAKIT_GITHUB_TOKEN=wrong"),
		"bridge", "github", "-d", "git://"+w.dir, "--api-url", w.url, "--token-file", file, "--once")
	if status := p.Wait(); status != 0 {
		t.Errorf("exit status %d", status)
	}
}

// TestGH196_NoTokenFile: that another place is used than the one that was named
// is said.
func TestGH196_NoTokenFile(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	none := filepath.Join(w.home, "none")
	p := w.bridge("--token-file", none, "--once")
	if status := p.Wait(); status != 0 {
		t.Errorf("exit status %d", status)
	}
	oneLine(t, p.Err(), none, "does not exist", "the token is from $DATAKIT_GITHUB_TOKEN")
	if strings.Contains(p.Err(), testToken) {
		t.Error("it says the token")
	}
}

// TestGH200_BadToken: the bridge ends before it does anything.
func TestGH200_BadToken(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(s *githubtest.Server) { s.Token = "another" })
	p := w.bridge("-r", "test/test")
	if status := p.Wait(); status != 1 {
		t.Errorf("exit status %d", status)
	}
	oneLine(t, p.Err(), "the token from $DATAKIT_GITHUB_TOKEN: GitHub does not accept the token", "401", "/settings/tokens")
	if got := w.messages(); len(got) != 0 {
		t.Errorf("there are commits: %q", got)
	}
}

// TestGH200_UnreachableGitHub: it is said once, and the bridge goes on.
func TestGH200_UnreachableGitHub(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.ref("heads/master", "foo")
	remove := w.Inject(githubtest.Fault{}) // no answer to anything
	p := w.bridge("-r", "test/test")
	p.UntilPrints("GitHub cannot be reached")
	if n := strings.Count(p.Err(), "GitHub cannot be reached"); n != 1 {
		t.Errorf("it is said %d times", n)
	}
	remove()
	w.untilFile(p, "test/test/ref/heads/master/head", "foo\n")
	p.Stop()
}

// TestGH200_BadTokenLater: the first answer counts, when it comes.
func TestGH200_BadTokenLater(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	remove := w.Inject(githubtest.Fault{Op: github.OpCheckToken, Status: 503})
	p := w.bridge()
	p.UntilPrints("GitHub answers with 503")
	w.Inject(githubtest.Fault{Op: github.OpCheckToken, Status: 401, Message: "Bad credentials"})
	remove()
	if status := p.Wait(); status != 1 || !strings.Contains(p.Err(), "GitHub does not accept the token") {
		t.Errorf("exit status %d", status)
	}
}

// TestGH200_FirstAnswer: a refusal that is not about the token is told as what
// it is.
func TestGH200_FirstAnswer(t *testing.T) {
	t.Parallel()
	for status, words := range map[int]string{403: "Your IP address is not allowed", 451: "Blocked by a court"} {
		w := newWorld(t)
		w.Inject(githubtest.Fault{Op: github.OpCheckToken, Status: status, Message: words})
		p := w.bridge()
		p.UntilPrints(fmt.Sprintf("GitHub answers with %d %s", status, words))
		if strings.Contains(p.Err(), "reached") {
			t.Errorf("it is said that GitHub is not reached:\n%s", p.Err())
		}
		p.Stop()
	}
}

// TestGH202_StartLines: they come at every level but quiet.
func TestGH202_StartLines(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	port := daemon.FreePort(t)
	p := w.bridge("--verbosity", "error", "-c", "pr:r,webhook:w", "--webhook", "http://127.0.0.1:"+port+"/hooks")
	p.UntilPrints("Database: ")
	lines := strings.Split(p.Out(), "\n")
	for i, parts := range [][]string{
		{"datakit bridge github ", "0.", "capabilities pr:r,webhook:w"},
		{"http://127.0.0.1:" + port + "/hooks"},
		{"git://" + w.dir, branchName},
	} {
		for _, part := range parts {
			if !strings.Contains(lines[i], part) {
				t.Errorf("line %d is %q, without %s", i, lines[i], part)
			}
		}
	}
	p.Stop()
	if len(lines) != 4 || p.Err() != "" {
		t.Errorf("it prints\n%s%s", p.Out(), p.Err())
	}
	p = w.bridge("--once", "-q")
	if status := p.Wait(); status != 0 || p.Out()+p.Err() != "" {
		t.Errorf("exit status %d, and it prints\n%s%s", status, p.Out(), p.Err())
	}
}

// TestGH203_SignalsUnderWork: the bridge ends well in the middle of a sync.
func TestGH203_GH268_SignalsUnderWork(t *testing.T) {
	t.Parallel()
	for name, signal := range map[string]syscall.Signal{"INT": syscall.SIGINT, "TERM": syscall.SIGTERM} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			hangs := make(chan struct{})
			w := newWorld(t, func(s *githubtest.Server) { s.Intercept = hang(github.OpListPRs, hangs) })
			hooks := daemon.FreePort(t)
			p := w.bridge("-r", "test/test", "--webhook", "http://127.0.0.1:"+hooks)
			within(t, hangs)
			w.untilFile(p, monitorFile, "") // the commit before the sync, which the test sees a moment later
			before := w.head()
			p.Signal(syscall.SIGPIPE) // has no effect
			p.Signal(signal)
			if status := p.Wait(); status != 0 {
				t.Errorf("exit status %d", status)
			}
			if w.head() != before {
				t.Error("half a sync was committed")
			}
			if listens(hooks) {
				t.Error("something still listens")
			}
		})
	}
}

// hang returns what lets calls of an operation hang, and tells of the first.
func hang(op string, hangs chan<- struct{}) func(string, http.ResponseWriter, *http.Request) bool {
	var once sync.Once
	return func(now string, _ http.ResponseWriter, r *http.Request) bool {
		if now != op {
			return false
		}
		once.Do(func() { close(hangs) })
		<-r.Context().Done()
		return true
	}
}

// within waits for a channel.
func within(t *testing.T, c <-chan struct{}) {
	t.Helper()
	select {
	case <-c:
	case <-time.After(patience):
		t.Fatalf("waited %v in vain", patience)
	}
}

// TestGH203_SecondSignal: it does not wait for the delivery that is under way.
func TestGH203_SecondSignal(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	hooks := daemon.FreePort(t)
	p := w.bridge("-r", "test/test", "--webhook", "http://127.0.0.1:"+hooks)
	p.Until("the listener is there", func() bool { return listens(hooks) && len(w.HooksOf(testRepo)) == 1 })
	c, err := net.Dial("tcp", "127.0.0.1:"+hooks)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	// A body that never comes: the first signal gives it a second.
	fmt.Fprintf(c, "POST /test/test HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nExpect: 100-continue\r\nContent-Length: 9\r\n\r\n")
	if _, err := c.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	p.Signal(syscall.SIGINT)
	p.Signal(syscall.SIGTERM)
	if status := p.Wait(); status != 1 {
		t.Errorf("exit status %d", status)
	}
}

// TestGH204_Errors: one line each, and the status 1.
func TestGH204_Errors(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer busy.Close()
	for _, tt := range []struct {
		args  string
		parts []string
	}{
		{"--datakit tcp://127.0.0.1:x", []string{"tcp://127.0.0.1:x", "tcp://host:port"}},
		{"--datakit http://x", []string{"http://x", "invalid endpoint"}},
		{"--datakit unix://" + file + " --once", []string{file}},
		{"--datakit git://" + file + " --once", []string{file}},
		{"--branch a//b", []string{"--branch", "a//b"}},
		{"--branch=", []string{`--branch ""`}},
		{"-c *:rw,pr", []string{"pr", "position 6", "missing"}},
		{"-r a", []string{`"a"`, "user/name"}},
		{"--webhook ftp://x", []string{"ftp://x", "https://"}},
		{"--webhook http://x --webhook-listen 1", []string{"ADDR:PORT"}},
		{"--webhook http://x --webhook-listen " + busy.Addr().String(), []string{"webhooks", busy.Addr().String(), "in use"}},
		{"--webhook http://x --webhook-listen 127.0.0.1:0 --webhook-secret-file " + file, []string{file, "empty"}},
		{"--webhook-listen :1", []string{"--webhook"}},
		{"--resync -1", []string{"--resync-interval -1"}},
		{"--resync 1 --no-resync", []string{"no-resync"}},
		{"--jobs 0", []string{"--jobs 0"}},
		{"--listen-prometheus x", []string{"x"}},
		{"--app-id 1", []string{"--app-installation"}},
		{"--app-id 1 --app-installation 2 --app-key " + file, []string{file, "private key"}},
		{"--app-id 1 --app-installation 2 --app-key x --token-file y", []string{"--token-file"}},
		{"--token-file=", []string{"--token-file is empty"}},
		{"--api-url ftp://x", []string{"ftp://x"}},
		{"--no-datakit --once", []string{"no-datakit"}},
		{"--verbosity loud", []string{"loud"}},
		{"--log-destination x", []string{"x"}},
		{"--what", []string{"--what"}},
		{"what", []string{"what"}},
	} {
		args := append([]string{"bridge", "github", "-q"}, strings.Fields(tt.args)...)
		if !strings.Contains(tt.args, "--datakit") {
			args = append(args, "--datakit", "git://"+w.dir)
		}
		if !strings.Contains(tt.args, "--api-url") {
			args = append(args, "--api-url", w.url)
		}
		p := daemon.Command(t, w.env(), args...)
		if status := p.Wait(); status != 1 {
			t.Errorf("%s: exit status %d", tt.args, status)
		}
		oneLine(t, p.Err(), append(tt.parts, "datakit: ")...)
	}
	if got := w.messages(); len(got) != 0 {
		t.Errorf("there are commits: %q", got)
	}
}
