package hook

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/datakit/datakit/github"
	"github.com/datakit/datakit/github/token"
)

const patience = 30 * time.Second

var testSecret = token.NewSecret("datakit:0123456789012345678901234567890123456789")

// fakeHooks are the webhooks of a repository on a GitHub that knows no other.
type fakeHooks struct {
	mu    sync.Mutex // guards what follows
	hooks []github.Hook
	calls []string
	fail  string                 // the call that fails
	ping  func(hook github.Hook) // delivers
}

var _ github.HookAPI = (*fakeHooks)(nil)

var errInjected = errors.New("injected")

// newFake returns a GitHub whose repository has the webhooks, numbered from 1.
func newFake(hooks ...github.Hook) *fakeHooks {
	for i := range hooks {
		hooks[i].ID = int64(i + 1)
	}
	return &fakeHooks{hooks: hooks}
}

// call notes a call. The lock is held.
func (f *fakeHooks) call(name string, id int64) error {
	f.calls = append(f.calls, fmt.Sprint(name, " ", id))
	if f.fail == name {
		return errInjected
	}
	return nil
}

func (f *fakeHooks) Hooks(context.Context, github.Repo) ([]github.Hook, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	all := slices.Clone(f.hooks)
	for i := range all {
		all[i].Secret = ""
	}
	return all, f.call("list", 0)
}

func (f *fakeHooks) CreateHook(_ context.Context, _ github.Repo, h github.Hook) (github.Hook, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	h.ID = int64(len(f.hooks) + 1)
	if err := f.call("create", h.ID); err != nil {
		return github.Hook{}, err
	}
	f.hooks = append(f.hooks, h)
	return h, nil
}

func (f *fakeHooks) UpdateHook(_ context.Context, _ github.Repo, h github.Hook) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i := range f.hooks {
		if f.hooks[i].ID == h.ID {
			f.hooks[i] = h
		}
	}
	return f.call("update", h.ID)
}

func (f *fakeHooks) DeleteHook(_ context.Context, _ github.Repo, id int64) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.hooks = slices.DeleteFunc(f.hooks, func(h github.Hook) bool { return h.ID == id })
	return f.call("delete", id)
}

func (f *fakeHooks) PingHook(_ context.Context, _ github.Repo, id int64) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, h := range f.hooks {
		if h.ID == id && f.ping != nil {
			f.ping(h)
		}
	}
	return f.call("ping", id)
}

// A logText is a log to look into.
type logText struct {
	mu   sync.Mutex // guards text
	text bytes.Buffer
}

func (l *logText) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logText) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func (l *logText) logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(l, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// newSource returns a Source at the URL, whatever else opts say.
func newSource(t *testing.T, url string, opts Options) *Source {
	t.Helper()
	opts.URL, opts.Secret = url, testSecret
	s, err := New(opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// until waits for a condition.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited %v in vain until %s", patience, what)
		}
	}
}

// ourHook is a webhook as it should be (GH-177).
func ourHook(id int64, url string) github.Hook {
	return github.Hook{
		ID: id, URL: url, Active: true, ContentType: "json", Secret: testSecret.Reveal(),
		Events: []string{"create", "delete", "push", "status", "pull_request", "issue_comment"},
	}
}

func TestGH175_GH266_URLOfARepository(t *testing.T) {
	t.Parallel()
	for url, want := range map[string]string{
		"http://example.org":               "http://example.org/test/test",
		"http://example.org/":              "http://example.org/test/test",
		"https://example.org:8443/a/hooks": "https://example.org:8443/a/hooks/test/test",
		"https://example.org/a/hooks//":    "https://example.org/a/hooks/test/test",
	} {
		f := newFake()
		if err := newSource(t, url, Options{Hooks: f}).Watch(t.Context(), testRepo); err != nil {
			t.Fatal(err)
		}
		if got := f.hooks[0].URL; got != want {
			t.Errorf("with %s the hook is %s, want %s", url, got, want)
		}
	}
}

func TestGH175_WrongURLs(t *testing.T) {
	t.Parallel()
	for _, url := range []string{"", "example.org", "ftp://example.org", "http://", "http:///x", "http://x/?a", "http://x/#a", "http://u:p@x/", "http://x:y"} {
		if _, err := New(Options{URL: url, Secret: testSecret}); err == nil {
			t.Errorf("New accepts the URL %q", url)
		}
	}
}

func TestGH177_GH265_Registration(t *testing.T) {
	t.Parallel()
	f := newFake(github.Hook{URL: "http://else.example.org/test/test"})
	s := newSource(t, "http://x", Options{Hooks: f})
	if err := s.Watch(t.Context(), testRepo); err != nil {
		t.Fatal(err)
	}
	if want := []string{"list 0", "create 2", "ping 2"}; !slices.Equal(f.calls, want) {
		t.Errorf("calls %q, want %q", f.calls, want)
	}
	if diff := cmp.Diff(ourHook(2, "http://x/test/test"), f.hooks[1]); diff != "" {
		t.Errorf("the hook (-want +got):\n%s", diff)
	}
}

