package hook

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/datakit/datakit/github"
)

const statusBody = `{"id":42,"sha":"foo","context":"ci","state":"success"}`

func sign(body, secret string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(body))
	return "sha256=" + hex.EncodeToString(mac.Sum(nil))
}

// request returns a delivery as GitHub makes it.
func request(path, event, id, body, secret string) *http.Request {
	req := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-GitHub-Event", event)
	req.Header.Set("X-GitHub-Delivery", id)
	req.Header.Set("X-Hub-Signature-256", sign(body, secret))
	return req
}

// deliver returns the status that a delivery is answered with.
func deliver(s *Source, path, event, id, body, secret string) int {
	return answerTo(s, request(path, event, id, body, secret)).Code
}

func answerTo(s *Source, req *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	s.ServeHTTP(w, req)
	return w
}

// A tally counts how deliveries were answered.
type tally struct {
	mu sync.Mutex // guards n
	n  map[string]int
}

func (c *tally) count(result string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.n == nil {
		c.n = make(map[string]int)
	}
	c.n[result]++
}

// watching returns a Source that watches the test's repository.
func watching(t *testing.T, opts Options) *Source {
	t.Helper()
	opts.Hooks = newFake()
	s := newSource(t, "https://example.org/hooks/", opts)
	if err := s.Watch(t.Context(), testRepo); err != nil {
		t.Fatal(err)
	}
	return s
}

const ourPath = "/hooks/test/test"

// wantEvents checks what is queued, and takes it out.
func wantEvents(t *testing.T, s *Source, want ...string) {
	t.Helper()
	events, done := s.Events()
	var got []string
	for _, d := range events {
		if d.At.IsZero() {
			t.Errorf("%v has come at no time", d.Event)
		}
		got = append(got, d.Event.(github.StatusEvent).Status.Commit.Hash)
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("queued are events of %q, want %q", got, want)
	}
	done()
}

