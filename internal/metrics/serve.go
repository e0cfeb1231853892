package metrics

import (
	"context"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/datakit/datakit/internal/httpserve"
)

// The times that a scraper has to send its request, and to be answered in all.
const (
	requestTime = 10 * time.Second
	replyTime   = 60 * time.Second
)

// handler answers GET /metrics with the present values in Prometheus's text
// format, and 404 to other paths.
func (p *Page) handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(p.registry, promhttp.HandlerOpts{Registry: p.registry}))
	return mux
}

// Serve answers the requests that arrive at l until ctx is done, which is no
// error, or l fails. When it returns, l and all connections are closed and no
// goroutine that it started is running.
func (p *Page) Serve(ctx context.Context, l net.Listener) error {
	return httpserve.Serve(ctx, l, &http.Server{
		Handler:           p.handler(),
		ReadHeaderTimeout: requestTime,
		WriteTimeout:      replyTime,
		IdleTimeout:       replyTime,
	})
}