func TestGH178_GH262_HookIsReused(t *testing.T) {
	t.Parallel()
	old := github.Hook{URL: "http://x/test/test", Secret: "old", Events: []string{"push"}}
	f := newFake(old, github.Hook{URL: "http://else"}, old)
	s := newSource(t, "http://x", Options{Hooks: f})
	if err := s.Watch(t.Context(), testRepo); err != nil {
		t.Fatal(err)
	}
	// The third would deliver everything a second time.
	if want := []string{"list 0", "update 1", "delete 3", "ping 1"}; !slices.Equal(f.calls, want) {
		t.Errorf("calls %q, want %q", f.calls, want)
	}
	if diff := cmp.Diff(ourHook(1, "http://x/test/test"), f.hooks[0]); diff != "" {
		t.Errorf("the hook (-want +got):\n%s", diff)
	}
}

// pingBack has each ping of f be delivered to s.
func (f *fakeHooks) pingBack(s *Source) {
	f.ping = func(h github.Hook) { deliver(s, "/test/test", "ping", "", `{}`, h.Secret) }
}

// wantCalls checks the calls since the last time.
func (f *fakeHooks) wantCalls(t *testing.T, want ...string) {
	t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	if !slices.Equal(f.calls, want) {
		t.Errorf("calls %q, want %q", f.calls, want)
	}
	f.calls = nil
}

// TestGH178_RightHookIsLeft: what is as it should be is pinged once, which
// shows that its secret is ours, and then only looked for. One that has gone is
// made again.
func TestGH178_RightHookIsLeft(t *testing.T) {
	t.Parallel()
	right := ourHook(0, "http://x/test/test")
	slices.Reverse(right.Events)
	f := newFake(right)
	s := newSource(t, "http://x", Options{Hooks: f, Confirm: patience})
	f.pingBack(s)
	for _, want := range [][]string{{"list 0", "ping 1"}, {"list 0"}, {"list 0"}} {
		if err := s.Watch(t.Context(), testRepo); err != nil {
			t.Fatal(err)
		}
		f.wantCalls(t, want...)
	}
	f.hooks = nil
	if err := s.Watch(t.Context(), testRepo); err != nil {
		t.Fatal(err)
	}
	f.wantCalls(t, "list 0", "create 1", "ping 1")
}

// TestGH178_HookWithAnotherSecret: GitHub is told ours when nothing that is
// signed with it comes, and what it has sent before is caught up with.
func TestGH178_HookWithAnotherSecret(t *testing.T) {
	t.Parallel()
	other := ourHook(0, "http://x/test/test")
	other.Secret = "another"
	var log logText
	f := newFake(other)
	s := newSource(t, "http://x", Options{Hooks: f, Confirm: time.Millisecond, Log: log.logger()})
	f.pingBack(s)
	if err := s.Watch(t.Context(), testRepo); err != nil {
		t.Fatal(err)
	}
	until(t, "GitHub reaches the webhook", func() bool { return strings.Contains(log.String(), "GitHub reaches") })
	f.wantCalls(t, "list 0", "ping 1", "update 1", "ping 1")
	if events, _ := s.Events(); len(events) != 1 || events[0].Event != github.Event(github.EventsLost{Repo: testRepo}) {
		t.Errorf("queued are %v", events)
	}
	if err := s.Watch(t.Context(), testRepo); err != nil {
		t.Fatal(err)
	}
	f.wantCalls(t, "list 0")
}

func TestGH184_GH264_HookIsRemovedWithItsRepository(t *testing.T) {
	t.Parallel()
	f := newFake(github.Hook{URL: "http://x/test/other"}, ourHook(0, "http://x/test/test"))
	s := newSource(t, "http://x", Options{Hooks: f})
	if err := s.Unwatch(t.Context(), testRepo); err != nil {
		t.Fatal(err)
	}
	if len(f.hooks) != 1 || f.hooks[0].ID != 1 {
		t.Errorf("left are %v", f.hooks)
	}
	s.Close()
	if want := []string{"list 0", "delete 2"}; !slices.Equal(f.calls, want) { // none at the end
		t.Errorf("calls %q, want %q", f.calls, want)
	}
}

func TestGH179_FailuresAreReturned(t *testing.T) {
	t.Parallel()
	for _, call := range []string{"list", "create", "update", "delete"} {
		f := newFake()
		if call == "update" || call == "delete" {
			f = newFake(ourHook(0, "http://x/test/test"), ourHook(0, "http://x/test/test"))
		}
		f.fail = call
		s := newSource(t, "http://x", Options{Hooks: f})
		if err := s.Watch(t.Context(), testRepo); !errors.Is(err, errInjected) {
			t.Errorf("%s fails: Watch = %v", call, err)
		}
		if call != "list" && call != "delete" {
			continue
		}
		if err := s.Unwatch(t.Context(), testRepo); !errors.Is(err, errInjected) {
			t.Errorf("%s fails: Unwatch = %v", call, err)
		}
	}
}

