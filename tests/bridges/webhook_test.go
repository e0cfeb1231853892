package bridges

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/datakit/datakit/github"
	"github.com/datakit/datakit/github/githubtest"
	"github.com/datakit/datakit/tests/daemon"
)

// TestGH176_BehindAProxy: the listener has an address of its own, and is said
// to need a proxy where the URL is https.
func TestGH176_GH266_BehindAProxy(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	port := daemon.FreePort(t)
	p := w.bridge("-r", "test/test", "--webhook", "https://ci.example.org/hooks/", "--webhook-listen", "127.0.0.1:"+port)
	p.UntilPrints("Database: ")
	if !strings.Contains(p.Out(), "https://ci.example.org/hooks/; a proxy must end TLS there and pass them on to the listener, http://127.0.0.1:"+port) {
		t.Error("the listener is not named")
	}
	p.Until("the webhook is registered", func() bool { return len(w.HooksOf(testRepo)) == 1 })
	h := w.HooksOf(testRepo)[0]
	if h.URL != "https://ci.example.org/hooks/test/test" {
		t.Errorf("its URL is %s", h.URL)
	}
	p.Stop()
}

// TestGH176_PortOfTheURL: without more the listener has the URL's port.
func TestGH176_PortOfTheURL(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	port := daemon.FreePort(t)
	p := w.bridge("--webhook", "http://localhost:"+port)
	p.Until("it listens", func() bool { return listens(port) })
	p.Stop()
}

// TestGH177_Life: the webhook of a repository is registered with it, brings its
// events, survives a restart with its secret, and goes with it.
func TestGH177_GH178_GH184_Life(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.ref("heads/master", "foo")
	port := daemon.FreePort(t)
	args := []string{"-r", "test/test", "--no-resync", "--webhook", "http://127.0.0.1:" + port + "/hooks", "-v"}
	p := w.bridge(args...)
	p.UntilPrints("GitHub reaches the webhook")
	hooks := w.HooksOf(testRepo)
	if len(hooks) != 1 || !hooks[0].Active || hooks[0].ContentType != "json" || hooks[0].InsecureSSL {
		t.Fatalf("the webhooks are not one that is as it should be")
	}
	if want := []string{"create", "delete", "push", "status", "pull_request", "issue_comment"}; !slices.Equal(hooks[0].Events, want) {
		t.Errorf("its events are %q", hooks[0].Events)
	}
	file := filepath.Join(w.home, ".local", "state", "datakit", "webhook-secret")
	secret, err := os.ReadFile(file)
	if err != nil || strings.TrimSpace(string(secret)) != hooks[0].Secret {
		t.Errorf("its secret is not that of %s, error %v", file, err)
	}
	if info, err := os.Stat(file); err != nil || info.Mode() != 0o600 {
		t.Errorf("%s has mode %v, error %v", file, info.Mode(), err)
	}
	w.untilFile(p, "test/test/ref/heads/master/head", "foo\n")
	w.ref("heads/master", "bar")
	w.untilFile(p, "test/test/ref/heads/master/head", "bar\n")
	p.Stop()

	if left := w.HooksOf(testRepo); len(left) != 1 {
		t.Fatalf("%d webhooks after the end", len(left))
	}
	p = w.bridge(args...)
	p.UntilPrints("GitHub reaches the webhook")
	if again := w.HooksOf(testRepo); len(again) != 1 || again[0].ID != hooks[0].ID || again[0].Secret != hooks[0].Secret {
		t.Error("the webhook is another one after a restart")
	}
	w.commit(map[string]string{monitorFile: gone})
	p.Until("the webhook is gone", func() bool { return len(w.HooksOf(testRepo)) == 0 })
	p.Stop()
}

// TestGH173_Undelivered: what no delivery tells of is brought in by the resync,
// and what happens while the bridge is down by its start.
func TestGH173_Undelivered(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.server.Lose(func(c githubtest.Change) bool { return c.Kind == "push" })
	args := []string{"-r", "test/test", "--resync", "0.1", "--webhook", "http://127.0.0.1:" + daemon.FreePort(t), "-v"}
	p := w.bridge(args...)
	p.UntilPrints("GitHub reaches the webhook")
	for _, tag := range []string{"a", "b", "c", "d"} { // GitHub tells of three at most
		w.ref("tags/"+tag, "foo")
	}
	w.untilFile(p, "test/test/ref/tags/d/head", "foo\n")
	p.Stop()
	w.ref("tags/a", "bar")
	p = w.bridge(append(args, "--no-resync")[4:]...)
	w.untilFile(p, "test/test/ref/tags/a/head", "bar\n")
	p.Stop()
}

