package serve

import (
	"context"
	"fmt"
	"net"

	"github.com/datakit/datakit/internal/endpoint"
)

// listeners are what a server listens on.
type listeners struct {
	files   []net.Listener // for 9P
	metrics net.Listener   // nil if metrics are not served
}

// listen opens all addresses. What is open when one fails is left for close.
func (ls *listeners) listen(ctx context.Context, addresses []endpoint.Address, metricsAddr string) error {
	for _, a := range addresses {
		more, err := a.Listen(ctx)
		if err != nil {
			return fmt.Errorf("cannot listen on %w", err)
		}
		ls.files = append(ls.files, more...)
	}
	if metricsAddr == "" {
		return nil
	}
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", metricsAddr)
	if err != nil {
		return fmt.Errorf("cannot serve metrics: %w", err)
	}
	ls.metrics = l
	return nil
}

// close closes what is still open: nothing, where it has been served.
func (ls *listeners) close() {
	for _, l := range ls.files {
		l.Close()
	}
	if ls.metrics != nil {
		ls.metrics.Close()
	}
}
