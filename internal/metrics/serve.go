package metrics

import (
	"context"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// The times that a scraper has to send its request, and to be answered in all.
const (
	requestTime = 10 * time.Second
	replyTime   = 60 * time.Second
)

// Handler answers GET /metrics with the present values in Prometheus's text
// format, and 404 to other paths.
func (m *Metrics) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{Registry: m.registry}))
	return mux
}

// Serve answers the requests that arrive at l until ctx is done, which is no
// error, or l fails. When it returns, l and all connections are closed and no
// goroutine that it started is running.
func (m *Metrics) Serve(ctx context.Context, l net.Listener) error {
	var wg sync.WaitGroup
	defer wg.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // runs before Wait, and ends what Wait waits for
	s := &http.Server{
		Handler:           m.Handler(),
		ReadHeaderTimeout: requestTime,
		WriteTimeout:      replyTime,
		IdleTimeout:       replyTime,
		ErrorLog:          log.New(io.Discard, "", 0), // scrapers notice by themselves
	}
	wg.Go(func() {
		<-ctx.Done()
		s.Close()
	})
	if err := s.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
