package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
)

// seconds are the bounds of histograms: a webhook reaches the branch within
// milliseconds, the first sync of a large repository takes minutes.
var seconds = []float64{.01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 120, 300}

// A Page is the metrics that every program has, of the process and of its log,
// and those that are added to it, as Prometheus reads them. Its methods may be
// called concurrently.
type Page struct {
	registry  *prometheus.Registry
	messages  *prometheus.CounterVec
	subsystem string // in the names of what is added
}

func newPage(subsystem string) *Page {
	p := &Page{
		registry: prometheus.NewRegistry(),
		messages: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "datakit_log_messages_total",
			Help: "Messages logged, by level and source.",
		}, []string{"level", "src"}),
		subsystem: subsystem,
	}
	p.registry.MustRegister(p.messages,
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), collectors.NewGoCollector())
	return p
}

// Logged counts a message.
func (p *Page) Logged(level, source string) { p.messages.WithLabelValues(level, source).Inc() }

// Pings adds the metric of the pings of a client of a database (CL-9), and
// returns what records how long each took. It may be called once.
func (p *Page) Pings() func(time.Duration) {
	s := prometheus.NewSummary(prometheus.SummaryOpts{
		Name: "datakit_client_ping_time_seconds",
		Help: "Time of each ping of the server of the database.",
	})
	p.registry.MustRegister(s)
	return func(d time.Duration) { s.Observe(d.Seconds()) }
}

// named returns the options of a metric of this program.
func (p *Page) named(name, help string) prometheus.GaugeOpts {
	return prometheus.GaugeOpts{Namespace: "datakit", Subsystem: p.subsystem, Name: name, Help: help}
}

func (p *Page) gauge(name, help string, value func() int) {
	p.registry.MustRegister(prometheus.NewGaugeFunc(p.named(name, help), func() float64 { return float64(value()) }))
}

func (p *Page) plain(name, help string) prometheus.Gauge {
	g := prometheus.NewGauge(p.named(name, help))
	p.registry.MustRegister(g)
	return g
}

func (p *Page) counters(name, help string, labels ...string) *prometheus.CounterVec {
	c := prometheus.NewCounterVec(prometheus.CounterOpts(p.named(name, help)), labels)
	p.registry.MustRegister(c)
	return c
}

func (p *Page) histogram(name, help string) prometheus.Histogram {
	h := prometheus.NewHistogram(prometheus.HistogramOpts{
		Namespace: "datakit", Subsystem: p.subsystem, Name: name, Help: help, Buckets: seconds,
	})
	p.registry.MustRegister(h)
	return h
}