// TestGH265_Comments: a new comment is mirrored when it is written.
func TestGH171_GH265_Comments(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.PutPR(github.PR{Head: github.Commit{Repo: testRepo, Hash: "foo"}, Number: 2, Title: "x", Base: "master", Owner: "sam",
		Comments: []github.Comment{{Author: "sam", Body: "please"}}})
	p := w.bridge("-r", "test/test", "--no-resync", "--webhook", "http://127.0.0.1:"+daemon.FreePort(t), "-v")
	w.untilFile(p, "test/test/pr/2/comments/0/body", "please")
	p.UntilPrints("GitHub reaches the webhook")
	w.AddComment(github.PRID{Repo: testRepo, Number: 2}, "ana", "ok ")
	w.untilFile(p, "test/test/pr/2/comments/1/body", "ok ")
	p.Stop()
}

// TestGH179_NotRegistered: with the capability to receive only, somebody else
// registers the webhooks, with our secret.
func TestGH154_GH179_NotRegistered(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.ref("heads/master", "foo")
	secret := filepath.Join(w.home, "secret")
	if err := os.WriteFile(secret, []byte("made by hand\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	port := daemon.FreePort(t)
	url := "http://127.0.0.1:" + port
	if _, err := w.CreateHook(t.Context(), testRepo, github.Hook{URL: url + "/test/test", Secret: "made by hand", Active: true,
		ContentType: "json", Events: []string{"push"}}); err != nil {
		t.Fatal(err)
	}
	before := w.HooksOf(testRepo)
	p := w.bridge("-r", "test/test", "-c", "*:r", "--no-resync", "--webhook", url, "--webhook-secret-file", secret)
	w.untilFile(p, "test/test/ref/heads/master/head", "foo\n")
	w.ref("heads/master", "bar")
	w.untilFile(p, "test/test/ref/heads/master/head", "bar\n")
	if got := deliver(t, url+"/test/other", "made by hand"); got != 404 {
		t.Errorf("a delivery of a repository that is not monitored is answered with %d", got)
	}
	p.Stop()
	if after := w.HooksOf(testRepo); len(after) != 1 || after[0].Secret != before[0].Secret || !slices.Equal(after[0].Events, before[0].Events) {
		t.Error("the webhook was changed")
	}
}

// deliver returns how a delivery is answered that the secret has signed.
func deliver(t *testing.T, url, secret string) int {
	t.Helper()
	const body = "{}"
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(body))
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-GitHub-Event", "ping")
	req.Header.Set("X-Hub-Signature-256", "sha256="+hex.EncodeToString(mac.Sum(nil)))
	client := &http.Client{Timeout: patience}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	return resp.StatusCode
}

// TestGH201_Secrets: neither the token nor the secret shows anywhere.
func TestGH201_Secrets(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.ref("heads/master", "foo")
	metrics := daemon.FreePort(t)
	p := w.bridge("-r", "test/test", "-vv", "--listen-prometheus", metrics, "--webhook", "http://127.0.0.1:"+daemon.FreePort(t))
	p.UntilPrints("GitHub reaches the webhook")
	w.commit(map[string]string{
		"test/test/commit/foo/status/ci/state": "success\n",
		"test/test/ref/odd/x/head":             "foo\n", // refused
	})
	p.Until("GitHub has the status", func() bool { return w.status("foo", "ci") == github.Success })
	w.Inject(githubtest.Fault{Status: 401, Message: "Bad credentials"})
	w.commit(map[string]string{"test/test/.dirty": ""})
	p.UntilPrints("401")
	page := get("http://127.0.0.1:" + metrics + "/metrics")
	list, err := os.ReadFile("/proc/" + strconv.Itoa(p.Pid()) + "/cmdline")
	if err != nil {
		t.Log(err) // another system
	}
	p.Stop()
	secret := strings.TrimPrefix(w.HooksOf(testRepo)[0].Secret, "datakit:")
	for name, text := range map[string]string{
		"output": p.Out() + p.Err(), "metrics": page, "process list": string(list), "commits": strings.Join(w.messages(), "\n"),
		"branch": git(t, w.dir, "grep", "-e", "", branchName),
	} {
		if text == "" && name != "process list" {
			t.Errorf("there is no %s", name)
		}
		if strings.Contains(text, testToken) || strings.Contains(text, secret) {
			t.Errorf("a secret is in the %s", name)
		}
	}
}