// answers are what GH-181 says, each to a delivery spoilt in one way.
var answers = []struct {
	name   string
	spoil  func(req *http.Request)
	status int
	result string
}{
	{"as GitHub does it", func(*http.Request) {}, 204, "accepted"},
	{"proxy that takes the path away", func(r *http.Request) { r.URL.Path = "/test/test" }, 204, "accepted"},
	{"content type with a charset", func(r *http.Request) { r.Header.Set("Content-Type", "application/json; charset=utf-8") }, 204, "accepted"},
	{"no number", func(r *http.Request) { r.Header.Del("X-GitHub-Delivery") }, 204, "accepted"},
	{"an event without effect", func(r *http.Request) { r.Header.Set("X-GitHub-Event", "fork") }, 204, "other"},
	{"ping", func(r *http.Request) { r.Header.Set("X-GitHub-Event", "ping") }, 204, "ping"},

	{"no signature", func(r *http.Request) { r.Header.Del("X-Hub-Signature-256") }, 403, "signature"},
	{"signature of another secret", func(r *http.Request) { r.Header.Set("X-Hub-Signature-256", sign(statusBody, "other")) }, 403, "signature"},
	{"signature of another body", func(r *http.Request) { r.Header.Set("X-Hub-Signature-256", sign("x", testSecret.Reveal())) }, 403, "signature"},
	{"signature cut short", func(r *http.Request) { r.Header.Set("X-Hub-Signature-256", sign(statusBody, testSecret.Reveal())[:40]) }, 403, "signature"},
	{"signature that is no number", func(r *http.Request) { r.Header.Set("X-Hub-Signature-256", "sha256=x") }, 403, "signature"},
	{"empty signature", func(r *http.Request) { r.Header.Set("X-Hub-Signature-256", "sha256=") }, 403, "signature"},
	{"other repository", func(r *http.Request) { r.URL.Path = "/hooks/test/other" }, 404, "repository"},
	{"no repository", func(r *http.Request) { r.URL.Path = "/hooks/test" }, 404, "repository"},
	{"other path", func(r *http.Request) { r.URL.Path = "/other/test/test" }, 404, "repository"},
	{"the root", func(r *http.Request) { r.URL.Path = "/" }, 404, "repository"},
	{"GET", func(r *http.Request) { r.Method = http.MethodGet }, 405, "method"},
	{"PUT", func(r *http.Request) { r.Method = http.MethodPut }, 405, "method"},
	{"announced as too large", func(r *http.Request) { r.ContentLength = MaxBody + 1 }, 413, "size"},
	{"no content type", func(r *http.Request) { r.Header.Del("Content-Type") }, 415, "type"},
	{"form", func(r *http.Request) { r.Header.Set("Content-Type", "application/x-www-form-urlencoded") }, 415, "type"},
	{"body that ends early", func(r *http.Request) { r.Body = io.NopCloser(io.MultiReader(strings.NewReader("{"), broken{})) }, 400, "body"},
	{"no JSON", func(r *http.Request) { setBody(r, "{") }, 400, "json"},
	{"JSON of something else", func(r *http.Request) { setBody(r, "[]") }, 400, "json"},
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// setBody gives a request another body, rightly signed.
func setBody(r *http.Request, body string) {
	r.Body, r.ContentLength = io.NopCloser(strings.NewReader(body)), int64(len(body))
	r.Header.Set("X-Hub-Signature-256", sign(body, testSecret.Reveal()))
}

func TestGH181_GH183_Answers(t *testing.T) {
	t.Parallel()
	for _, tt := range answers {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var c tally
			s := watching(t, Options{OnDelivery: c.count})
			req := request(ourPath, "status", "1", statusBody, testSecret.Reveal())
			tt.spoil(req)
			w := answerTo(s, req)
			if w.Code != tt.status || c.n[tt.result] != 1 || len(c.n) != 1 {
				t.Errorf("answered with %d and counted as %v, want %d and %s", w.Code, c.n, tt.status, tt.result)
			}
			if text := w.Body.String(); (text == "") != (tt.status == 204) || len(text) > 100 {
				t.Errorf("the answer to it says %q", text)
			}
			if (w.Code == 405) != (w.Header().Get("Allow") == "POST") {
				t.Errorf("the answer allows %q", w.Header().Get("Allow"))
			}
			if tt.result == "accepted" {
				wantEvents(t, s, "foo")
			} else {
				wantEvents(t, s)
			}
		})
	}
}

func TestGH183_EveryResultIsKnown(t *testing.T) {
	t.Parallel()
	known := " " + strings.Join(Results(), " ") + " "
	for _, tt := range answers {
		if !strings.Contains(known, " "+tt.result+" ") {
			t.Errorf("Results lacks %s", tt.result)
		}
	}
}

// TestGH180_GH261_SHA1IsNotEnough: the older signature beside no new one.
func TestGH180_GH261_SHA1IsNotEnough(t *testing.T) {
	t.Parallel()
	s := watching(t, Options{})
	req := request(ourPath, "status", "1", statusBody, "wrong")
	mac := hmac.New(sha1.New, []byte(testSecret.Reveal()))
	mac.Write([]byte(statusBody))
	req.Header.Set("X-Hub-Signature", "sha1="+hex.EncodeToString(mac.Sum(nil)))
	if w := answerTo(s, req); w.Code != 403 {
		t.Errorf("answered with %d", w.Code)
	}
}

// TestGH180_SignatureComesFirst: what is wrong with a body is told only to
// those who could sign it.
func TestGH180_SignatureComesFirst(t *testing.T) {
	t.Parallel()
	s := watching(t, Options{})
	if got := deliver(s, ourPath, "status", "1", "{", "wrong"); got != 403 {
		t.Errorf("answered with %d", got)
	}
	// Nor does such a delivery make a true one a duplicate.
	deliver(s, ourPath, "status", "2", statusBody, "wrong")
	deliver(s, ourPath, "status", "2", statusBody, testSecret.Reveal())
	wantEvents(t, s, "foo")
}

