package api_test

import (
	"net/http/httptest"
	"runtime"
	"testing"
	"time"

	"github.com/datakit/datakit/github"
	"github.com/datakit/datakit/github/api"
	"github.com/datakit/datakit/github/githubtest"
)

// BenchmarkImport reads a large repository at 50 ms a request, 16 at once: the
// calls alone, with which the first sync is compared. Beside the time it
// reports how many requests there were, what share of the time that they must
// take at least was used, and what the client keeps of the answers.
func BenchmarkImport(b *testing.B) {
	const latency = 50 * time.Millisecond
	size := githubtest.Size{PRs: 5000, Refs: 3000, Statuses: 20_000}
	if testing.Short() {
		size = githubtest.Size{PRs: 200, Refs: 100, Statuses: 800}
	}
	w := githubtest.New(repo)
	w.Fill(repo, size)
	w.SetLatency(func(string) time.Duration { return latency })
	s := githubtest.NewServer(w)
	defer s.Close()
	s.Token, s.Pad = secret, 8000
	s.SetLimit(1_000_000, time.Now().Add(time.Hour))
	h := httptest.NewServer(s)
	defer h.Close()
	for b.Loop() {
		s.ResetRequests()
		before := heap()
		c, err := api.New(api.Config{BaseURL: h.URL, Token: newSecret(secret)})
		if err != nil {
			b.Fatal(err)
		}
		start := time.Now()
		all, err := githubtest.ReadAll(b.Context(), c, repo, api.DefaultJobs)
		took := time.Since(start)
		if err != nil {
			b.Fatal(err)
		}
		check(b, all, size)
		requests := 0
		for _, n := range s.Requests() {
			requests += n
		}
		all = github.Snapshot{}
		b.ReportMetric(float64(requests), "requests")
		b.ReportMetric(took.Seconds()/(float64(requests)*latency.Seconds()/api.DefaultJobs), "times-least")
		b.ReportMetric((heap()-before)/(1<<20), "MiB-kept")
		c.Close()
	}
}

// heap returns the bytes that are in use.
func heap() float64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc)
}

// check compares what was read with the size.
func check(tb testing.TB, all github.Snapshot, want githubtest.Size) {
	tb.Helper()
	var got githubtest.Size
	for range all.PRs() {
		got.PRs++
	}
	for range all.Refs() {
		got.Refs++
	}
	for range all.Statuses() {
		got.Statuses++
	}
	if got != want {
		tb.Fatalf("the import has %+v, want %+v", got, want)
	}
}