// TestGH179_GH263_UnreachableURL: the warning comes, and the hook stays.
func TestGH179_GH263_UnreachableURL(t *testing.T) {
	t.Parallel()
	var log logText
	f := newFake()
	s := newSource(t, "http://x", Options{Hooks: f, Confirm: time.Nanosecond, Log: log.logger()})
	if err := s.Watch(t.Context(), testRepo); err != nil {
		t.Fatal(err)
	}
	until(t, "there is a warning", func() bool {
		text := log.String()
		return strings.Contains(text, "level=WARN") && strings.Contains(text, "GitHub cannot reach") && strings.Contains(text, "http://x/test/test")
	})
	if len(f.hooks) != 1 {
		t.Error("the hook is gone")
	}
}

// TestGH179_FailedPing: a hook without a ping is registered all the same.
func TestGH179_FailedPing(t *testing.T) {
	t.Parallel()
	var log logText
	f := newFake()
	f.fail = "ping"
	s := newSource(t, "http://x", Options{Hooks: f, Log: log.logger()})
	if err := s.Watch(t.Context(), testRepo); err != nil {
		t.Fatal(err)
	}
	if text := log.String(); !strings.Contains(text, "level=WARN") || !strings.Contains(text, "injected") {
		t.Errorf("the log is\n%s", text)
	}
}

// TestGH203_StopDuringAPing: the end of the bridge is no failure of GitHub's.
func TestGH203_StopDuringAPing(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	f, log := newFake(), &logText{}
	f.fail, f.ping = "ping", func(github.Hook) { cancel() }
	s := newSource(t, "http://bridge.example/", Options{Hooks: f, Log: log.logger()})
	if err := s.Watch(ctx, github.Repo{User: "test", Name: "test"}); !errors.Is(err, context.Canceled) {
		t.Errorf("Watch: %v", err)
	}
	if strings.Contains(log.String(), "level=WARN") {
		t.Errorf("the log says %q", log)
	}
}

// TestGH179_Confirmation: the ping of a GitHub that delivers confirms the hook.
func TestGH179_Confirmation(t *testing.T) {
	t.Parallel()
	var log logText
	f := newFake()
	s := newSource(t, "http://x", Options{Hooks: f, Confirm: patience, Log: log.logger()})
	f.ping = func(c github.Hook) {
		if got := deliver(s, "/test/test", "ping", "1", `{}`, c.Secret); got != 204 {
			t.Errorf("the ping is answered with %d", got)
		}
	}
	if err := s.Watch(t.Context(), testRepo); err != nil {
		t.Fatal(err)
	}
	until(t, "the hook is confirmed", func() bool { return strings.Contains(log.String(), "GitHub reaches the webhook") })
	if strings.Contains(log.String(), "level=WARN") {
		t.Errorf("the log is\n%s", log.String())
	}
}

// TestGH181_OnlyReceived: with nothing to register with, too, only what is
// watched is accepted.
func TestGH181_OnlyReceived(t *testing.T) {
	t.Parallel()
	s := newSource(t, "http://x", Options{})
	want := func(status int) {
		t.Helper()
		if got := deliver(s, "/test/test", "status", "", statusBody, testSecret.Reveal()); got != status {
			t.Errorf("a delivery is answered with %d, want %d", got, status)
		}
	}
	want(404)
	if err := s.Watch(t.Context(), testRepo); err != nil {
		t.Error(err)
	}
	want(204)
	if err := s.Unwatch(t.Context(), testRepo); err != nil {
		t.Error(err)
	}
	want(404)
	s.Accept(testRepo)
	want(204)
	s.Refuse(testRepo)
	want(404)
}

func TestGH201_SecretIsNotLogged(t *testing.T) {
	t.Parallel()
	var log logText
	f := newFake(ourHook(0, "http://x/test/test"))
	f.fail = "ping"
	s := newSource(t, "http://x", Options{Hooks: f, Log: log.logger()})
	if err := s.Watch(t.Context(), testRepo); err != nil {
		t.Fatal(err)
	}
	deliver(s, "/test/test", "status", "1", statusBody, "wrong")
	deliver(s, "/test/test", "status", "1", statusBody, testSecret.Reveal())
	deliver(s, "/test/test", "status", "2", `x`, testSecret.Reveal())
	if text := log.String(); text == "" || strings.Contains(text, "datakit:") || strings.Contains(text, "0123456789") {
		t.Errorf("the log is\n%s", text)
	}
}
