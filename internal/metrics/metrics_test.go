package metrics

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// scrape returns what GET of a path is answered with.
func scrape(t *testing.T, p *Page, path string) (int, string) {
	t.Helper()
	w := httptest.NewRecorder()
	p.handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	return w.Code, w.Body.String()
}

// wantLines checks that text has each of the lines.
func wantLines(t *testing.T, text string, lines ...string) {
	t.Helper()
	for _, line := range lines {
		if !strings.Contains("\n"+text, "\n"+line+"\n") {
			t.Errorf("no line %q in\n%s", line, text)
		}
	}
}

func TestFS200_Metrics(t *testing.T) {
	t.Parallel()
	m := New()
	numbers := []int{2, 3, 4, 5}
	number := func(i int) func() int { return func() int { return numbers[i] } }
	m.Watch(Gauges{Connections: number(0), Fids: number(1), Transactions: number(2), Streams: number(3)})
	m.Pushed(1500 * time.Millisecond)
	m.Pushed(time.Second)
	m.Committed("merged")
	m.Logged("error", "git")
	m.Logged("error", "git")
	m.Logged("info", "9p")
	code, text := scrape(t, m.Page, "/metrics")
	if code != http.StatusOK {
		t.Fatalf("GET /metrics: %d", code)
	}
	wantLines(t, text,
		"# TYPE DataKit_git_push_duration_seconds summary",
		"DataKit_git_push_duration_seconds_sum 2.5",
		"DataKit_git_push_duration_seconds_count 2",
		"# TYPE datakit_log_messages_total counter",
		`datakit_log_messages_total{level="error",src="git"} 2`,
		`datakit_log_messages_total{level="info",src="9p"} 1`,
		"# TYPE datakit_connections gauge",
		"datakit_connections 2",
		"datakit_fids 3",
		"datakit_transactions 4",
		"datakit_streams 5",
		"# TYPE datakit_commits_total counter",
		`datakit_commits_total{result="fast_forward"} 0`,
		`datakit_commits_total{result="merged"} 1`,
		`datakit_commits_total{result="conflict"} 0`,
		`datakit_commits_total{result="error"} 0`,
		"# TYPE go_goroutines gauge",
		"# TYPE process_cpu_seconds_total counter",
	)
	numbers = []int{0, 0, 0, 0} // FS-201 is about what is behind the functions
	_, text = scrape(t, m.Page, "/metrics")
	wantLines(t, text, "datakit_connections 0", "datakit_fids 0", "datakit_transactions 0", "datakit_streams 0")
}

func TestFS200_OtherPathsAreNotFound(t *testing.T) {
	t.Parallel()
	m := New()
	for _, path := range []string{"/", "/metric", "/metrics/", "/metrics/x", "/debug/pprof/"} {
		if code, _ := scrape(t, m.Page, path); code != http.StatusNotFound {
			t.Errorf("GET %s: %d, want 404", path, code)
		}
	}
}

func TestServeEndsWithItsContext(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	done := make(chan error)
	go func() { done <- New().Serve(ctx, l) }()

	client := &http.Client{Transport: new(http.Transport)}
	defer client.CloseIdleConnections()
	resp, err := client.Get(fmt.Sprintf("http://%s/metrics", l.Addr()))
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(resp.Body)
	resp.Body.Close()
	if err != nil || !strings.Contains(string(body), "go_goroutines") {
		t.Errorf("GET /metrics: %v\n%s", err, body)
	}
	cancel() // while a connection is open and idle
	if err := <-done; err != nil {
		t.Errorf("Serve = %v", err)
	}
	if c, err := net.Dial("tcp", l.Addr().String()); err == nil {
		c.Close()
		t.Error("the listener is open after Serve")
	}
}

func TestServeReturnsTheErrorOfItsListener(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	if err := New().Serve(t.Context(), l); err == nil {
		t.Error("Serve on a closed listener succeeded")
	}
}

func TestCL9_PingTime(t *testing.T) {
	t.Parallel()
	p := newPage("any")
	pinged := p.Pings()
	pinged(500 * time.Millisecond)
	pinged(time.Second)
	_, text := scrape(t, p, "/metrics")
	wantLines(t, text, "# TYPE datakit_client_ping_time_seconds summary",
		"datakit_client_ping_time_seconds_sum 1.5", "datakit_client_ping_time_seconds_count 2")
}
