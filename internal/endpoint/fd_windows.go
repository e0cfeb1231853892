package endpoint

import (
	"context"
	"errors"
	"net"
)

func (fd) listen(context.Context) ([]net.Listener, error) {
	return nil, errors.New("sockets are not inherited on Windows")
}
