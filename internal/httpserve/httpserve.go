// Package httpserve runs an HTTP server for as long as a context lasts.
package httpserve

import (
	"context"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
	"time"
)

// grace is how long requests may finish when the server is told to stop.
const grace = time.Second

// Serve has s answer the requests that arrive at l until ctx is done, which is
// no error, or l fails. Requests that are being answered then have a second to
// finish. When it returns, l and all connections are closed and no goroutine
// that it started is running.
//
// What clients do wrong is not logged unless s has an ErrorLog.
func Serve(ctx context.Context, l net.Listener, s *http.Server) error {
	var wg sync.WaitGroup
	defer wg.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // runs before Wait, and ends what Wait waits for
	if s.ErrorLog == nil {
		s.ErrorLog = log.New(io.Discard, "", 0)
	}
	wg.Go(func() {
		<-ctx.Done()
		ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
		defer cancel()
		if s.Shutdown(ending) != nil {
			s.Close()
		}
	})
	if err := s.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
