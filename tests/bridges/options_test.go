package bridges

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/datakit/datakit/github"
	"github.com/datakit/datakit/github/githubtest"
	"github.com/datakit/datakit/tests/daemon"
)

// TestGH186_Verbosity: the environment gives the level, and each option
// overrides the one before.
func TestGH186_Verbosity(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, tt := range []struct {
		env, args string
		logs      bool // at level info
	}{
		{"", "", false},
		{"DATAKIT_VERBOSE=info", "", true},
		{"", "-v", true},
		{"DATAKIT_VERBOSE=error", "-v", true},
		{"DATAKIT_VERBOSE=info", "--verbosity error", false},
		{"", "-v --verbosity error", false},
		{"", "-v --verbosity info -q", false},
	} {
		p := daemon.Command(t, append(w.env(), tt.env),
			append([]string{"bridge", "github", "--no-datakit", "--api-url", w.url}, strings.Fields(tt.args)...)...)
		p.Until("the token is checked", func() bool { return w.tokens() > 0 })
		w.server.ResetRequests()
		p.Stop()
		if got := strings.Contains(p.Err(), "the token is from $DATAKIT_GITHUB_TOKEN"); got != tt.logs {
			t.Errorf("%s %s: logged at level info: %t", tt.env, tt.args, got)
		}
	}
}

// tokens returns how often the token was checked.
func (w *world) tokens() int {
	return w.server.Requests()[githubtest.Request{Op: github.OpCheckToken, Status: 200}]
}

// TestGH187_LogDestinations: the bridges log where the other commands do.
func TestGH187_LogDestinations(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	dir, _ := project(t)
	for destination, want := range map[string]string{
		"quiet":     `(?m)^\[info\] `,
		"timestamp": `(?m)^\d{4}-\d\d-\d\d \d\d:\d\d [a-z]+ \[info\] `,
		"json":      `(?m)^\{.*"level":"info"`,
	} {
		options := []string{"--once", "-v", "--color", "never", "--log-clock", "posix", "--log-destination", destination}
		for _, p := range []*daemon.Process{
			w.bridge(options...),
			daemon.Command(t, nil, append([]string{"bridge", "git", "-d", "git://" + w.dir, "me/" + destination + ":" + dir}, options...)...),
		} {
			if status := p.Wait(); status != 0 {
				t.Errorf("%s: exit status %d", destination, status)
			}
			if !regexp.MustCompile(want).MatchString(p.Err()) {
				t.Errorf("%s: nothing logged looks like %s in\n%s", destination, want, p.Err())
			}
		}
	}
}

// TestGH188_Resync: the short form too makes the bridge read all again.
func TestGH188_Resync(t *testing.T) {
	t.Parallel()
	for _, option := range []string{"--resync", "--resync-interval"} {
		w := newWorld(t)
		p := w.bridge("-r", "test/test", option, "0.05")
		p.Until("it reads all again", func() bool { return w.listings() >= 3 })
		p.Stop()
	}
}

// listings returns how often the pull requests were listed.
func (w *world) listings() (n int) {
	for r, count := range w.server.Requests() {
		if r.Op == github.OpListPRs {
			n += count
		}
	}
	return n
}

// TestGH189_Jobs: so many calls are made at once, and not more.
func TestGH189_Jobs(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for i := range 20 {
		w.ref("heads/b"+strconv.Itoa(i), "c"+strconv.Itoa(i))
	}
	p := w.bridge("-r", "test/test", "--once", "--jobs", "2")
	if status := p.Wait(); status != 0 || w.server.MaxInFlight() > 2 {
		t.Errorf("exit status %d, with %d calls at once", status, w.server.MaxInFlight())
	}
}

// TestGH189_App: an installation of a GitHub App is as good as a token.
func TestGH189_GH271_App(t *testing.T) {
	t.Parallel()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, func(s *githubtest.Server) {
		s.Token, s.App = "another", &githubtest.App{ID: 1, Installation: 2, Key: &key.PublicKey}
	})
	w.ref("heads/master", "foo")
	file := filepath.Join(w.home, "key.pem")
	text := pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)})
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	p := daemon.Command(t, append(w.env(), "DATAKIT_GITHUB_TOKEN="), "bridge", "github", "-d", "git://"+w.dir, "--api-url", w.url,
		"--app-id", "1", "--app-installation", "2", "--app-key", file, "-r", "test/test", "--once")
	if status := p.Wait(); status != 0 || w.file("test/test/ref/heads/master/head") != "foo\n" {
		t.Errorf("exit status %d", status)
	}
	p = daemon.Command(t, w.env(), "bridge", "github", "-d", "git://"+w.dir, "--api-url", w.url,
		"--app-id", "1", "--app-installation", "3", "--app-key", file, "--once")
	if status := p.Wait(); status != 1 {
		t.Errorf("exit status %d for an installation that is none", status)
	}
	oneLine(t, p.Err(), "GitHub")
}

