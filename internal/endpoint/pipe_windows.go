package endpoint

import (
	"context"
	"net"

	"github.com/Microsoft/go-winio"
)

// A pipe address is the whole name of a named pipe.
type pipe string

func (p pipe) listen(context.Context) ([]net.Listener, error) {
	l, err := winio.ListenPipe(string(p), nil)
	if err != nil {
		return nil, err
	}
	return []net.Listener{l}, nil
}

func (p pipe) dial(ctx context.Context) (net.Conn, error) {
	return winio.DialPipeContext(ctx, string(p))
}
