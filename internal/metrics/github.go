package metrics

import (
	"math"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// GitHub are the metrics of a bridge (GH-205). Its methods may be called
// concurrently.
type GitHub struct {
	*Page
	calls      *prometheus.CounterVec
	limit      prometheus.Gauge
	syncs      *prometheus.CounterVec
	took       prometheus.Histogram
	toCommit   prometheus.Histogram
	toGitHub   prometheus.Histogram
	pending    *prometheus.GaugeVec
	deliveries *prometheus.CounterVec
	monitored  prometheus.Gauge
}

// NewGitHub returns the metrics of a bridge that has not done anything yet.
// deliveries are the results that Delivered will be told.
func NewGitHub(deliveries []string) *GitHub {
	p := newPage("github")
	m := &GitHub{
		Page:       p,
		calls:      p.counters("api_calls_total", "Calls of GitHub's API, by operation and by how they ended.", "op", "result"),
		limit:      p.plain("rate_limit_remaining", "Calls that GitHub still allows now; NaN before it has said so."),
		syncs:      p.counters("syncs_total", "Syncs, by what caused them and by how they ended.", "reason", "result"),
		took:       p.histogram("sync_duration_seconds", "Time of each sync."),
		toCommit:   p.histogram("event_to_commit_seconds", "Time from the arrival of a webhook event to the commit with its effect."),
		toGitHub:   p.histogram("commit_to_github_seconds", "Time from when a change of the branch was noticed until GitHub had it."),
		pending:    prometheus.NewGaugeVec(p.named("pending", "What could not be done and is tried again, by kind."), []string{"kind"}),
		deliveries: p.counters("webhook_deliveries_total", "Deliveries of webhooks, by how they were answered.", "result"),
		monitored:  p.plain("monitored_repositories", "Repositories that are mirrored."),
	}
	p.registry.MustRegister(m.pending)
	m.limit.Set(math.NaN())
	for _, r := range deliveries {
		m.deliveries.WithLabelValues(r)
	}
	return m
}

// Called counts a call of the API: the operation, and "ok" or how it failed.
func (m *GitHub) Called(op, result string) { m.calls.WithLabelValues(op, result).Inc() }

// Remaining records how many calls GitHub still allows.
func (m *GitHub) Remaining(calls int) { m.limit.Set(float64(calls)) }

// Synced records a sync that took d: what caused it, and "ok" or "error".
func (m *GitHub) Synced(reason, result string, d time.Duration) {
	m.syncs.WithLabelValues(reason, result).Inc()
	m.took.Observe(d.Seconds())
}

// EventToCommit records how long an event took from its arrival to the branch.
func (m *GitHub) EventToCommit(d time.Duration) { m.toCommit.Observe(d.Seconds()) }

// CommitToGitHub records how long a change of the branch took to GitHub.
func (m *GitHub) CommitToGitHub(d time.Duration) { m.toGitHub.Observe(d.Seconds()) }

// Monitored records how many repositories are mirrored.
func (m *GitHub) Monitored(n int) { m.monitored.Set(float64(n)) }

// Pending records how much of a kind is to be tried again.
func (m *GitHub) Pending(kind string, n int) { m.pending.WithLabelValues(kind).Set(float64(n)) }

// Delivered counts a delivery of a webhook.
func (m *GitHub) Delivered(result string) { m.deliveries.WithLabelValues(result).Inc() }

// Queue adds the length of the queue of webhook events. It is called once at
// most; length may be called at any time, concurrently, and must be quick.
func (m *GitHub) Queue(length func() int) {
	m.gauge("queue_length", "Webhook events that wait for a sync.", length)
}
