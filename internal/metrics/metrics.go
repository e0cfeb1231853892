// Package metrics counts what the server and the bridge programs do, and tells
// Prometheus (specification of the filesystem, section 7.5; spec/github.md,
// GH-205).
//
// It is the only package that knows Prometheus. Others have functions that
// return numbers, or call a hook.
package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Metrics are the metrics of one server. Its methods may be called
// concurrently.
type Metrics struct {
	*Page
	pushes  prometheus.Summary
	commits *prometheus.CounterVec
}

// results are how a commit can end. A series that exists from the start is
// easier to alert on.
var results = []string{"fast_forward", "merged", "conflict", "error"}

// New returns the metrics of a server that has not done anything yet, with
// those of the process and of Go's run time.
func New() *Metrics {
	m := &Metrics{
		Page: newPage(""),
		pushes: prometheus.NewSummary(prometheus.SummaryOpts{
			Name: "DataKit_git_push_duration_seconds",
			Help: "Time of each auto-push.",
		}),
		commits: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "datakit_commits_total",
			Help: "Commits of transactions, by how they ended.",
		}, []string{"result"}),
	}
	for _, r := range results {
		m.commits.WithLabelValues(r)
	}
	m.registry.MustRegister(m.pushes, m.commits)
	return m
}

// Gauges are the functions that tell the present numbers. They may be called
// at any time, concurrently, and must be quick.
type Gauges struct {
	Connections  func() int // open connections
	Fids         func() int // bound fids
	Transactions func() int // open transactions
	Streams      func() int // open stream files
}

// Watch adds gauges, all of which are set. It is called once.
func (m *Metrics) Watch(g Gauges) {
	m.gauge("connections", "Open connections.", g.Connections)
	m.gauge("fids", "Bound fids.", g.Fids)
	m.gauge("transactions", "Open transactions.", g.Transactions)
	m.gauge("streams", "Open stream files.", g.Streams)
}

// Committed counts a commit that ended with result: "fast_forward", "merged",
// "conflict" or "error".
func (m *Metrics) Committed(result string) { m.commits.WithLabelValues(result).Inc() }

// Pushed records an auto-push that took d.
func (m *Metrics) Pushed(d time.Duration) { m.pushes.Observe(d.Seconds()) }
