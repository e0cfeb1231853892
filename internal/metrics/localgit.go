package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// LocalGit are the metrics of a bridge to local Git repositories. Its methods
// may be called concurrently.
type LocalGit struct {
	*Page
	syncs      *prometheus.CounterVec
	took       prometheus.Histogram
	refs       prometheus.Gauge
	unreadable prometheus.Gauge
}

// NewLocalGit returns the metrics of a bridge that has not done anything yet.
func NewLocalGit() *LocalGit {
	p := newPage("localgit")
	return &LocalGit{
		Page:       p,
		syncs:      p.counters("syncs_total", "Syncs, by how they ended.", "result"),
		took:       p.histogram("sync_duration_seconds", "Time of each sync."),
		refs:       p.plain("refs", "References that are mirrored."),
		unreadable: p.plain("unreadable_repositories", "Repositories that cannot be read at present."),
	}
}

// Synced records a sync that took d, with its result: "ok" or "error".
func (m *LocalGit) Synced(result string, d time.Duration) {
	m.syncs.WithLabelValues(result).Inc()
	m.took.Observe(d.Seconds())
}

// Refs records how many references are mirrored.
func (m *LocalGit) Refs(n int) { m.refs.Set(float64(n)) }

// Unreadable records how many repositories cannot be read.
func (m *LocalGit) Unreadable(n int) { m.unreadable.Set(float64(n)) }