// endless is a body without an end that counts what is read of it.
type endless struct{ n int }

func (e *endless) Read(p []byte) (int, error) {
	e.n += len(p)
	for i := range p {
		p[i] = ' '
	}
	return len(p), nil
}

func TestGH181_GH267_BodyIsReadBounded(t *testing.T) {
	t.Parallel()
	s := watching(t, Options{})
	req := request(ourPath, "status", "1", statusBody, testSecret.Reveal())
	body := new(endless)
	req.Body, req.ContentLength = io.NopCloser(body), -1
	if w := answerTo(s, req); w.Code != 413 {
		t.Errorf("answered with %d, want 413", w.Code)
	}
	if body.n > 2*MaxBody {
		t.Errorf("%d bytes of the body were read", body.n)
	}
}

func TestGH181_LargestBody(t *testing.T) {
	t.Parallel()
	s := watching(t, Options{})
	body := statusBody + strings.Repeat(" ", MaxBody-len(statusBody))
	if got := deliver(s, ourPath, "status", "1", body, testSecret.Reveal()); got != 204 {
		t.Errorf("answered with %d", got)
	}
}

func TestGH182_DuplicatesAreIgnored(t *testing.T) {
	t.Parallel()
	var c tally
	s := watching(t, Options{OnDelivery: c.count})
	give := func(id string) {
		t.Helper()
		body := strings.Replace(statusBody, "foo", "c"+id, 1)
		if got := deliver(s, ourPath, "status", id, body, testSecret.Reveal()); got != 204 {
			t.Fatalf("delivery %s is answered with %d", id, got)
		}
	}
	n := 0
	for i := range 10_000 { // 0 is then the oldest that is remembered
		give(strconv.Itoa(i))
		if s.Len() == maxEvents/2 || i == 9999 {
			events, done := s.Events()
			n += len(events)
			done()
		}
	}
	if n != 10_000 {
		t.Fatalf("%d events were queued", n)
	}
	give("0")
	give("9999")
	wantEvents(t, s)
	if c.n["duplicate"] != 2 {
		t.Errorf("counted are %v", c.n)
	}
	give("10000") // and 0 is forgotten
	give("0")
	wantEvents(t, s, "c10000", "c0")
}

func TestGH107_GH235_EventsStayUntilTheyAreUsed(t *testing.T) {
	t.Parallel()
	s := watching(t, Options{})
	give := func(hash string) {
		body := strings.Replace(statusBody, "foo", hash, 1)
		deliver(s, ourPath, "status", hash, body, testSecret.Reveal())
	}
	give("a")
	select {
	case <-s.Wake():
	default:
		t.Error("nobody is woken")
	}
	first, done := s.Events()
	give("b")
	second, doneToo := s.Events()
	if len(first) != 1 || len(second) != 2 || s.Len() != 2 {
		t.Errorf("%d events, then %d, of %d", len(first), len(second), s.Len())
	}
	done()
	give("c")
	done() // a second time: takes nothing
	wantEventsOnly(t, s, "b", "c")
	doneToo()
	wantEvents(t, s, "c")
	wantEvents(t, s)
	if s.Len() != 0 {
		t.Errorf("%d events are queued", s.Len())
	}
}

// wantEventsOnly is wantEvents, but leaves them in the queue.
func wantEventsOnly(t *testing.T, s *Source, want ...string) {
	t.Helper()
	events, _ := s.Events()
	var got []string
	for _, d := range events {
		got = append(got, d.Event.(github.StatusEvent).Status.Commit.Hash)
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("queued are events of %q, want %q", got, want)
	}
}

func TestGH15_GH19_LeftOutEventsAreReportedOnce(t *testing.T) {
	t.Parallel()
	var log logText
	s := watching(t, Options{Log: log.logger()})
	for i := range 3 {
		body := strings.Replace(statusBody, `"ci"`, `"a//b"`, 1)
		deliver(s, ourPath, "status", strconv.Itoa(i), body, testSecret.Reveal())
	}
	if n := strings.Count(log.String(), "level=WARN"); n != 1 || !strings.Contains(log.String(), "a//b") {
		t.Errorf("%d warnings in\n%s", n, log.String())
	}
}