// TestGH189_OnceSaysWhatIsLeft: a sync that could not read all is a failure.
func TestGH189_OnceSaysWhatIsLeft(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Inject(githubtest.Fault{Op: github.OpListRefs, Status: 429, RetryAt: time.Now().Add(time.Hour)})
	p := w.bridge("-q", "-r", "test/test", "--once", "--webhook", "http://127.0.0.1:"+daemon.FreePort(t))
	if status := p.Wait(); status != 1 {
		t.Errorf("exit status %d", status)
	}
	oneLine(t, p.Err(), "read: ")
	if len(w.HooksOf(testRepo)) != 0 {
		t.Error("a webhook is registered for a bridge that ends")
	}
}

// TestGH205_Metrics: all that GH-205 lists is served, and moves.
func TestGH205_GH272_Metrics(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.ref("heads/master", "foo")
	port := daemon.FreePort(t)
	hooks := daemon.FreePort(t)
	p := w.bridge("-r", "test/test", "-v", "--listen-prometheus", port, "--webhook", "http://127.0.0.1:"+hooks)
	p.UntilPrints("GitHub reaches the webhook")
	w.commit(map[string]string{"test/test/commit/foo/status/ci/state": "success\n"})
	p.Until("GitHub has the status", func() bool { return w.status("foo", "ci") == github.Success })
	w.ref("heads/master", "bar")
	w.untilFile(p, "test/test/ref/heads/master/head", "bar\n")
	get("http://127.0.0.1:" + hooks + "/test/test") // refused

	wants := []string{
		`datakit_github_api_calls_total\{op="set status",result="ok"\} 1`,
		`datakit_github_rate_limit_remaining [1-9].*`,
		`datakit_github_sync_duration_seconds_count [1-9].*`,
		`datakit_github_syncs_total\{reason="branch",result="ok"\} [1-9].*`,
		`datakit_github_syncs_total\{reason="events",result="ok"\} [1-9].*`,
		`datakit_github_event_to_commit_seconds_count [1-9].*`,
		`datakit_github_commit_to_github_seconds_count 1`,
		`datakit_github_queue_length 0`,
		`datakit_github_pending\{kind="read"\} 0`,
		`datakit_github_pending\{kind="send"\} 0`,
		`datakit_github_pending\{kind="webhook"\} 0`,
		`datakit_github_webhook_deliveries_total\{result="ping"\} [1-9].*`,
		`datakit_github_webhook_deliveries_total\{result="accepted"\} [1-9].*`,
		`datakit_github_webhook_deliveries_total\{result="method"\} 1`,
		`datakit_github_monitored_repositories 1`,
		`datakit_log_messages_total\{level="info",src="bridge"\} [1-9].*`,
	}
	var page string
	p.Until("all metrics have moved", func() bool {
		page = get("http://127.0.0.1:" + port + "/metrics")
		for _, want := range wants {
			if !regexp.MustCompile(`(?m)^` + want + `$`).MatchString(page) {
				return false
			}
		}
		return true
	})
	p.Stop()
}

// TestGH141_ServerRestarts: the bridge connects again and goes on.
func TestGH141_GH252_ServerRestarts(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.ref("heads/master", "foo")
	short, err := os.MkdirTemp("", "dk")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(short)
	addr := filepath.Join(short, "s")
	launch := func() *daemon.Daemon {
		d, err := daemon.Launch(w.dir, addr)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	// Started before the server.
	p := daemon.Command(t, w.env(), "bridge", "github", "-d", "unix://"+addr, "--api-url", w.url, "-r", "test/test")
	p.UntilPrints(addr)
	d := launch()
	w.untilFile(p, "test/test/ref/heads/master/head", "foo\n")
	d.Kill()
	d = launch()
	defer d.Kill()
	w.commit(map[string]string{"test/test/commit/foo/status/ci/state": "success\n"})
	p.Until("GitHub has the status", func() bool { return w.status("foo", "ci") == github.Success })
	p.Stop()
}