// TestGH181_OverHTTP sends deliveries over the network, at once.
func TestGH181_OverHTTP(t *testing.T) {
	t.Parallel()
	s := watching(t, Options{})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	served := make(chan error, 1)
	go func() { served <- s.Serve(ctx, l) }()
	client := &http.Client{Transport: new(http.Transport), Timeout: patience}
	defer client.CloseIdleConnections()
	var all sync.WaitGroup
	for i := range 20 {
		all.Go(func() {
			body := statusBody + strings.Repeat(" ", i<<16) // some of them large
			req := request("http://"+l.Addr().String()+ourPath, "status", strconv.Itoa(i), "", "")
			req.Body, req.ContentLength = io.NopCloser(bytes.NewReader([]byte(body))), int64(len(body))
			req.Header.Set("X-Hub-Signature-256", sign(body, testSecret.Reveal()))
			req.RequestURI = ""
			resp, err := client.Do(req)
			if err != nil {
				t.Error(err)
				return
			}
			resp.Body.Close()
			if resp.StatusCode != 204 {
				t.Errorf("delivery %d is answered with %s", i, resp.Status)
			}
		})
	}
	all.Wait()
	if s.Len() != 20 {
		t.Errorf("%d events are queued", s.Len())
	}
	cancel()
	if err := <-served; err != nil {
		t.Errorf("Serve = %v", err)
	}
}

// TestGH175_OwnerCalledAsThePath: behind a proxy that takes the path of the URL
// away, as behind one that does not.
func TestGH175_OwnerCalledAsThePath(t *testing.T) {
	t.Parallel()
	s := newSource(t, "https://example.org/test", Options{Hooks: newFake()})
	if err := s.Watch(t.Context(), testRepo); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]int{"/test/test": 204, "/test/test/test": 204, "/test": 404, "/test/test/test/test": 404} {
		if got := deliver(s, path, "status", "", statusBody, testSecret.Reveal()); got != want {
			t.Errorf("a delivery to %s is answered with %d, want %d", path, got, want)
		}
	}
}

// TestGH107_QueueIsBounded has events wait without end: those of a busy
// repository are replaced by one that says so, the others stay.
func TestGH107_QueueIsBounded(t *testing.T) {
	t.Parallel()
	log := new(logText)
	s := watching(t, Options{Log: slog.New(slog.NewTextHandler(log, nil))})
	quiet := github.StatusEvent{Status: github.NewStatus(github.Commit{Repo: github.Repo{User: "a", Name: "quiet"}, Hash: "foo"}, "ci", github.Success, "", "")}
	s.add(quiet, time.Now())
	for i := range maxEvents {
		if got := deliver(s, ourPath, "status", strconv.Itoa(i), statusBody, testSecret.Reveal()); got != 204 {
			t.Fatalf("answered with %d", got)
		}
	}
	events, done := s.Events()
	if len(events) != 2 || events[0].Event != github.Event(quiet) || events[1].Event != github.Event(github.EventsLost{Repo: testRepo}) {
		t.Fatalf("queued are %d events, the last is %v", len(events), events[len(events)-1].Event)
	}
	if !strings.Contains(log.String(), "are dropped") {
		t.Errorf("the log does not tell:\n%s", log)
	}
	// What is lost while the events are being used is not taken out with them.
	for i := range maxEvents {
		deliver(s, ourPath, "status", "again"+strconv.Itoa(i), statusBody, testSecret.Reveal())
	}
	done()
	events, done = s.Events()
	if n := len(events); n == 0 || events[0].Event != github.Event(github.EventsLost{Repo: testRepo}) {
		t.Errorf("queued are %d events", n)
	}
	done()
	if s.Len() != 0 {
		t.Errorf("%d events are left", s.Len())
	}
}
